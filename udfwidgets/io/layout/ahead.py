"""Has the system read scattered frames of a mapped file all at once, and nothing between them.

At a page that is not in memory it waits for the disk, and reads what lies around that page as well:
of single frames of a coarse lattice one after the other, and mostly what nobody asked for. Told of
them before, it reads them together (docs/decisions/370-scattered-frames.md).
"""

from __future__ import annotations

import mmap

import numpy as np
import numpy.typing as npt
from numba import types

from udfwidgets.compiling import compiled
from udfwidgets.io.layout.guard import GuardedMap
from udfwidgets.io.source import Array

#: Whether a system can be told. On others there is nothing that `_advise` could call.
CAN_TELL = hasattr(mmap, "MADV_WILLNEED")
#: Frames with at least so many others between any two of them are scattered.
APART = 2
#: Frames of fewer bytes are read in no time, with what lies between them.
LEAST = 16 * 1024

_WILL_NEED = getattr(mmap, "MADV_WILLNEED", 0)
_advise = types.ExternalFunction("madvise", types.intc(types.uintp, types.uintp, types.intc))


def fetch(frames: Array, numbers: npt.NDArray[np.int64]) -> None:
    """Have frames be read from the disk, if they are scattered over a mapped file.

    It does not wait for them, and tells of nothing that goes wrong: whoever looks at them does.

    Parameters
    ----------
    frames : numpy.ndarray
        All of a stretch.
    numbers : numpy.ndarray of int
        Those that are looked at next, ascending.
    """
    n_bytes = frames.nbytes // max(len(frames), 1)
    is_scattered = len(numbers) and numbers[-1] - numbers[0] >= (1 + APART) * (len(numbers) - 1)
    if CAN_TELL and is_scattered and n_bytes >= LEAST and _is_mapped(frames):
        _tell(frames.ctypes.data, frames.strides[0], n_bytes, numbers, mmap.PAGESIZE)


def _is_mapped(frames: Array) -> bool:
    """Whether an array shows a file."""
    owner: object = frames
    while isinstance(owner, (np.ndarray, memoryview)):
        owner = owner.obj if isinstance(owner, memoryview) else owner.base
    return isinstance(owner, GuardedMap)


@compiled()
def _tell(start, stride, n_bytes, numbers, page):  # type: ignore[no-untyped-def]
    """Tell of each frame, in whole pages."""
    for number in numbers:
        first = start + number * stride
        begin = first // page * page
        _advise(begin, first + n_bytes - begin, _WILL_NEED)
