"""What is on a view: shapes, what each of them asks, and the images of the answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from udfwidgets.engine.plan.order import Sight
from udfwidgets.errors import text_of
from udfwidgets.explore.answer import Answer
from udfwidgets.explore.asking import Asking
from udfwidgets.explore.formula import Formula
from udfwidgets.explore.formulas import Formulas
from udfwidgets.explore.linked import Linked
from udfwidgets.explore.memory import Memory
from udfwidgets.explore.panels import Array, Panel, Shows, only_sum
from udfwidgets.explore.placing import NAMES, NOT_YET, beam, look, offered, place
from udfwidgets.explore.questions import Detector, Few, Pattern, Question, Unanswerable
from udfwidgets.explore.state import State, apply_contrast
from udfwidgets.explore.subject import Looking, Subject
from udfwidgets.geometry import Disk, Figure, Point, presets
from udfwidgets.live.image import LiveImage

#: The shape on the scan whose pattern is shown.
PROBE = "probe"
#: Positions of a scan whose sum shows where the central disk is. Always the same ones, or detectors
#: would be others, and their answers with them, each time that a scan is opened.
ENOUGH = 256
DETECTOR_TOOLS = ("disk", "annulus", "sector", "rectangle", "ellipse", "polygon", "lasso", "brush")
REGION_TOOLS = ("rectangle", "disk", "ellipse", "polygon", "lasso", "brush")

#: What may change: a kind of thing, and its name.
Key = tuple[str, str]
_PATTERN: Key = ("pattern", "")
#: A part of the pattern that is there early, and the same each time.
_BEAM: Key = ("beam", "")
_PLACE: Key = ("place", "")
_MEMORY: Key = ("memory", "")
#: In which colour map differences are shown at first: zero is in its middle.
DIFFERENCES = "vik"
#: In this order they are shown, those of a kind as they are in `Board.images`.
_ORDER = ("pattern", "detector", "formula", "region")


class Board:
    """Shapes, formulas and images of a view, which ask and show by themselves.

    Safe on any thread.

    Parameters
    ----------
    subject : Subject
        What is looked at.
    state : State
        What is on it at first.
    on_news : callable
        Called when an answer, or why there is none, has changed; must not wait.
    on_images : callable
        Called with all images when there are others.

    Attributes
    ----------
    detectors : Shapes
        On the summed pattern, by name.
    on_scan : Linked
        Probe and regions, by name.
    formulas : Formulas
        By title.
    """

    def __init__(
        self,
        subject: Subject,
        state: State,
        on_news: Callable[[], None],
        on_images: Callable[[Sequence[LiveImage]], None],
    ) -> None:
        self._subject = subject
        self._sig, self._nav = subject.images
        self._scales = {"sig": subject.scales("sig"), "nav": subject.scales("nav")}
        self._contrast = state.contrast
        self._on_news, self._on_images = on_news, on_images
        #: Held while panels are made or closed.
        self._lock = threading.RLock()
        self._answers: dict[Key, Answer] = {}
        self._panels: dict[Key, Panel] = {}
        self._problems: dict[Key, str] = {}
        #: That the central disk was not found.
        self._note = ""
        #: The central disk, from when it was found.
        self._disk: Disk | None = None
        #: What was put in the middle, because no disk was found.
        self._guessed: Mapping[str, Figure] = {}
        self._is_placed = state.detectors is not None
        self._asking: Asking[Key] = Asking(self._ask, self._may_ask)
        self._memory = Memory(subject)
        self._looking = Looking(self._nav, subject.dataset.shape.nav.axes)
        self.on_scan = Linked(lambda name: self._asking.want(("region", name)))
        self.formulas = Formulas(
            state.formulas, lambda title: self._asking.want(("formula", title))
        )
        pattern = self._new_panel(_PATTERN, "all patterns", "sig", (_PATTERN,), only_sum)
        pattern.image.tools = DETECTOR_TOOLS
        pattern.image.offer_shapes(dict.fromkeys(NAMES), NOT_YET)
        self.detectors = pattern.image.shapes
        self.detectors.on_change(self._note_detector)

    def begin(self, state: State) -> None:
        """Ask for the pattern, and for what there is at first."""
        self._asking.want(_PATTERN)
        self._asking.want(_BEAM)
        self.detectors.update(state.detectors or {})
        ny, nx = self._nav
        probe = state.probe or Point(cx=nx // 2, cy=ny // 2)
        for name, shape in {PROBE: probe, **state.regions}.items():
            self.on_scan[name] = shape
        for title in self.formulas:
            self._asking.want(("formula", title))

    @property
    def images(self) -> list[LiveImage]:
        """In the order in which they are shown: by kind, and as their shapes and formulas are."""
        kinds: Mapping[str, Iterable[str]] = {
            "detector": self.detectors, "formula": self.formulas, "region": self.on_scan,
        }  # fmt: skip
        places = {(kind, n): i for kind, of in kinds.items() for i, n in enumerate(of)}
        with self._lock:
            keys = sorted(
                self._panels, key=lambda key: (_ORDER.index(key[0]), places.get(key, len(places)))
            )
            return [self._panels[key].image for key in keys]

    @property
    def answers(self) -> tuple[Answer, ...]:
        """All there are."""
        return tuple(self._answers.values())

    @property
    def problems(self) -> list[str]:
        """Why there are answers that are not there, in words."""
        faults = [panel.fault for panel in tuple(self._panels.values()) if panel.fault]
        return [*([self._note] if self._note else []), *self._problems.values(), *faults]

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits to be asked."""
        return self._asking.is_idle

    @property
    def is_kept(self) -> bool:
        """Whether detectors are answered from memory."""
        return self._memory.is_ready

    def ask_again(self) -> None:
        """Ask everything anew."""
        for key, answer in tuple(self._answers.items()):
            answer.question = None
            self._asking.want(key)

    def presets(self) -> dict[str, Figure]:
        """Return detectors by name, as `geometry.presets` has them, when enough is in for that."""
        for key in (_BEAM, _PATTERN):
            if self._disk is None:
                self._wait_for(key)
        if self._disk is not None:
            return dict(presets(self._disk))
        reading = self._answers[_PATTERN].reading()
        if reading is None:
            raise RuntimeError("\n".join(self.problems) or "the pattern could not be read")
        return dict(presets(beam(reading.values[0])))

    def _wait_for(self, key: Key) -> None:
        """Block until an answer is complete, and until what follows from it was done."""
        self._asking.wait()
        answer = self._answers.get(key)
        while answer is not None and answer.run is not None and not answer.is_told:
            answer.run.wait(answer.run.has_ended)
        self._asking.wait()

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
            float64, of the scan (NaN where positions are missing, or out of sight while a hand
            still moves the detector) or of the pattern.

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
            why = self._problems.get((kind, name)) or panel.why_not
            if picture is None or why:
                raise RuntimeError(why or f"{name} has no answer yet: restart the view")
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
            if name in formula.names and shape and ("formula", title) not in self._panels:
                self._asking.want(("formula", title))

    def _news(self, answer: Answer) -> None:
        """Show what is new, on whatever thread."""
        for panel in tuple(self._panels.values()):
            if panel.depends_on(answer):
                panel.show()
        asked = [self._answers.get(key) for key in (_BEAM, _PATTERN)]
        if answer in asked and answer.is_final and self._disk is None:
            self._asking.want(_PLACE)
        if answer is asked[1] and answer.run is not None and answer.is_final:
            self._asking.want(_MEMORY)
        self._on_news()

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
            self._is_placed |= key == _PATTERN
        if before or key in self._problems or self.is_idle:
            self._on_news()

    def _ask_anew(self, key: Key) -> None:
        kind, name = key
        match kind:
            case "pattern":
                self._answer(key, Pattern("the pattern"))
            case "beam":
                run = self._answers[_PATTERN].run
                if run is not None:
                    few = self._subject.first(ENOUGH, run.wanted_order)
                    self._answer(key, Few("the pattern", positions=few))
            case "place":
                self._place()
            case "memory":
                self._memory.begin()
            case "formula":
                self._show_formula(name)
            case "detector":
                shape = self.detectors.get(name)
                if shape is None:
                    self._leave(key, self.detectors.now_called(name))
                else:
                    moments = name in self.formulas.of_moments()
                    self._answer_detector(key, Detector(name, shape, moments))
                    self._panel_of(key, name, "nav", only_sum)
            case "region":
                shape = self.on_scan.get(name)
                if shape is None:
                    self._leave(key, self.on_scan.now_called(name))
                else:
                    self._answer(key, Pattern(name, shape))
                    self._panel_of(key, name, "sig", only_sum).image.title = _told(name, shape)

    def _answer_detector(self, key: Key, detector: Detector) -> None:
        known = self._answers.get(key)
        is_resting = self._is_resting(detector.name)
        if known is not None and known.question == detector:
            if is_resting:
                known.settle()
            return
        found = self._memory.answer(detector, None if is_resting else self._sight(key))
        if found is None:
            self._answer(key, detector, at_rest=is_resting)
        else:
            answer = self._answers.setdefault(key, Answer(self._news))
            values, covered, whole = found.values, found.coverage, found.is_whole
            answer.put(detector, values, covered, final=is_resting, whole=whole)

    def _is_resting(self, name: str) -> bool:
        try:
            return self.detectors.is_resting(name)
        except KeyError:
            return True

    def _answer(self, key: Key, question: Question, *, at_rest: bool = True) -> None:
        known = self._answers.get(key)
        if known is not None and known.question == question:
            return
        run = self._subject.run(question, self._sight(key))
        answer = self._answers.setdefault(key, Answer(self._news))
        answer.follow(question, run, at_rest=at_rest)
        self._subject.start(run)

    def _sight(self, key: Key) -> Sight | None:
        """Return what a person looks at of the images that show an answer."""
        if key[0] != "detector":
            return None  # patterns are summed over all positions
        answer = self._answers.get(key)
        panels = [p for p in tuple(self._panels.values()) if answer and p.depends_on(answer)]
        windows = [panel.image.window for panel in panels]
        regions = [shape for name, shape in self.on_scan.items() if name != PROBE]
        return self._looking.sight(windows, regions) if windows else None

    def _place(self) -> None:
        """Look for the central disk, offer detectors there, and put the first ones if need be."""
        pattern, image = self._answers[_PATTERN], self._panels[_PATTERN].image
        early = self._answers.get(_BEAM)
        if self._disk is not None or (early is not None and not early.is_final):
            return
        is_final = pattern.is_final  # before it is read
        looked_at = [early, pattern] if is_final else [early]
        readings = [answer.reading() for answer in looked_at if answer is not None]
        sums = [reading.values[0] for reading in readings if reading is not None]
        if not sums:
            # A scan that cannot be read has no disk, and nobody is to wait for it.
            self._is_placed |= is_final
            return
        for values in sums:
            disk, why = look(values)
            if disk is not None:
                break
        self._disk = disk
        self._answers.pop(_BEAM, None)
        image.offer_shapes(offered(disk), why)
        # What stands where it was put for want of a disk goes there as well.
        given = {n for n, shape in self.detectors.items() if shape != self._guessed.get(n)}
        if not self._is_placed or (disk and self._guessed):
            placed = place(disk, self._sig)
            self.detectors.update({n: s for n, s in placed.items() if n not in given})
            self._guessed = {} if disk else placed
            self._note = f"{why}: drag BF to where it is" if why else ""
        self._is_placed = True

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
        panel.image.measure_shapes(*self._scales[kind])
        if key[0] == "formula" and Formula(self.formulas[key[1]]).is_difference:
            panel.image.colormap = DIFFERENCES
        apply_contrast(panel.image, self._contrast)
        if kind == "nav":
            panel.image.tools = REGION_TOOLS
            self.on_scan.join(panel.image.shapes)
        return panel

    def _leave(self, key: Key, new: str | None) -> None:
        """Take a shape away that is gone, or give its image the name that it has now."""
        kind, name = key
        if new is not None and key in self._panels and (kind, new) not in self._panels:
            self._rename(key, (kind, new))
            return
        self._remove(key)
        if kind == "detector":
            for title, formula in self.formulas.parsed().items():
                if name in formula.names:
                    self._asking.want(("formula", title))

    def _rename(self, key: Key, to: Key) -> None:
        (kind, name), (_, new) = key, to
        answer = self._answers.pop(key)
        if answer.question is not None:
            answer.question = answer.question.called(new)
        with self._lock:
            self._answers[to] = answer
            self._panels = {to if k == key else k: panel for k, panel in self._panels.items()}
            panel = self._panels[to]
        panel.rename(name, new, only_sum)
        self._arrange()
        if kind == "region":
            return  # its title says more, and follows
        panel.image.title = new
        self._memory.rename(name, new)
        for title in self.formulas.rename(name, new):
            made = self._panels.get(("formula", title))
            if made is None or new not in self.formulas.parsed()[title].names:
                self._asking.want(("formula", title))
            else:
                made.rename(name, new, self.formulas.parsed()[title].value)

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
            self.on_scan.leave(panel.image.shapes)
        panel.close()

    def _arrange(self) -> None:
        self._on_images(self.images)

    def close(self) -> None:
        """Stop all that is asked, and close all images."""
        self._asking.close()
        for answer in self.answers:
            answer.stop()
        self._memory.close()
        with self._lock:
            panels, self._panels = self._panels, {}
        for key, panel in panels.items():
            self._close_panel(key, panel)


def _told(name: str, shape: Figure) -> str:
    if name == PROBE and isinstance(shape, Point):
        y, x = shape.index  # between pixels there is no pattern
        return f"pattern at y={y}, x={x}"
    return f"patterns of {name}"
