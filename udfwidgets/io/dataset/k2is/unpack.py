"""Unpacks the pixels of twelve bits of K2IS frames.

A row of a block, 16 pixels, is 24 bytes. All blocks that lie beside each other are unpacked row by
row: that makes whole lines of the processor's memory, which a block alone does not.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from functools import cache
from typing import Any

import numba
import numpy as np
from numba import types

from udfwidgets.compiling import compiled, compiled_callback
from udfwidgets.io.codecs.unaligned import bytes_at, unpack_12

_N_SECTORS = 8
_BLOCK_BYTES, _HEADER_BYTES, _FRAME_BYTES = 22360, 40, 32 * 22360
_ROWS, _ROW_BYTES = 930, 4096
# As many rows are a part of a frame: a sum of some is in the cache beside them.
PART_ROWS = 15
#: What is told of a stretch of frames: its first one, how many, the number of the first, offsets.
PIECE = 3 + _N_SECTORS


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
        wrong = _wrong_block(raw, begin, first + frame)
        if wrong >= 0:
            return wrong
        _unpack_rows(raw, begin, 0, _ROWS, out, target)
        _unpack_rows(raw, begin, _ROWS, _ROWS, out, target + _ROWS * _ROW_BYTES)
    return -1


@cache
def part_decoder():
    """Return the address of what decodes parts of frames; see `Packed`.

    It is told the addresses of the files, how many stretches there are, and each of them.
    """
    word, words = types.int64, types.CPointer(types.int64)
    signature = word(words, words, word, word, types.CPointer(types.uint8))
    function = compiled_callback(signature, _decode_part)
    _kept.append(function)
    return int(function.address)


# Compiled code lives as long as the object that it belongs to.
_kept: list[Any] = []


def _decode_part(about, numbers, n_frames, part, out):
    files = numba.carray(about, (_N_SECTORS + 1,))
    n_pieces = files[_N_SECTORS]
    told = numba.carray(about, (_N_SECTORS + 1 + n_pieces * PIECE,))
    pieces = told[_N_SECTORS + 1 :].reshape(n_pieces, PIECE)
    part_bytes = PART_ROWS * _ROW_BYTES
    target = numba.carray(out, (n_frames * part_bytes,))
    for frame in range(n_frames):
        number, which = numba.carray(numbers, (n_frames,))[frame], 0
        while number >= pieces[which, 0] + pieces[which, 1]:
            which += 1
        within = number - pieces[which, 0]
        for sector in range(_N_SECTORS):
            begin = pieces[which, 3 + sector] + within * _FRAME_BYTES
            raw = numba.carray(bytes_at(files[sector]), (begin + _FRAME_BYTES,))
            if part == 0 and _wrong_block(raw, begin, pieces[which, 2] + within) >= 0:
                return 1
            to = frame * part_bytes + sector * 512
            _unpack_rows(raw, begin, part * PART_ROWS, PART_ROWS, target, to)
    return 0


@compiled()
def _unpack_rows(raw, begin, top, n_rows, out, to):
    """Unpack rows of a sector of a frame, all of them in its upper half or in the lower one."""
    half = top // _ROWS
    # The rightmost block comes first.
    last = begin + (half * 16 + 15) * _BLOCK_BYTES + _HEADER_BYTES + (top - half * _ROWS) * 24
    for row in range(n_rows):
        for column in range(16):
            source = last - column * _BLOCK_BYTES + row * 24
            unpack_12(out, to + row * _ROW_BYTES + column * 32, raw, source)


@compiled()
def _wrong_block(raw, begin, frame):
    """Return where a frame has another block than it should have, -1 if nowhere."""
    for block in range(32):
        if not _is_block(raw, begin + block * _BLOCK_BYTES, frame, block):
            return begin + block * _BLOCK_BYTES
    return -1


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
