"""What a card has to do with its stop rule."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any

from udfwidgets.engine.run import Run
from udfwidgets.geometry import Disk, Figure
from udfwidgets.live.generation import Generation
from udfwidgets.live.history.rule import BACKGROUND, SIGNAL, StopRule
from udfwidgets.live.image import LiveImage

#: Of the shorter side of an image: the radius of a region that nobody has drawn yet.
REACH = 1 / 8


class Stopping:
    """A mixin of a `LiveAnalysis`."""

    _run: Run
    _generation: Generation | None
    _rule: StopRule | None = None

    @property
    @abstractmethod
    def images(self) -> tuple[LiveImage, ...]:
        """One per channel."""

    def stop_when(
        self,
        signal: Figure | None = None,
        background: Figure | None = None,
        *,
        snr: float = 100.0,
        image: int = 0,
    ) -> StopRule:
        """Stop the run as soon as a signal stands out from its background far enough.

        Each picture is looked at, also while nobody watches. The ratio is the difference of the
        means of the two regions by its standard error, see
        `udfwidgets.live.history.noise.signal_to_noise`. A run that is stopped counts as cancelled:
        `snapshot` has what was merged. One that is started again is looked at anew.

        Parameters
        ----------
        signal, background : Figure, optional
            Shapes of `udfwidgets.geometry`. They become the shapes 'signal' and 'background' on the
            image, where they can be dragged; without, those that are there count, or else one in
            the middle and one in a corner.
        snr : float
            The ratio to stop at; ``math.inf`` only tells it.
        image : int
            On which of `images`.

        Returns
        -------
        StopRule
            Has the ratio so far in `ratio` and `curve`; its `close` takes it away. There is one at
            a time.

        Raises
        ------
        ValueError
            If there is no such image, or `snr` is not positive.
        """
        if not snr > 0:
            raise ValueError(f"snr is {snr!r}, expected a positive number")
        if not -len(self.images) <= image < len(self.images):
            raise ValueError(f"image is {image}, expected one of {len(self.images)}, from 0")
        chosen = self.images[image]
        given = {SIGNAL: signal, BACKGROUND: background}
        proposed = _proposed(chosen)
        for name, shape in given.items():
            if shape is not None or name not in chosen.shapes:
                chosen.shapes[name] = shape or proposed[name]
        if self._rule is not None:
            self._rule.close()
        self._rule = rule = StopRule(chosen, snr, self._reached)
        self._show_rule()
        return rule

    def _reached(self, why: str) -> None:
        """Stop, on any thread."""
        self._run.cancel()
        if self._generation is not None:
            self._generation.advise(why)

    def _show_rule(self) -> None:
        """Have the status tell of it."""
        if self._generation is not None:
            self._generation.rule = self._rule
            self._generation.advise()

    def _aim(self, goal: float | None) -> None:
        """Follow a page, on the hub's thread: another goal, or none."""
        rule = self._rule if self._rule is not None and self._rule.is_open else None
        if rule is None and goal is not None:
            self.stop_when(snr=goal)
        elif rule is not None and goal is not None and goal > 0:
            rule.goal = goal
        elif rule is not None:
            rule.close()
            self._rule = None
        self._show_rule()


def _proposed(image: LiveImage) -> dict[str, Any]:
    ny, nx = image.shape
    r = max(1.0, math.floor(min(ny, nx) * REACH))
    return {
        SIGNAL: Disk(cx=(nx - 1) / 2, cy=(ny - 1) / 2, r=r),
        BACKGROUND: Disk(cx=min(1.5 * r, nx - 1), cy=min(1.5 * r, ny - 1), r=r),
    }
