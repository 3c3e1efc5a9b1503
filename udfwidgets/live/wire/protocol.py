"""The messages between the kernel and the pages that show its pictures.

How it works. A *page* is one browser window with the notebook in it. It opens a comm to the target
`udfwidgets.hub` and says `hello`; from then on every message carries its name. Because the browser
opened that comm, JupyterLab and ipykernel 7 handle its messages on a thread of their own, also
while a cell blocks the kernel. Where a page cannot open comms it sends the same messages through
any of its widgets, and gets its answers through one of them.

For every widget model that lives in a page, the page sends `want`. It says `see` whenever it
changes whether the model's views are in sight, out of sight ('hidden': scrolled away, in a hidden
tab, in a notebook that was closed), or deleted by the person ('none'), and `gone` when the model is
closed. The kernel answers a `want` with the whole picture, and later sends only what has changed,
to views in sight.

Making a model and its view takes a page longer than the scan needs for a picture. So the first two
frames of a widget go out as soon as they are worth it, to all pages, whether or not they have asked
or have a view. A page keeps what comes before the model, and then says with `have` what it has.

Everything that is new at one moment, for all widgets of a page, travels in one `frames` message:
the rate of messages is what costs, not the pixels. A page acknowledges with one `ack` what it has
painted. At most two frames of a widget are on their way; in between the kernel forgets what has
been overtaken, so nobody watches a picture from the past.

Messages can be lost (the server drops more than 1000 per second, silently). So a page that has
heard nothing for a while says what it looks at (`see`) and has (`have`), and gets the whole picture
again if that is not the newest. A page that finds a gap in the sequence numbers says `want` again.

What a page says at one time travels in one `said` message, for the same reason; commands and
farewells do not wait for others to come.

`look` asks for a part of a large image in full resolution, `contrast` for codes that tell the
levels of other limits apart, `slice` for another slice of an image that has several, `component`
for another part of complex numbers or vectors, `goal` says when a run is to stop, `command` which
button was pressed, and `bye` that a page closes.

`draw` says what a hand does with the shapes on an image: at most one per animation frame, with all
that the kernel has not said it heard. The page numbers them, and the kernel answers with all shapes
and with the number of the last one that it has heard of each page. What a page has drawn since is
newer, so an answer never moves a shape back under the hand; what stays unheard is said again.

A `frames` message comes with binary buffers; its parts name them by index. Pixels are codes of
16 bits, little-endian (see `live.picture.quantise`). Where `colours` is "wheel", `tint` has a
direction for each pixel, as 16 bits from -180 to 180 degrees; where it is "own", three bytes of
red, green and blue. Coverage of a nav image is one bit per pixel of the grid, lowest bit first,
that of a sig image one byte per bin of the scan. A whole nav image has such bits for what is
outside as well, where nothing is ever merged, if there is any.

The table of all fields is `js/src/wire/protocol.json`; tests hold this file and `protocol.ts` to
it.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict

TARGET = "udfwidgets.hub"

#: Frames of one widget that may be on their way to a page.
CREDIT = 2

Rect = tuple[int, int, int, int]
"""y, x, height, width."""

Curve = tuple[float, float, float, float]
"""Centre, scale, and the part of the range that is shown, see `live.picture.quantise`."""

Stroke = tuple[str, dict[str, Any] | None, bool]
"""Name of a shape, the shape as plain data (None: deleted), and whether the hand has left it."""

Entry = tuple[str, dict[str, Any], int]
"""Name of a shape, the shape as plain data, and its place in the palette."""

View = Literal["none", "hidden", "visible"]
"""What a page shows of a model."""

CommandName = Literal["touch", "pause", "resume", "restart", "cancel", "close", "transform"]
"""The buttons of a card; `touch` is anything else that a person does with it. `transform` is said
of an image: show its Fourier transform beside it, or take that away."""

Colours = Literal["map", "wheel", "own"]
"""What gives pixels their colours: their value; its direction, too; or they themselves."""

State = Literal["waiting", "running", "paused", "stalled", "done", "cancelled", "failed"]
"""Of an analysis. `stalled` is one whose source delivers nothing; the last three are final."""


class Hello(TypedDict):
    """A page has opened its comm."""

    type: Literal["hello"]
    page: str


class Want(TypedDict):
    """A model lives in the page and has nothing, or has missed something."""

    type: Literal["want"]
    page: str
    key: str
    view: View


class See(TypedDict):
    """The views of a model came into sight, went out of it, or were deleted."""

    type: Literal["see"]
    page: str
    key: str
    view: View


class Ack(TypedDict):
    """These frames have been painted: (key, sequence) of each."""

    type: Literal["ack"]
    page: str
    painted: list[tuple[str, int]]


class Have(TypedDict):
    """Nothing was heard for a while; this is what the page has."""

    type: Literal["have"]
    page: str
    held: list[tuple[str, int]]


class Look(TypedDict):
    """Send this part in full resolution as well; None for no part."""

    type: Literal["look"]
    page: str
    key: str
    rect: Rect | None


class Contrast(TypedDict):
    """A person has chosen limits or a scale; without limits those that are proposed count."""

    type: Literal["contrast"]
    page: str
    key: str
    limits: tuple[float, float] | None
    log: bool


class Slice(TypedDict):
    """A person has chosen another slice, counted from 0."""

    type: Literal["slice"]
    page: str
    key: str
    index: int


class Component(TypedDict):
    """A person has chosen another component of what has several, counted from 0."""

    type: Literal["component"]
    page: str
    key: str
    index: int


class Goal(TypedDict):
    """A person has said at which signal-to-noise ratio to stop; None for nowhere."""

    type: Literal["goal"]
    page: str
    key: str
    value: float | None


class Command(TypedDict):
    """A person has pressed a button."""

    type: Literal["command"]
    page: str
    key: str
    name: CommandName


class Draw(TypedDict):
    """A hand has drawn, moved or deleted shapes; a page counts what it says of that."""

    type: Literal["draw"]
    page: str
    key: str
    number: int
    strokes: list[Stroke]


class Gone(TypedDict):
    """The model is closed in this page."""

    type: Literal["gone"]
    page: str
    key: str


class Bye(TypedDict):
    """The page closes."""

    type: Literal["bye"]
    page: str


class ImageFrame(TypedDict):
    """What is new of one image.

    `grid` is the shape of the picture as sent, smaller than `shape` for a large image; `rect` is
    the part of the grid that `pixels` fills. `lo`, `hi` and `curve` are the encoding, `limits`
    and `limits_log` the contrast proposed for a linear and for a logarithmic scale, `slice` which
    slice of several it is, and `component` which part of what is more than real numbers.
    """

    key: str
    sequence: int
    generation: int
    whole: bool
    shape: tuple[int, int]
    grid: tuple[int, int]
    rect: Rect
    lo: float
    hi: float
    curve: Curve | None
    limits: tuple[float, float]
    limits_log: tuple[float, float]
    fraction: float
    final: bool
    slice: int
    component: str
    colours: Colours
    estimated: bool
    pixels: int | None
    tint: int | None
    coverage: int | None
    outside: int | None
    detail: int | None
    detail_tint: int | None
    detail_rect: Rect | None


class StatusFrame(TypedDict):
    """What is new of one status bar."""

    key: str
    sequence: int
    state: State
    fraction: float
    frames_done: int
    frames_total: int
    frames_per_second: float
    bytes_per_second: float
    seconds_left: float | None
    message: str
    note: str
    ratio: float | None
    goal: float | None


class TotalsFrame(TypedDict):
    """What all analyses of a Context do together; rates in bytes per second, memory in bytes.

    Of other processes there are 0 where threads of the kernel work; the address of a page about
    them is empty where there is none.
    """

    key: str
    sequence: int
    running: int
    read: float
    served: float
    moved: float
    memory: int
    processes: int
    page: str


class DrawingFrame(TypedDict):
    """All shapes of one image, and the number of the last `draw` heard of each page."""

    key: str
    sequence: int
    shapes: list[Entry]
    heard: list[tuple[str, int]]


class Frames(TypedDict):
    """Everything that is new for the page `to`."""

    type: Literal["frames"]
    to: str
    images: list[ImageFrame]
    statuses: list[StatusFrame]
    totals: list[TotalsFrame]
    drawings: list[DrawingFrame]


FromPage = (
    Hello
    | Want
    | See
    | Ack
    | Have
    | Look
    | Contrast
    | Slice
    | Component
    | Goal
    | Command
    | Draw
    | Gone
    | Bye
)


class Said(TypedDict):
    """All that a page says at one time.

    ipykernel tells the page for each message that it is busy and that it is idle again, and
    JupyterLab shows it.
    """

    type: Literal["said"]
    page: str
    messages: list[FromPage]


#: Every message and part, by the name it has in the table.
MESSAGES: dict[str, type] = {
    "hello": Hello,
    "want": Want,
    "see": See,
    "ack": Ack,
    "have": Have,
    "look": Look,
    "contrast": Contrast,
    "slice": Slice,
    "component": Component,
    "goal": Goal,
    "command": Command,
    "draw": Draw,
    "gone": Gone,
    "bye": Bye,
    "said": Said,
    "frames": Frames,
    "image": ImageFrame,
    "status": StatusFrame,
    "total": TotalsFrame,
    "drawing": DrawingFrame,
}
