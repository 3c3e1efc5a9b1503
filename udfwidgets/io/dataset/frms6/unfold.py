"""Makes images of the rows of FRMS6 files, without the GIL."""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from udfwidgets.compiling import compiled
from udfwidgets.io.codecs.unaligned import move, move_turned_32


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
    """Copy a row with its last pixel first, 16 pixels at a time."""
    end = at + n_bytes
    for i in range(n_bytes // 32):
        move_turned_32(out, to + 32 * i, raw, end - 32 * (i + 1))
    for i in range(n_bytes // 32 * 16, n_bytes // 2):
        out[to + 2 * i] = raw[end - 2 * (i + 1)]
        out[to + 2 * i + 1] = raw[end - 2 * i - 1]
