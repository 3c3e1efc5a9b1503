"""How far one region of an image stands out from another one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from udfwidgets.buffers import BoolArray

#: Pixels of a background whose spread means something.
FEWEST = 4


def signal_to_noise(
    values: npt.NDArray[Any],
    signal: BoolArray,
    background: BoolArray,
    covered: BoolArray | None = None,
) -> float:
    """Return by how many standard errors the means of two regions differ.

    With means m and numbers of pixels n of the signal (s) and the background (b), and the standard
    deviation of the pixels of the background sigma, it is

        |m_s - m_b| / (sigma sqrt(1 / n_s + 1 / n_b))

    which grows with the number of frames in a sum over them, and with the number of positions in an
    image of the scan. For a large background it is the signal-to-noise ratio that A. Rose asks to
    be 5 for a detail to be seen, J. Opt. Soc. Am. 38, 196 (1948): that of the pixels times the root
    of their number.

    Parameters
    ----------
    values : numpy.ndarray
        Real numbers; what is not finite does not count.
    signal, background : numpy.ndarray of bool
        The regions, of the same shape.
    covered : numpy.ndarray of bool, optional
        Only these pixels count.

    Returns
    -------
    float
        NaN where it is not known: too few pixels are in, or those of the background are all alike.
    """
    known = np.isfinite(values) if covered is None else np.isfinite(values) & covered
    inside = values[signal & known].astype(np.float64)
    outside = values[background & known].astype(np.float64)
    if inside.size < 1 or outside.size < FEWEST:
        return math.nan
    spread = float(outside.std(ddof=1))
    if not spread > 0:
        return math.nan
    error = spread * math.sqrt(1 / inside.size + 1 / outside.size)
    return float(abs(inside.mean() - outside.mean())) / error
