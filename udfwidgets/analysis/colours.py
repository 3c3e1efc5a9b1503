"""Pictures of results: numbers, vectors and classes as colours."""

from __future__ import annotations

import importlib
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Picture = npt.NDArray[np.uint8]
Covered = npt.NDArray[np.bool_] | bool

LINEAR = "viridis"
CYCLIC = "twilight"
CLASSES = "tab20"
# The hue of a vector says which way it points: even in lightness, so that length can be.
WHEEL = "cmocean:phase"
# Leave out this share of the darkest and the brightest pixels, in percent.
OUTLIERS = 0.1


def picture(
    values: Array,
    covered: Covered = True,
    *,
    logarithmic: bool = False,
    limits: tuple[float, float] | None = None,
    colormap: str = LINEAR,
) -> Picture:
    """Return an image of numbers.

    Parameters
    ----------
    values : numpy.ndarray
        Real, of shape (y, x); a line is shown as one row. What is not finite becomes black.
    covered : numpy.ndarray of bool or bool
        Where they count for the range of colours.
    logarithmic : bool
        Show the logarithm of the height above the smallest number, plus one.
    limits : tuple of float, optional
        What the first and the last colour stand for; by default the range without outliers.
    """
    values = np.atleast_2d(np.asarray(values, np.float64))
    finite = np.isfinite(values)
    if logarithmic and finite.any():
        values = np.log1p(values - values[finite].min())
    lo, hi = limits or _range(values[finite & np.atleast_2d(covered)])
    position = np.where(finite, (values - lo) / (hi - lo), 0)
    table = _table(colormap)
    colours = table[np.round(np.clip(position, 0, 1) * (len(table) - 1)).astype(np.intp)]
    return np.where(finite[..., np.newaxis], colours, 0).astype(np.uint8)


def rgb_from_2dvector(y: Array, x: Array, vmax: float | None = None) -> Picture:
    """Return an image of vectors: which way by hue, how long by lightness.

    Parameters
    ----------
    y, x : numpy.ndarray
        The components.
    vmax : float, optional
        The length that is shown brightest; by default the longest.
    """
    y, x = np.atleast_2d(y), np.atleast_2d(x)
    length = np.hypot(y, x)
    finite = np.isfinite(length)
    longest = vmax if vmax is not None else length[finite].max(initial=0)
    lightness = np.clip(np.where(finite, length, 0) / (longest or 1), 0, 1)
    hue = picture(np.arctan2(y, x), limits=(-np.pi, np.pi), colormap=WHEEL)
    return np.round(hue * lightness[..., np.newaxis]).astype(np.uint8)


def visualize_simple(
    result: Array,
    colormap: str | None = None,
    logarithmic: bool = False,
    vmin: float | None = None,
    vmax: float | None = None,
    damage: Covered | None = None,
) -> Picture:
    """Return an image of numbers with an opaque alpha channel, of shape (y, x, 4).

    Parameters
    ----------
    result, logarithmic
        As `values` and `logarithmic` of `picture`.
    colormap : str, optional
        Its name.
    vmin, vmax : float, optional
        What the first and the last colour stand for; by default the range without outliers.
    damage : numpy.ndarray of bool or bool, optional
        Where they count for the range; by default everywhere.
    """
    known = np.asarray(result, np.float64)[np.isfinite(result)]
    lo, hi = _range(known)
    limits = None if vmin is None and vmax is None else (lo if vmin is None else vmin, vmax or hi)
    covered = True if damage is None else damage
    named = colormap or LINEAR
    rgb = picture(result, covered, logarithmic=logarithmic, limits=limits, colormap=named)
    return np.dstack((rgb, np.full(rgb.shape[:2], 255, np.uint8)))


def pillow_image(pixels: Picture) -> Any:
    """Return pixels as an image of Pillow, which is imported now: a Context does without."""
    return importlib.import_module("PIL.Image").fromarray(pixels)


def encode_image(result: Picture, save_kwargs: dict[str, Any] | None = None) -> BytesIO:
    """Return an image as a file in memory: a PNG, or as Pillow's ``save`` is told to."""
    file = BytesIO()
    pillow_image(result).convert("RGB").save(file, **(save_kwargs or {"format": "png"}))
    file.seek(0)
    return file


def _range(known: Array) -> tuple[float, float]:
    if not known.size:
        return 0.0, 1.0
    lo, hi = np.percentile(known, (OUTLIERS, 100 - OUTLIERS))
    return (float(lo), float(hi)) if lo < hi else (float(lo), float(lo) + 1)


@cache
def _table(colormap: str) -> Picture:
    # 256 colours, or as many as a map of classes has.
    cmap: Any = importlib.import_module("cmap")  # here: results that nobody looks at do without
    table: Picture = np.round(cmap.Colormap(colormap).lut(256)[:, :3] * 255).astype(np.uint8)
    return table
