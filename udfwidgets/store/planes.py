"""The memory of a store: planes of bytes, or one of floats, in chunks of positions."""

from __future__ import annotations

import math
import os
from typing import Any

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


class Planes:
    """All values of a scan, the positions of one pixel beside each other.

    Parameters
    ----------
    n_positions, n_pixels : int
        Of the scan.
    dtype : numpy.dtype
        Of the values.
    folder : path, optional
        For a file in place of memory.

    Attributes
    ----------
    dtype : numpy.dtype
        Of the values, as they are kept; half floats are widened.
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
        n_pixels: int,
        dtype: np.dtype[Any],
        folder: str | os.PathLike[str] | None = None,
    ) -> None:
        self.dtype = flat(np.zeros((1, 1), dtype)).dtype
        self.in_bytes = self.dtype.kind in "bui"
        width = min(WIDTH, -(-n_positions // LINE) * LINE)
        n_chunks, n_planes = -(-n_positions // width), self.dtype.itemsize if self.in_bytes else 1
        kept = np.dtype(np.uint8) if self.in_bytes else self.dtype
        shape = n_planes, n_chunks, n_pixels, width
        #: Bytes of the lowest plane, or of the only one: taken in any case.
        self.base_bytes = math.prod(shape[1:]) * kept.itemsize
        memory = pages(n_planes * self.base_bytes, self.base_bytes, folder)
        self.array: Array = memory.view(kept).reshape(shape)
        self.needs = np.zeros((n_planes - 1, n_chunks, n_pixels), np.uint8)
        self.valid: BoolArray = np.zeros(n_positions, bool)

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
        width: int = self.array.shape[3]
        return self.base_bytes + int(np.count_nonzero(self.needs)) * width

    def filled(self) -> Positions:
        """Return how many positions of each chunk are in."""
        _, n_chunks, _, width = self.array.shape
        padded = np.zeros(n_chunks * width, bool)
        padded[: len(self.valid)] = self.valid
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
