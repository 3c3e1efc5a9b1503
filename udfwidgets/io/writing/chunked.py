"""Puts frames together to chunks: so many of a scan line that a chunk is worth compressing."""

from __future__ import annotations

import math
import threading
from abc import abstractmethod

import numpy as np

from udfwidgets.io.dataset.hdf5.chunks import ScanOrder
from udfwidgets.io.source import Array
from udfwidgets.io.writing.outline import Outline, Writer

_CHUNK_BYTES = 256 << 10


class ChunkedWriter(Writer):
    """Keeps the frames of a chunk until all of them are there.

    In scan order these are a few for each thread that writes.

    Parameters
    ----------
    outline : Outline
        What is to be written.
    """

    def __init__(self, outline: Outline) -> None:
        nav, sig = outline.shape.nav.to_tuple(), outline.shape.sig.to_tuple()
        depth = min(nav[-1], max(1, _CHUNK_BYTES // outline.frame_bytes))
        self.chunk = (*(1,) * (len(nav) - 1), depth, *sig)
        self._grid = (*nav[:-1], -(-nav[-1] // depth))
        self._dtype = outline.dtype
        self._order = ScanOrder(nav[-1], depth)
        self._first = self._order.first_frames(math.prod(self._grid))
        self._begun: dict[int, tuple[Array, int]] = {}
        self._lock = threading.Lock()

    def write(self, first: int, frames: Array) -> None:
        """Fill chunks, and store those that are full."""
        at, stop = first, first + len(frames)
        while at < stop:
            number = self._order.chunk_of(at)
            end = min(int(self._first[number + 1]), stop)
            chunk = self._add(
                number, at - int(self._first[number]), frames[at - first : end - first]
            )
            if chunk is not None:
                place = np.unravel_index(number, self._grid)
                self.store(tuple(int(i) for i in place), chunk)
            at = end

    def _add(self, number: int, at: int, frames: Array) -> Array | None:
        """Take frames of a chunk, and return it when it is full."""
        n_frames = int(self._first[number + 1] - self._first[number])
        if len(frames) == self._order.depth:
            return np.ascontiguousarray(frames, self._dtype)
        with self._lock:
            shape = (self._order.depth, *frames.shape[1:])
            chunk, n_there = self._begun.pop(number, None) or (np.zeros(shape, self._dtype), 0)
            chunk[at : at + len(frames)] = frames
            n_there += len(frames)
            if n_there < n_frames:
                self._begun[number] = chunk, n_there
                return None
        return chunk

    @abstractmethod
    def store(self, at: tuple[int, ...], chunk: Array) -> None:
        """Compress a chunk, and write it.

        Parameters
        ----------
        at : tuple of int
            Its place in the grid of chunks, along the axes of nav.
        chunk : numpy.ndarray
            In full size, zeros where the scan line is shorter.
        """
