"""Sums of 64-bit integers, kept in two words, so that they never wrap around.

An integer is cut into a high word (signed, or not, as it is) and a low word of 32 bits, which are
added up apart: ``value = high * 2**32 + low``. In 64 bits each of these sums has room for 2**31
values, more than there are pixels in a frame, or frames in a scan. They are not carried over from
one to the other before the end, so words are merged like any other sums.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from udfwidgets.buffers import Array
from udfwidgets.compiling import compiled
from udfwidgets.udf.compiled.kernels import STRIP, exact_dtype

HIGH, LOW = 0, 1
_BITS, _LOW_BITS = 32, (1 << 32) - 1


def needs_words(dtype: np.dtype[Any]) -> bool:
    """Whether a sum of a few values of a dtype can be beyond 64 bits."""
    return dtype.kind in "ui" and dtype.itemsize == 8


def kept_as(dtype: np.dtype[Any]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return extra shape and dtype of a buffer that holds sums of values of a dtype."""
    return ((2,), np.dtype(np.int64)) if needs_words(dtype) else ((), exact_dtype(dtype))


def finished(total: Array, dtype: np.dtype[Any], result: np.dtype[Any]) -> Array:
    """Return sums of values of `dtype`, held as `kept_as` says, in the dtype of a result.

    They are rounded once.

    Raises
    ------
    OverflowError
        If the result is to be an integer, and one of the sums does not fit.
    """
    if needs_words(dtype):
        return _joined(total, result)
    # Most often, and nothing can go wrong.
    if result.kind == "f" and result.itemsize > 2 and total.dtype.kind in "ui":
        return total.astype(result)
    if result.kind in "ui" and total.size:
        room = np.iinfo(result)
        if int(total.min()) < room.min or int(total.max()) > room.max:
            raise OverflowError(_does_not_fit(result))
    with np.errstate(over="ignore"):  # it is infinite then
        return total.astype(result)


@compiled()
def add_frames_in_words(tile: Array, total: Array) -> None:
    """Add all frames of a tile to `total`.

    Parameters
    ----------
    tile : (frames, pixels) array
        Of int64 or uint64.
    total : (pixels, 2) int64 array
        High and low words.
    """
    n_frames, n_pixels = tile.shape[0], min(tile.shape[1], total.shape[0])
    own = tile.dtype.type
    bits, low_bits = own(_BITS), own(_LOW_BITS)
    high, low = np.empty(STRIP, np.int64), np.empty(STRIP, np.int64)
    for begin in range(0, n_pixels, STRIP):
        size = min(STRIP, n_pixels - begin)
        high[:] = 0
        low[:] = 0
        for frame in range(n_frames):
            pixels = tile[frame, begin : begin + size]
            for i in range(size):
                high[i] += np.int64(pixels[i] >> bits)
                low[i] += np.int64(pixels[i] & low_bits)
        for i in range(size):
            total[begin + i, 0] += high[i]
            total[begin + i, 1] += low[i]


@compiled()
def add_pixels_in_words(tile: Array, n_pixels: int, totals: Array) -> None:
    """Add the sum over `n_pixels` pixels of each frame to `totals` (frames, 2)."""
    own = tile.dtype.type
    bits, low_bits = own(_BITS), own(_LOW_BITS)
    for frame in range(tile.shape[0]):
        pixels = tile[frame]
        high, low = np.int64(0), np.int64(0)
        for i in range(n_pixels):
            high += np.int64(pixels[i] >> bits)
            low += np.int64(pixels[i] & low_bits)
        totals[frame, 0] += high
        totals[frame, 1] += low


def _joined(words: Array, dtype: np.dtype[Any]) -> Array:
    high = words[..., HIGH] + (words[..., LOW] >> _BITS)
    low = words[..., LOW] & _LOW_BITS
    if dtype.kind in "ui":
        return _as_integers(high, low, dtype)
    return _as_floats(high, low).astype(dtype)


def _as_integers(high: Array, low: Array, dtype: np.dtype[Any]) -> Array:
    least, most = np.iinfo(dtype).min >> _BITS, np.iinfo(dtype).max >> _BITS
    # Integers of a result are as wide as those that are added up: of 64 bits.
    if high.size and (int(high.min()) < least or int(high.max()) > most):
        raise OverflowError(_does_not_fit(dtype))
    return np.asarray((high.view(np.uint64) << np.uint64(_BITS)) | low.view(np.uint64)).view(dtype)


def _as_floats(high: Array, low: Array) -> npt.NDArray[np.float64]:
    """Return ``high * 2**32 + low`` as float64, of which it is the nearest one."""
    negative = high < 0
    # The two's complement of both words together: ~ of each, and one more.
    low = np.where(negative, (low ^ _LOW_BITS) + 1, low).view(np.uint64)
    high = np.where(negative, ~high, high).view(np.uint64) + (low >> np.uint64(_BITS))
    low &= np.uint64(_LOW_BITS)
    # What is beyond 64 bits is shifted out to the right, and its last bit is set if any was: that
    # is all that rounding looks at.
    _, more = np.frexp((high >> np.uint64(_BITS)).astype(np.float64))
    shift = more.astype(np.uint64)
    lowest = (high << np.uint64(_BITS)) | low
    beyond = np.where(shift > 0, lowest & ((np.uint64(1) << shift) - np.uint64(1)), np.uint64(0))
    # Shifts by all of 64 bits are undefined.
    top = np.where(shift > 0, (high >> np.uint64(_BITS)) << ((64 - shift) % np.uint64(64)), 0)
    kept = top | (lowest >> shift) | (beyond != 0)
    exact = np.ldexp(kept.astype(np.float64), more)
    return np.asarray(np.where(negative, -exact, exact))


def _does_not_fit(dtype: np.dtype[Any]) -> str:
    return f"a sum does not fit into {dtype}, the dtype of the result: ask for a wider one"
