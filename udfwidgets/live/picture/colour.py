"""How a value becomes a colour; the browser computes the same, by the same rules."""

from __future__ import annotations

from functools import cache
from typing import Any

import cmap
import numpy as np
import numpy.typing as npt

from udfwidgets.live.picture.contrast import Limits
from udfwidgets.live.picture.place import places

#: The colour maps an image offers. `twilight` is the cyclic one, for phases.
COLORMAPS = ("viridis", "magma", "inferno", "cividis", "gray", "turbo", "twilight")


@cache
def table(colormap: str) -> npt.NDArray[np.uint8]:
    """Return the colour map as 256 rows of RGB, read-only."""
    if colormap not in COLORMAPS:
        raise ValueError(f"colormap is {colormap!r}, expected one of {', '.join(COLORMAPS)}")
    rgb = np.floor(cmap.Colormap(colormap).lut(256)[:, :3] * 255 + 0.5).astype(np.uint8)
    rgb.flags.writeable = False
    return rgb


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
