"""Compiled loops that find where on the detector the intensity of a frame lies."""

from __future__ import annotations

from typing import Any

import numpy as np

from udfwidgets.buffers import Array
from udfwidgets.compiling import compiled
from udfwidgets.udf.compiled.columns import FEW, MOST, moments_of_few, moments_of_most
from udfwidgets.udf.compiled.kernels import ANY_ORDER, exact_dtype, strip_dtype

# Pixels, or rows, whose sum, weighted by their number, fits into the 32 bits of a strip: for 16-bit
# data it is at most 65535 * 256 * 257 / 2.
MOMENT_STRIP = 256


def moment_dtype(dtype: np.dtype[Any], size_y: int, size_x: int) -> np.dtype[Any]:
    """Return the dtype of the moments of a frame: exact for integers that have room in 64 bits.

    Those that have not are added up as floats, whose relative error is that of their rounding.
    """
    exact = exact_dtype(dtype)
    if dtype.kind in "ui":
        largest = max(np.iinfo(dtype).max, -np.iinfo(dtype).min)
        if largest * size_y * size_x * max(size_y, size_x) >= 1 << 63:
            return np.dtype(np.float64)
    return exact


def moment_ramp(dtype: np.dtype[Any]) -> Array:
    """Return 0, 1, 2, ... in the dtype in which `add_moments` adds up a strip of pixels."""
    return np.arange(MOMENT_STRIP).astype(ramp_dtype(dtype))


