"""The arithmetic of the Fourier transform of an image."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft


def magnitude(
    values: npt.NDArray[Any], covered: npt.NDArray[np.bool_] | None
) -> npt.NDArray[np.float64]:
    """Return the magnitude of the Fourier transform, with frequency 0 at (ny // 2, nx // 2).

    The mean is taken off before, or nothing else would be seen. What is not covered, or has no
    value, counts as the mean: it adds nothing. scipy gives the GIL up for it.

    Parameters
    ----------
    values : numpy.ndarray
        (ny, nx), real.
    covered : numpy.ndarray of bool or None
        Which of them have a meaning; None for all.
    """
    known = np.isfinite(values) if covered is None else np.isfinite(values) & covered
    mean = values.mean(where=known, dtype=np.float64) if known.any() else 0.0
    centred = np.where(known, values - mean, 0.0)
    return np.asarray(np.abs(fft.fftshift(fft.fft2(centred))), np.float64)
