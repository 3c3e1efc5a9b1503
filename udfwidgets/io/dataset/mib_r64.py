"""Decodes Merlin's R64 frames, the pixels as the chips send them.

A chip sends 64-bit words, and the file has the 8 bytes of each word in reverse order. So pixels
come in groups that are to be reversed: 64 pixels of 1 bit (the least significant bit of each byte
first), 8 pixels of one byte, 4 pixels of two bytes. 24 bit are two images of 12 bit after each
other, the first one the high half.

Four chips make one row of the file, in the order 4, 3, 2, 1. Chips 1 and 2 are the top half of the
image; 3 and 4 are the bottom half and upside down, so both their axes run backwards.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from udfwidgets.io.dataset.base import Array
from udfwidgets.io.dataset.mib_header import FrameLayout


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
    n_segments = layout.n_chips
    kernel = {1: _decode_1, 6: _decode_6, 12: _decode_12}.get(layout.depth)
    if kernel is None:
        _decode_24(raw, begin, layout.stride, out)
    else:
        kernel(raw, begin, layout.stride, n_segments, out)


@numba.njit(nogil=True, cache=True, inline="always")
def _place(row, segment, n_segments, height, width):  # type: ignore[no-untyped-def]
    """Tell where a chip's row goes: image row, first column, and direction."""
    if n_segments == 1:
        return row, 0, 1
    half = width // 2
    if segment == 3:  # chip 1
        return row, 0, 1
    if segment == 2:  # chip 2
        return row, half, 1
    if segment == 1:  # chip 3
        return height - 1 - row, half - 1, -1
    return height - 1 - row, width - 1, -1  # chip 4


@numba.njit(nogil=True, cache=True)
def _decode_1(raw, begin, stride, n_segments, out):  # type: ignore[no-untyped-def]
    n_frames, height, width = out.shape
    length = width if n_segments == 1 else width // 2
    n_rows = height if n_segments == 1 else height // 2
    for frame in range(n_frames):
        at = begin + frame * stride
        for row in range(n_rows):
            for segment in range(n_segments):
                y, x, step = _place(row, segment, n_segments, height, width)
                for word in range(length // 64):
                    for byte in range(8):
                        value = raw[at + 8 * word + 7 - byte]
                        for bit in range(8):
                            out[frame, y, x] = (value >> bit) & 1
                            x += step
                at += length // 8


@numba.njit(nogil=True, cache=True)
def _decode_6(raw, begin, stride, n_segments, out):  # type: ignore[no-untyped-def]
    n_frames, height, width = out.shape
    length = width if n_segments == 1 else width // 2
    n_rows = height if n_segments == 1 else height // 2
    for frame in range(n_frames):
        at = begin + frame * stride
        for row in range(n_rows):
            for segment in range(n_segments):
                y, x, step = _place(row, segment, n_segments, height, width)
                for group in range(length // 8):
                    for pixel in range(8):
                        out[frame, y, x] = raw[at + 8 * group + 7 - pixel]
                        x += step
                at += length


@numba.njit(nogil=True, cache=True)
def _decode_12(raw, begin, stride, n_segments, out):  # type: ignore[no-untyped-def]
    n_frames, height, width = out.shape
    length = width if n_segments == 1 else width // 2
    n_rows = height if n_segments == 1 else height // 2
    for frame in range(n_frames):
        at = begin + frame * stride
        for row in range(n_rows):
            for segment in range(n_segments):
                y, x, step = _place(row, segment, n_segments, height, width)
                for group in range(length // 4):
                    for pixel in range(4):
                        i = at + 8 * group + 6 - 2 * pixel
                        out[frame, y, x] = (np.uint16(raw[i]) << 8) | np.uint16(raw[i + 1])
                        x += step
                at += 2 * length


@numba.njit(nogil=True, cache=True)
def _decode_24(raw, begin, stride, out):  # type: ignore[no-untyped-def]
    n_frames, height, width = out.shape
    half = 2 * width * height
    for frame in range(n_frames):
        at = begin + frame * stride
        for y in range(height):
            for group in range(width // 4):
                for pixel in range(4):
                    i = at + 2 * width * y + 8 * group + 6 - 2 * pixel
                    high = (np.uint32(raw[i]) << 8) | np.uint32(raw[i + 1])
                    low = (np.uint32(raw[half + i]) << 8) | np.uint32(raw[half + i + 1])
                    out[frame, y, 4 * group + pixel] = (high << 12) + low
