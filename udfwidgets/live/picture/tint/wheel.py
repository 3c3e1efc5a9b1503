"""The colours of pixels that have a tint: the hue of a direction, or a colour of their own.

The browser computes the same, by the same rules, in whole numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from udfwidgets.live.picture.colour import colour, levels, table
from udfwidgets.live.picture.contrast import Limits
from udfwidgets.live.picture.tint.planes import Bytes, Directions, directions

#: Steps of a direction to each colour of a map.
STEP = 257


def tinted(
    values: npt.NDArray[Any],
    tint: Directions | Bytes | None,
    limits: Limits,
    colormap: str,
    *,
    log: bool = False,
    gamma: float = 1.0,
    empty: tuple[int, int, int] = (128, 128, 128),
) -> Bytes:
    """Return values as they look on the screen, with a last axis of RGB.

    Parameters
    ----------
    values, limits, colormap, log, gamma, empty
        As in `udfwidgets.live.picture.colour.colour`.
    tint : numpy.ndarray or None
        Directions, which give the hue while the value gives the brightness; or colours, which are
        taken as they are. None: the value alone counts.
    """
    if tint is None:
        return colour(values, limits, colormap, log=log, gamma=gamma, empty=empty)
    rgb = tint.astype(np.uint8)
    if tint.dtype == np.uint16:
        hue = table(colormap)[(tint.astype(np.intp) + STEP // 2) // STEP].astype(np.intp)
        level = levels(values, limits, log=log, gamma=gamma).astype(np.intp)
        rgb = ((hue * level[..., np.newaxis] + 127) // 255).astype(np.uint8)
    if values.dtype.kind == "f":
        rgb[np.isnan(values)] = empty
    return rgb


def key(side: int, colormap: str) -> Bytes:
    """Return a disk of all directions and magnitudes, as RGB and alpha.

    Parameters
    ----------
    side : int
        Of the picture, in pixels.
    colormap : str
        Of the hues.
    """
    place = (np.arange(side) + 0.5) / side * 2 - 1
    y, x = np.meshgrid(place, place, indexing="ij")
    far = np.hypot(y, x)
    rgb = tinted(far, directions(y, x), (0.0, 1.0), colormap)
    alpha = np.where(far <= 1, 255, 0).astype(np.uint8)
    return np.dstack((rgb, alpha))
