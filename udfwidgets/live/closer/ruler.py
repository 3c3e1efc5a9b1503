"""A line on an image to measure with, and the values along it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

#: Pixels beyond which nothing can lie, and the widest a ruler gets.
FARTHEST, WIDEST = 1e9, 1000.0


@dataclass(frozen=True)
class Ruler:
    """A line from one place to another, ``Ruler(10, 20, 60, 45, width=5)``.

    Coordinates are pixels, as those of `udfwidgets.geometry`: x to the right, y down, (0, 0) in the
    centre of the first pixel.

    Parameters
    ----------
    x0, y0 : float
        Where it begins.
    x1, y1 : float
        Where it ends.
    width : float
        Over how many pixels across it a profile is the mean, at least 1.

    Raises
    ------
    ValueError
        If one of them is no such number.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    width: float = 1.0

    def __post_init__(self) -> None:
        for name in ("x0", "y0", "x1", "y1", "width"):
            number = getattr(self, name)
            if isinstance(number, bool) or not isinstance(number, Real):
                raise ValueError(f"{name} of a ruler is {number!r:.60}, expected a number")
            if not abs(float(number)) <= FARTHEST:
                raise ValueError(f"{name} of a ruler is {number}, expected {FARTHEST:g} at most")
            object.__setattr__(self, name, float(number))
        if not 1 <= self.width <= WIDEST:
            raise ValueError(
                f"the width of a ruler is {self.width}, expected 1 to {WIDEST:g} pixels"
            )

    @property
    def length(self) -> float:
        """From one end to the other, in pixels."""
        return math.hypot(self.x1 - self.x0, self.y1 - self.y0)

    @property
    def angle(self) -> float:
        """In degrees, from +x towards +y (clockwise on the screen), above -180 and up to 180."""
        return math.degrees(math.atan2(self.y1 - self.y0, self.x1 - self.x0))

    def to_plain(self) -> list[float]:
        """Return it as pages have it."""
        return list(astuple(self))

    @classmethod
    def from_plain(cls, plain: Sequence[Any]) -> Ruler | None:
        """Return the ruler that a page has; None for an empty list."""
        return cls(*plain) if plain else None


@dataclass(frozen=True, eq=False)
class Profile:
    """The values along a ruler.

    Attributes
    ----------
    distances : numpy.ndarray
        From its beginning, float64, ascending, about one pixel apart.
    values : numpy.ndarray
        float64, as many; NaN where nothing is merged or there is no value.
    unit : str
        What distances are counted in: that of the image, or 'px'.
    """

    distances: npt.NDArray[np.float64]
    values: npt.NDArray[np.float64]
    unit: str = "px"
