"""Compiled loops over one tile, in the dtype of the file, that do not hold the GIL.

Every kernel takes a tile of shape (frames, pixels), reads each of its values once per kernel while
the tile is in the cache, and adds to the arrays it is given. Rows of a tile may be longer than a
frame, where something lies between frames in a file: how many pixels count is then said by what
they are added to, or by an argument. Integers are added up as integers:
sums are exact for as long as they fit into 64 bits, whatever the order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from udfwidgets.buffers import Array
from udfwidgets.compiling import compiled

_WIDENED: dict[np.dtype[Any], np.dtype[Any]] = {
    np.dtype(np.float16): np.dtype(np.float32),
    np.dtype(np.longdouble): np.dtype(np.float64),
    np.dtype(np.clongdouble): np.dtype(np.complex128),
}
# Pixels per strip: its sums fit into the first-level cache, in the widest dtype.
STRIP = 1024
# Sums of so many frames of 16-bit integers have room in 32 bits.
FEW_FRAMES = 1 << 16


def flat(tile: Array) -> Array:
    """Return a tile as (frames, pixels) in a dtype that compiled code knows.

    It is a view wherever it can be; half floats are widened to 32 bits, long ones cut to 64.

    Raises
    ------
    OverflowError
        If a long float is finite, but beyond 64 bits.
    """
    if tile.dtype in _WIDENED:
        with np.errstate(over="ignore"):
            widened = tile.astype(_WIDENED[tile.dtype])
        if tile.itemsize > widened.itemsize and (np.isinf(widened) & np.isfinite(tile)).any():
            raise OverflowError(
                f"the data hold values of {tile.dtype} that are infinite in {widened.dtype}, in "
                "which they are calculated with: scale the data"
            )
        tile = widened
    return tile.reshape(tile.shape[0], -1)


def known(array: Array) -> Array:
    """Return an array in C order and in a dtype that compiled code knows: itself, or a copy."""
    return np.ascontiguousarray(array, _WIDENED.get(array.dtype, array.dtype))


def exact_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype in which values of `dtype` are added up: exactly, for integers."""
    if dtype.kind in "bu":
        return np.dtype(np.uint64)
    if dtype.kind == "i":
        return np.dtype(np.int64)
    return np.dtype(np.complex128 if dtype.kind == "c" else np.float64)


