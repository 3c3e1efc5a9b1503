"""Memory for frames under way: taken for a copy, given back when the browser has painted it.

A comm sends buffers without copying them, later and on another thread, so what is sent must not
change afterwards. Allocating megabytes for every frame costs page faults; a few are kept instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

#: Two frames under way of each of eight images; what is more is left to the allocator.
KEPT = 16


@dataclass(frozen=True, eq=False)
class Lease:
    """A piece of memory on loan."""

    memory: memoryview
    _block: Bytes
    _pool: BufferPool

    def give_back(self) -> None:
        """Allow it to be used again."""
        self._pool._free_block(self._block)


class BufferPool:
    """Blocks of memory by size, in powers of two.

    Parameters
    ----------
    kept : int
        Blocks kept for reuse at most.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        # No lock: copies are made, and acknowledgements heard, on the hub's thread only.
        self._free: list[Bytes] = []

    def copy(self, array: npt.NDArray[Any]) -> Lease:
        """Return a C-ordered copy of the bytes of `array`."""
        size = array.nbytes
        block = self._take(size)
        np.copyto(block[:size].view(array.dtype).reshape(array.shape), array)
        return Lease(block.data[:size], block, self)

    def _take(self, size: int) -> Bytes:
        # What changes of a picture is of another size each time: in powers of two blocks fit again.
        capacity = max(64, 1 << (size - 1).bit_length()) if size else 64
        for index, block in enumerate(self._free):
            if block.size == capacity:
                return self._free.pop(index)
        return np.empty(capacity, np.uint8)

    def _free_block(self, block: Bytes) -> None:
        self._free.append(block)
        if len(self._free) > self._kept:
            # The oldest: a size that is not asked for any more does not stay for ever.
            self._free.pop(0)
