"""Pixels for the screen: fewer of an image larger than it, and estimates of missing ones."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from udfwidgets.compiling import compiled

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
    if values.dtype in COMPILED and len(_means.signatures) == len(COMPILED):
        means = np.empty(_blocks(values.shape, factor))
        is_in = np.ones((1, 1), bool) if covered is None else covered
        _means(_own(values), _own(is_in), covered is None, factor, means)
        return means
    known = np.ones(values.shape, bool) if covered is None else covered
    if values.dtype.kind == "f":
        known = known & ~np.isnan(values)
    if known.all():
        sizes = [np.diff(np.append(np.arange(0, n, factor), n)) for n in values.shape]
        return _block_sum(values, factor) / np.outer(*sizes)
    with np.errstate(invalid="ignore"):
        total = _block_sum(np.where(known, values, 0), factor)
        return np.asarray(total / _block_sum(known, factor))


def _own(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return an array as compiled code knows it: what cannot be written to is copied."""
    return np.require(array, requirements=["C", "W"])


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

    It takes 1.5 ms for 256 x 512 pixels, without the GIL; seconds to begin with, see `can_spread`.

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
    _fill(shown, ~np.isnan(shown), missing, (REACH * max(covered.shape)) ** 2)
    return shown


def can_spread() -> bool:
    """Return whether `spread` is compiled; where it is not, have that done by a thread.

    That takes seconds after an installation, and as long again where others compile, too.
    """
    if _fill.signatures:
        return True
    if _begun.acquire(blocking=False):
        threading.Thread(target=compile_all, name=COMPILER, daemon=True).start()
    return False


def compile_all() -> None:
    """Compile what pictures need."""
    known, image = np.eye(2, dtype=bool), np.ones((2, 2))
    for dtype in COMPILED:
        _means(image.astype(dtype), known, False, 2, np.empty((1, 1)))
    spread(image, known, ~known)


#: Of images whose blocks are averaged by compiled code; that of others takes four times as long.
COMPILED = (np.float32, np.float64)
#: Name of the thread that compiles.
COMPILER = "udfwidgets-compiler"
# Never given back: what cannot be compiled is not tried again for each picture.
_begun = threading.Lock()


@compiled()
def _fill(image, known, missing, reach):  # type: ignore[no-untyped-def]
    """Give missing pixels the value of the nearest known one, unless that is too far.

    Exact, in two passes over the image: what is the nearest one in the same column, and which
    columns of a row have the nearest of all. Seen from the pixels of a row, the squared distance
    to what a column has is a parabola, and the lower envelope of parabolas is found from left to
    right (Felzenszwalb and Huttenlocher, Theory of Computing 8, 415, 2012).

    `reach` is squared.
    """
    height, width = image.shape
    nearest = np.empty((height, width), np.int64)  # rows; negative where a column has none
    for y in range(height):
        for x in range(width):
            nearest[y, x] = y if known[y, x] else nearest[y - 1, x] if y > 0 else -1
    for y in range(height - 2, -1, -1):
        for x in range(width):
            above, below = nearest[y, x], nearest[y + 1, x]
            if below >= 0 and (above < 0 or below - y < y - above):
                nearest[y, x] = below
    columns = np.empty(width, np.int64)
    begins = np.empty(width)  # where each of them begins to be the nearest
    for y in range(height):
        n = 0
        for x in range(width):
            if nearest[y, x] < 0:
                continue
            begin = -np.inf
            while n > 0:
                other = columns[n - 1]
                rise = (y - nearest[y, x]) ** 2 - (y - nearest[y, other]) ** 2
                begin = (x + other + rise / (x - other)) / 2
                if begin > begins[n - 1]:
                    break
                n -= 1
                begin = -np.inf
            columns[n], begins[n] = x, begin
            n += 1
        at = 0
        for x in range(width):
            if not missing[y, x] or n == 0:
                continue
            while at + 1 < n and begins[at + 1] < x:
                at += 1
            column = columns[at]
            row = nearest[y, column]
            if (y - row) ** 2 + (x - column) ** 2 <= reach:
                image[y, x] = image[row, column]


@compiled()
def _means(values, covered, is_whole, factor, means):  # type: ignore[no-untyped-def]
    """Write the mean of each block, as `block_mean`; `covered` is not looked at if `is_whole`."""
    height, width = values.shape
    for row in range(means.shape[0]):
        for column in range(means.shape[1]):
            total, count = 0.0, 0
            for y in range(row * factor, min((row + 1) * factor, height)):
                for x in range(column * factor, min((column + 1) * factor, width)):
                    value = values[y, x]
                    if (is_whole or covered[y, x]) and not np.isnan(value):
                        total += value
                        count += 1
            means[row, column] = total / count if count else np.nan


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
    # A picture of 0.4 % of 16 GiB took 44 ms of processor time, and takes 5.5 with this and `_fill`
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
