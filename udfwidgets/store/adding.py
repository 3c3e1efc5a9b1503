"""Compiled loops that add planes up; they do not hold the GIL."""

from __future__ import annotations

from typing import Any

import numpy as np

from udfwidgets.buffers import Array
from udfwidgets.compiling import compiled
from udfwidgets.store.vectors import LINE, add_eight, add_one, take_eight, take_one

# Bytes that are added, and as many that are taken away, without overflow of 16 bits.
_GROUP = 128

_U64 = np.uint64


@compiled()
def _add_lines(
    lines: Array, at: Any, step: Any, ahead: Any, new: Array, gone: Array, bits: Any, out: Array
) -> None:
    """Add the lines of some pixels to `out`, as many bits higher, and take those of others away."""
    strip = np.empty(LINE, np.int16)
    for begin in range(0, max(new.shape[0], gone.shape[0]), _GROUP):
        strip[:] = 0
        here, stop = begin, min(begin + _GROUP, new.shape[0])
        while here + 8 <= stop:
            add_eight(lines, at, step, ahead, new, here, strip)
            here += 8
        while here < stop:
            add_one(lines, at, step, ahead, new, here, strip)
            here += 1
        here, stop = begin, min(begin + _GROUP, gone.shape[0])
        while here + 8 <= stop:
            take_eight(lines, at, step, ahead, gone, here, strip)
            here += 8
        while here < stop:
            take_one(lines, at, step, ahead, gone, here, strip)
            here += 1
        for i in range(LINE):
            out[i] += np.int64(strip[i]) << bits


@compiled()
def _needed(needs: Array, pixels: Array, found: Array) -> Any:
    """Write down those of some pixels that are needed, and return how many."""
    count = 0
    for pixel in pixels:
        if needs[pixel]:
            found[count] = pixel
            count += 1
    return count


@compiled()
def sum_integers(
    low: Array,
    high: Array,
    needs: Array,
    signed: bool,
    chunks: Array,
    new: Array,
    gone: Array,
    out: Array,
) -> None:
    """Add the sum over some pixels to `out`, and take that over others away.

    Parameters
    ----------
    low, high, needs : array
        As `put_integers` has written them.
    signed : bool
        Whether the highest plane is.
    chunks : (n,) int64 array
        Where to do it.
    new, gone : (n,) int64 array
        Numbers of pixels.
    out : (words, chunks, LINE) int64 array
        Exact: the low one has planes 0 to 3, the other one those above.
    """
    n_high, n_pixels, width = high.shape[0], low.shape[1], high.shape[3]
    # What has a byte in a higher plane, of each of the two lists.
    some = np.empty((n_high, 2, max(new.shape[0], gone.shape[0])), np.int64)
    counts = np.zeros((n_high, 2), np.int64)
    before, ahead = -1, n_pixels * LINE
    for chunk in chunks:
        at, total = chunk * n_pixels * LINE, out[0, chunk]
        if signed and not n_high:
            _add_lines(low.view(np.int8), at, LINE, ahead, new, gone, 0, total)
        else:
            _add_lines(low, at, LINE, ahead, new, gone, 0, total)
        wide = chunk * LINE // width
        for plane in range(n_high):
            if wide != before:
                counts[plane, 0] = _needed(needs[plane, wide], new, some[plane, 0])
                counts[plane, 1] = _needed(needs[plane, wide], gone, some[plane, 1])
            if not counts[plane].any():
                continue
            added, taken = some[plane, 0, : counts[plane, 0]], some[plane, 1, : counts[plane, 1]]
            at = (plane * high.shape[1] + wide) * n_pixels * width + chunk * LINE % width
            bits, total = 8 * ((plane + 1) % 4), out[(plane + 1) // 4, chunk]
            if signed and plane == n_high - 1:
                _add_lines(high.view(np.int8), at, width, LINE, added, taken, bits, total)
            else:
                _add_lines(high, at, width, LINE, added, taken, bits, total)
        before = wide


@compiled()
def _add_weighted(values: Array, weight: Any, out: Array, size: Array) -> None:
    wide = out.dtype.type
    # A complex number that is infinite is NaN when it is multiplied, be it with one.
    if weight == 1:
        for i in range(out.shape[0]):
            out[i] += wide(values[i])
            size[i] += abs(wide(values[i]))
    elif weight == -1:
        for i in range(out.shape[0]):
            out[i] -= wide(values[i])
            size[i] += abs(wide(values[i]))
    else:
        for i in range(out.shape[0]):
            value = wide(values[i]) * weight
            out[i] += value
            size[i] += abs(value)


@compiled()
def _put_together(
    low: Array, high: Array, needs: Array, signed: bool, chunk: Any, pixel: Any, values: Array
) -> None:
    """Write the integers of a pixel to `values` (uint64), in two's complement."""
    lowest, width = low[chunk, pixel], high.shape[3]
    for i in range(LINE):
        values[i] = lowest[i]
    wide, at = chunk * LINE // width, chunk * LINE % width
    for plane in range(high.shape[0]):
        if needs[plane, wide, pixel]:
            row, bits = high[plane, wide, pixel, at : at + LINE], _U64(8 * (plane + 1))
            if signed and plane == high.shape[0] - 1:
                own = row.view(np.int8)
                for i in range(LINE):
                    values[i] += _U64(np.int64(own[i])) << bits
            else:
                for i in range(LINE):
                    values[i] += _U64(row[i]) << bits


@compiled()
def weigh_integers(
    low: Array,
    high: Array,
    needs: Array,
    signed: bool,
    chunks: Array,
    pixels: Array,
    weights: Array,
    out: Array,
    size: Array,
) -> None:
    """Add the weighted sum over some pixels to `out`, and that of its parts' sizes to `size`.

    Parameters
    ----------
    low, high, needs, signed, chunks, pixels
        As for `sum_integers`.
    weights : (n,) array
        In the dtype of `out`; zero for none of the pixels.
    out : (chunks, LINE) float64 or complex128 array
        Is added to.
    size : (chunks, LINE) float64 array
        Is added to, without regard of signs.
    """
    # Put together before they are rounded: the bytes of a negative number are large ones.
    values = np.empty(LINE, np.uint64)
    signed_values = values.view(np.int64)
    for chunk in chunks:
        for at in range(pixels.shape[0]):
            pixel, weight = pixels[at], weights[at]
            if not high.shape[0] and signed:
                row = low[chunk, pixel].view(np.int8)
                _add_weighted(row, weight, out[chunk], size[chunk])
                continue
            if not high.shape[0]:
                _add_weighted(low[chunk, pixel], weight, out[chunk], size[chunk])
                continue
            _put_together(low, high, needs, signed, chunk, pixel, values)
            if signed:
                _add_weighted(signed_values, weight, out[chunk], size[chunk])
            else:
                _add_weighted(values, weight, out[chunk], size[chunk])


@compiled()
def weigh_floats(
    low: Array, chunks: Array, pixels: Array, weights: Array, out: Array, size: Array
) -> None:
    """Do what `weigh_integers` does, for the one plane there is of floats."""
    for chunk in chunks:
        for at in range(pixels.shape[0]):
            _add_weighted(low[chunk, pixels[at]], weights[at], out[chunk], size[chunk])
