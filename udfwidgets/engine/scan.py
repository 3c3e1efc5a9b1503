"""A scan: one pass over a dataset, shared by the runs that want its frames.

It has one place, at which all of its runs are. A run that comes late joins there, and gets what it
has missed when the scan begins again from the start. A run that has no room for more, or pauses, is
passed over, and gets what it has missed in the same way.

It is not thread-safe: whoever owns it guards it with a lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from udfwidgets.engine.order import Order, Positions, coarse_to_fine
from udfwidgets.engine.plan import Partition
from udfwidgets.engine.reading import Frames
from udfwidgets.engine.share import Share
from udfwidgets.errors import AcquisitionEnded
from udfwidgets.io.dataset.base import DataSet, Source

if TYPE_CHECKING:
    from udfwidgets.engine.run import Run

# Positions that are looked at together for frames that somebody waits for.
WINDOW = 1024
# A run may take so many times as long as reading and all others together; then it goes alone.
PATIENCE = 8.0


@dataclass(frozen=True, eq=False)
class Assignment:
    """What one worker does next.

    Attributes
    ----------
    scan : Scan
        Where it comes from.
    frames : numpy.ndarray of int
        Numbers of the frames to read, ascending.
    shares : tuple of Share
        Who gets them, or some of them.
    """

    scan: Scan
    frames: Frames
    shares: tuple[Share, ...]

    @property
    def depth(self) -> int:
        """Frames in a tile: as many as suit everybody."""
        return min(share.run.plan.tile_depth for share in self.shares)

    @property
    def frame_bytes(self) -> int:
        """Size of one frame."""
        return self.shares[0].run.plan.frame_bytes


class Scan:
    """One pass over a dataset.

    Parameters
    ----------
    dataset : DataSet
        What is read.
    source : Source
        Where it is read from; open for as long as there are runs.
    order : {'scan', 'progressive'}
        In which frames are visited.
    place : int
        Where to begin, counted in that order.
    """

    def __init__(
        self, dataset: DataSet, source: Source, order: Order = "scan", place: int = 0
    ) -> None:
        self.dataset = dataset
        self.source = source
        self.order = order
        self.place = place
        self.frames_per_block = dataset.frames_per_block
        self._positions: Positions | None = None
        if order == "progressive":
            self._positions = coarse_to_fine(dataset.shape.nav, self.frames_per_block)
        self.runs: list[Run] = []
        # Seconds per frame that reading has taken, and each run; None where not known yet.
        self.reading: float | None = None
        self.costs: dict[Run, float] = {}
        # Frames, from the first one on, that a growing source has by now; None for all of them.
        self._arrived: int | None = None

    def take(self) -> Assignment | None:
        """Return what is to be done next, or None where nobody can take anything."""
        ready = [run for run in self.runs if run.is_ready()]
        if not ready:
            return None
        try:
            end = self._look_what_arrived()
        except Exception as error:
            # Only for those who read from this source: a pool takes from other scans, too.
            for run in ready:
                run.fail(error)
            return None
        frames = self._next_frames(ready)
        shares = [
            Share(run, Partition.of(run.plan.rows_of(taken)))
            for run in ready
            if len(taken := run.backlog.take(frames))
        ]
        if not shares:
            if end is not None:
                self._end_early(ready, end)
            return None
        wanted = shares[0].frames
        if any(len(share.frames) < len(frames) for share in shares) and len(shares) > 1:
            wanted = np.unique(np.concatenate([share.frames for share in shares]))
        return Assignment(self, wanted, tuple(shares))

    def _look_what_arrived(self) -> AcquisitionEnded | None:
        """Ask the source how far it is; return why no more will come, if so."""
        try:
            self._arrived = self.source.available()
        except AcquisitionEnded as error:
            # What did arrive is still to be merged.
            self._arrived = error.n_frames
            return error
        return None

    def _end_early(self, ready: Sequence[Run], end: AcquisitionEnded) -> None:
        """Let the runs fail that have nothing left but frames that will not come."""
        for run in ready:
            if not run.in_flight:
                run.fail(end)

    def _next_frames(self, ready: Sequence[Run]) -> Frames:
        """Return frames, ascending, that somebody waits for; the place moves past them."""
        n_frames = self.dataset.shape.nav.size
        for begin, end in ((self.place, n_frames), (0, n_frames)):
            found = self._wanted(ready, begin, end)
            if len(found):
                last = -(-(int(found[-1]) + 1) // self.frames_per_block) * self.frames_per_block
                self.place = min(last, n_frames) % n_frames
                frames = self._frames(int(found[0]), min(last, n_frames))
                arrived = frames if self._arrived is None else frames[frames < self._arrived]
                return arrived if self._positions is None else np.sort(arrived)
        return np.zeros(0, np.int64)

    def _wanted(self, ready: Sequence[Run], begin: int, end: int) -> Frames:
        """Return the positions from `begin` on at which somebody waits for the frame.

        It is enough when the first run has as many as it can take at once.
        """
        found: list[Frames] = []
        room = {run: run.pace.size for run in ready}
        window = max(WINDOW, *room.values())
        while begin < end and min(room.values()) > 0:
            stop = min(begin + window, end)
            frames = self._frames(begin, stop)
            cut, anybody = len(frames), np.zeros(len(frames), bool)
            for run in ready:
                waits = run.backlog.waiting[frames]
                if self._arrived is not None:
                    waits &= frames < self._arrived
                own = np.flatnonzero(waits)
                if len(own) >= room[run]:
                    cut = min(cut, int(own[room[run] - 1]) + 1)
                room[run] -= len(own)
                anybody |= waits
            found.append(np.flatnonzero(anybody[:cut]) + begin)
            begin, window = stop, 2 * window
        return np.concatenate(found) if found else np.zeros(0, np.int64)

    def _frames(self, begin: int, end: int) -> Frames:
        return np.arange(begin, end) if self._positions is None else self._positions[begin:end]

    def join(self, run: Run, cost: float | None = None) -> None:
        """Take a run in; from now on it is served with the others."""
        self.runs.append(run)
        if cost is not None:
            self.costs[run] = cost

    def leave(self, run: Run) -> None:
        """Let a run go."""
        self.runs.remove(run)
        self.costs.pop(run, None)

    @property
    def is_known(self) -> bool:
        """Whether it is known what each of its runs costs."""
        return len(self.costs) == len(self.runs)

    def takes(self, run: Run) -> bool:
        """Whether a run can be served here: the order counts where one was asked for."""
        any_order = run.order is None or run.wanted_order == self.order
        return self.dataset is run.dataset and any_order

    def suits(self, run: Run, cost: float) -> bool:
        """Whether a run would not hold up the others here by more than the patience there is."""
        if self.reading is None or not self.is_known:
            return False
        return is_bearable(self.reading, {**self.costs, run: cost})

    def too_slow(self) -> Run | None:
        """Return a run that holds up the others, if there is one."""
        if self.reading is None or len(self.runs) < 2 or not self.costs:
            return None
        slowest = max(self.costs, key=self.costs.__getitem__)
        return None if is_bearable(self.reading, self.costs) else slowest

    def learn(self, assignment: Assignment, reading: float) -> None:
        """Take note of what an assignment has cost."""
        self.reading = reading / len(assignment.frames)
        for share in assignment.shares:
            if share.run in self.runs:
                self.costs[share.run] = share.seconds / len(share.frames)


def is_bearable(reading: float, costs: Mapping[Run, float]) -> bool:
    """Whether none of some runs takes much longer than reading and all the others together."""
    slowest, total = max(costs.values()), sum(costs.values())
    return slowest <= PATIENCE * (reading + total - slowest)
