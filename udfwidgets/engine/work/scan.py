"""A scan: one pass over a dataset, shared by the runs that want its frames.

It has one place, at which all of its runs are. A run that comes late joins there, and gets what it
has missed when the scan begins again from the start. A run that has no room for more, or pauses, is
passed over, and gets what it has missed in the same way.

It is not thread-safe: whoever owns it guards it with a lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from udfwidgets.engine.merge.progress import PRESENTABLE
from udfwidgets.engine.plan.order import Order, Positions, Sight, coarse_to_fine, in_sight_first
from udfwidgets.engine.plan.partitions import Partition
from udfwidgets.engine.plan.reading import Frames
from udfwidgets.engine.run import Run
from udfwidgets.engine.work.share import Served, Share
from udfwidgets.errors import AcquisitionEnded
from udfwidgets.io.dataset.base import DataSet
from udfwidgets.io.source import Source

# A run may take so many times as long as reading and all others together; then it goes alone.
# What a UDF costs is not known before it has run (docs/decisions/002-shared-scan.md).
PATIENCE = 8.0


@dataclass(eq=False)
class Assignment:
    """What one worker does next.

    It is handed out under a lock that all workers wait for, and worked out afterwards.

    Parameters
    ----------
    scan : Scan
        Where it comes from.
    begin, end : int
        The frames in question, counted in the order of the scan.
    taken : mapping of Served to (numpy.ndarray of int or None)
        Which of them each run gets, counted from `begin`; None for all.

    Attributes
    ----------
    shares : sequence of Share
        What each run gets.
    frames : numpy.ndarray of int
        Numbers of the frames to read, ascending.
    """

    scan: Scan
    begin: int
    end: int
    taken: Mapping[Served, Frames | None]
    shares: Sequence[Share] = ()
    frames: Frames = field(default_factory=lambda: np.zeros(0, np.int64))

    def work_out(self) -> None:
        """Find out what is to be read, and make the shares."""
        positions, shares = self.scan.frames(self.begin, self.end), []
        # Most often all frames are wanted, and of runs without a roi: what is the same for them is
        # worked out once.
        self.frames = np.sort(positions) if self.scan.order == "progressive" else positions
        whole: Partition | None = None
        for run, places in self.taken.items():
            if places is None and run.plan.frames is None:
                whole = whole or Partition.of(self.frames)
                shares.append(Share(run, whole, self.frames))
            else:
                own = self.frames if places is None else np.sort(positions[places])
                shares.append(Share(run, Partition.of(run.plan.rows_of(own)), own))
        self.shares = shares
        if not any(share.frames is self.frames for share in shares):
            self.frames = np.unique(np.concatenate([share.frames for share in shares]))

    @property
    def depth(self) -> int:
        """Frames in a tile: as many as suit everybody."""
        return min(run.plan.tile_depth for run in self.taken)

    @property
    def frame_bytes(self) -> int:
        """Size of one frame."""
        return next(iter(self.taken)).plan.frame_bytes


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
    sight : Sight, optional
        What comes first in progressive order.
    in_background : bool
        Whether its runs, all of them, make way for those of other scans.
    """

    def __init__(
        self,
        dataset: DataSet,
        source: Source,
        order: Order = "scan",
        place: int = 0,
        sight: Sight | None = None,
        *,
        in_background: bool = False,
    ) -> None:
        self.in_background = in_background
        self.dataset = dataset
        self.source = source
        self.order = order
        self.place = place
        self.frames_per_block = dataset.frames_per_block
        self._positions: Positions | None = None
        self.sight = sight
        if order == "progressive":
            asked = dataset.shape.nav, self.frames_per_block
            self._positions = (
                coarse_to_fine(*asked) if sight is None else in_sight_first(*asked, sight)
            )
        # In scan order nothing is taken across a gap: UDFs may count on frames that follow each
        # other. Bytes, for the same reason as in a backlog.
        self._missing = b""
        if order == "scan" and dataset.missing is not None:
            self._missing = dataset.missing.astype("u1").tobytes()
        self.runs: list[Run] = []
        # Seconds per frame that reading has taken, and each run; None where not known yet.
        self.reading: float | None = None
        self.costs: dict[Run, float] = {}
        # Frames, from the first one on, that a growing source has by now; None for all of them.
        self._arrived: int | None = None
        #: Whether its runs could go on, had more frames come.
        self.is_waiting = False
        #: Whether a thread was brought because a person waits.
        self.has_help = False

    @classmethod
    def of(cls, run: Run, place: int = 0) -> Scan:
        """Return the pass that a run would choose, which is still to join it."""
        order, sight, in_background = run.wanted_order, run.job.sight, run.in_background
        return cls(run.dataset, run.source, order, place, sight, in_background=in_background)

    def is_chosen_by(self, run: Run) -> bool:
        """Whether a run would visit the frames in the very same order."""
        return run.wanted_order == self.order and run.job.sight is self.sight

    @property
    def is_urgent(self) -> bool:
        """Whether a person waits for the first picture of one of its runs."""
        return any(run.is_urgent for run in self.runs)

    def is_far_from(self, other: Scan) -> bool:
        """Whether one is at its first pictures, which a person waits for, and the other beyond."""
        return (self.is_urgent and other.place >= PRESENTABLE) or (
            other.is_urgent and self.place >= PRESENTABLE
        )

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
        span = self._next_span(ready)
        self.is_waiting = span is None
        if span is None:
            if end is not None:
                self._end_early(ready, end)
            return None
        # For all that are ready, also those that wait for few of these frames: they are read once.
        # Who is not ready finds them in its backlog on the next round.
        taken = {run: run.backlog.take(*span) for run in ready}
        getting: dict[Served, Frames | None] = {
            run: places for run, places in taken.items() if places is None or len(places)
        }
        for run, places in taken.items():
            if run in getting:
                run.pace.took(span[1] - span[0] if places is None else len(places))
        return Assignment(self, *span, getting)

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

    def _next_span(self, ready: Sequence[Run]) -> tuple[int, int] | None:
        """Return from where to where somebody waits for frames; the place moves past them."""
        n_frames = self.dataset.shape.nav.size
        # What still comes is visited as it comes.
        arrived = n_frames if self._arrived is None else min(self._arrived, n_frames)
        for begin in (self.place, 0):
            span = _wanted(ready, begin, arrived)
            if span is not None:
                last = -(-span[1] // self.frames_per_block) * self.frames_per_block
                if (gap := self._missing.find(1, span[0], last)) >= 0:
                    last = gap
                self.place = min(last, n_frames) % n_frames
                return span[0], min(last, arrived)
        return None

    def frames(self, begin: int, end: int) -> Positions:
        """Return numbers of frames, counted in the scan's order."""
        return np.arange(begin, end) if self._positions is None else self._positions[begin:end]

    def join(self, run: Run, cost: float | None = None) -> None:
        """Take a run in; from now on it is served with the others."""
        run.backlog.arrange(self._positions)
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

    @property
    def per_frame(self) -> float:
        """Seconds that a frame takes one worker; 0 if not known yet."""
        return (self.reading or 0.0) + sum(self.costs.values()) if self.is_known else 0.0

    def frames_within(self, seconds: float) -> int:
        """Return how many frames one worker is through with in some time; 0 if not known yet."""
        per_frame = self.per_frame
        return int(seconds / per_frame) if per_frame > 0 else 0

    def takes(self, run: Run) -> bool:
        """Whether a run can be served here: the order counts where one was asked for."""
        any_order = run.job.order is None or run.wanted_order == self.order
        is_alike = self.in_background is run.in_background
        return self.dataset is run.dataset and any_order and is_alike

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
        if not len(assignment.frames):
            return  # it was not worked out
        self.reading = reading / len(assignment.frames)
        for share in assignment.shares:
            if share.run in self.runs:
                self.costs[share.run] = share.seconds / len(share.frames)


def _wanted(runs: Sequence[Run], begin: int, end: int) -> tuple[int, int] | None:
    """Return from where to where somebody waits; None where nobody does.

    It is enough when the first run has as many frames as it can take at once.
    """
    firsts = [at for run in runs if (at := run.backlog.first(begin, end)) >= 0]
    if not firsts:
        return None
    # By each run's own frames: one that has few in here must not cut the partitions of the others.
    full = [at for run in runs if (at := run.backlog.nth(run.pace.size, begin, end)) >= 0]
    last = min(full) if full else max(run.backlog.last(begin, end) for run in runs)
    return min(firsts), last + 1


def is_bearable(reading: float, costs: Mapping[Run, float]) -> bool:
    """Whether none of some runs takes much longer than reading and all the others together."""
    slowest, total = max(costs.values()), sum(costs.values())
    return slowest <= PATIENCE * (reading + total - slowest)
