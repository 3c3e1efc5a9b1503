"""One view over a scan: shapes on its images, and what each of them answers, live."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import replace
from typing import Any

import ipywidgets
import numpy as np

from udfwidgets.errors import text_of
from udfwidgets.explore.answer import Answer
from udfwidgets.explore.asking import Asking
from udfwidgets.explore.code import code_of
from udfwidgets.explore.formulas import Formulas
from udfwidgets.explore.linked import Linked
from udfwidgets.explore.memory import Memory
from udfwidgets.explore.panels import Array, Panel, Shows
from udfwidgets.explore.placing import place
from udfwidgets.explore.questions import Detector, Pattern, Question, Unanswerable
from udfwidgets.explore.state import State, apply_contrast, contrast_of
from udfwidgets.explore.subject import Subject
from udfwidgets.geometry import Figure, Point
from udfwidgets.live.keepers import Keepers
from udfwidgets.live.picture.picture import Status
from udfwidgets.live.picture.sheet import side_by_side
from udfwidgets.live.quick import Layout, Quick
from udfwidgets.live.report import status_of
from udfwidgets.live.status import StatusBar
from udfwidgets.live.wire.protocol import CommandName
from udfwidgets.live.wire.protocol import State as RunState

#: The shape on the scan whose pattern is shown.
PROBE = "probe"
#: Positions of a scan whose sum shows where the central disk is.
ENOUGH = 256
DETECTOR_TOOLS = ("disk", "annulus", "sector", "rectangle", "ellipse", "polygon", "lasso", "brush")
REGION_TOOLS = ("rectangle", "disk", "ellipse", "polygon", "lasso", "brush")
BUTTONS: tuple[CommandName, ...] = ("pause", "resume", "restart", "cancel")

#: What may change: a kind of thing, and its name.
Key = tuple[str, str]
_PATTERN: Key = ("pattern", "")
_PLACE: Key = ("place", "")
_MEMORY: Key = ("memory", "")
#: In this order they are shown, those of a kind in the order in which they came.
_ORDER = ("pattern", "detector", "formula", "region")
#: What the whole is, of what its parts are: the first of these that one of them is.
_LOUDEST: tuple[RunState, ...] = (
    "failed", "stalled", "running", "waiting", "paused", "cancelled", "done",
)  # fmt: skip


class Box(Quick, ipywidgets.Box):  # type: ignore[misc]
    """Widgets side by side."""


class Explorer(Quick, ipywidgets.VBox):  # type: ignore[misc]
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
        self._on_close = on_close
        self._subject = subject
        self._sig, self._nav = subject.images
        self._contrast = state.contrast
        #: Held while panels are made or closed.
        self._lock = threading.RLock()
        self._answers: dict[Key, Answer] = {}
        self._panels: dict[Key, Panel] = {}
        self._problems: dict[Key, str] = {}
        self._is_placed = state.detectors is not None
        self._asking: Asking[Key] = Asking(self._ask, self._may_ask)
        self._memory = Memory(subject)
        self.keepers = Keepers(self.close)
        self.formulas = Formulas(
            state.formulas, lambda title: self._asking.want(("formula", title))
        )
        self._on_scan = Linked(lambda name: self._asking.want(("region", name)))
        self.status = StatusBar("Explore", BUTTONS)
        self.status.answer(BUTTONS, self._command)
        self.status.on_deleted(self.keepers.outputs.deleted)
        pattern = self._new_panel(_PATTERN, "all patterns", "sig", (_PATTERN,), _first)
        pattern.image.tools = DETECTOR_TOOLS
        self.detectors = pattern.image.shapes
        self.detectors.on_change(self._note_detector)
        self._pictures = Box(
            [pattern.image], layout=self.status.layout, _dom_classes=["udfw-pictures"]
        )
        super().__init__(
            [self.status, self._pictures],
            layout=Layout(),
            _dom_classes=["udfw-analysis", "udfw-by-udf"],
        )
        self._asking.want(_PATTERN)
        self.detectors.update(state.detectors or {})
        ny, nx = self._nav
        probe = state.probe or Point(cx=nx // 2, cy=ny // 2)
        for name, shape in {PROBE: probe, **state.regions}.items():
            self._on_scan[name] = shape
        for title in self.formulas:
            self._asking.want(("formula", title))

    # What is pointed at

    @property
    def probe(self) -> Point:
        """The scan position whose pattern is shown; its centre in (x, y) of the scan."""
        shape = self._on_scan.get(PROBE)
        return shape if isinstance(shape, Point) else Point(cx=0, cy=0)

    @probe.setter
    def probe(self, point: Point) -> None:
        if not isinstance(point, Point):
            raise TypeError(f"the probe is {point!r}, expected a Point(cx=..., cy=...)")
        self._on_scan[PROBE] = point

    @property
    def regions(self) -> MutableMapping[str, Figure]:
        """Shapes on the scan by name, the probe among them: the summed pattern of each is shown."""
        return self._on_scan

    @property
    def images(self) -> Mapping[str, Any]:
        """The images by title, as `LiveImage`."""
        with self._lock:
            return {panel.image.title: panel.image for panel in self._sorted_panels()}

    @property
    def state(self) -> dict[str, Any]:
        """The view as plain data, for JSON; ``ctx.explore(dataset, state=...)`` takes it."""
        regions = {name: shape for name, shape in self._on_scan.items() if name != PROBE}
        return State(
            dict(self.detectors),
            regions,
            self.probe,
            dict(self.formulas),
            contrast_of(self.images.values()),
        ).to_plain()

    def code(self) -> str:
        """Return the lines of Python that compute each answer, for `ctx` and `dataset`."""
        return code_of(
            dict(self.detectors),
            self.formulas.parsed(),
            dict(self._on_scan),
            self._nav,
            self._subject.roi is not None,
        )

    # Answers

    def wait(self) -> None:
        """Block until every shape has its complete answer, or it is known why it has none."""
        while True:
            # In this order: what a run has told may have something asked anew.
            runs = [a.run for a in tuple(self._answers.values()) if a.run and not a.is_told]
            for run in runs:
                run.wait(run.has_ended)
            if self._asking.wait(0) and not runs and self._is_placed:
                return
            self._asking.wait()

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
        self.wait()
        for kind in ("detector", "formula", "region"):
            panel = self._panels.get((kind, name))
            if panel is None:
                continue
            picture = panel.picture()
            why = self._problems.get((kind, name)) or panel.fault
            if picture is None or why:
                raise RuntimeError(why or f"{name} has no answer: its run was cancelled or failed")
            values: Array = picture.values
            if kind != "region" and picture.coverage is not None:
                values = np.where(picture.coverage, values, np.nan)
                return values.reshape(self._subject.dataset.shape.nav.axes)
            return values
        known = [n for k, n in tuple(self._panels) if k != "pattern"]
        raise KeyError(f"nothing is called {name!r}; there are {known}")

    def _note_detector(self, name: str, shape: Figure | None, resting: bool) -> None:
        self._asking.want(("detector", name))
        for title, formula in self.formulas.parsed().items():
            if name in formula.names and (shape is None or ("formula", title) not in self._panels):
                self._asking.want(("formula", title))

    def _news(self, answer: Answer) -> None:
        """Show what is new, on whatever thread."""
        for panel in tuple(self._panels.values()):
            if panel.depends_on(answer):
                panel.show()
        if answer is self._answers.get(_PATTERN) and answer.run is not None:
            progress = answer.run.progress
            has_enough = progress.frames >= min(ENOUGH, progress.n_frames) or answer.is_final
            if has_enough and not self._is_placed:
                self._asking.want(_PLACE)
            if answer.is_final:
                self._asking.want(_MEMORY)
        self._offer_status()

    # On the thread that asks

    def _may_ask(self, key: Key) -> bool:
        answer = self._answers.get(key)
        return answer is None or answer.is_ripe

    def _ask(self, key: Key) -> None:
        before = self._problems.pop(key, None)
        try:
            self._ask_anew(key)
        except Unanswerable as error:
            self._problems[key] = str(error)
        except Exception as error:
            self._problems[key] = f"{key[1] or key[0]}: {type(error).__name__}: {text_of(error)}"
        if before or key in self._problems:
            self._offer_status()
        if self._asking.is_idle and (code := self.code()) != self.status.code:
            self.status.code = code

    def _ask_anew(self, key: Key) -> None:
        kind, name = key
        match kind:
            case "pattern":
                self._answer(key, Pattern("the pattern"))
            case "place":
                self._place()
            case "memory":
                self._memory.begin()
            case "formula":
                self._show_formula(name)
            case "detector":
                shape = self.detectors.get(name)
                if shape is None:
                    self._remove(key)
                else:
                    moments = name in self.formulas.of_moments()
                    self._answer_detector(key, Detector(name, shape, moments))
                    self._panel_of(key, name, "nav", _first)
            case "region":
                shape = self._on_scan.get(name)
                if shape is None:
                    self._remove(key)
                else:
                    self._answer(key, Pattern(name, shape))
                    self._panel_of(key, name, "sig", _first).image.title = _told(name, shape)

    def _answer_detector(self, key: Key, detector: Detector) -> None:
        known = self._answers.get(key)
        is_resting = self._is_resting(detector.name)
        if known is not None and known.question == detector:
            if is_resting:
                known.settle()
            return
        found = self._memory.answer(detector)
        if found is None:
            self._answer(key, detector)
        else:
            answer = self._answers.setdefault(key, Answer(self._news))
            answer.put(detector, *found, final=is_resting)

    def _is_resting(self, name: str) -> bool:
        try:
            return self.detectors.is_resting(name)
        except KeyError:
            return True

    def _answer(self, key: Key, question: Question) -> None:
        known = self._answers.get(key)
        if known is not None and known.question == question:
            return
        run = self._subject.run(question)
        answer = self._answers.setdefault(key, Answer(self._news))
        answer.follow(question, run)
        self._subject.start(run)

    def _place(self) -> None:
        reading = self._answers[_PATTERN].reading()
        if reading is None or self._is_placed:
            return
        placed, note = place(reading.values[0])
        self.detectors.update({n: s for n, s in placed.items() if n not in self.detectors})
        self._is_placed = True
        if note:
            self._problems[_PLACE] = note

    def _show_formula(self, title: str) -> None:
        key, formula = ("formula", title), self.formulas.parsed().get(title)
        self._remove(key)
        if formula is None:
            return
        missing = [name for name in formula.names if name not in self.detectors]
        if missing:
            raise Unanswerable(
                f"{title}: there is no detector {missing[0]!r}, there are {list(self.detectors)}"
            )
        for name in formula.names:
            self._ask_anew(("detector", name))  # with its moments, if they are new
        self._panel_of(key, title, "nav", formula.value, [("detector", n) for n in formula.names])

    # Panels

    def _panel_of(
        self, key: Key, title: str, kind: Any, shows: Shows, keys: list[Key] | None = None
    ) -> Panel:
        panel = self._panels.get(key)
        if panel is None:
            panel = self._new_panel(key, title, kind, tuple(keys or [key]), shows)
            self._arrange()
            panel.show()
        return panel

    def _new_panel(
        self, key: Key, title: str, kind: Any, keys: tuple[Key, ...], shows: Shows
    ) -> Panel:
        answers = {each[1]: self._answers.setdefault(each, Answer(self._news)) for each in keys}
        shape = self._sig if kind == "sig" else self._nav
        with self._lock:
            panel = self._panels[key] = Panel(shape, kind, title, answers, shows)
        apply_contrast(panel.image, self._contrast)
        if kind == "nav":
            panel.image.tools = REGION_TOOLS
            self._on_scan.join(panel.image.shapes)
        return panel

    def _remove(self, key: Key) -> None:
        """Take an image away, and what it asks."""
        with self._lock:
            panel = self._panels.pop(key, None)
        answer = None if key[0] == "formula" else self._answers.pop(key, None)
        if answer is not None:
            answer.stop()
        if key[0] == "detector":
            self._memory.forget(key[1])
        if panel is not None:
            self._arrange()
            self._close_panel(key, panel)

    def _close_panel(self, key: Key, panel: Panel) -> None:
        if key[0] in ("detector", "formula"):
            self._on_scan.leave(panel.image.shapes)
        panel.close()

    def _arrange(self) -> None:
        with self._lock:
            self._pictures.children = [panel.image for panel in self._sorted_panels()]

    def _sorted_panels(self) -> list[Panel]:
        keys = sorted(self._panels, key=lambda key: _ORDER.index(key[0]))
        return [self._panels[key] for key in keys]

    # Status and buttons

    def _offer_status(self) -> None:
        final = all(answer.is_final for answer in tuple(self._answers.values()))
        self.status.offer(self._status, final=final)

    def _status(self) -> Status:
        """Say how far all answers are together, on the hub's thread."""
        runs = [answer.run for answer in tuple(self._answers.values())]
        parts = [status_of(run) for run in runs if run is not None]
        faults = [panel.fault for panel in tuple(self._panels.values()) if panel.fault]
        said = [part.message for part in parts if part.message]
        message = "\n".join(dict.fromkeys([*self._problems.values(), *faults, *said]))
        if not parts:
            return Status("done", 1.0, message=message)
        done, total = sum(p.frames_done for p in parts), sum(p.frames_total for p in parts)
        state = next(each for each in _LOUDEST if any(part.state == each for part in parts))
        busy = [part for part in parts if part.state == "running"]
        lefts = [part.seconds_left for part in busy if part.seconds_left is not None]
        return replace(
            parts[0],
            state=state,
            fraction=done / total if total else 1.0,
            frames_done=done,
            frames_total=total,
            frames_per_second=sum(part.frames_per_second for part in busy),
            bytes_per_second=sum(part.bytes_per_second for part in busy),
            seconds_left=max(lefts, default=None),
            message=message,
        )

    def _command(self, name: CommandName) -> None:
        """Answer a button, on the hub's thread."""
        runs = [answer.run for answer in tuple(self._answers.values()) if answer.run is not None]
        match name:
            case "pause" | "resume" | "cancel":
                for run in runs:
                    getattr(run, name)()
            case "restart":
                for key, answer in tuple(self._answers.items()):
                    answer.question = None
                    self._asking.want(key)

    # Lifetime

    def close(self) -> None:
        """Stop all that is asked and release all widgets; may be called twice."""
        if self.comm is None:
            return
        self._on_close(self.state)
        self._asking.close()
        for answer in tuple(self._answers.values()):
            answer.stop()
        self._memory.close()
        with self._lock:
            panels, self._panels = self._panels, {}
        for key, panel in panels.items():
            self._close_panel(key, panel)
        self._pictures.close()
        self.status.close()
        super().close()

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        mime: dict[str, Any] = {}
        if self.comm is not None:
            self.keepers.outputs.note()
            mime = super()._repr_mimebundle_(**kwargs) or {}
        mime["text/plain"] = repr(self)
        pictures = [png for image in self.images.values() if (png := image.png(overview=True))]
        if pictures:
            mime["image/png"] = base64.b64encode(side_by_side(pictures)).decode()
        return mime

    def __repr__(self) -> str:
        shape = self._subject.dataset.shape
        return f"<Explorer of a scan nav={shape.nav.axes} sig={shape.sig.axes}>"


def _first(values: Mapping[str, Array]) -> Array:
    """Return the sum of the one answer there is."""
    (only,) = values.values()
    first: Array = only[0]
    return first


def _told(name: str, shape: Figure) -> str:
    if name == PROBE and isinstance(shape, Point):
        return f"pattern at y={shape.cy:g}, x={shape.cx:g}"
    return f"patterns of {name}"
