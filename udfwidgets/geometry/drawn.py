"""Shapes that follow points: polygons, and lines drawn with a brush."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, TypeVar

import numpy as np

from udfwidgets.geometry.checking import Points
from udfwidgets.geometry.figure import BoolArray, Figure, Window
from udfwidgets.geometry.rasters import fill_polygon, paint_line

Self = TypeVar("Self", bound="_Drawn")


@dataclass(frozen=True)
class _Drawn(Figure):
    points: Points

    def moved(self: Self, dx: float, dy: float) -> Self:
        """Return the shape somewhere else, `dx` to the right and `dy` down."""
        return replace(self, points=tuple((x + dx, y + dy) for x, y in self.points))

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of a box around the shape."""
        x, y = zip(*self.points, strict=True)
        return min(x), min(y), max(x), max(y)


@dataclass(frozen=True)
class Polygon(_Drawn):
    """What lies within a closed line through at least three points, by the even-odd rule.

    Where the line crosses itself, a pixel is inside if a ray from it meets the line an odd number
    of times. Of its edges those at the left and at the top belong to it, those at the right and at
    the bottom do not: polygons side by side share no pixel and leave none out.

    Rule: each edge, from its upper end (x1, y1) to its lower end (x2, y2), is crossed in a row with
    ``y1 <= y`` and ``y < y2`` at ``x1 + (y - y1) * (x2 - x1) / (y2 - y1)``, product before
    quotient. A pixel is inside if an odd number of crossings is ``<= x``. The last point is joined
    to the first one.
    """

    FEWEST_POINTS: ClassVar[int] = 3

    def _cover(self, window: Window) -> BoolArray:
        cover = window.empty()
        fill_polygon(cover, window.top, window.left, np.array(self.points))
        return cover


@dataclass(frozen=True)
class Lasso(Polygon):
    """A polygon that was drawn by hand; its rule is that of `Polygon`."""


@dataclass(frozen=True)
class Brush(_Drawn):
    """All within `r` of a line from point to point, whose ends are round; its rim belongs to it.

    Rule, for any segment from (ax, ay) to (bx, by), or the only point as both its ends::

        ux, uy, wx, wy = bx - ax, by - ay, x - ax, y - ay
        length, along = ux * ux + uy * uy, wx * ux + wy * uy
        if along <= 0:
            inside = wx * wx + wy * wy <= r * r
        elif along >= length:
            inside = (x - bx) * (x - bx) + (y - by) * (y - by) <= r * r
        else:
            across = ux * wy - uy * wx
            inside = across * across <= (r * r) * length
    """

    r: float

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of a box around the shape."""
        left, top, right, bottom = super().bounds
        return left - self.r, top - self.r, right + self.r, bottom + self.r

    def _cover(self, window: Window) -> BoolArray:
        cover = window.empty()
        paint_line(cover, window.top, window.left, np.array(self.points), self.r)
        return cover
