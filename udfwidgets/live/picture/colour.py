"""How a value becomes a colour; the browser computes the same, by the same rules."""

from __future__ import annotations

from functools import cache
from typing import Any

import cmap
import numpy as np
import numpy.typing as npt

from udfwidgets.live.picture.contrast import Limits
from udfwidgets.live.picture.place import places

# By their full names, where several have published one of a name.
_SOURCES = {
    "viridis": "bids:viridis",
    "magma": "bids:magma",
    "inferno": "bids:inferno",
    "cividis": "cividis:cividis",
    "gray": "matlab:gray",
    "turbo": "google:turbo",
    "RdBu": "colorbrewer:RdBu",
    "coolwarm": "matplotlib:coolwarm",
    "vik": "crameri:vik",
    "twilight": "matplotlib:twilight",
    "phase": "cmocean:phase",
}
#: The colour maps an image offers: perceptual ones, diverging ones, for values of either sign
#: (`RdBu`, `coolwarm`, `vik`), and cyclic ones, for phases (`twilight`, `phase`).
COLORMAPS = tuple(_SOURCES)
#: Those whose middle stands for zero.
DIVERGING = ("RdBu", "coolwarm", "vik")
#: Patterns and maps are told apart at a glance.
USUAL = {"sig": "magma", "nav": "viridis"}
#: The same from the other end.
REVERSED = tuple(f"{name}_r" for name in COLORMAPS)


@cache
def table(colormap: str) -> npt.NDArray[np.uint8]:
    """Return the colour map as 256 rows of RGB, read-only; with ``_r`` from the other end."""
    if colormap not in COLORMAPS + REVERSED:
        raise ValueError(
            f"colormap is {colormap!r}, expected one of {', '.join(COLORMAPS)}, or with '_r'"
        )
    if colormap in REVERSED:
        return table(colormap[: -len("_r")])[::-1]
    rgb = np.floor(cmap.Colormap(_SOURCES[colormap]).lut(256)[:, :3] * 255 + 0.5).astype(np.uint8)
    rgb.flags.writeable = False
    return rgb


def centred(limits: Limits, colormap: str) -> Limits:
    """Return proposed limits as a colour map wants them: a diverging one has zero in the middle."""
    if colormap.removesuffix("_r") not in DIVERGING:
        return limits
    largest = max(map(abs, limits))
    return -largest, largest


def levels(
    values: npt.NDArray[Any], limits: Limits, *, log: bool = False, gamma: float = 1.0
) -> npt.NDArray[np.uint8]:
    """Return the row of the colour table for every value; that of NaN is 0.

    Parameters
    ----------
    values : numpy.ndarray
        Any real dtype.
    limits : tuple of float
        Shown as the first and the last colour.
    log : bool
        On a logarithmic scale, see `udfwidgets.live.picture.place`.
    gamma : float
        Exponent of the position in the range, after the logarithm.
    """
    t = places(values, limits, log=log)
    if gamma != 1:
        t = t**gamma
    return np.floor(t * 255 + 0.5).astype(np.uint8)


def colour(
    values: npt.NDArray[Any],
    limits: Limits,
    colormap: str = "viridis",
    *,
    log: bool = False,
    gamma: float = 1.0,
    empty: tuple[int, int, int] = (128, 128, 128),
) -> npt.NDArray[np.uint8]:
    """Return values as they look on the screen, with a last axis of RGB.

    Parameters
    ----------
    values, limits, log, gamma
        As in `levels`.
    colormap : str
        One of `COLORMAPS`.
    empty : tuple of int
        The colour of NaN.
    """
    values = np.asarray(values)
    rgb = table(colormap)[levels(values, limits, log=log, gamma=gamma)]
    if values.dtype.kind == "f":
        rgb[np.isnan(values)] = empty
    return rgb
