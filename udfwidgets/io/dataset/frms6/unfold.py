"""Makes images of the rows of FRMS6 files, without the GIL."""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np

from udfwidgets.compiling import compiled
from udfwidgets.io.codecs.unaligned import load_8, move, store_8

_U64 = np.uint64


@compiled()
def unfold(raw, at, stride, shape, binning, out):
    """Unfold frames that follow each other, of pixels of two bytes.

    Parameters
    ----------
    raw, out : numpy.ndarray
        Bytes of a file, and of as many frames as there is room for.
    at, stride : int
        Where the pixels of the first frame begin, and how far it is to the next one.
    shape : tuple of int
        How many rows one has in the file, and how many pixels a row of the image.
    binning : int
        How often a row is repeated.
    """
    height, n_bytes = shape[0], 2 * shape[1]
    frame_bytes = 2 * height * binning * n_bytes
    for frame in range(len(out) // frame_bytes):
        upper, lower = frame * frame_bytes, (frame + 1) * frame_bytes - n_bytes
        for row in range(height):
            source = at + frame * stride + row * 2 * n_bytes
            move(out, upper, raw, source, n_bytes)
            _move_turned(out, lower, raw, source + n_bytes, n_bytes)
            for again in range(1, binning):
                move(out, upper + again * n_bytes, out, upper, n_bytes)
                move(out, lower - again * n_bytes, out, lower, n_bytes)
            upper += binning * n_bytes
            lower -= binning * n_bytes


@compiled()
def _move_turned(out, to, raw, at, n_bytes):
    """Copy a row with its last pixel first, four pixels at a time."""
    end = at + n_bytes
    for i in range(n_bytes // 8):
        word = load_8(raw, end - 8 * (i + 1))
        inner = (word >> _U64(16)) & _U64(0xFFFF0000) | (word & _U64(0xFFFF0000)) << _U64(16)
        store_8(out, to + 8 * i, word >> _U64(48) | inner | word << _U64(48))
    for i in range(n_bytes // 8 * 4, n_bytes // 2):
        out[to + 2 * i] = raw[end - 2 * (i + 1)]
        out[to + 2 * i + 1] = raw[end - 2 * i - 1]
