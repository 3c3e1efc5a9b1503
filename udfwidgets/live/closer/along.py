"""The values of an image along a ruler, by linear interpolation.

A profile has a point for each pixel of its length, both ends included, and each is the mean over
lines one pixel apart across the width. What has no value has no weight. `js/src/closer/profile.ts`
does the same with what a page has; this is done with the values themselves.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates

from udfwidgets.live.closer.ruler import Ruler

Floats = npt.NDArray[np.float64]


def along(
    values: npt.NDArray[Any], covered: npt.NDArray[np.bool_] | None, ruler: Ruler
) -> tuple[Floats, Floats]:
    """Return distances in pixels, and the values there.

    Parameters
    ----------
    values : numpy.ndarray
        (ny, nx), real.
    covered : numpy.ndarray of bool or None
        Which of them have a meaning; None for all.
    ruler : Ruler
        Where.
    """
    n = math.ceil(ruler.length) + 1 if ruler.length else 1
    share = np.linspace(0, 1, n)
    lines = max(1, round(ruler.width))
    aside = np.arange(lines) - (lines - 1) / 2
    dx, dy = _direction(ruler)
    x = ruler.x0 + share * (ruler.x1 - ruler.x0) - aside[:, None] * dy
    y = ruler.y0 + share * (ruler.y1 - ruler.y0) + aside[:, None] * dx
    known = np.isfinite(values) if covered is None else np.isfinite(values) & covered
    weights = _at(known.astype(np.float64), y, x)
    sums = _at(np.where(known, values, 0).astype(np.float64), y, x).sum(axis=0)
    weight = weights.sum(axis=0)
    found = np.full(n, np.nan)
    np.divide(sums, weight, out=found, where=weight > 1e-9)
    return share * ruler.length, found


def _direction(ruler: Ruler) -> tuple[float, float]:
    if not ruler.length:
        return 1.0, 0.0
    return (ruler.x1 - ruler.x0) / ruler.length, (ruler.y1 - ruler.y0) / ruler.length


def _at(values: Floats, y: Floats, x: Floats) -> Floats:
    """Interpolate between the centres of pixels; up to its edge a pixel has its own value."""
    ny, nx = values.shape
    inside = (y >= -0.5) & (y <= ny - 0.5) & (x >= -0.5) & (x <= nx - 0.5)
    places = [np.clip(y, 0, ny - 1), np.clip(x, 0, nx - 1)]
    return np.where(inside, map_coordinates(values, places, order=1), 0.0)
