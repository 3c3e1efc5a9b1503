"""Compiled loops that write frames into planes, and add planes up; they do not hold the GIL."""

from __future__ import annotations

from typing import Any

import numpy as np

from udfwidgets.buffers import Array
from udfwidgets.compiling import compiled

# Positions that are written together: their bytes of one pixel are a line of the cache.
LINE = 64
_WORDS = LINE // 8
# Pixels that are narrowed together, which is as much as a page of a frame of 16 bits: 64 frames are
# read as 64 streams. Of them, those are turned together that fit into the first-level cache.
# With 256 instead of 1024: 2.7 -> 2.5 GB/s.
_WIDE, _TURNED = 1024, 128
# Bytes that add up in 16 bits without overflow.
_GROUP = 256

_U64 = np.uint64
_BYTES, _PAIRS, _HALVES = _U64(0x00FF00FF00FF00FF), _U64(0x0000FFFF0000FFFF), _U64(0xFFFFFFFF)
_8, _16, _32 = _U64(8), _U64(16), _U64(32)


@compiled(inline="always")
def _swap(a: Any, b: Any, bits: Any, mask: Any) -> Any:
    """Swap the parts of `a` that lie above those of `b` in the mask with these."""
    differing = ((a >> bits) ^ b) & mask
    return a ^ (differing << bits), b ^ differing


@compiled()
def _turn(lines: Array, first: Any, count: Any, groups: Any, turned: Array) -> None:
    """Turn bytes around, eight by eight: eight frames of eight pixels become eight pixels.

    Parameters
    ----------
    lines : (LINE, pixels / 8) uint64 array
        A byte for each pixel of some frames.
    first, count : int
        Which pixels, by eight.
    groups : int
        How many frames, by eight.
    turned : (pixels, LINE / 8) uint64 array
        A byte for each frame of some pixels.
    """
    for g in range(groups):
        f = 8 * g
        i, j, k, m = lines[f], lines[f + 1], lines[f + 2], lines[f + 3]
        n, o, p, q = lines[f + 4], lines[f + 5], lines[f + 6], lines[f + 7]
        for at in range(count):
            here = first + at
            a, b, c, d = i[here], j[here], k[here], m[here]
            e, s, t, u = n[here], o[here], p[here], q[here]
            a, b = _swap(a, b, _8, _BYTES)
            c, d = _swap(c, d, _8, _BYTES)
            e, s = _swap(e, s, _8, _BYTES)
            t, u = _swap(t, u, _8, _BYTES)
            a, c = _swap(a, c, _16, _PAIRS)
            b, d = _swap(b, d, _16, _PAIRS)
            e, t = _swap(e, t, _16, _PAIRS)
            s, u = _swap(s, u, _16, _PAIRS)
            a, e = _swap(a, e, _32, _HALVES)
            b, s = _swap(b, s, _32, _HALVES)
            c, t = _swap(c, t, _32, _HALVES)
            d, u = _swap(d, u, _32, _HALVES)
            to = 8 * at
            turned[to, g], turned[to + 1, g], turned[to + 2, g], turned[to + 3, g] = a, b, c, d
            turned[to + 4, g], turned[to + 5, g], turned[to + 6, g], turned[to + 7, g] = e, s, t, u


@compiled()
def _narrow(tile: Array, begin: Any, size: Any, bits: Any, lines: Array) -> Any:
    """Write one byte of each value to `lines`; return all values, or-ed together."""
    own = tile.dtype.type
    shift = own(bits)
    seen = own(0)
    for frame in range(tile.shape[0]):
        values, line = tile[frame, begin : begin + size], lines[frame, :size]
        # Apart: a shift is done in 64 bits, and takes four times as long.
        if bits:
            for i in range(size):
                line[i] = np.uint8(values[i] >> shift)
        else:
            for i in range(size):
                line[i] = np.uint8(values[i])
        for i in range(size):
            seen = own(seen | values[i])
    return seen


@compiled()
def _put_line(turned: Array, count: Any, at: Any, rows: Array) -> None:
    """Copy `count` bytes of each pixel to its row, from `at` on."""
    if count == LINE:
        by_eight, first = rows.view(np.uint64), at // 8
        for pixel in range(rows.shape[0]):
            line, own = by_eight[pixel, first : first + _WORDS], turned[pixel]
            # Unrolled: else it is a call for each pixel.
            line[0], line[1], line[2], line[3] = own[0], own[1], own[2], own[3]
            line[4], line[5], line[6], line[7] = own[4], own[5], own[6], own[7]
        return
    single = turned.view(np.uint8)
    for pixel in range(rows.shape[0]):
        line, some = rows[pixel, at : at + count], single[pixel]
        for i in range(count):
            line[i] = some[i]


