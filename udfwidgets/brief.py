"""What takes some microseconds is done without giving up the GIL.

NumPy gives it up in every step on more than 500 elements. A thread gets it back at once where
nobody else wants it. Beside a cell that is busy with Python code it waits for a millisecond, each
time, and a worker that merges small arrays comes to nothing else.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

# Elements for which NumPy keeps the GIL.
# The measurements are in docs/decisions/050-gil.md.
STEP = 500
# What is larger is done in one go: it would take longer than to wait.
# Up to here the GIL is kept for no more than 30 us.
LONGEST = 32 * 1024
MOST_BYTES = 512 * 1024

Array = npt.NDArray[Any]


def zeros(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Return a new array of zeros."""
    n_bytes = math.prod(shape) * dtype.itemsize
    if n_bytes > MOST_BYTES or dtype.hasobject:
        return np.zeros(shape, dtype)
    # `bytearray` clears its memory with the GIL kept, where `np.zeros` gives it up.
    array: Array = np.ndarray(shape, dtype, bytearray(n_bytes))
    return array


def add_to(total: Array, part: Array) -> None:
    """Do ``total += part``, for arrays of one shape."""
    contiguous = total.flags.c_contiguous and part.flags.c_contiguous
    if total.size > LONGEST or not contiguous:
        total += part
        return
    total, part = total.reshape(-1), part.reshape(-1)
    for at in range(0, total.size, STEP):
        total[at : at + STEP] += part[at : at + STEP]


def put(array: Array, rows: slice | npt.NDArray[np.int64], values: Array | bool) -> None:
    """Do ``array[rows] = values``."""
    simple = array.ndim == 1 and not array.dtype.hasobject
    if isinstance(rows, slice) or not simple or len(rows) > LONGEST:
        array[rows] = values
        return
    for at in range(0, len(rows), STEP):
        some = slice(at, at + STEP)
        array[rows[some]] = values if isinstance(values, bool) else values[some]
