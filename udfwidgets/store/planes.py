"""The memory of a store: planes of bytes, or one of floats, in small pieces."""

from __future__ import annotations

import math
import os
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from udfwidgets.buffers import Array, BoolArray
from udfwidgets.store.memory import pages
from udfwidgets.store.vectors import LINE
from udfwidgets.store.writing import put_floats, put_integers
from udfwidgets.udf.compiled.kernels import flat

# Positions that lie together in the higher planes, so that a page holds few pixels: most have
# nothing there, and what is not written to takes no memory.
WIDTH = 512
PAGE = 4096

Positions = npt.NDArray[np.int64]


class Layout(NamedTuple):
    """What the memory of a store looks like.

    Attributes
    ----------
    n_positions, n_pixels : int
        Of the scan.
    dtype : numpy.dtype
        Of the values, as they are kept.
    """

    n_positions: int
    n_pixels: int
    dtype: np.dtype[Any]

    @classmethod
    def of(cls, n_positions: int, n_pixels: int, dtype: np.dtype[Any]) -> Layout:
        """Return the layout for values of a dtype; half floats are widened."""
        return cls(n_positions, n_pixels, flat(np.zeros((1, 1), dtype)).dtype)

    @property
    def in_bytes(self) -> bool:
        """Whether values are kept byte by byte."""
        return self.dtype.kind in "bui"

    @property
    def kept(self) -> np.dtype[Any]:
        """In which dtype memory is looked at."""
        return np.dtype(np.uint8) if self.in_bytes else self.dtype

    @property
    def low(self) -> tuple[int, int, int]:
        """Shape of the lowest plane, or of the only one: (chunks, pixels, LINE)."""
        return -(-self.n_positions // LINE), self.n_pixels, LINE

    @property
    def high(self) -> tuple[int, int, int, int]:
        """Shape of the other ones: (planes - 1, wide chunks, pixels, width)."""
        n_chunks, n_pixels, _ = self.low
        width = min(WIDTH, n_chunks * LINE)
        n_planes = self.dtype.itemsize if self.in_bytes else 1
        return n_planes - 1, -(-self.n_positions // width), n_pixels, width

    @property
    def base_bytes(self) -> int:
        """Size of the lowest plane: taken in any case."""
        return math.prod(self.low) * self.kept.itemsize

    @property
    def high_at(self) -> int:
        """Where the higher planes begin, in bytes: with a page."""
        return -(-self.base_bytes // PAGE) * PAGE

    @property
    def total_bytes(self) -> int:
        """Size of all planes."""
        return self.high_at + math.prod(self.high)


class Planes:
    """All values of a scan, the positions of one pixel beside each other.

    Parameters
    ----------
    layout : Layout
        Of the memory.
    folder : path, optional
        For a file in place of memory.

    Attributes
    ----------
    memory : uint8 array
        All of it.
    low : (chunks, pixels, LINE) array
        The lowest byte of each value, or floats.
    high : (planes - 1, wide chunks, pixels, width) uint8 array
        The other bytes, up to the highest one.
    needs : (planes - 1, wide chunks, pixels) uint8 array
        Where these have something.
    valid : (positions,) bool array
        Which positions are in.
    """

    def __init__(self, layout: Layout, folder: str | os.PathLike[str] | None = None) -> None:
        self.layout = layout
        self.dtype, self.in_bytes = layout.dtype, layout.in_bytes
        self.memory = pages(layout.total_bytes, layout.base_bytes, folder)
        low = self.memory[: layout.base_bytes].view(layout.kept)
        self.low: Array = low.reshape(layout.low)
        self.high: Array = self.memory[layout.high_at :].reshape(layout.high)
        self.needs = np.zeros(layout.high[:3], np.uint8)
        self.valid: BoolArray = np.zeros(layout.n_positions, bool)
        #: A file has room for all planes from the beginning.
        self._in_file = folder is not None

    @property
    def is_signed(self) -> bool:
        """Whether the highest plane is."""
        return self.dtype.kind == "i"

    @property
    def n_words(self) -> int:
        """How many words of 64 bits a sum of integers takes."""
        return -(-(1 + len(self.high)) // 4)

    @property
    def nbytes(self) -> int:
        """How much memory it takes."""
        if self._in_file:
            return int(self.memory.nbytes)
        return self.layout.base_bytes + sum(map(self._taken, self.needs))

    def _taken(self, needs: Array) -> int:
        """Return how much memory a higher plane takes: whole pages."""
        width = self.high.shape[3]
        starts = np.arange(0, needs.shape[1], max(1, PAGE // width))
        n_pages = np.count_nonzero(np.bitwise_or.reduceat(needs, starts, axis=1))
        return min(int(n_pages) * PAGE, int(needs.size) * int(width))

    def filled(self, valid: BoolArray) -> Positions:
        """Return how many of some positions are in each chunk."""
        n_chunks = len(self.low)
        padded = np.zeros(n_chunks * LINE, bool)
        padded[: len(valid)] = valid
        return np.asarray(np.count_nonzero(padded.reshape(n_chunks, LINE), axis=1), np.int64)

    def beside(self, some: BoolArray) -> BoolArray:
        """Return which positions are in a chunk with some of these."""
        return np.repeat(self.filled(some) > 0, LINE)[: len(some)]

    def put(self, tile: Array, positions: Positions) -> None:
        """Write frames, of shape (frames, pixels), to their positions; they are not valid yet."""
        tile = np.ascontiguousarray(tile)
        if self.in_bytes:
            put_integers(as_unsigned(tile), positions, self.low, self.high, self.needs)
        else:
            put_floats(tile, positions, self.low)


def as_unsigned(tile: Array) -> Array:
    """Return integers, or booleans, as unsigned ones of the same bytes."""
    return tile.view(f"u{tile.dtype.itemsize}")