def strip_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype of the sums over the few frames of one tile: as narrow as is exact."""
    # Twice as many fit into a vector register as of 64 bits; what 16384 frames of 16 bits add up to
    # stays below 2**31.
    if dtype.kind in "bui" and dtype.itemsize <= 2:
        return np.dtype(np.int32 if dtype.kind == "i" else np.uint32)
    return exact_dtype(dtype)


def partial_dtype(dtype: np.dtype[Any], n_frames: int) -> np.dtype[Any]:
    """Return the dtype of the sum of so many frames: as narrow as is exact."""
    # 65536 times 65535 is below 2**32.
    return strip_dtype(dtype) if n_frames <= FEW_FRAMES else exact_dtype(dtype)


# Sums may be taken in any order, so that they are done in vector registers; that changes nothing
# for integers, and floats are added up in 64 bits.
# Not all of `fastmath`: with `nnan` and `ninf`, NaN and infinity in the data might get lost.
ANY_ORDER = {"reassoc", "contract", "nsz"}


@compiled()
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
    n_frames, n_pixels = tile.shape[0], min(tile.shape[1], total.shape[0])
    # Every operation is cast, here and below: numba widens integers to 64 bits where it is not
    # told, and only half of them fit into a register.
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


@compiled(fastmath=ANY_ORDER)
def sum_pixels(tile: Array, n_pixels: int, strip: Array, totals: Array) -> None:
    """Add the sum over all pixels of each frame to `totals`.

    Parameters
    ----------
    tile : (frames, pixels) array
        In any dtype.
    n_pixels : int
        How many of each row count.
    strip : array
        Only its dtype is used, that of `strip_dtype`: strips are added up in it.
    totals : (frames,) array
        In the dtype of `exact_dtype`.
    """
    n_frames = tile.shape[0]
    wide = strip.dtype.type
    # Sums are in registers, so strips may be longer: as many as 32 bits hold without overflow.
    for begin in range(0, n_pixels, 16 * STRIP):
        end = min(begin + 16 * STRIP, n_pixels)
        frame = 0
        # Four frames at a time: memory is read ahead in all of them.
        while frame + 4 <= n_frames:
            a, b = tile[frame, begin:end], tile[frame + 1, begin:end]
            c, d = tile[frame + 2, begin:end], tile[frame + 3, begin:end]
            in_a, in_b, in_c, in_d = wide(0), wide(0), wide(0), wide(0)
            for i in range(end - begin):
                in_a, in_b = wide(in_a + wide(a[i])), wide(in_b + wide(b[i]))
                in_c, in_d = wide(in_c + wide(c[i])), wide(in_d + wide(d[i]))
            totals[frame] += in_a
            totals[frame + 1] += in_b
            totals[frame + 2] += in_c
            totals[frame + 3] += in_d
            frame += 4
        while frame < n_frames:
            a, in_a = tile[frame, begin:end], wide(0)
            for i in range(end - begin):
                in_a = wide(in_a + wide(a[i]))
            totals[frame] += in_a
            frame += 1


# Frames whose squares are added up in 32 bits: up to values of 16384 they fit.
SQUARES_DEPTH = 16


@compiled()
def add_squares(tile: Array, total: Array, squares: Array) -> None:
    """Add all frames of a tile to `total`, and their squares to `squares`: exactly.

    Parameters
    ----------
    tile : (frames, pixels) array
        Integers of at most 16 bits.
    total : (pixels,) int64 or uint64 array
        Sum over the frames.
    squares : (pixels,) uint64 array
        Sum of the squares.
    """
    n_frames, n_pixels = tile.shape[0], min(tile.shape[1], total.shape[0])
    wide, i32, u32, u64 = total.dtype.type, np.int32, np.uint32, np.uint64
    sums = np.empty(STRIP, np.int32)
    powers = np.empty(STRIP, np.uint32)
    for first in range(0, n_frames, SQUARES_DEPTH):
        last = min(first + SQUARES_DEPTH, n_frames)
        for begin in range(0, n_pixels, STRIP):
            size = min(STRIP, n_pixels - begin)
            sums[:] = 0
            powers[:] = 0
            # Looked at once for a strip, after it: a branch for each pixel would keep the loop out
            # of vector registers. Where squares were too large, the strip is done again in 64 bits.
            bits = u32(0)  # all that are set in any of the squares
            frame = first
            # Four frames at a time: one load and store of the sums for four of the data.
            while frame + 4 <= last:
                a, b = tile[frame, begin : begin + size], tile[frame + 1, begin : begin + size]
                c, d = tile[frame + 2, begin : begin + size], tile[frame + 3, begin : begin + size]
                for i in range(size):
                    x, y, z, w = i32(a[i]), i32(b[i]), i32(c[i]), i32(d[i])
                    xx, yy = u32(u32(x) * u32(x)), u32(u32(y) * u32(y))
                    zz, ww = u32(u32(z) * u32(z)), u32(u32(w) * u32(w))
                    sums[i] = i32(sums[i] + i32(i32(x + y) + i32(z + w)))
                    powers[i] = u32(powers[i] + u32(u32(xx + yy) + u32(zz + ww)))
                    bits = u32(bits | u32(u32(xx | yy) | u32(zz | ww)))
                frame += 4
            for single in range(frame, last):
                a = tile[single, begin : begin + size]
                for i in range(size):
                    x = i32(a[i])
                    xx = u32(u32(x) * u32(x))
                    sums[i] = i32(sums[i] + x)
                    powers[i] = u32(powers[i] + xx)
                    bits = u32(bits | xx)
            out, out_squares = total[begin : begin + size], squares[begin : begin + size]
            for i in range(size):
                out[i] = wide(out[i] + wide(sums[i]))
            if u64(bits) < u64((1 << 32) // SQUARES_DEPTH):
                for i in range(size):
                    out_squares[i] = u64(out_squares[i] + u64(powers[i]))
            else:
                for frame in range(first, last):
                    pixels = tile[frame, begin : begin + size]
                    for i in range(size):
                        x = i32(pixels[i])
                        out_squares[i] = u64(out_squares[i] + u64(u32(u32(x) * u32(x))))


@compiled()
def mean_and_spread(tile: Array, n_before: int, sums: Array, spreads: Array) -> None:
    """Fold a tile into per-pixel sums and sums of squared deviations.

    Deviations are counted from the mean of what was before, or of the tile where there was
    nothing: that keeps them small however large the mean is. They are combined with what was
    before by the parallel formula of Chan, Golub and LeVeque (1979). Where that mean is not finite,
    they are counted from zero: then the sum comes out as it should, and there is no spread.

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
    pivot = np.empty(STRIP, np.float64)
    total = np.empty(STRIP, np.float64)
    spread = np.empty(STRIP, np.float64)
    for begin in range(0, n_pixels, STRIP):
        size = min(STRIP, n_pixels - begin)
        before, out = sums[begin : begin + size], spreads[begin : begin + size]
        if n_before > 0:
            for i in range(size):
                pivot[i] = before[i] / n_before
                if not abs(pivot[i]) < np.inf:
                    pivot[i] = 0
        else:
            pivot[:] = 0
            for frame in range(n_frames):
                pixels = tile[frame, begin : begin + size]
                for i in range(size):
                    pivot[i] += np.float64(pixels[i])
            for i in range(size):
                pivot[i] /= n_frames
                if not abs(pivot[i]) < np.inf:
                    pivot[i] = 0
        total[:] = 0
        spread[:] = 0
        for frame in range(n_frames):
            pixels = tile[frame, begin : begin + size]
            for i in range(size):
                deviation = np.float64(pixels[i]) - pivot[i]
                total[i] += deviation
                spread[i] += deviation * deviation
        for i in range(size):
            shift = total[i] / n_frames
            more = spread[i] - total[i] * shift
            # Rounding may leave a little below 0, of which no root can be taken. Not the larger of
            # the two: what is NaN stays so.
            out[i] += (0.0 if more < 0 else more) + shift * shift * weight
            before[i] += pivot[i] * n_frames + total[i]


