"""Decodes Merlin's R64 frames, the pixels as the chips send them.

A chip sends 64-bit words, and the file has the 8 bytes of each word in reverse order. So pixels
come in groups that are to be reversed: 64 pixels of 1 bit (the least significant bit of each byte
first), 8 pixels of one byte, 4 pixels of two bytes. 24 bit are two images of 12 bit after each
other, the first one the high half.

Four chips make one row of the file, in the order 4, 3, 2, 1. Chips 1 and 2 are the top half of the
image; 3 and 4 are the bottom half and upside down, so both their axes run backwards.

Pixels are moved a word of 8 bytes at a time, which the compiler turns into vectors. Turned around
as a whole, a word has its pixels in order and in the byte order of the machine; for a row that runs
backwards the words come in reverse order instead.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from udfwidgets.compiling import compiled
from udfwidgets.io.codecs.unaligned import load_8, store_8
from udfwidgets.io.dataset.mib.header import FrameLayout
from udfwidgets.io.source import Array

_U64 = np.uint64


def decode(raw: npt.NDArray[np.uint8], first: int, layout: FrameLayout, out: Array) -> None:
    """Decode frames that follow each other in a file.

    Parameters
    ----------
    raw : numpy.ndarray
        The file's bytes.
    first : int
        Where the header of the first frame begins.
    layout : FrameLayout
        Of all frames.
    out : numpy.ndarray
        Of shape (n_frames, *layout.sig) and dtype `layout.stored_dtype`, is filled.
    """
    begin = first + layout.header_bytes
    pixels = out.reshape(-1).view(np.uint8)
    height, width = layout.sig
    if layout.depth == 24:
        _decode_24(raw, begin, layout.stride, len(out), height * width, pixels)
        return
    row_bytes = width * out.itemsize
    is_quad = layout.n_chips == 4
    _decode(raw, begin, layout.stride, len(out), height, row_bytes, is_quad, layout.depth, pixels)


@compiled()
def _decode(raw, begin, stride, n_frames, height, row_bytes, is_quad, depth, out):
    for frame in range(n_frames):
        at = begin + frame * stride
        top = frame * height * row_bytes
        if not is_quad:
            for row in range(height):
                at = _forwards(raw, at, row_bytes, depth, out, top + row * row_bytes)
            continue
        half = row_bytes // 2
        for row in range(height // 2):
            upper, lower = top + row * row_bytes, top + (height - 1 - row) * row_bytes
            at = _backwards(raw, at, half, depth, out, lower + half)  # chip 4
            at = _backwards(raw, at, half, depth, out, lower)  # chip 3
            at = _forwards(raw, at, half, depth, out, upper + half)  # chip 2
            at = _forwards(raw, at, half, depth, out, upper)  # chip 1


@compiled()
def _forwards(raw, at, n_bytes, depth, out, to):
    """Decode a chip's row to `n_bytes` of `out`, and tell where in `raw` the next one begins."""
    n_words = n_bytes // 8
    if depth == 1:
        for i in range(n_words):
            bits = _U64(raw[at + (i ^ 7)])
            store_8(out, to + 8 * i, _spread(bits, _U64(0x8040201008040201)))
        return at + n_words
    for i in range(n_words):
        store_8(out, to + 8 * i, _turned(load_8(raw, at + 8 * i)))
    return at + n_bytes


@compiled()
def _backwards(raw, at, n_bytes, depth, out, to):
    """Do as `_forwards`, but with the last pixel first."""
    n_words = n_bytes // 8
    last = to + n_bytes - 8
    if depth == 1:
        for i in range(n_words):
            bits = _U64(raw[at + (i ^ 7)])
            store_8(out, last - 8 * i, _spread(bits, _U64(0x0102040810204080)))
        return at + n_words
    if depth == 6:
        for i in range(n_words):
            store_8(out, last - 8 * i, load_8(raw, at + 8 * i))
    else:
        for i in range(n_words):
            store_8(out, last - 8 * i, _swapped_pairs(load_8(raw, at + 8 * i)))
    return at + n_bytes


@compiled(inline="always")
def _spread(bits, which):
    """Make a byte of 0 or 1 of each bit; `which` has in each byte the one bit that goes there."""
    picked = (bits * _U64(0x0101010101010101)) & which
    # Only the highest bit of a byte tells, without a carry into the next: 0x80 + 0x7f is 0xff.
    return ((picked + _U64(0x7F7F7F7F7F7F7F7F)) >> _U64(7)) & _U64(0x0101010101010101)


@compiled(inline="always")
def _swapped_pairs(word):
    low = _U64(0x00FF00FF00FF00FF)
    return ((word & low) << _U64(8)) | ((word >> _U64(8)) & low)


@compiled(inline="always")
def _turned(word):
    """Reverse the bytes of a word."""
    low = _U64(0x0000FFFF0000FFFF)
    word = _swapped_pairs(word)
    word = ((word & low) << _U64(16)) | ((word >> _U64(16)) & low)
    return (word << _U64(32)) | (word >> _U64(32))


@compiled()
def _decode_24(raw, begin, stride, n_frames, n_pixels, out):
    pair = _U64(0x0000FFFF0000FFFF)
    for frame in range(n_frames):
        at = begin + frame * stride
        to = frame * n_pixels * 4
        for i in range(n_pixels // 4):
            high = _turned(load_8(raw, at + 8 * i))
            low = _turned(load_8(raw, at + 2 * n_pixels + 8 * i))
            for half in range(2):
                # Two pixels of 16 bit, in the lower half of the word, to two of 32.
                hi = (high >> _U64(32 * half)) & _U64(0xFFFFFFFF)
                lo = (low >> _U64(32 * half)) & _U64(0xFFFFFFFF)
                hi = (hi | hi << _U64(16)) & pair
                lo = (lo | lo << _U64(16)) & pair
                store_8(out, to + 16 * i + 8 * half, (hi << _U64(12)) + lo)
