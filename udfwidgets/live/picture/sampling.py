"""Pixels for the screen: fewer of an image larger than it, and estimates of missing ones."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from udfwidgets.live.picture.loops import COMPILED, fill, is_compiled, means, own

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
    if values.dtype in COMPILED and is_compiled(means):
        found = np.empty(_blocks(values.shape, factor))
        is_in = np.ones((1, 1), bool) if covered is None else covered
        means(own(values), own(is_in), covered is None, factor, found)
        return found
    known = np.ones(values.shape, bool) if covered is None else covered
    if values.dtype.kind == "f":
        known = known & ~np.isnan(values)
    if known.all():
        sizes = [np.diff(np.append(np.arange(0, n, factor), n)) for n in values.shape]
        return _block_sum(values, factor) / np.outer(*sizes)
    with np.errstate(invalid="ignore"):
        total = _block_sum(np.where(known, values, 0), factor)
        return np.asarray(total / _block_sum(known, factor))


def block_any(mask: BoolArray, factor: int) -> BoolArray:
    """Return True for every block in which any element is True."""
    if factor == 1:
        return mask
    if mask.all():
        return np.ones(_blocks(mask.shape, factor), bool)
    found = np.zeros(_blocks(mask.shape, factor), bool)
    for place, part in _interleaved(mask, factor):
        found[place] |= part
    return found


#: Share of the longer side of an image over which a pixel may stand in for others.
REACH = 1 / 6


def spread(values: npt.NDArray[Any], covered: BoolArray, estimable: BoolArray) -> npt.NDArray[Any]:
    """Return values with those of the nearest covered pixel where they are missing, and it is near.

    It takes 1.5 ms for 256 x 512 pixels, without the GIL; seconds to begin with, see `loops`.

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
    # Of one dtype and layout, whatever comes: it is compiled once.
    shown = np.ascontiguousarray(np.where(covered, values, np.nan), np.float64)
    missing = np.ascontiguousarray(estimable & ~covered)
    if not missing.any():
        return shown
    # Results that need their neighbours have no value before those are merged, too.
    fill(shown, ~np.isnan(shown), missing, (REACH * max(covered.shape)) ** 2)
    return shown


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


def _blocks(shape: tuple[int, ...], factor: int) -> tuple[int, ...]:
    return tuple(-(-n // factor) for n in shape)


def _interleaved(
    array: npt.NDArray[Any], factor: int
) -> Iterator[tuple[tuple[slice, slice], npt.NDArray[Any]]]:
    """Yield for each place in a block the elements there, and the blocks that have it.

    A block at a time has NumPy do little in each of its steps; this is ten times as fast.
    """
    # A picture of 0.4 % of 16 GiB took 44 ms of processor time, and takes 5.5 with this and `fill`
    # (docs/decisions/051-first-picture.md).
    for y, x in product(range(factor), repeat=2):
        part = array[y::factor, x::factor]
        height, width = part.shape
        yield (slice(height), slice(width)), part


def _block_sum(numbers: npt.NDArray[Any], factor: int) -> npt.NDArray[np.float64]:
    sums = np.zeros(_blocks(numbers.shape, factor))
    with np.errstate(invalid="ignore", over="ignore"):
        for place, part in _interleaved(numbers, factor):
            sums[place] += part
    return sums
