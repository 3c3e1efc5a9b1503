"""Compiled loops over one tile, in the dtype of the file, that do not hold the GIL.

Every kernel takes a tile of shape (frames, pixels), reads each of its values once per kernel while
the tile is in the cache, and adds to the arrays it is given. Integers are added up as integers:
sums are exact for as long as they fit into 64 bits, whatever the order.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from udfwidgets.buffers import Array

_WIDENED: dict[np.dtype[Any], np.dtype[Any]] = {
    np.dtype(np.float16): np.dtype(np.float32),
    np.dtype(np.longdouble): np.dtype(np.float64),
    np.dtype(np.clongdouble): np.dtype(np.complex128),
}
# Pixels per strip: its sums fit into the first-level cache, in the widest dtype.
STRIP = 1024


def flat(tile: Array) -> Array:
    """Return a tile as (frames, pixels) in a dtype that compiled code knows.

    It is a view wherever it can be; half floats are widened to 32 bits, long ones cut to 64.
    """
    if tile.dtype in _WIDENED:
        tile = tile.astype(_WIDENED[tile.dtype])
    return tile.reshape(tile.shape[0], -1)


def exact_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype in which values of `dtype` are added up: exactly, for integers."""
    if dtype.kind in "bu":
        return np.dtype(np.uint64)
    if dtype.kind == "i":
        return np.dtype(np.int64)
    return np.dtype(np.complex128 if dtype.kind == "c" else np.float64)