def ramp_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype of `moment_ramp`: strips of 64-bit integers have no room in 64 bits."""
    is_widest = dtype.kind in "ui" and dtype.itemsize == 8
    return np.dtype(np.float64) if is_widest else strip_dtype(dtype)


@compiled()
def add_moments(
    tile: Array,
    size: tuple[int, int],
    spans: Array,
    origin: tuple[int, int],
    ramp: Array,
    out: Array,
) -> None:
    """Add to `out` the sum of each frame within a mask, and the sums weighted by y and by x.

    Parameters
    ----------
    tile : (frames, pixels) array
        In any dtype.
    size : tuple of int
        How many rows of how many pixels count.
    spans : (spans, 3) int64 array
        The mask as runs of pixels in the tile: row, first column, and last column (exclusive).
    origin : tuple of int
        Coordinates of the first pixel of the tile, y and x.
    ramp : (MOMENT_STRIP,) array
        From `moment_ramp`.
    out : (frames, 3) array
        Sum, sum of y, sum of x, in the dtype of `moment_dtype`.
    """
    width = size[1]
    # The usual case, and one in which no pixel has to be multiplied.
    if _takes_all(spans, size):
        _add_moments_of_all(tile, size, origin, ramp, out)
    else:
        _add_moments_of_spans(tile, width, spans, origin, ramp, out)


@compiled()
def _takes_all(spans: Array, size: tuple[int, int]) -> bool:
    whole_rows = 0
    for span in range(spans.shape[0]):
        if spans[span, 1] == 0 and spans[span, 2] == size[1]:
            whole_rows += 1
    return whole_rows == size[0]


@compiled()
def spans_within(spans: Array, top: int, bottom: int) -> Array:
    """Return the spans in some rows, counted from the first of those."""
    first, last = np.searchsorted(spans[:, 0], top), np.searchsorted(spans[:, 0], bottom)
    own: Array = spans[first:last].copy()
    own[:, 0] -= top
    return own


@compiled(fastmath=ANY_ORDER)
def _add_moments_of_all(
    tile: Array, size: tuple[int, int], origin: tuple[int, int], ramp: Array, out: Array
) -> None:
    """Do it without a mask, by additions alone.

    Rows are added up one by one. What the columns sum up to after each row is added up as well:
    there, a row that is followed by n others counts n + 1 times.
    """
    n_frames, (n_rows, width), (origin_y, origin_x) = tile.shape[0], size, origin
    wide, widest = ramp.dtype.type, out.dtype.type
    columns = np.empty(width, ramp.dtype)
    so_far = np.empty(width, ramp.dtype)
    for frame in range(n_frames):
        for begin in range(0, n_rows, MOMENT_STRIP):
            end = min(begin + MOMENT_STRIP, n_rows)
            columns[:] = 0
            so_far[:] = 0
            y = begin
            # Four rows at a time: one load and store of the sums for four of the data.
            while y + 4 <= end:
                at = y * width
                a, b = tile[frame, at : at + width], tile[frame, at + width : at + 2 * width]
                at += 2 * width
                c, d = tile[frame, at : at + width], tile[frame, at + width : at + 2 * width]
                for x in range(width):
                    to_a = wide(columns[x] + wide(a[x]))
                    to_b = wide(to_a + wide(b[x]))
                    to_c = wide(to_b + wide(c[x]))
                    to_d = wide(to_c + wide(d[x]))
                    so_far[x] = wide(so_far[x] + wide(wide(to_a + to_b) + wide(to_c + to_d)))
                    columns[x] = to_d
                y += 4
            while y < end:
                a = tile[frame, y * width : y * width + width]
                for x in range(width):
                    columns[x] = wide(columns[x] + wide(a[x]))
                    so_far[x] = wide(so_far[x] + columns[x])
                y += 1
            total, total_x, times = widest(0), widest(0), widest(0)
            for x in range(width):
                column = widest(columns[x])
                total = widest(total + column)
                total_x = widest(total_x + widest(column * widest(origin_x + x)))
                times = widest(times + widest(so_far[x]))
            out[frame, 0] += total
            out[frame, 1] += widest(widest(total * widest(origin_y + end)) - times)
            out[frame, 2] += total_x


@compiled(fastmath=ANY_ORDER)
def _add_moments_of_spans(
    tile: Array, width: int, spans: Array, origin: tuple[int, int], ramp: Array, out: Array
) -> None:
    """Do it span by span."""
    origin_y, origin_x = origin
    wide, widest = ramp.dtype.type, out.dtype.type
    for frame in range(tile.shape[0]):
        total, total_y, total_x = widest(0), widest(0), widest(0)
        for span in range(spans.shape[0]):
            y, stop = spans[span, 0], spans[span, 2]
            for begin in range(spans[span, 1], stop, MOMENT_STRIP):
                end = min(begin + MOMENT_STRIP, stop)
                pixels = tile[frame, y * width + begin : y * width + end]
                strip, moment = wide(0), wide(0)
                for i in range(pixels.shape[0]):
                    value = wide(pixels[i])
                    strip = wide(strip + value)
                    moment = wide(moment + wide(value * ramp[i]))
                total = widest(total + widest(strip))
                total_y = widest(total_y + widest(widest(strip) * widest(origin_y + y)))
                shift = widest(widest(strip) * widest(origin_x + begin))
                total_x = widest(total_x + widest(widest(moment) + shift))
        out[frame, 0] += total
        out[frame, 1] += total_y
        out[frame, 2] += total_x


@compiled()
def add_moments_of_integers(
    tile: Array,
    size: tuple[int, int],
    spans: Array,
    origin: tuple[int, int],
    ramp: Array,
    out: Array,
) -> None:
    """Do what `add_moments` does, for integers of at most 16 bits."""
    n_rows, width = size
    if not _takes_all(spans, size):
        _add_moments_of_spans(tile, width, spans, origin, ramp, out)
        return
    widest, many = out.dtype.type, width // MOST * MOST
    whole = many + (width - many) // FEW * FEW
    for frame in range(tile.shape[0]):
        for begin in range(0, n_rows, MOMENT_STRIP):
            count = min(MOMENT_STRIP, n_rows - begin)
            total, total_x, times = 0, 0, 0
            for x in range(0, many, MOST):
                sums = moments_of_most(tile, frame, begin * width + x, count, width)
                total += sums[0]
                total_x += sums[0] * (origin[1] + x) + sums[1]
                times += sums[2]
            for x in range(many, whole, FEW):
                sums = moments_of_few(tile, frame, begin * width + x, count, width)
                total += sums[0]
                total_x += sums[0] * (origin[1] + x) + sums[1]
                times += sums[2]
            for y in range(count):
                row = tile[frame, (begin + y) * width + whole : (begin + y + 1) * width]
                for i in range(row.shape[0]):
                    value = np.int64(row[i])
                    total += value
                    total_x += value * (origin[1] + whole + i)
                    times += value * (count - y)
            out[frame, 0] += widest(total)
            out[frame, 1] += widest(total * (origin[0] + begin + count) - times)
            out[frame, 2] += widest(total_x)
