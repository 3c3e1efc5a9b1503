"""Unpacks the pixels of twelve bits of a sector of K2IS frames.

Two pixels are three bytes, the low bits first; a row of a block, 16 pixels, is three words. Some
rows of all blocks that lie beside each other are unpacked together: they make whole lines of the
processor's memory, which a block alone does not.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np

from udfwidgets.compiling import compiled
from udfwidgets.io.codecs.unaligned import load_8, store_8

_U64 = np.uint64
_BLOCK_BYTES, _HEADER_BYTES, _FRAME_BYTES = 22360, 40, 32 * 22360
_ROWS, _ROW_BYTES = 930, 4096
# As many rows are unpacked together.
_TOGETHER = 30


@compiled()
def unpack(raw, at, n_frames, first, out, to):
    """Unpack a sector of frames that follow each other.

    Parameters
    ----------
    raw : numpy.ndarray
        The bytes of its file.
    at : int
        Where the first frame begins.
    n_frames, first : int
        How many frames there are, and what the camera numbers the first of them.
    out : numpy.ndarray
        The bytes of whole frames of 1860 x 2048 pixels of 16 bits.
    to : int
        Where the upper left pixel of the sector is in the first of these.

    Returns
    -------
    int
        Where in the file there is another block than there should be, -1 if there is none.
    """
    for frame in range(n_frames):
        begin, target = at + frame * _FRAME_BYTES, to + frame * 2 * _ROWS * _ROW_BYTES
        for block in range(32):
            if not _is_block(raw, begin + block * _BLOCK_BYTES, first + frame, block):
                return begin + block * _BLOCK_BYTES
        for half in range(2):
            for top in range(0, _ROWS, _TOGETHER):
                for column in range(16):
                    block = half * 16 + 15 - column
                    source = begin + block * _BLOCK_BYTES + _HEADER_BYTES + top * 24
                    _unpack_rows(raw, source, out, target + top * _ROW_BYTES + column * 32)
            target += _ROWS * _ROW_BYTES
    return -1


@compiled(inline="always")
def _unpack_rows(raw, at, out, to):
    mask = _U64(0xFFFFFFFFFFFF)
    for _ in range(_TOGETHER):
        low, middle, high = load_8(raw, at), load_8(raw, at + 8), load_8(raw, at + 16)
        store_8(out, to, _spread(low & mask))
        store_8(out, to + 8, _spread((low >> _U64(48) | middle << _U64(16)) & mask))
        store_8(out, to + 16, _spread((middle >> _U64(32) | high << _U64(32)) & mask))
        store_8(out, to + 24, _spread(high >> _U64(16)))
        at += 24
        to += _ROW_BYTES


@compiled(inline="always")
def _spread(four):
    """Make 16 bits of each of four pixels of twelve."""
    halves = (four & _U64(0xFFFFFF)) | ((four & _U64(0xFFFFFF000000)) << _U64(8))
    even = halves & _U64(0x00000FFF00000FFF)
    return even | ((halves << _U64(4)) & _U64(0x0FFF00000FFF0000))


@compiled()
def _is_block(raw, at, frame, block):
    """Whether a block is that one of that frame."""
    x, y = (15 - block % 16) * 16, block // 16 * _ROWS
    return (
        _number(raw, at, 4) == 0xFFFF0055
        and _number(raw, at + 24, 4) == frame
        and _number(raw, at + 28, 2) == x
        and _number(raw, at + 30, 2) == y
    )


@compiled(inline="always")
def _number(raw, at, n_bytes):
    number = 0
    for i in range(n_bytes):
        number = (number << 8) | np.int64(raw[at + i])
    return number