@compiled()
def _put_needed(turned: Array, count: Any, at: Any, rows: Array, needs: Array) -> None:
    """Do the same for those pixels that are not all zero, and note which these are."""
    single = turned.view(np.uint8)
    for pixel in range(rows.shape[0]):
        some = single[pixel]
        seen = np.uint8(0)
        for i in range(count):
            seen = np.uint8(seen | some[i])
        if seen:
            needs[pixel] = 1
            line = rows[pixel, at : at + count]
            for i in range(count):
                line[i] = some[i]


@compiled()
def _put_integers(tile: Array, at: Any, rows: Array, needs: Array, chunk: Any) -> None:
    """Write a few frames, of positions that follow each other in one chunk."""
    n_frames, n_pixels = tile.shape
    lines = np.empty((LINE, _WIDE), np.uint8)
    turned = np.empty((_TURNED, _WORDS), np.uint64)
    by_eight = lines.view(np.uint64)
    groups = (n_frames + 7) // 8
    own = tile.dtype.type
    for begin in range(0, n_pixels, _WIDE):
        size = min(_WIDE, n_pixels - begin)
        seen = own(0)
        for plane in range(rows.shape[0]):
            if plane and not seen >> own(8 * plane):
                break
            seen = _narrow(tile, begin, size, 8 * plane, lines)
            for first in range(0, size, _TURNED):
                count = min(_TURNED, size - first)
                _turn(by_eight, first // 8, (count + 7) // 8, groups, turned)
                there = begin + first
                some = rows[plane, chunk, there : there + count]
                if plane:
                    noted = needs[plane - 1, chunk, there : there + count]
                    _put_needed(turned, n_frames, at, some, noted)
                else:
                    _put_line(turned, n_frames, at, some)


@compiled()
def _put_floats(tile: Array, at: Any, rows: Array, needs: Array, chunk: Any) -> None:
    """Write a few frames as they are."""
    n_frames, n_pixels = tile.shape
    turned = np.empty((_TURNED, LINE), tile.dtype)
    for begin in range(0, n_pixels, _TURNED):
        size = min(_TURNED, n_pixels - begin)
        for frame in range(n_frames):
            values = tile[frame, begin : begin + size]
            for i in range(size):
                turned[i, frame] = values[i]
        for i in range(size):
            line, own = rows[0, chunk, begin + i, at : at + n_frames], turned[i]
            for frame in range(n_frames):
                line[frame] = own[frame]


@compiled()
def run_of(positions: Array, first: Any, width: Any) -> Any:
    """Return how many positions from the first one on follow each other within a line."""
    here = positions[first]
    # Up to where a line of the cache, or the chunk, ends.
    most = min(LINE - here % LINE, width - here % width, positions.shape[0] - first)
    count = 1
    while count < most and positions[first + count] == here + count:
        count += 1
    return count


@compiled()
def put_integers(tile: Array, positions: Array, planes: Array, needs: Array) -> None:
    """Write frames into planes of bytes.

    Parameters
    ----------
    tile : (frames, pixels) array
        Of unsigned integers; signed ones are seen as such.
    positions : (frames,) int64 array
        Where in the scan they are.
    planes : (planes, chunks, pixels, width) uint8 array
        From the lowest byte to the highest one.
    needs : (planes - 1, chunks, pixels) uint8 array
        Is set where a higher plane has something.
    """
    width = planes.shape[3]
    first = 0
    while first < tile.shape[0]:
        count = run_of(positions, first, width)
        here = positions[first]
        _put_integers(tile[first : first + count], here % width, planes, needs, here // width)
        first += count


@compiled()
def put_floats(tile: Array, positions: Array, planes: Array, needs: Array) -> None:
    """Write frames into the one plane there is of floats; see `put_integers`."""
    width = planes.shape[3]
    first = 0
    while first < tile.shape[0]:
        count = run_of(positions, first, width)
        here = positions[first]
        _put_floats(tile[first : first + count], here % width, planes, needs, here // width)
        first += count


@compiled()
def _add_rows(rows: Array, pixels: Array, strip: Array) -> None:
    """Add rows of at most `_GROUP` pixels to a strip in 16 bits."""
    wide = strip.dtype.type
    n, width = pixels.shape[0], strip.shape[0]
    at = 0
    while at + 4 <= n:
        a, b = rows[pixels[at]], rows[pixels[at + 1]]
        c, d = rows[pixels[at + 2]], rows[pixels[at + 3]]
        for i in range(width):
            strip[i] += wide(wide(a[i]) + wide(b[i])) + wide(wide(c[i]) + wide(d[i]))
        at += 4
    while at < n:
        a = rows[pixels[at]]
        for i in range(width):
            strip[i] += wide(a[i])
        at += 1


@compiled()
def _add_plane(rows: Array, pixels: Array, strip: Array, factor: Any, out: Array) -> None:
    """Add rows, times a factor, to `out`."""
    for begin in range(0, pixels.shape[0], _GROUP):
        strip[:] = 0
        _add_rows(rows, pixels[begin : begin + _GROUP], strip)
        for i in range(strip.shape[0]):
            out[i] += factor * np.int64(strip[i])


@compiled()
def _needed(needs: Array, plane: Any, chunk: Any, pixels: Array, found: Array) -> Any:
    """Return those of some pixels that have anything in a plane of a chunk."""
    if not plane:
        return pixels
    count = 0
    for pixel in pixels:
        if needs[plane - 1, chunk, pixel]:
            found[count] = pixel
            count += 1
    return found[:count]


@compiled()
def sum_integers(
    planes: Array,
    needs: Array,
    signed: bool,
    chunks: Array,
    pixels: Array,
    sign: Any,
    out: Array,
) -> None:
    """Add the sum over some pixels to `out`, or take it away.

    Parameters
    ----------
    planes, needs : array
        As `put_integers` has written them.
    signed : bool
        Whether the highest plane is.
    chunks : (n,) int64 array
        Where to do it.
    pixels : (n,) int64 array
        Which ones.
    sign : int
        1 or -1.
    out : (words, chunks, width) int64 array
        Exact: the low one has planes 0 to 3, the other one those above.
    """
    n_planes, width = planes.shape[0], planes.shape[3]
    strip, signed_strip = np.empty(width, np.uint16), np.empty(width, np.int16)
    found = np.empty(pixels.shape[0], np.int64)
    for chunk in chunks:
        for plane in range(n_planes):
            some = _needed(needs, plane, chunk, pixels, found)
            factor = np.int64(sign) << np.int64(8 * (plane % 4))
            rows, total = planes[plane, chunk], out[plane // 4, chunk]
            if signed and plane == n_planes - 1:
                _add_plane(rows.view(np.int8), some, signed_strip, factor, total)
            else:
                _add_plane(rows, some, strip, factor, total)


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
    planes: Array, needs: Array, signed: bool, chunk: Any, pixel: Any, values: Array
) -> None:
    """Write the integers of a pixel to `values` (uint64), in two's complement."""
    lowest = planes[0, chunk, pixel]
    for i in range(values.shape[0]):
        values[i] = lowest[i]
    for plane in range(1, planes.shape[0]):
        if needs[plane - 1, chunk, pixel]:
            row, bits = planes[plane, chunk, pixel], _U64(8 * plane)
            if signed and plane == planes.shape[0] - 1:
                own = row.view(np.int8)
                for i in range(values.shape[0]):
                    values[i] += _U64(np.int64(own[i])) << bits
            else:
                for i in range(values.shape[0]):
                    values[i] += _U64(row[i]) << bits


@compiled()
def weigh_integers(
    planes: Array,
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
    planes, needs, signed, chunks, pixels
        As for `sum_integers`.
    weights : (n,) array
        In the dtype of `out`; zero for none of the pixels.
    out : (chunks, width) float64 or complex128 array
        Is added to.
    size : (chunks, width) float64 array
        Is added to, without regard of signs.
    """
    n_planes = planes.shape[0]
    # Put together before they are rounded: the bytes of a negative number are large ones.
    values = np.empty(planes.shape[3], np.uint64)
    signed_values = values.view(np.int64)
    for chunk in chunks:
        for at in range(pixels.shape[0]):
            pixel, weight = pixels[at], weights[at]
            if n_planes == 1 and not signed:
                _add_weighted(planes[0, chunk, pixel], weight, out[chunk], size[chunk])
                continue
            if n_planes == 1:
                row = planes[0, chunk, pixel].view(np.int8)
                _add_weighted(row, weight, out[chunk], size[chunk])
                continue
            _put_together(planes, needs, signed, chunk, pixel, values)
            if signed:
                _add_weighted(signed_values, weight, out[chunk], size[chunk])
            else:
                _add_weighted(values, weight, out[chunk], size[chunk])


@compiled()
def weigh_floats(
    planes: Array,
    needs: Array,
    signed: bool,
    chunks: Array,
    pixels: Array,
    weights: Array,
    out: Array,
    size: Array,
) -> None:
    """Do what `weigh_integers` does, for the one plane there is of floats."""
    for chunk in chunks:
        for at in range(pixels.shape[0]):
            _add_weighted(planes[0, chunk, pixels[at]], weights[at], out[chunk], size[chunk])
