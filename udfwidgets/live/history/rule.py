"""A rule that stops a run: when a signal that is drawn on an image stands out far enough."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

from udfwidgets.buffers import BoolArray
from udfwidgets.geometry import Figure
from udfwidgets.live.history.noise import signal_to_noise
from udfwidgets.live.history.thinning import thinned
from udfwidgets.live.image import LiveImage
from udfwidgets.live.picture.picture import Picture

#: Names of the shapes.
SIGNAL, BACKGROUND = "signal", "background"
#: Pictures in a row that have to reach the goal: the first ones are of few pixels.
IN_A_ROW = 2
#: Points of the curve; more are thinned.
LONGEST = 256


class StopRule:
    """Looks at each picture of an image, also when nobody else does; see `LiveAnalysis.stop_when`.

    The regions are the shapes 'signal' and 'background' on the image: who moves them moves the
    rule. It looks at what the image shows, so at the slice and the component that are chosen.

    Parameters
    ----------
    image : LiveImage
        Which one.
    goal : float
        The ratio at which the run stops; infinite to look only.
    stop : callable
        Called once for each run that reaches it, with what is to be said.
    """

    def __init__(self, image: LiveImage, goal: float, stop: Callable[[str], None]) -> None:
        self.image = image
        self.goal = goal
        #: Whether it still looks.
        self.is_open = True
        self._stop = stop
        self._lock = threading.Lock()
        self._generation = -1
        self._curve: list[tuple[float, float]] = []
        self._in_a_row = 0
        self._is_reached = False
        self._masks: dict[str, tuple[Figure, BoolArray]] = {}
        self._feed = image._feed
        self._feed.watch(self.look)
        self._unsubscribe = image.shapes.on_change(self._moved)
        self._look_again()

    @property
    def curve(self) -> tuple[tuple[float, float], ...]:
        """Share of the scan that was in, and the ratio then: of this run, in this order."""
        with self._lock:
            return tuple(self._curve)

    @property
    def ratio(self) -> float:
        """The newest signal-to-noise ratio; NaN while it is not known."""
        with self._lock:
            return self._curve[-1][1] if self._curve else math.nan

    @property
    def reached(self) -> bool:
        """Whether the goal has stopped this run."""
        return self._is_reached

    @property
    def told(self) -> dict[str, float | None]:
        """What a status says of it; pages know no numbers that are not finite."""
        if not self.is_open:
            return {"ratio": None, "goal": None}
        known = {"ratio": self.ratio, "goal": self.goal}
        return {name: each if math.isfinite(each) else None for name, each in known.items()}

    def close(self) -> None:
        """Let the run go on to its end. The shapes stay. May be called twice."""
        if self.is_open:
            self.is_open = False
            self._unsubscribe()
            self._feed.watch(None)

    def _moved(self, name: str, shape: Figure | None, resting: bool) -> None:
        """Look again at the newest picture, of which there may be no other for a while."""
        if name in (SIGNAL, BACKGROUND):
            self._look_again()

    def _look_again(self) -> None:
        picture = self._feed.picture
        if picture is not None:
            self.look(picture)

    def look(self, picture: Picture) -> None:
        """Take note of a picture that is about to be shown; on any thread."""
        with self._lock:
            if picture.generation != self._generation:
                self._generation, self._curve = picture.generation, []
                self._in_a_row, self._is_reached = 0, False
            ratio = self._ratio_of(picture)
            if math.isnan(ratio):
                return
            is_same = bool(self._curve) and self._curve[-1][0] >= picture.fraction
            if is_same:
                self._curve.pop()  # of other regions
            self._curve = thinned([*self._curve, (picture.fraction, ratio)], LONGEST)
            if ratio < self.goal or not self._is_resting:
                self._in_a_row = 0
            elif not is_same:
                self._in_a_row += 1
            if self._is_reached or self._in_a_row < IN_A_ROW or picture.final:
                return
            self._is_reached = True
        share = math.floor(100 * picture.fraction)
        self._stop(f"stopped at {share} %: signal to noise is {ratio:.4g}")

    @property
    def _is_resting(self) -> bool:
        """Whether no hand is moving a region."""
        held = self.image.shapes.held
        return all(held[name].resting for name in (SIGNAL, BACKGROUND) if name in held)

    def _ratio_of(self, picture: Picture) -> float:
        signal, background = self._mask(SIGNAL), self._mask(BACKGROUND)
        if signal is None or background is None or picture.fraction <= 0:
            return math.nan
        covered = picture.coverage if self.image.canvas.image_kind == "nav" else None
        return signal_to_noise(picture.values, signal, background, covered)

    def _mask(self, name: str) -> BoolArray | None:
        """Return the pixels of a region; None if there is none any more."""
        shape = self.image.shapes.get(name)
        if shape is None:
            return None
        known = self._masks.get(name)
        if known is None or known[0] != shape:
            known = self._masks[name] = (shape, shape.mask(self.image.shape))
        return known[1]
