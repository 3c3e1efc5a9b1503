"""A backlog: the frames of a run that no worker has taken yet.

They are kept in the order in which a scan visits them, as bytes. Workers look at them under a lock
that all wait for, so nothing here gives up the GIL, as NumPy does in every longer step: beside a
cell that is busy with Python code, a thread gets it back a millisecond later.
"""

from __future__ import annotations

import numpy as np

from udfwidgets.engine.plan.order import Positions
from udfwidgets.engine.plan.partitions import Plan
from udfwidgets.engine.plan.reading import Frames

# Positions that are looked at together, to begin with.
WINDOW = 1024


class Backlog:
    """Which of the wanted frames wait to be taken.

    Places are positions in the scan's order: `begin` is the first one, `end` comes after the last.

    Parameters
    ----------
    plan : Plan
        Says which frames are wanted.

    Attributes
    ----------
    count : int
        How many frames wait.
    """

    def __init__(self, plan: Plan) -> None:
        n_frames = plan.shape.nav.size
        wanted = b"\1" * n_frames if plan.wanted is None else plan.wanted.astype("u1").tobytes()
        self.count = plan.n_frames
        self._order: Positions | None = None
        self._keep(bytearray(wanted))

    def _keep(self, waiting: bytearray) -> None:
        # The same memory twice: `bytearray` finds, counts and clears with the GIL kept, and NumPy
        # gives it up (docs/decisions/050-gil.md).
        self._bytes, self._waiting = waiting, np.frombuffer(waiting, bool)

    def arrange(self, order: Positions | None) -> None:
        """Go by another order of the frames; None for that of their numbers."""
        if order is self._order:
            return
        by_number = np.array(self._waiting)
        if self._order is not None:
            by_number[self._order] = self._waiting
        self._order = order
        self._keep(bytearray(by_number if order is None else by_number[order]))

    def first(self, begin: int, end: int) -> int:
        """Return the place of the first one that waits, or -1."""
        return self._bytes.find(1, begin, end)

    def last(self, begin: int, end: int) -> int:
        """Return the place of the last one that waits, or -1."""
        return self._bytes.rfind(1, begin, end)

    def nth(self, n: int, begin: int, end: int) -> int:
        """Return the place of the n-th one that waits, counted from 1, or -1."""
        at = self.first(begin, end)
        if at < 0:
            return -1
        window = n
        while at < end:
            stop = min(at + window, end)
            there = self._bytes.count(1, at, stop)
            if there >= n:
                # So it is nearly always; only then nothing has to be looked for in NumPy.
                all_wait = there == stop - at
                return at + (n - 1 if all_wait else int(self._waiting[at:stop].nonzero()[0][n - 1]))
            at, n, window = stop, n - there, max(WINDOW, 2 * window)
        return -1

    def take(self, begin: int, end: int) -> Frames | None:
        """Return where those were that waited, counted from `begin`; from now on they do not.

        Returns
        -------
        numpy.ndarray of int or None
            None for all from `begin` to `end`.
        """
        there = self._bytes.count(1, begin, end)
        # No numbers are made where all are meant: the lock is held.
        taken = None if there == end - begin else self._waiting[begin:end].nonzero()[0]
        self._bytes[begin:end] = bytes(end - begin)
        self.count -= there
        return taken
