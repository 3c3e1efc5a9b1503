"""Coarser pixels, where a scan does not fit: blocks of the detector are taken together."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from udfwidgets.buffers import Array
from udfwidgets.compiling import compiled
from udfwidgets.shapes import Shape


class Grid(NamedTuple):
    """The pixels of a detector, and the blocks that they are in.

    Attributes
    ----------
    height, width : int
        Of the detector, in pixels; a line is one pixel high.
    binning : int
        Pixels of a block in each direction; 1 for the pixels themselves. The last row and column
        of blocks may have fewer.
    """

    height: int
    width: int
    binning: int = 1

    @classmethod
    def of(cls, sig: Shape) -> Grid:
        """Return the pixels themselves."""
        axes = sig.axes
        return cls(int(np.prod(axes[:-1], dtype=np.int64)), axes[-1])

    def coarser(self) -> Grid:
        """Return blocks of four of these."""
        return self._replace(binning=2 * self.binning)

    @property
    def shape(self) -> tuple[int, int]:
        """How many blocks there are in each direction."""
        return -(-self.height // self.binning), -(-self.width // self.binning)

    @property
    def size(self) -> int:
        """How many blocks there are."""
        height, width = self.shape
        return height * width

    def dtype_for(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """Return the dtype of blocks: exact, for integers of up to 32 bits."""
        if self.binning == 1 or dtype.kind in "fc":
            return dtype
        if dtype.itemsize == 8:
            return np.dtype(np.float64)
        kind, n_bytes = "i" if dtype.kind == "i" else "u", 4 if dtype.itemsize < 4 else 8
        return np.dtype(f"{kind}{n_bytes}")

    def weights(self, mask: Array) -> Array:
        """Return which part of each block is in a flat mask, or how much it weighs on average."""
        if self.binning == 1:
            return mask
        kind = np.result_type(mask, np.float64)
        pixels = mask.astype(kind).reshape(1, -1)
        ones = np.ones(pixels.shape)
        averages: Array = self._binned(pixels, kind)[0] / self._binned(ones, ones.dtype)[0]
        return averages

    def binned(self, frames: Array) -> Array:
        """Return the sums over the blocks of each frame, of shape (frames, pixels)."""
        return self._binned(frames, self.dtype_for(frames.dtype))

    def _binned(self, frames: Array, dtype: np.dtype[Any]) -> Array:
        blocks = np.empty((len(frames), self.size), dtype)
        add_blocks(frames, frames.shape[1], self.width, self.binning, blocks)
        return blocks


@compiled()
def add_blocks(frames: Array, n_pixels: Any, width: Any, binning: Any, blocks: Array) -> None:
    """Write the sum over each block of each frame.

    Parameters
    ----------
    frames : (frames, pixels) array
        Rows of `width` pixels.
    n_pixels : int
        How many of each frame count.
    width, binning : int
        See `Grid`.
    blocks : (frames, blocks) array
        Is written to; of a dtype that holds the sums.
    """
    wide = blocks.dtype.type
    across = (width + binning - 1) // binning
    for frame in range(frames.shape[0]):
        out = blocks[frame]
        out[:] = 0
        for y in range(n_pixels // width):
            row = frames[frame, y * width : (y + 1) * width]
            first = y // binning * across
            for x in range(width):
                out[first + x // binning] += wide(row[x])
