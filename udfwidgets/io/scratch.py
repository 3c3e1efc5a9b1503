"""Memory that one worker uses over and over."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class Scratch:
    """Memory that one worker reuses from read to read.

    It grows to the largest request and lives as long as the worker works for a run.
    """

    def __init__(self) -> None:
        self._slots: dict[str, npt.NDArray[np.uint8]] = {}

    def array(self, shape: tuple[int, ...], dtype: npt.DTypeLike, slot: str = "frames") -> Array:
        """Return an uninitialised, C-contiguous array, valid until the slot is asked for again.

        Parameters
        ----------
        shape, dtype
            Of the array.
        slot : str
            Arrays from different slots can be used at the same time.
        """
        dtype = np.dtype(dtype)
        n_bytes = math.prod(shape) * dtype.itemsize
        memory = self._slots.get(slot)
        if memory is None or memory.nbytes < n_bytes:
            memory = self._slots[slot] = np.empty(n_bytes, np.uint8)
        return memory[:n_bytes].view(dtype).reshape(shape)
