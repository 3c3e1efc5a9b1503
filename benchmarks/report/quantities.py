"""What the numbers of the live cases are called, and how they are written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


def seconds(value: float) -> str:
    """Write a time with the unit that fits."""
    return f"{value:.2f} s" if value >= 1 else f"{1000 * value:.3g} ms"


def megabytes(value: float) -> str:
    return f"{value / 1e6:.0f} MB"


def times(value: float) -> str:
    return f"x {value:.2f}"


def rate(value: float) -> str:
    return f"{value:.3g} /s"


def count(value: float) -> str:
    return f"{value:.0f}"


@dataclass(frozen=True)
class Quantity:
    """A row of the table of live behaviour.

    Parameters
    ----------
    key, title : str
        For machines and for people.
    write : callable
        Turns a number into text.
    highest_is_best : bool
        Which of LiberTEM's executors is its best.
    """

    key: str
    title: str
    write: Callable[[float], str]
    highest_is_best: bool = False

    def text(self, value: Any) -> str:
        """Write a value, which may be missing or a word."""
        if value is None:
            return ""
        return value if isinstance(value, str) else self.write(value)


QUANTITIES = (
    Quantity("steps", "intermediate results", count, highest_is_best=True),
    Quantity("cost", "time with them, of a plain run", times),
    Quantity("first", "first intermediate result", seconds),
    Quantity("tiny", "tiny run (16x16x32x32)", seconds),
    Quantity("two-raw", "two concurrent analyses, raw, of one", times),
    Quantity("four-raw", "four", times),
    Quantity("ten-raw", "ten", times),
    Quantity("different-raw", "four different ones, of the slowest", times),
    Quantity("two-gzip", "two concurrent analyses, gzip HDF5, of one", times),
    Quantity("four-gzip", "four", times),
    Quantity("ten-gzip", "ten", times),
    Quantity("different-gzip", "four different ones, of the slowest", times),
    Quantity("live-raw", "four live analyses with two images each, raw, of without views", times),
    Quantity("shown-raw", "four that a cell shows", times),
    Quantity("saved-raw", "four that a cell shows, until their last pictures are saved", times),
    Quantity("live-gzip", "four live analyses with two images each, gzip HDF5, of without", times),
    Quantity("shown-gzip", "four that a cell shows", times),
    Quantity("saved-gzip", "four that a cell shows, until their last pictures are saved", times),
    Quantity("cancel-cpu", "processor time after a cancel at 50 ms", seconds),
    Quantity("cancel-idle", "from the cancel to idle", seconds),
    Quantity("cancel-cpu-gzip", "processor time after a cancel, gzip HDF5", seconds),
    Quantity("cancel-idle-gzip", "from the cancel to idle, gzip HDF5", seconds),
    Quantity("cancel-cpu-python", "processor time after a cancel, Python UDF", seconds),
    Quantity("cancel-idle-python", "from the cancel to idle, Python UDF", seconds),
    Quantity("moved-disk", "a disk (r 14) moved by a pixel, out of the store; new runs", seconds),
    Quantity("moved-disk-peers", "of it, LiberTEM's best", times, True),
    Quantity("moved-disk-numpy", "of it, NumPy on the array in memory", times, True),
    Quantity("moved-disk-again", "of it, a new run of ours", times, True),
    Quantity("moved-annulus", "an annulus (20-60) moved by a pixel", seconds),
    Quantity("moved-annulus-peers", "of it, LiberTEM's best", times, True),
    Quantity("moved-annulus-numpy", "of it, NumPy on the array in memory", times, True),
    Quantity("moved-annulus-again", "of it, a new run of ours", times, True),
    Quantity("store-copy", "speed of building the store, of a bare copy", times, True),
    Quantity("store-beside", "a run that begins while the store is built, of one alone", times),
    Quantity("processes-counted", "a millisecond of Python per frame, two processes", seconds),
    Quantity("processes-counted-threads", "as fast as our threads", times, True),
    Quantity("processes-counted-dask", "as fast as LiberTEM's default", times, True),
    Quantity("processes-bare", "as long as the bare loop in two processes", times),
    Quantity("processes-framemax", "frame.max(), two processes", seconds),
    Quantity("processes-framemax-threads", "as fast as our threads", times, True),
    Quantity("processes-framemax-best", "as fast as LiberTEM's best", times, True),
    Quantity("processes-sums", "sum and sum per frame, two processes", seconds),
    Quantity("processes-sums-threads", "as fast as our threads", times, True),
    Quantity("processes-sums-dask", "as fast as LiberTEM's default", times, True),
    Quantity("processes-first", "first merge, processes that have run before", seconds),
    Quantity("processes-steps", "merges, two processes", count, True),
    Quantity("processes-two", "two concurrent analyses, two processes, of one", times),
    Quantity("processes-memory", "memory of the client of two processes, of threads", times),
    Quantity("painted-256", "pictures of 256 x 256 painted in a second", rate),
    Quantity("painted-256-imagegl", "of it, bqplot-image-gl's ImageGL", times),
    Quantity("painted-256-ipympl", "of it, ipympl", times),
    Quantity("painted-making-256", "processor time to make and send one", seconds),
    Quantity("painted-cpu-256", "of all that the kernel does meanwhile, for one", seconds),
    Quantity("painted-1024", "pictures of 1024 x 1024 painted in a second", rate),
    Quantity("painted-1024-imagegl", "of it, bqplot-image-gl's ImageGL", times),
    Quantity("painted-1024-ipympl", "of it, ipympl", times),
    Quantity("painted-making-1024", "processor time to make and send one", seconds),
    Quantity("painted-cpu-1024", "of all that the kernel does meanwhile, for one", seconds),
    Quantity("painted-4096", "pictures of 4096 x 4096 painted in a second", rate),
    Quantity("painted-4096-imagegl", "of it, bqplot-image-gl's ImageGL", times),
    Quantity("painted-4096-ipympl", "of it, ipympl", times),
    Quantity("painted-making-4096", "processor time to make and send one", seconds),
    Quantity("painted-cpu-4096", "of all that the kernel does meanwhile, for one", seconds),
    Quantity("contrast", "contrasts of 1024 x 1024 painted in a second of a drag", rate),
    Quantity("contrast-moves", "of the moves of the hand, 60 per second", times),
    Quantity("iterators", "two concurrent async iterators", count),
    Quantity("instance", "same UDF instance in two runs at once", count),
    Quantity("history", "a stored intermediate result", count),
    Quantity("start", "import and Context", seconds),
    Quantity("memory", "peak anonymous memory", megabytes),
    Quantity("inexact", "inexact sum pixels of 1024, large counts", count),
    Quantity("huge", "4 GiB under a limit of 1.5 GiB: peak", megabytes),
)