@compiled()
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
    # There are at most 65536 heights, so no logarithm has to be computed for a pixel.
    lowest = np.int64(frame[0])
    for i in range(frame.shape[0]):
        lowest = min(lowest, np.int64(frame[i]))
    for i in range(frame.shape[0]):
        total[i] += logs[np.int64(frame[i]) - lowest]


@compiled()
def add_logs_of_integers(frame: Array, total: Array) -> None:
    """Add to `total` the logarithm of each pixel's height above the darkest one, plus one.

    Parameters
    ----------
    frame : (pixels,) array
        Integers of any size: heights are exact, also where the values have no room in a float.
    total : (pixels,) float64 array
        The sum over frames.
    """
    lowest = frame[0]
    for i in range(frame.shape[0]):
        lowest = min(lowest, frame[i])
    for i in range(frame.shape[0]):
        # Modulo 2**64, so that it is right for signed integers as well.
        height = np.uint64(np.uint64(frame[i]) - np.uint64(lowest))
        total[i] += np.log(np.float64(height) + 1.0)


@compiled()
def add_logs(frame: Array, total: Array) -> None:
    """Add to `total` the logarithm of each pixel's height above the darkest one, plus one.

    Parameters
    ----------
    frame : (pixels,) array
        Real values of any dtype.
    total : (pixels,) float64 array
        The sum over frames.
    """
    # Not the first pixel: were that NaN, nothing would be lower, and one NaN would spoil them all.
    lowest = np.inf
    for i in range(frame.shape[0]):
        if frame[i] < lowest:  # NaN is not
            lowest = np.float64(frame[i])
    for i in range(frame.shape[0]):
        total[i] += np.log(np.float64(frame[i]) - lowest + 1.0)


@compiled(fastmath=ANY_ORDER)
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
    # In two passes: the mean of squares less the square of the mean loses its digits where the mean
    # is large.
    mean, spread = total / count, 0.0
    for span in range(spans.shape[0]):
        pixels = frame[spans[span, 0], spans[span, 1] : spans[span, 2]]
        for i in range(pixels.shape[0]):
            deviation = np.float64(pixels[i]) - mean
            spread += deviation * deviation
    return float(np.sqrt(spread / count))