def strip_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype of the sums over the few frames of one tile: as narrow as is exact."""
    if dtype.kind in "bui" and dtype.itemsize <= 2:
        return np.dtype(np.int32 if dtype.kind == "i" else np.uint32)
    return exact_dtype(dtype)


# Sums may be taken in any order, so that they are done in vector registers; that changes nothing
# for integers, and floats are added up in 64 bits.
_ANY_ORDER = {"reassoc", "contract", "nsz"}


@numba.njit(nogil=True, cache=True)
def sum_frames(tile: Array, strip: Array, total: Array) -> None:
    """Add all frames of a tile to `total`.

    Parameters
    ----------
    tile : (frames, pixels) array
        At most 16384 frames, so that a strip in 32 bits cannot overflow.
    strip : (STRIP,) array
        Scratch, in the dtype of `strip_dtype`.
    total : (pixels,) array
        In the dtype of `exact_dtype`.
    """
    n_frames, n_pixels = tile.shape
    wide = strip.dtype.type
    for begin in range(0, n_pixels, STRIP):
        end = min(begin + STRIP, n_pixels)
        sums, out = strip[: end - begin], total[begin:end]
        sums[:] = 0
        frame = 0
        # Four frames at a time: one load and store of the sums for four of the data.
        while frame + 4 <= n_frames:
            a, b = tile[frame, begin:end], tile[frame + 1, begin:end]
            c, d = tile[frame + 2, begin:end], tile[frame + 3, begin:end]
            for i in range(end - begin):
                sums[i] += wide(wide(a[i]) + wide(b[i])) + wide(wide(c[i]) + wide(d[i]))
            frame += 4
        while frame < n_frames:
            a = tile[frame, begin:end]
            for i in range(end - begin):
                sums[i] += wide(a[i])
            frame += 1
        for i in range(end - begin):
            out[i] += sums[i]


@numba.njit(nogil=True, cache=True, fastmath=_ANY_ORDER)
def sum_pixels(tile: Array, strip: Array, totals: Array) -> None:
    """Add the sum over all pixels of each frame to `totals`.

    Parameters
    ----------
    tile : (frames, pixels) array
        In any dtype.
    strip : array
        Only its dtype is used, that of `strip_dtype`: strips are added up in it.
    totals : (frames,) array
        In the dtype of `exact_dtype`.
    """
    n_frames, n_pixels = tile.shape
    wide = strip.dtype.type
    for frame in range(n_frames):
        for begin in range(0, n_pixels, 16 * STRIP):
            pixels = tile[frame, begin : min(begin + 16 * STRIP, n_pixels)]
            total = wide(0)
            for i in range(pixels.shape[0]):
                total = wide(total + wide(pixels[i]))
            totals[frame] += total


@numba.njit(nogil=True, cache=True)
def mean_and_spread(tile: Array, n_before: int, sums: Array, spreads: Array) -> None:
    """Fold a tile into per-pixel sums and sums of squared deviations.

    Two passes over the tile, which is in the cache, give its own mean and deviations; they are
    then combined with what was before by the parallel formula of Chan, Golub and LeVeque (1979),
    which is stable for large means.

    Parameters
    ----------
    tile : (frames, pixels) array
        Real values of any dtype.
    n_before : int
        Frames that are already in `sums` and `spreads`.
    sums, spreads : (pixels,) float64 arrays
        Sum, and sum of squared deviations from the mean.
    """
    n_frames, n_pixels = tile.shape
    weight = n_before * n_frames / (n_before + n_frames)
    mean = np.empty(STRIP, np.float64)
    spread = np.empty(STRIP, np.float64)
    for begin in range(0, n_pixels, STRIP):
        end = min(begin + STRIP, n_pixels)
        mean[:] = 0
        spread[:] = 0
        for frame in range(n_frames):
            pixels = tile[frame, begin:end]
            for i in range(end - begin):
                mean[i] += np.float64(pixels[i])
        for i in range(end - begin):
            mean[i] /= n_frames
        for frame in range(n_frames):
            pixels = tile[frame, begin:end]
            for i in range(end - begin):
                deviation = np.float64(pixels[i]) - mean[i]
                spread[i] += deviation * deviation
        for i in range(end - begin):
            if n_before > 0:
                shift = mean[i] - sums[begin + i] / n_before
                spread[i] += shift * shift * weight
            spreads[begin + i] += spread[i]
            sums[begin + i] += mean[i] * n_frames


@numba.njit(nogil=True, cache=True, fastmath=_ANY_ORDER)
def apply_masks(tile: Array, masks: Array, out: Array) -> None:
    """Add to `out` the products of each frame with each mask, summed over the pixels.

    Parameters
    ----------
    tile : (frames, pixels) array
        Real values of any dtype.
    masks : (masks, pixels) float64 array
        The weights.
    out : (frames, masks) float64 array
        Added up in 64 bits: exact for integer data and masks of integers.
    """
    n_frames, n_pixels = tile.shape
    for begin in range(0, n_pixels, STRIP):
        end = min(begin + STRIP, n_pixels)
        for frame in range(n_frames):
            pixels = tile[frame, begin:end]
            for mask in range(masks.shape[0]):
                weights = masks[mask, begin:end]
                product = 0.0
                for i in range(end - begin):
                    product += np.float64(pixels[i]) * weights[i]
                out[frame, mask] += product


# Pixels whose sum, weighted by 0, 1, 2, ..., fits into the 32 bits of a strip: for 16-bit data it
# is at most 65535 * 255 * 256 / 2.
MOMENT_STRIP = 256


def moment_ramp(dtype: np.dtype[Any]) -> Array:
    """Return 0, 1, 2, ... in the dtype in which `add_moments` adds up a strip of pixels."""
    return np.arange(MOMENT_STRIP).astype(strip_dtype(dtype))


@numba.njit(nogil=True, cache=True, fastmath=_ANY_ORDER)
def add_moments(
    tile: Array, spans: Array, origin_y: int, origin_x: int, ramp: Array, out: Array
) -> None:
    """Add to `out` the sum of each frame within a mask, and the sums weighted by y and by x.

    Parameters
    ----------
    tile : (frames, y, x) array
        In any dtype.
    spans : (spans, 3) int64 array
        The mask as runs of pixels in the tile: row, first column, and last column (exclusive).
    origin_y, origin_x : int
        Coordinates of the first pixel of the tile.
    ramp : (MOMENT_STRIP,) array
        From `moment_ramp`.
    out : (frames, 3) array
        Sum, sum of y, sum of x, in the dtype of `exact_dtype`.
    """
    wide, widest = ramp.dtype.type, out.dtype.type
    for frame in range(tile.shape[0]):
        total, total_y, total_x = widest(0), widest(0), widest(0)
        for span in range(spans.shape[0]):
            y, stop = spans[span, 0], spans[span, 2]
            for begin in range(spans[span, 1], stop, MOMENT_STRIP):
                pixels = tile[frame, y, begin : min(begin + MOMENT_STRIP, stop)]
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


@numba.njit(nogil=True, cache=True)
def add_logs_by_table(frame: Array, logs: Array, total: Array) -> None:
    """Add to `total` the logarithm of each pixel's height above the darkest one, plus one.

    Parameters
    ----------
    frame : (pixels,) array
        Integers of at most 16 bits, or bool.
    logs : (heights,) float64 array
        ``log(1 + height)``, for all heights there can be.
    total : (pixels,) float64 array
        The sum over frames.
    """
    lowest = np.int64(frame[0])
    for i in range(frame.shape[0]):
        lowest = min(lowest, np.int64(frame[i]))
    for i in range(frame.shape[0]):
        total[i] += logs[np.int64(frame[i]) - lowest]


@numba.njit(nogil=True, cache=True)
def add_logs(frame: Array, total: Array) -> None:
    """Add to `total` the logarithm of each pixel's height above the darkest one, plus one.

    Parameters
    ----------
    frame : (pixels,) array
        Real values of any dtype.
    total : (pixels,) float64 array
        The sum over frames.
    """
    lowest = np.float64(frame[0])
    for i in range(frame.shape[0]):
        lowest = min(lowest, np.float64(frame[i]))
    for i in range(frame.shape[0]):
        total[i] += np.log(np.float64(frame[i]) - lowest + 1.0)


@numba.njit(nogil=True, cache=True, fastmath=_ANY_ORDER)
def deviation_in(frame: Array, spans: Array) -> float:
    """Return the standard deviation over the pixels of a mask, NaN where it has none.

    Parameters
    ----------
    frame : (y, x) array
        Real values of any dtype.
    spans : (spans, 3) int64 array
        The mask as runs of pixels: row, first column, and last column (exclusive).
    """
    count, total = 0, 0.0
    for span in range(spans.shape[0]):
        pixels = frame[spans[span, 0], spans[span, 1] : spans[span, 2]]
        count += pixels.shape[0]
        for i in range(pixels.shape[0]):
            total += np.float64(pixels[i])
    if count == 0:
        return np.nan
    mean, spread = total / count, 0.0
    for span in range(spans.shape[0]):
        pixels = frame[spans[span, 0], spans[span, 1] : spans[span, 2]]
        for i in range(pixels.shape[0]):
            deviation = np.float64(pixels[i]) - mean
            spread += deviation * deviation
    return float(np.sqrt(spread / count))
