"""What is asked for ahead is read from the disk, and nothing else is."""

from __future__ import annotations

import ctypes
import mmap
import os
import time

import numpy as np
import pytest

from udfwidgets.io.layout import ahead
from udfwidgets.io.layout.ahead import CAN_TELL, fetch
from udfwidgets.io.layout.files import map_array

N_FRAMES, SIDE = 96, 128
#: Pages of a frame of 32 KiB.
PAGES = SIDE * SIDE * 2 // mmap.PAGESIZE

pytestmark = pytest.mark.skipif(
    not (CAN_TELL and hasattr(os, "posix_fadvise")), reason="the system cannot be told"
)


def cold(folder):
    """Return frames of a file of which nothing is in memory."""
    path = folder / "scan.raw"
    values = np.arange(N_FRAMES, dtype="u2")[:, np.newaxis, np.newaxis]
    with path.open("wb") as file:
        file.write(np.broadcast_to(values, (N_FRAMES, SIDE, SIDE)).tobytes())
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    mapped = map_array(path, "u2", 0, (N_FRAMES, SIDE, SIDE))
    if in_memory(mapped).any():
        pytest.skip("files in this folder stay in memory")
    return mapped


def in_memory(frames):
    """Return for each frame whether any page of it is in memory, without a look at it."""
    pages = np.zeros(N_FRAMES * PAGES, np.uint8)
    libc = ctypes.CDLL(None, use_errno=True)
    failed = libc.mincore(
        ctypes.c_void_p(frames.ctypes.data),
        ctypes.c_size_t(frames.nbytes),
        ctypes.c_void_p(pages.ctypes.data),
    )
    assert not failed
    return (pages & 1).reshape(N_FRAMES, PAGES).any(axis=1)


def test_scattered_frames_are_read_and_none_between_them(tmp_path):
    frames = cold(tmp_path)
    numbers = np.arange(3, N_FRAMES, 6)
    fetch(frames, numbers)
    deadline = time.monotonic() + 10
    while in_memory(frames).sum() < len(numbers) and time.monotonic() < deadline:
        time.sleep(0.001)  # the disk is at it
    np.testing.assert_array_equal(np.flatnonzero(in_memory(frames)), numbers)
    np.testing.assert_array_equal(frames[numbers].max(axis=(1, 2)), numbers)


@pytest.mark.parametrize("numbers", [[], range(N_FRAMES), range(0, N_FRAMES, 2)])
def test_frames_that_lie_together_are_left_to_the_system(tmp_path, monkeypatch, numbers):
    frames, told = cold(tmp_path), []
    monkeypatch.setattr(ahead, "_tell", lambda *what: told.append(what))
    fetch(frames, np.array(numbers, np.int64))
    assert told == []
    fetch(frames, np.arange(0, N_FRAMES, 6))
    assert len(told) == 1


def test_of_arrays_that_are_no_files_nothing_is_told():
    array = np.zeros((N_FRAMES, SIDE, SIDE), "u2")
    fetch(array, np.arange(0, N_FRAMES, 6))
    fetch(array[:0], np.zeros(0, np.int64))
