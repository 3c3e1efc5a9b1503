"""Shapes around a centre. In their rules ``dx = x - cx``, ``dy = y - cy`` for a pixel (x, y)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from udfwidgets import masks
from udfwidgets.geometry.directions import direction
from udfwidgets.geometry.figure import BoolArray, Figure, Window
from udfwidgets.geometry.rasters import fill_ellipse, keep_sector

Self = TypeVar("Self", bound="_Centred")

# Of an ellipse. The squares of what is thinner would come near zero.
_THINNEST = 1e-6


@dataclass(frozen=True)
class _Centred(Figure):
    cx: float
    cy: float

    def moved(self: Self, dx: float, dy: float) -> Self:
        """Return the shape somewhere else, `dx` to the right and `dy` down."""
        return replace(self, cx=self.cx + dx, cy=self.cy + dy)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of a box around the shape."""
        x, y = self._reach()
        return self.cx - x, self.cy - y, self.cx + x, self.cy + y

    def _reach(self) -> tuple[float, float]:
        """Return how far it goes from its centre, along x and along y."""
        return 0.5, 0.5

    def _framed(self, window: Window) -> tuple[float, float, int, int]:
        # Exact: a window begins at 0 or left of the centre, and the difference has no more digits.
        width, height = window.right - window.left, window.bottom - window.top
        return self.cx - window.left, self.cy - window.top, width, height


@dataclass(frozen=True)
class Point(_Centred):
    """One pixel, such as the position of the probe.

    Rule: ``x == floor(cx + 0.5)`` and ``y == floor(cy + 0.5)``.
    """

    @property
    def index(self) -> tuple[int, int]:
        """The pixel as an index into an array: (y, x). It may be outside."""
        return math.floor(self.cy + 0.5), math.floor(self.cx + 0.5)

    def _cover(self, window: Window) -> BoolArray:
        row, column = self.index
        rows, columns = np.ogrid[window.top : window.bottom, window.left : window.right]
        cover: BoolArray = (rows == row) & (columns == column)
        return cover


@dataclass(frozen=True)
class Disk(_Centred):
    """A filled circle, as `udfwidgets.masks.circular`: its rim belongs to it.

    Rule: ``dx * dx + dy * dy <= r * r``. So a radius of 0 on the centre of a pixel is that pixel.
    """

    r: float

    def _reach(self) -> tuple[float, float]:
        return self.r, self.r

    def _cover(self, window: Window) -> BoolArray:
        cover: BoolArray = masks.circular(*self._framed(window), self.r)
        return cover


@dataclass(frozen=True)
class Annulus(_Centred):
    """A ring, as `udfwidgets.masks.ring`: its outer rim belongs to it, its inner rim does not.

    Rule: ``q = dx * dx + dy * dy``; ``ri * ri < q`` and ``q <= ro * ro``. So a pixel in the very
    centre is outside even where `ri` is 0.

    Raises
    ------
    ValueError
        If `ri` is larger than `ro`, besides what all shapes refuse.
    """

    ri: float
    ro: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.ri > self.ro:
            raise ValueError(
                f"{type(self).__name__} has ri={self.ri:g} and ro={self.ro:g}, expected the inner "
                "radius ri to be no larger than the outer one: exchange the two"
            )

    def _reach(self) -> tuple[float, float]:
        return self.ro, self.ro

    def _cover(self, window: Window) -> BoolArray:
        cover: BoolArray = masks.ring(*self._framed(window), self.ro, self.ri)
        return cover


@dataclass(frozen=True)
class Sector(Annulus):
    """A part of a ring, from the angle `start` on towards `stop`, in degrees.

    It goes from +x towards +y, clockwise on the screen. The ray at `start` belongs to it, that at
    `stop` does not, so that sectors side by side share no pixel. A `stop` below `start` means one
    turn more; 360 and more from one to the other, either way, is the whole ring; equal ones are
    nothing.

    Rule: that of `Annulus`, and, with ``(uc, us) = direction(start)`` and ``(vc, vs) =
    direction(stop)`` of `udfwidgets.geometry.directions`::

        a = uc * dy - us * dx
        b = vc * dy - vs * dx
        ahead = a > 0 or (a == 0 and uc * dx + us * dy > 0)
        turn = uc * vs - us * vc
        if turn > 0 or (turn == 0 and uc * vc + us * vs > 0):  # less than half a turn
            inside = ahead and b < 0
        else:
            inside = ahead or b < 0

    where ``abs(stop - start) < 360``; otherwise that of `Annulus` alone.
    """

    start: float
    stop: float

    def _cover(self, window: Window) -> BoolArray:
        ring = super()._cover(window)
        if abs(self.stop - self.start) >= 360:
            return ring
        (uc, us), (vc, vs) = direction(self.start), direction(self.stop)
        dx, dy = window.offsets(self.cx, self.cy)
        turn = uc * vs - us * vc
        is_less_than_half = turn > 0 or (turn == 0 and uc * vc + us * vs > 0)
        keep_sector(ring, dx, dy, (uc, us), (vc, vs), is_less_than_half)
        return ring


@dataclass(frozen=True)
class Rectangle(_Centred):
    """A rectangle along the axes around its centre; all its sides belong to it.

    With whole corners it is `udfwidgets.masks.rectangular`, of which one without width or without
    height is empty, too.

    Rule: ``width > 0`` and ``height > 0`` and ``abs(dx) <= width / 2`` and
    ``abs(dy) <= height / 2``.
    """

    width: float
    height: float

    def _reach(self) -> tuple[float, float]:
        return self.width / 2, self.height / 2

    def _cover(self, window: Window) -> BoolArray:
        dx, dy = window.offsets(self.cx, self.cy)
        across = (abs(dx) <= self.width / 2) & (self.width > 0)
        down = (abs(dy) <= self.height / 2) & (self.height > 0)
        cover: BoolArray = across[None, :] & down[:, None]
        return cover


@dataclass(frozen=True)
class Ellipse(_Centred):
    """An ellipse with half axes `rx` and `ry`, turned by `angle` degrees; its rim belongs to it.

    Rule: with ``(c, s) = direction(angle)`` of `udfwidgets.geometry.directions`::

        u = (dx * c + dy * s) * ry
        v = (dy * c - dx * s) * rx
        inside = rx >= 1e-6 and ry >= 1e-6 and u * u + v * v <= (rx * ry) * (rx * ry)
    """

    rx: float
    ry: float
    angle: float = 0.0

    def _reach(self) -> tuple[float, float]:
        longest = max(self.rx, self.ry)
        return longest, longest

    def _cover(self, window: Window) -> BoolArray:
        cover = window.empty()
        if min(self.rx, self.ry) >= _THINNEST:
            dx, dy = window.offsets(self.cx, self.cy)
            fill_ellipse(cover, dx, dy, self.rx, self.ry, direction(self.angle))
        return cover
