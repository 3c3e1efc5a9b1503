"""The runs of an executor, grouped into scans, and which of them is served next.

Runs on the same dataset share a scan as soon as it is known what they cost: each begins alone, and
joins the others when its first partition is through, unless it would hold them up. A run that
turns out to be slow leaves again and is served separately.

There are two lanes, each with worker threads of its own: the fast lane for what is known to take
turns quickly, and the slow lane for newcomers while others are at work, and for UDFs that keep a
thread for long. So no UDF that blocks can keep everybody else from the workers.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from udfwidgets.engine.bell import Bell
from udfwidgets.engine.scan import Assignment, Scan
from udfwidgets.engine.sources import Sources
from udfwidgets.engine.worker import Worker

if TYPE_CHECKING:
    from udfwidgets.engine.run import Run

# Seconds for one frame from which on a run belongs to the slow lane.
SLOW = 0.05
# The analysis that a person has touched gets all turns but every fourth one.
TURNS = 4
# Seconds without a turn after which a lane's threads are taken to be blocked.
STUCK = 0.25


class Lane(Enum):
    """A group of worker threads."""

    FAST = "fast"
    SLOW = "slow"


@dataclass(frozen=True)
class Traffic:
    """How much has passed through an executor since it was made.

    Attributes
    ----------
    read : int
        Bytes that were read from datasets.
    served : int
        Bytes that were handed to analyses: more, where several share what is read.
    """

    read: int = 0
    served: int = 0

    def plus(self, assignment: Assignment) -> Traffic:
        """Return the traffic with what a worker has done."""
        served = sum(len(share.frames) for share in assignment.shares)
        return Traffic(
            self.read + len(assignment.frames) * assignment.frame_bytes,
            self.served + served * assignment.frame_bytes,
        )


class Pool:
    """All runs that are under way, and their scans.

    Attributes
    ----------
    bell : Bell
        Rung when there may be something new to do.
    """

    def __init__(self) -> None:
        self.bell = Bell()
        self.sources = Sources()
        self.traffic = Traffic()
        self._lock = threading.Lock()
        self._scans: list[Scan] = []
        self._lanes: dict[Scan, Lane] = {}
        self._turn = 0
        self._last_turn: dict[Lane, float] = {}

    def add(self, run: Run) -> None:
        """Take a run in that has begun."""
        with self._lock:
            lane = Lane.SLOW if self._scans else Lane.FAST
            # Where it is going to be joined with another scan, unless it turns out to be slow.
            same = (s.place for s in self._scans if s.takes(run) and s.order == run.wanted_order)
            self._open(run, lane, next(same, 0))
        self.bell.ring()

    def remove(self, run: Run) -> None:
        """Let a run go that has ended."""
        with self._lock:
            for scan in list(self._scans):
                if run in scan.runs:
                    scan.leave(run)
                    self._close_if_empty(scan)
        self.bell.ring()

    @property
    def runs(self) -> tuple[Run, ...]:
        """All runs that are under way."""
        with self._lock:
            return tuple(run for scan in self._scans for run in scan.runs)

    def has_work(self, lane: Lane) -> bool:
        """Whether a worker of a lane may find something to do."""
        with self._lock:
            return any(
                self._lanes[scan] is lane and any(run.is_ready() for run in scan.runs)
                for scan in self._scans
            )

    def has_to_settle(self) -> bool:
        """Whether there are runs for `settle` to end."""
        return any(run.can_finish() for run in self.runs)

    def settle(self) -> None:
        """End all runs that have been told to stop and are not at work any more."""
        for run in self.runs:
            run.try_to_finish()

    def work(self, lane: Lane) -> bool:
        """Work on the calling thread while there is something to do; whether there was any."""
        worker, has_worked = Worker(), False
        while (assignment := self._take(lane)) is not None:
            has_worked = True
            reading = worker.work(assignment)
            self._learn(assignment, reading)
        return has_worked

    def relieve(self) -> None:
        """Move scans that wait for threads which a UDF has kept for too long to the other lane."""
        now = time.monotonic()
        with self._lock:
            for scan, lane in self._lanes.items():
                is_stuck = now - self._last_turn.get(lane, now) > STUCK
                if is_stuck and not scan.at_work and any(run.is_ready() for run in scan.runs):
                    self._lanes[scan] = Lane.SLOW if lane is Lane.FAST else Lane.FAST
        self.bell.ring()

    def _take(self, lane: Lane) -> Assignment | None:
        with self._lock:
            for scan in self._in_turn(lane):
                assignment = scan.take()
                if assignment is not None:
                    scan.at_work += 1
                    self._last_turn[lane] = time.monotonic()
                    return assignment
        return None

    def _in_turn(self, lane: Lane) -> list[Scan]:
        """Return the scans of a lane, the one whose turn it is first."""
        scans = [scan for scan in self._scans if self._lanes[scan] is lane]
        if len(scans) < 2:
            return scans
        self._turn += 1
        begin = self._turn % len(scans)
        in_turn = scans[begin:] + scans[:begin]
        if self._turn % TURNS:
            in_turn.sort(key=lambda scan: -max(run.touched for run in scan.runs))
        return in_turn

    def _learn(self, assignment: Assignment, reading: float) -> None:
        """Take note of what an assignment has cost, and put runs together that go well together."""
        scan = assignment.scan
        with self._lock:
            self.traffic = self.traffic.plus(assignment)
            scan.at_work -= 1
            scan.learn(assignment, reading)
            changed = scan in self._lanes and self._regroup(scan)
        if changed:
            self.bell.ring()

    def _regroup(self, scan: Scan) -> bool:
        """Let a slow run out of a scan, or a quick one that is alone into another scan."""
        slow = scan.too_slow()
        if slow is not None:
            cost = scan.costs[slow]
            scan.leave(slow)
            self._open(slow, Lane.SLOW if cost > SLOW else Lane.FAST, scan.place, cost)
            return True
        if len(scan.runs) != 1 or scan.runs[0] not in scan.costs:
            return False
        run, cost = scan.runs[0], scan.costs[scan.runs[0]]
        for other in self._scans:
            if other is not scan and other.takes(run) and other.suits(run, cost):
                scan.leave(run)
                self._close_if_empty(scan)
                other.join(run, cost)
                return True
        lane = Lane.SLOW if cost > SLOW else Lane.FAST
        changed = self._lanes[scan] is not lane
        self._lanes[scan] = lane
        return changed

    def _open(self, run: Run, lane: Lane, place: int, cost: float | None = None) -> None:
        scan = Scan(run.dataset, run.source, run.wanted_order, place)
        scan.join(run, cost)
        self._scans.append(scan)
        self._lanes[scan] = lane

    def _close_if_empty(self, scan: Scan) -> None:
        if not scan.runs:
            self._scans.remove(scan)
            del self._lanes[scan]
