"""Frames at a fixed distance from one another, in one file or in several.

Most detectors write so: something before the first frame, and something between any two of them.
Pixels in the byte order of the machine are seen by compiled UDFs where they lie in the map,
whatever lies between. Everybody else is handed frames without gaps: numba would compile kernels
again for others, and NumPy is slower with them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from udfwidgets.io.layout.files import check_whole
from udfwidgets.io.layout.maps import MOST_MAPS, Maps
from udfwidgets.io.source import Array, Scratch, Source, Stretch


@dataclass(frozen=True)
class Piece:
    """Frames in one file.

    Parameters
    ----------
    path : Path
        Of the file.
    n_bytes : int
        Size of the file.
    offset : int
        Where the pixels of its first frame begin.
    stride : int
        Bytes from one frame to the next.
    n_frames : int
        How many there are.
    first : int
        Number of its first frame. Those before it that no piece has were lost, and are blank.
    """

    path: Path
    n_bytes: int
    offset: int
    stride: int
    n_frames: int
    first: int = 0


def count_frames(n_bytes: int, offset: int, stride: int, frame_bytes: int) -> int:
    """Return how many frames are whole in a file; what follows the last one may be missing."""
    return max(0, (n_bytes - offset - frame_bytes) // stride + 1)


class StridedSource(Source):
    """Frames of mapped files, seen where they lie or copied without what is between them.

    Parameters
    ----------
    pieces : sequence of Piece
        One behind the other.
    dtype : numpy.dtype
        Of the pixels in the files.
    sig : tuple of int
        Shape of the frames as they are handed out.
    """

    def __init__(self, pieces: Sequence[Piece], dtype: np.dtype[Any], sig: tuple[int, ...]) -> None:
        self._pieces = pieces
        self._stored_dtype = dtype
        self._sig = sig
        self._starts = [piece.first for piece in pieces]
        self._ends = np.array([piece.first + piece.n_frames for piece in pieces])
        self._maps = Maps()
        self._stretches: list[Stretch] | None = None
        if self._can_be_seen():
            # Now, where it is noted what is mapped: nobody asks later whether it was torn.
            self._stretches = [Stretch(piece.first, self._frames(piece)) for piece in pieces]

    def _can_be_seen(self) -> bool:
        """Whether compiled UDFs can see the frames where they lie."""
        has_room = len({piece.path for piece in self._pieces}) <= MOST_MAPS
        itemsize = self._stored_dtype.itemsize
        is_even = all(piece.stride % itemsize == 0 for piece in self._pieces)
        return has_room and is_even and self._stored_dtype.isnative

    @property
    def stretches(self) -> Sequence[Stretch] | None:
        """The frames of each piece, until they are closed."""
        return self._stretches

    def read(self, start: int, stop: int, scratch: Scratch) -> Array:
        """Return a view of frames that nothing lies between, a copy of others."""
        index = int(np.searchsorted(self._ends, start, side="right"))
        if self._stretches is not None and self._starts[index] <= start < stop <= self._ends[index]:
            first, frames = self._stretches[index]
            view = frames[start - first : stop - first]
            if view.flags.c_contiguous:
                self.check(np.arange(start, stop))
                return view
        out = scratch.array((stop - start, *self._sig), self._stored_dtype.newbyteorder("="))
        at = start
        while at < stop:
            first, end = self._starts[index], min(stop, int(self._ends[index]))
            if at < first:
                end = min(stop, first)
                out[at - start : end - start] = 0
            else:
                self._fill(index, at - first, out[at - start : end - start])
                index += 1
            at = end
        return out

    def _fill(self, index: int, first: int, out: Array) -> None:
        """Write frames of one piece, from its frame `first` on."""
        piece = self._pieces[index]
        # Swaps bytes on the way, without the GIL.
        np.copyto(out, self._frames(piece)[first : first + len(out)])
        check_whole(self._raw(piece))

    def _raw(self, piece: Piece) -> npt.NDArray[np.uint8]:
        return self._maps.of(piece.path, piece.n_bytes)

    def _frames(self, piece: Piece) -> Array:
        """Return the frames of a piece where they lie."""
        dtype = self._stored_dtype
        within = [dtype.itemsize * math.prod(self._sig[i + 1 :]) for i in range(len(self._sig))]
        frames: Array = np.ndarray(
            (piece.n_frames, *self._sig),
            dtype,
            self._raw(piece).data,
            piece.offset,
            (piece.stride, *within),
        )
        return frames

    def close(self) -> None:
        """Drop the maps."""
        self._stretches = None
        self._maps.close()
