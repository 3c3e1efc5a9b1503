"""How much memory there is, and pages that are taken only when they are written to."""

from __future__ import annotations

import mmap
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psutil

# What a store may take of the memory that is free when it is begun.
SHARE = 0.25
# When less than this part of all memory is free, stores give back what they have.
SHORT = 1 / 16
# Where Linux says how much the processes of a container may take together, and how much they do.
_LIMITS = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ),
)


def free_memory() -> int:
    """Return how many bytes can still be taken, by this machine or its container."""
    return max(0, min(int(psutil.virtual_memory().available), *_within_limits()))


def free_space(folder: str | os.PathLike[str]) -> int:
    """Return how many bytes can still be written into a folder."""
    return shutil.disk_usage(folder).free


def is_short() -> bool:
    """Whether there is so little memory left that others need what a store has."""
    return free_memory() < SHORT * min(int(psutil.virtual_memory().total), *_limits())


def _limits() -> list[int]:
    found = [_number_in(limit) for limit, _ in _LIMITS]
    return [number for number in found if number is not None] or [psutil.virtual_memory().total]


def _within_limits() -> list[int]:
    left = []
    for limit, usage in _LIMITS:
        most, taken = _number_in(limit), _number_in(usage)
        if most is not None and taken is not None:
            left.append(most - max(0, taken - _given_back(usage.with_name("memory.stat"))))
    return left or [psutil.virtual_memory().available]


def _number_in(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # not Linux, no container, or "max"
        return None


def _given_back(path: Path) -> int:
    """Return how much of what is taken holds files that are read, and goes when it is needed."""
    try:
        facts = dict(line.split() for line in path.read_text().splitlines())
        return int(facts.get("inactive_file", 0))
    except (OSError, ValueError):
        return 0


def pages(n_bytes: int, large: int, folder: str | os.PathLike[str] | None) -> npt.NDArray[np.uint8]:
    """Return zeros, which take memory only where they are written to.

    Parameters
    ----------
    n_bytes : int
        How many.
    large : int
        How many of the first ones are going to be written to anyhow: in large pages, where there
        are any.
    folder : path or None
        Of a file that takes the place of memory. It has no name, and goes with the array.

    Raises
    ------
    OSError
        If there is no room in the folder.
    """
    if folder is None:
        memory = _anonymous(max(n_bytes, 1))
        if hasattr(mmap, "MADV_HUGEPAGE") and large:
            memory.madvise(mmap.MADV_HUGEPAGE, 0, large)
    else:
        with tempfile.TemporaryFile(dir=folder) as file:
            _reserve(file.fileno(), n_bytes)
            memory = mmap.mmap(file.fileno(), max(n_bytes, 1))
    return np.frombuffer(memory, np.uint8, n_bytes)


def _anonymous(n_bytes: int) -> mmap.mmap:
    if not hasattr(mmap, "MAP_PRIVATE"):
        return mmap.mmap(-1, n_bytes)
    # By default it could be shared with other processes, and has no large pages then: faults for
    # small ones take as long as everything else.
    return mmap.mmap(-1, n_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


def _reserve(descriptor: int, n_bytes: int) -> None:
    # Not a file with holes: to write to a map on a disk that is full is no error but a crash.
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, max(n_bytes, 1))
    else:
        os.truncate(descriptor, max(n_bytes, 1))
