"""What all shapes have in common: checked numbers, a mask, and plain data."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from udfwidgets.geometry.checking import number, points, size

BoolArray: TypeAlias = npt.NDArray[np.bool_]
Self = TypeVar("Self", bound="Figure")

_SIZES = frozenset({"r", "ri", "ro", "rx", "ry", "width", "height"})


@dataclass(frozen=True)
class Window:
    """The pixels of a frame that a shape may cover: rows and columns, `stop` exclusive."""

    top: int
    bottom: int
    left: int
    right: int

    def offsets(self, cx: float, cy: float) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Return how far each column and each row is from a centre, float64."""
        return np.arange(self.left, self.right) - cx, np.arange(self.top, self.bottom) - cy

    def empty(self) -> BoolArray:
        """Return a mask of the window, all False."""
        return np.zeros((self.bottom - self.top, self.right - self.left), bool)


@dataclass(frozen=True)
class Figure(ABC):
    """A shape on an image. Frozen: to change one, make another (`dataclasses.replace`).

    Two shapes are equal if they are of one kind and have the same numbers.

    Raises
    ------
    ValueError
        If a number is none, is not finite or farther out than 1e9 pixels; if a size is negative; if
        there are fewer points than the shape needs, or more than 10 000.
    """

    FEWEST_POINTS: ClassVar[int] = 1

    def __post_init__(self) -> None:
        name = type(self).__name__
        for field in fields(self):
            what, value = f"{field.name} of {name}", getattr(self, field.name)
            checked: object
            if field.name == "points":
                checked = points(what, value, self.FEWEST_POINTS)
            else:
                checked = (size if field.name in _SIZES else number)(what, value)
            object.__setattr__(self, field.name, checked)

    @classmethod
    def kind(cls) -> str:
        """Return the name of this kind of shape in plain data: ``'disk'``."""
        return cls.__name__.lower()

    def to_plain(self) -> dict[str, Any]:
        """Return the shape as plain data for JSON, which `from_plain` takes."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        if "points" in plain:
            plain["points"] = [list(point) for point in plain["points"]]
        return {"type": self.kind(), **plain}

    def mask(self, shape: Sequence[int]) -> BoolArray:
        """Return which pixels belong to the shape.

        Parameters
        ----------
        shape : (int, int)
            Of the image: ny, nx.

        Returns
        -------
        numpy.ndarray
            bool, of that shape, owned by the caller. All False for a shape that is empty or lies
            outside; that is no error here.
        """
        ny, nx = shape
        mask = np.zeros((ny, nx), bool)
        window = self._window(ny, nx)
        if window.top < window.bottom and window.left < window.right:
            mask[window.top : window.bottom, window.left : window.right] = self._cover(window)
        return mask

    def _window(self, ny: int, nx: int) -> Window:
        # A pixel more than needed on each side: which pixels are in is for the rule alone.
        left, top, right, bottom = self.bounds
        return Window(
            max(math.floor(top) - 1, 0),
            min(math.ceil(bottom) + 2, ny),
            max(math.floor(left) - 1, 0),
            min(math.ceil(right) + 2, nx),
        )

    @property
    @abstractmethod
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of a box around the shape, not always the closest one."""

    @abstractmethod
    def moved(self: Self, dx: float, dy: float) -> Self:
        """Return the shape somewhere else, `dx` to the right and `dy` down."""

    @abstractmethod
    def _cover(self, window: Window) -> BoolArray:
        """Return which pixels of a window belong to the shape."""
