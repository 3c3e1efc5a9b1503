"""One view over a scan: shapes on its images, and what each of them answers, live."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import replace
from typing import Any

import ipywidgets

from udfwidgets.explore.board import PROBE, Board
from udfwidgets.explore.code import code_of
from udfwidgets.explore.linked import Linked
from udfwidgets.explore.panels import Array
from udfwidgets.explore.state import State, contrast_of
from udfwidgets.explore.subject import Subject
from udfwidgets.geometry import Figure, Point
from udfwidgets.live.derived import Pictures, WithPictures
from udfwidgets.live.fronts.stills import complete
from udfwidgets.live.generation import PATIENCE
from udfwidgets.live.image import LiveImage
from udfwidgets.live.keepers import Keepers
from udfwidgets.live.offered import wait_saved
from udfwidgets.live.picture.picture import Status
from udfwidgets.live.picture.sheet import side_by_side
from udfwidgets.live.quick import Layout, Quick
from udfwidgets.live.report import status_of
from udfwidgets.live.shapes.holder import Shapes
from udfwidgets.live.status import StatusBar
from udfwidgets.live.wire.protocol import CommandName
from udfwidgets.live.wire.protocol import State as RunState

BUTTONS: tuple[CommandName, ...] = ("pause", "resume", "restart", "cancel")
#: What the whole is, of what its parts are: the first of these that one of them is.
_LOUDEST: tuple[RunState, ...] = (
    "failed",
    "stalled",
    "running",
    "waiting",
    "paused",
    "cancelled",
    "done",
)


class Explorer(WithPictures, Quick, ipywidgets.VBox):  # type: ignore[misc]
    """Detectors on the summed pattern, probe and regions on the scan, and what they answer.

    It is made by `Context.explore`, and a widget: the last line of a cell. Shapes are drawn and
    moved by hand, or set here, on any thread::

        view = ctx.explore(dataset)
        view.detectors["ADF"] = Annulus(cx=64, cy=64, ri=20, ro=60)
        view.formulas["phase"] = "(A - B) / (A + B)"
        view.probe = Point(cx=12, cy=40)
        view.regions["grain"] = Disk(cx=30, cy=30, r=5)

    Each answer begins from coarse to fine, and is exact when it is complete; while a shape moves
    what was overtaken is dropped. A shape that has no answer says why, and its last one stays.

    Parameters
    ----------
    subject : Subject
        What is looked at.
    state : State
        What is on it at first.
    on_close : callable
        Called with the last state when it is closed.

    Attributes
    ----------
    detectors : Shapes
        On the summed pattern, by name: an image of the scan for each.
    formulas : mutable mapping
        Texts by title: arithmetic of detectors, see `Formula`; an image of the scan for each.
    status : StatusBar
        How far all answers together are, and why one is missing.
    """

    def __init__(
        self,
        subject: Subject,
        state: State | None = None,
        on_close: Callable[[dict[str, Any]], None] = lambda state: None,
    ) -> None:
        state = state or State()
        self._subject = subject
        self._scan = subject.images[1]  # or it is refused, before there are widgets
        self._on_close = on_close
        self.keepers = Keepers(self, lambda: None, self.close)
        self.status = StatusBar("Explore", BUTTONS)
        self.status.answer(BUTTONS, self._command)
        self.status.on_deleted(self.keepers.outputs.deleted)
        self._pictures = Pictures(layout=self.status.layout)
        self._board = Board(subject, state, self._news, self._show)
        self._show(self._board.images)
        super().__init__(
            [self.status, self._pictures],
            layout=Layout(),
            _dom_classes=["udfw-analysis", "udfw-by-udf"],
        )
        self._board.begin(state)

    # What is pointed at

    @property
    def detectors(self) -> Shapes:
        """Shapes on the summed pattern, by name: an image of the scan for each."""
        return self._board.detectors

    @property
    def formulas(self) -> MutableMapping[str, str]:
        """Arithmetic of detectors by title, see `Formula`: an image of the scan for each."""
        return self._board.formulas

    @property
    def regions(self) -> Linked:
        """Shapes on the scan by name, the probe among them: the summed pattern of each is shown."""
        return self._board.on_scan

    @property
    def probe(self) -> Point:
        """The scan position whose pattern is shown: x and y of the scan."""
        shape = self.regions.get(PROBE)
        return shape if isinstance(shape, Point) else Point(cx=0, cy=0)

    @probe.setter
    def probe(self, point: Point) -> None:
        if not isinstance(point, Point):
            raise TypeError(f"the probe is {point!r}, expected a Point(cx=..., cy=...)")
        self.regions[PROBE] = point

    @property
    def images(self) -> Mapping[str, LiveImage]:
        """The images by title."""
        return {image.title: image for image in self._board.images}

    @property
    def is_kept(self) -> bool:
        """Whether the scan is kept in memory, so that moved detectors are answered at once."""
        return self._board.is_kept

    @property
    def state(self) -> dict[str, Any]:
        """The view as plain data, for JSON; ``ctx.explore(dataset, state=...)`` takes it."""
        regions = {name: shape for name, shape in self.regions.items() if name != PROBE}
        contrast = contrast_of(self._board.images)
        detectors = dict(self.detectors)
        return State(detectors, regions, self.probe, dict(self.formulas), contrast).to_plain()

    def code(self) -> str:
        """Return the lines of Python that compute each answer, for `ctx` and `dataset`."""
        return code_of(
            dict(self.detectors),
            self._board.formulas.parsed(),
            dict(self.regions),
            self._scan,
            self._subject.roi is not None,
        )

    # Answers

    def presets(self) -> dict[str, Figure]:
        """Return BF, ABF, ADF and HAADF at the central disk of the summed pattern.

        Blocks until as much of the pattern is there as that takes::

            view.detectors["HAADF"] = view.presets()["HAADF"]

        Raises
        ------
        DiskNotFound
            If there is no such disk; a ValueError that says why.
        """
        return self._board.presets()

    def wait(self) -> None:
        """Block until every shape has its complete answer, or it is known why it has none."""
        self._board.wait()
        self._linger()

    def _linger(self) -> None:
        """Wait until the last pictures are saved with the notebook, while the cell runs."""
        wait_saved((*self._board.images, self.status), PATIENCE)

    def result(self, name: str) -> Array:
        """Block until the answer of a detector, a formula, the probe or a region is complete.

        Parameters
        ----------
        name : str
            Of the shape, or the title of the formula.

        Returns
        -------
        numpy.ndarray
            float64, of the scan (NaN where positions are missing) or of the pattern.

        Raises
        ------
        KeyError
            If there is no such thing.
        RuntimeError
            If it has no answer; the message says why.
        """
        found = self._board.result(name)
        self._linger()
        return found

    # On any thread

    def _show(self, images: Sequence[LiveImage]) -> None:
        self._pictures.show(images)

    def _news(self) -> None:
        final = all(answer.is_final for answer in self._board.answers)
        self.status.offer(self._status, final=final)
        if final and self._board.is_idle and (code := self.code()) != self.status.code:
            self.status.code = code

    def _status(self) -> Status:
        """Say how far all answers are together, on the hub's thread."""
        runs = [answer.run for answer in self._board.answers]
        parts = [status_of(run) for run in runs if run is not None]
        said = [part.message for part in parts if part.message]
        message = "\n".join(dict.fromkeys([*self._board.problems, *said]))
        if not parts:
            return Status("done", 1.0, message=message)
        n_frames = max(part.frames_total for part in parts)
        done, total = sum(p.frames_done for p in parts), sum(p.frames_total for p in parts)
        state = next(each for each in _LOUDEST if any(part.state == each for part in parts))
        busy = [part for part in parts if part.state == "running"]
        lefts = [part.seconds_left for part in busy if part.seconds_left is not None]
        return replace(
            parts[0],
            state=state,
            fraction=done / total if total else 1.0,
            # As of one pass: how many questions there are is not what a person asks.
            frames_done=round(n_frames * done / total) if total else 0,
            frames_total=n_frames,
            frames_per_second=sum(part.frames_per_second for part in busy),
            bytes_per_second=sum(part.bytes_per_second for part in busy),
            seconds_left=max(lefts, default=None),
            message=message,
        )

    def _command(self, name: CommandName) -> None:
        """Answer a button, on the hub's thread."""
        if name == "restart":
            self._board.ask_again()
        elif name == "close":
            self.close()
        else:
            for answer in self._board.answers:
                run = answer.run
                if run is not None and name in ("pause", "resume", "cancel"):
                    getattr(run, name)()

    # Lifetime

    def close(self) -> None:
        """Stop all that is asked and release all widgets; may be called twice."""
        if self.comm is None:
            return
        self._on_close(self.state)
        self._board.close()
        self._pictures.close()
        self.status.close()
        super().close()

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        mime: dict[str, Any] = {}
        if self.comm is not None:
            self.keepers.outputs.note()
            mime = super()._repr_mimebundle_(**kwargs) or {}
        return complete(mime, repr(self), self._png)

    def _png(self) -> bytes | None:
        pictures = [png for image in self.images.values() if (png := image.png(overview=True))]
        return side_by_side(pictures) if pictures else None

    def __repr__(self) -> str:
        shape = self._subject.dataset.shape
        return f"<Explorer of a scan nav={shape.nav.axes} sig={shape.sig.axes}>"
