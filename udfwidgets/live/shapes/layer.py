"""The widget over an image on which shapes are drawn, and what its pages are told."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import bqplot
import ipywidgets
import traitlets

from udfwidgets.geometry import Figure, from_plain
from udfwidgets.live.drawn import Drawn
from udfwidgets.live.quick import Layout, new_name
from udfwidgets.live.shapes.holder import COLOURS, Held, Shapes
from udfwidgets.live.wire import bundle
from udfwidgets.live.wire.flow import NOTHING, Feed, Part, Sight
from udfwidgets.live.wire.hub import hub
from udfwidgets.live.wire.pool import BufferPool
from udfwidgets.live.wire.protocol import Stroke

#: What a page can draw.
TOOLS = (
    "point",
    "disk",
    "annulus",
    "sector",
    "rectangle",
    "ellipse",
    "polygon",
    "lasso",
    "brush",
)
#: Seconds after a change in which others are awaited before the notebook is told what to keep: the
#: server loses what exceeds 1000 messages per second.
SETTLE = 0.1
#: Pages whose last stroke is known; older ones are closed by now.
PAGES = 64

_log = logging.getLogger(__name__)


class Layer(Drawn):
    """The shapes of a `LiveImage`, over its pixels; made by it, never alone.

    Parameters
    ----------
    shapes : Shapes
        What to show.
    scales : tuple
        Those of the figure, of x and of y.
    traits : object
        Of the image.
    """

    _kind = traitlets.Unicode("shapes").tag(sync=True)
    _interaction = traitlets.Unicode("").tag(sync=True)
    image_kind = traitlets.Unicode().tag(sync=True)
    shape = traitlets.List().tag(sync=True)
    margin = traitlets.Dict().tag(sync=True)
    title = traitlets.Unicode().tag(sync=True)
    tools = traitlets.List().tag(sync=True)
    #: Names of shapes that are there at one press, with the shapes; without one says why.
    presets = traitlets.List().tag(sync=True)
    presets_why = traitlets.Unicode().tag(sync=True)
    #: Size and unit of a pixel along y and along x, where they are known.
    units = traitlets.List([None, None]).tag(sync=True)
    palette = traitlets.List(list(COLOURS)).tag(sync=True)
    scale_x = traitlets.Instance(bqplot.LinearScale).tag(
        sync=True, **ipywidgets.widget_serialization
    )
    scale_y = traitlets.Instance(bqplot.LinearScale).tag(
        sync=True, **ipywidgets.widget_serialization
    )

    _source = bundle.shapes

    def __init__(
        self,
        shapes: Shapes,
        scales: tuple[bqplot.LinearScale, bqplot.LinearScale],
        **traits: Any,
    ) -> None:
        key = new_name()
        self._shapes = shapes
        #: Held where the timer is set or cleared.
        self._settling = threading.Lock()
        self._timer: threading.Timer | None = None
        x, y = scales
        super().__init__(
            key,
            scale_x=x,
            scale_y=y,
            # Its parts lie in the grid of the image.
            layout=Layout(display="contents"),
            _saved={"shapes": _entries(shapes.held)},
            **traits,
        )
        self.connect(ShapesFeed(key, shapes))

    def changed(self) -> None:
        """Take note, on any thread, that shapes have changed."""
        hub().news()
        if self._connected is None or not _is_resting(self._shapes.held):
            return
        with self._settling:
            if self._timer is None:
                self._timer = timer = threading.Timer(SETTLE, self._keep)
                timer.name, timer.daemon = "udfwidgets-hand-keep", True
                timer.start()

    def close(self) -> None:
        """Close the widget; the shapes stay."""
        with self._settling:
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        super().close()

    def _keep(self) -> None:
        """Have the shapes kept with the notebook, as they are while no hand moves them."""
        with self._settling:
            self._timer = None
        held = self._shapes.held
        if _is_resting(held):
            self._saved = {"shapes": _entries(held)}

    def __repr__(self) -> str:
        return f"<Layer of {self._shapes!r}>"


class ShapesFeed(Feed):
    """The shapes of one image, and what has been heard of the pages that draw them.

    A page gets all shapes, with the number of the last stroke that was heard of each page. What it
    has drawn since is newer than what it gets, so it never moves a shape back under the hand.

    Parameters
    ----------
    key : str
        Names the widget.
    shapes : Shapes
        What is shown, and what pages change.
    """

    kind = "drawings"

    def __init__(self, key: str, shapes: Shapes) -> None:
        self.key = key
        self.version = NOTHING
        self._shapes = shapes
        self._taken: Mapping[str, Held] | None = None
        #: Held while strokes are taken in, on any thread: what is heard is in the shapes by then.
        self._lock = threading.Lock()
        self._heard: list[tuple[str, int]] = []
        #: By page. A change is a new one, also where the shapes stay as they are.
        self._strokes: dict[str, int] = {}
        self._is_heard = False

    @property
    def pending(self) -> bool:
        """Whether shapes have changed, or a page waits to know that it was heard."""
        return self._is_heard or self._taken is not self._shapes.held

    @property
    def urgent(self) -> bool:
        """Never: they are of no interest to nobody."""
        return False

    def refresh(self) -> None:
        """Take the newest shapes."""
        with self._lock:
            self._is_heard = False
            self._taken, self._heard = self._shapes.held, list(self._strokes.items())
        self.version += 1

    def part(self, sight: Sight, pool: BufferPool) -> Part:
        """Return all shapes: they are few."""
        assert self._taken is not None, "only called after a version exists"
        header = {"shapes": _entries(self._taken), "heard": self._heard}
        return Part(header)

    def draw(self, page: str, number: int, strokes: Sequence[Stroke]) -> None:
        """Take in what a page has drawn, on any thread; what makes no shape is logged."""
        with self._lock:
            self._is_heard = True
            if number <= self._strokes.get(page, NOTHING):
                return  # said again, because the page has not seen that it was heard
            self._strokes.pop(page, None)  # the order is that of the last stroke
            self._strokes[page] = number
            while len(self._strokes) > PAGES:
                self._strokes.pop(next(iter(self._strokes)))
            try:
                self._shapes.draw(
                    {name: (_shape_of(plain), resting) for name, plain, resting in strokes}
                )
            except ValueError as error:
                _log.warning("dropped what a page has drawn: %.200s", error)


def _shape_of(plain: Mapping[str, Any] | None) -> Figure | None:
    return None if plain is None else from_plain(plain)


def _is_resting(held: Mapping[str, Held]) -> bool:
    return all(each.resting for each in held.values())


def _entries(held: Mapping[str, Held]) -> list[tuple[str, dict[str, Any], int]]:
    return [(name, each.shape.to_plain(), each.colour) for name, each in held.items()]
