"""The memory of a store: planes of bytes, or one of floats, in chunks of positions."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from udfwidgets.buffers import Array, BoolArray
from udfwidgets.store.kernels import LINE, put_floats, put_integers
from udfwidgets.store.memory import pages
from udfwidgets.udf.compiled.kernels import flat

# Positions in a chunk. The fewer, the better for writing, the more, the better for adding up.
# Two GiB of uint16 are built with 128, 512 and 2048 at 3.3, 2.7 and 2.4 GB/s by one thread.
WIDTH = 512

Positions = npt.NDArray[np.int64]


class Layout(NamedTuple):
    """What the memory of a store looks like.

    Attributes
    ----------
    n_planes, n_chunks, n_pixels, width : int
        See `Planes`.
    dtype : numpy.dtype
        Of the values, as they are kept.
    """

    n_planes: int
    n_chunks: int
    n_pixels: int
    width: int
    dtype: np.dtype[Any]

    @classmethod
    def of(cls, n_positions: int, n_pixels: int, dtype: np.dtype[Any]) -> Layout:
        """Return the layout for values of a dtype; half floats are widened."""
        dtype = flat(np.zeros((1, 1), dtype)).dtype
        width = min(WIDTH, -(-n_positions // LINE) * LINE)
        n_planes = dtype.itemsize if dtype.kind in "bui" else 1
        return cls(n_planes, -(-n_positions // width), n_pixels, width, dtype)

    @property
    def in_bytes(self) -> bool:
        """Whether values are kept byte by byte."""
        return self.dtype.kind in "bui"

    @property
    def base_bytes(self) -> int:
        """Size of the lowest plane, or of the only one: taken in any case."""
        size = self.n_chunks * self.n_pixels * self.width
        return size if self.in_bytes else size * self.dtype.itemsize


class Planes:
    """All values of a scan, the positions of one pixel beside each other.

    Parameters
    ----------
    n_positions : int
        Of the scan.
    layout : Layout
        Of the memory.
    folder : path, optional
        For a file in place of memory.

    Attributes
    ----------
    array : (planes, chunks, pixels, width) array
        From the lowest byte to the highest one.
    needs : (planes - 1, chunks, pixels) uint8 array
        Where a plane above the lowest one has something.
    valid : (positions,) bool array
        Which positions are in.
    """

    def __init__(
        self,
        n_positions: int,
        layout: Layout,
        folder: str | os.PathLike[str] | None = None,
    ) -> None:
        self.layout = layout
        self.dtype, self.in_bytes = layout.dtype, layout.in_bytes
        base = layout.base_bytes
        memory = pages(layout.n_planes * base, base, folder)
        kept = np.dtype(np.uint8) if self.in_bytes else self.dtype
        self.array: Array = memory.view(kept).reshape(layout[:4])
        self.needs = np.zeros((layout.n_planes - 1, *layout[1:3]), np.uint8)
        self.valid: BoolArray = np.zeros(n_positions, bool)
        #: A file has room for all planes from the beginning.
        self._in_file = folder is not None

    @property
    def is_signed(self) -> bool:
        """Whether the highest plane is."""
        return self.dtype.kind == "i"

    @property
    def n_words(self) -> int:
        """How many words of 64 bits a sum of integers takes."""
        return -(-len(self.array) // 4)

    @property
    def nbytes(self) -> int:
        """How much memory it takes."""
        if self._in_file:
            return int(self.array.nbytes)
        needed = int(np.count_nonzero(self.needs))
        return self.layout.base_bytes + needed * self.layout.width

    def filled(self, valid: BoolArray) -> Positions:
        """Return how many of some positions are in each chunk."""
        _, n_chunks, _, width = self.array.shape
        padded = np.zeros(n_chunks * width, bool)
        padded[: len(valid)] = valid
        return np.asarray(np.count_nonzero(padded.reshape(n_chunks, width), axis=1), np.int64)

    def put(self, tile: Array, positions: Positions) -> None:
        """Write frames, of shape (frames, pixels), to their positions; they are not valid yet."""
        if self.in_bytes:
            put_integers(as_unsigned(tile), positions, self.array, self.needs)
        else:
            put_floats(tile, positions, self.array, self.needs)


def as_unsigned(tile: Array) -> Array:
    """Return integers, or booleans, as unsigned ones of the same bytes."""
    return tile.view(f"u{tile.dtype.itemsize}")
