"""How large the next partition is, so that merge steps come at an even pace."""

from __future__ import annotations

import math
import threading
import time
from typing import Protocol

# Steps that a run should have, if it is long enough for them to be worth their cost.
STEPS = 38
# Below this a partition's own cost (buffers, merge, snapshot) shows; above it the picture lags.
SHORTEST = 0.005
LONGEST = 0.04
# What is left is shared out evenly among the workers, but not in pieces of less than that.
BRIEFEST = 0.001
# Where merging takes long, because results are large, a partition takes this many times as long.
WORK_PER_MERGE = 12
# The next partition has at most so many times as many frames.
# By four, merges with 2048 positions of a scan, which make a picture, came after 40 ms instead of
# 25 (docs/decisions/051-first-picture.md).
GROWTH = 3
# Compiled loops take so many frames at once; what is left over takes them longer.
TOGETHER = 8


class Pace(Protocol):
    """Decides how large the next partition is."""

    @property
    def size(self) -> int:
        """Frames that the next partition should have."""

    def took(self, n_frames: int) -> None:
        """Take note that a worker has begun with so many frames."""

    def learn(self, n_frames: int, seconds: float, merging: float) -> None:
        """Take note of a partition of `n_frames`.

        Parameters
        ----------
        n_frames : int
            In the partition.
        seconds : float
            What processing it took of one worker's time.
        merging : float
            Seconds that merging it took, subscribers included.
        """


class Cadence:
    """Learns how long a frame takes and sizes partitions by time.

    Parameters
    ----------
    n_frames : int
        Selected frames of the run.
    workers : int
        Threads or processes that work on it at the same time.
    first : int
        Frames in the first partitions, before anything is known: few, for an early first picture.
    most : int
        Frames that a partition may have at most, to bound its memory.
    travel : float
        Seconds that the way of a partition to a worker and back takes; counts as merging it does.
    """

    def __init__(
        self, n_frames: int, workers: int, first: int, most: int, travel: float = 0.0
    ) -> None:
        self._n_frames = n_frames
        self._workers = workers
        self._most = max(most, 1)
        self._size = max(1, min(first, self._most))
        self._travel = travel
        self._shortest, self._longest = SHORTEST, LONGEST
        # What the first merge takes counts as it is, unless the way is known to count for more.
        self._merging = travel or math.inf
        self._per_frame = 0.0
        self._left = n_frames
        #: With how many frames it was told to hurry; None: it was not.
        self.hurried: int | None = None
        # Workers that end at the same time learn on threads of their own, while another one takes.
        self._lock = threading.Lock()
        # When partitions that are under way were taken, and how many frames they have.
        self._under_way: list[tuple[float, int]] = []

    def hurry(self, first: int) -> None:
        """Have few and large partitions: nobody looks at anything before the end.

        Parameters
        ----------
        first : int
            Frames in the first ones; 0 for a few, so that others can join before it has much.
        """
        if first:
            self._size = _rounded(max(1, min(first, self._most)))
        self._shortest = self._longest
        self.hurried = first

    @property
    def size(self) -> int:
        """Frames that the next partition should have."""
        return min(self._size, self._even())

    def _even(self) -> int:
        """Return how many of the frames that are left make all workers end at the same time."""
        if not self._per_frame:
            return self._size
        now = time.perf_counter()
        with self._lock:
            under_way = [n - (now - began) / self._per_frame for began, n in self._under_way]
            even = (self._left + sum(n for n in under_way if n > 0)) / self._workers
        least = max(1, BRIEFEST / self._per_frame / TOGETHER)
        return math.ceil(max(least, even / TOGETHER)) * TOGETHER

    def took(self, n_frames: int) -> None:
        """Take note that so many frames are under way, see `Pace.took`."""
        with self._lock:
            self._left -= n_frames
            self._under_way.append((time.perf_counter(), n_frames))

    def learn(self, n_frames: int, seconds: float, merging: float = 0.0) -> None:
        """Take note of a partition, see `Pace.learn`."""
        with self._lock:
            self._learn(n_frames, seconds, merging)

    def _learn(self, n_frames: int, seconds: float, merging: float) -> None:
        self._per_frame = per_frame = max(seconds, 1e-9) / n_frames
        done = next((one for one in self._under_way if one[1] == n_frames), None)
        if done is not None:
            self._under_way.remove(done)
        target = per_frame * self._n_frames / STEPS
        target = min(max(target, self._shortest), self._longest)
        # Of the last two, the shorter: once in a while one has to wait for something else.
        merging += self._travel
        longest = min(merging, self._merging)
        target = max(target, WORK_PER_MERGE * longest)
        self._merging = merging
        wanted = int(target / per_frame)
        # Never grow more at once: the first partitions are too short to trust. What takes no longer
        # than its merge does no harm.
        grown = max(GROWTH * n_frames, int(longest / per_frame))
        largest = min(grown, -(-self._n_frames // self._workers), self._most)
        self._size = _rounded(max(1, min(wanted, largest)))


def _rounded(size: int) -> int:
    """Return a size that compiled loops take whole."""
    return size - size % TOGETHER if size > TOGETHER else size
