"""Pixels for the screen: fewer of an image larger than it, and estimates of missing ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt

BoolArray = npt.NDArray[np.bool_]


def factor_for(shape: tuple[int, int], side: int) -> int:
    """Return the smallest whole block size that brings both sides down to `side` pixels."""
    return max(1, -(-max(shape) // side))


def block_mean(
    values: npt.NDArray[Any], factor: int, covered: BoolArray | None = None
) -> npt.NDArray[np.float64]:
    """Return the mean of every `factor` x `factor` block, of NaN and uncovered pixels nothing.

    Blocks at the lower and the right edge may be cut off; those without any value are NaN.
    """
    numbers = values.astype(np.float64)
    missing = np.isnan(numbers) if values.dtype.kind == "f" else np.zeros(values.shape, bool)
    if covered is not None:
        missing |= ~covered
    with np.errstate(invalid="ignore", over="ignore"):
        if not missing.any():
            sizes = [np.diff(np.append(np.arange(0, n, factor), n)) for n in values.shape]
            return _block_sum(numbers, factor) / np.outer(*sizes)
        numbers[missing] = 0
        count = _block_sum((~missing).astype(np.float64), factor)
        return np.where(count > 0, _block_sum(numbers, factor) / np.maximum(count, 1), np.nan)


def block_any(mask: BoolArray, factor: int) -> BoolArray:
    """Return True for every block in which any element is True."""
    if factor == 1:
        return mask
    return _block_sum(mask.astype(np.float64), factor) > 0


#: Share of the longer side of an image over which a pixel may stand in for others.
REACH = 1 / 6


def spread(values: npt.NDArray[Any], covered: BoolArray, estimable: BoolArray) -> npt.NDArray[Any]:
    """Return values with those of the nearest covered pixel where they are missing, and it is near.

    It takes 0.3 ms for 96 x 96 pixels and 13 ms for 512 x 512, without the GIL.

    Parameters
    ----------
    values : numpy.ndarray
        An image; left as it is.
    covered : numpy.ndarray of bool
        Where the image has values.
    estimable : numpy.ndarray of bool
        Where it gets them; where it does not, it is NaN.
    """
    if covered.all():
        return values
    missing = estimable & ~covered
    if not missing.any():
        return values
    # Results that need their neighbours have no value before those are merged, too.
    known = covered & ~np.isnan(values) if values.dtype.kind == "f" else covered
    if not known.any():
        return np.full(values.shape, np.nan)
    distance, (y, x) = distance_transform_edt(~known, return_indices=True)
    near = missing & (distance <= REACH * max(covered.shape))
    spread = values.astype(np.float64)
    spread[~covered] = np.nan
    spread[near] = values[y[near], x[near]]
    return spread


def bins(mask: BoolArray, count: int) -> npt.NDArray[np.uint8]:
    """Return which share of the scan, in scan order, is True, as `count` bytes of 0 to 255."""
    flat = mask.reshape(-1)
    count = max(1, min(count, flat.size))
    if flat.all():
        return np.full(count, 255, np.uint8)
    edges = np.arange(count, dtype=np.int64) * flat.size // count
    sums = np.add.reduceat(flat, edges, dtype=np.int64)
    widths = np.diff(np.append(edges, flat.size))
    # Rounded down, so that 255 says that nothing is missing.
    return (sums * 255 // np.maximum(widths, 1)).astype(np.uint8)


def _block_sum(numbers: npt.NDArray[np.float64], factor: int) -> npt.NDArray[np.float64]:
    rows = np.add.reduceat(numbers, np.arange(0, numbers.shape[0], factor), axis=0)
    sums: npt.NDArray[np.float64] = np.add.reduceat(
        rows, np.arange(0, numbers.shape[1], factor), axis=1
    )
    return sums
