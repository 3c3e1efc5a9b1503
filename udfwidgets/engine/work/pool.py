"""The runs of an executor, grouped into scans, and which of them is served next.

Runs on the same dataset share a scan as soon as it is known what they cost: each begins alone, and
joins the others when its first partition is through, unless it would hold them up. A run that
turns out to be slow leaves again and is served separately. One that a person waits for goes alone
until it has a first picture, and with one thread more if the others are busy, which stand still.

A UDF may keep a thread for as long as it likes. Such a thread does not count: others come in its
place for as long as there is something to do, and a scan that has one, or that is not known yet,
gets no second thread while there are others.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from udfwidgets.engine.bell import Bell
from udfwidgets.engine.merge.progress import PRESENTABLE
from udfwidgets.engine.run import Run
from udfwidgets.engine.sources import Sources
from udfwidgets.engine.work.scan import Assignment, Scan
from udfwidgets.engine.work.worker import Worker

# The analysis that a person has touched gets all turns but every fourth one.
# Not all: beside a card that was clicked, other analyses came to nothing.
TURNS = 4
# Seconds after which a thread that is still at the same assignment is taken to be kept.
# Two lanes with threads of their own were tried instead: two UDFs that block filled both
# (docs/decisions/002-shared-scan.md).
KEPT = 0.25
# Seconds for which threads stand still at most between two calls of compiled code while a person
# waits for something else, and after which they look again (docs/decisions/420-the-hand-first.md).
STILL, GLANCE = 0.15, 0.002
# Threads that may be kept at most; each run can keep one.
MOST_KEPT = 64


@dataclass(frozen=True)
class Traffic:
    """How much has passed through an executor since it was made.

    Attributes
    ----------
    read : int
        Bytes that were read from datasets.
    served : int
        Bytes that were handed to analyses: more, where several share what is read.
    moved : int
        Bytes of partial results that came from other processes.
    """

    read: int = 0
    served: int = 0
    moved: int = 0

    def plus(self, assignment: Assignment, moved: int = 0) -> Traffic:
        """Return the traffic with what a worker has done."""
        served = sum(len(share.frames) for share in assignment.shares)
        return Traffic(
            self.read + len(assignment.frames) * assignment.frame_bytes,
            self.served + served * assignment.frame_bytes,
            self.moved + moved,
        )


class Pool:
    """All runs that are under way, and their scans.

    Parameters
    ----------
    workers : int
        Threads that work at the same time.

    Attributes
    ----------
    bell : Bell
        Rung when there may be something new to do.
    sources : Sources
        The open sources of datasets.
    traffic : Traffic
        How much has passed through so far.
    """

    def __init__(self, workers: int) -> None:
        self.bell = Bell()
        self.sources = Sources(may_rest=True)
        self.traffic = Traffic()
        self._workers = workers
        self._lock = threading.Lock()
        self._scans: list[Scan] = []
        self._at_work: dict[Assignment, float] = {}
        self._turn = 0

    def resize(self, workers: int) -> None:
        """Have so many work at the same time from now on."""
        with self._lock:
            self._workers = workers
        self.bell.ring()

    def add(self, run: Run) -> None:
        """Take a run in that has begun."""
        with self._lock:
            # Where it is going to be joined with another scan, unless it turns out to be slow.
            same = (s.place for s in self._scans if s.takes(run) and s.is_chosen_by(run))
            place = next(same, 0)
            # What comes first was read already, and makes a picture; what comes next may be on a
            # disk, and is a few rows of it.
            self._open(run, 0 if run.is_urgent and place >= PRESENTABLE else place)
        self.bell.ring()

    def remove(self, run: Run) -> None:
        """Let a run go that has ended."""
        with self._lock:
            for scan in list(self._scans):
                if run in scan.runs:
                    self._take_out(run, scan)
        self.bell.ring()

    @property
    def runs(self) -> tuple[Run, ...]:
        """All runs that are under way."""
        with self._lock:
            return tuple(run for scan in self._scans for run in scan.runs)

    def has_work(self) -> bool:
        """Whether a worker may find something to do."""
        with self._lock:
            return bool(self._open_for_work())

    def needs_help(self) -> bool:
        """Whether there is something to do that does not wait for the threads, which are busy."""
        with self._lock:
            return self._takes_help() and bool(self._open_for_work())

    def is_called(self) -> bool:
        """Whether a person waits for a run, all threads are busy, and none was brought for it."""
        with self._lock:
            return self._takes_help() and any(not scan.has_help for scan in self._urgent())

    def _takes_help(self) -> bool:
        """Whether all threads are busy, and there may be one more."""
        return self._workers <= len(self._at_work) < self._workers + MOST_KEPT

    def note_help(self) -> None:
        """Take note that a thread is brought."""
        with self._lock:
            for scan in self._urgent():
                scan.has_help = True

    def _urgent(self) -> list[Scan]:
        """Return the scans for which a person waits, and that no thread is at work on."""
        busy = {assignment.scan for assignment in self._at_work}
        waited_for = [scan for scan in self._scans if scan.is_urgent and scan not in busy]
        return [scan for scan in waited_for if any(run.is_ready() for run in scan.runs)]

    def needs_care(self) -> bool:
        """Whether there is something to look after: runs to settle, or that could be in need."""
        return len(self.runs) > 1 or self.has_to_settle()

    def has_to_settle(self) -> bool:
        """Whether there are runs for `settle` to end."""
        return any(run.can_finish() for run in self.runs)

    def settle(self) -> None:
        """End all runs that have been told to stop and are not at work any more."""
        for run in self.runs:
            run.try_to_finish()

    def look_what_runs_wait_for(self) -> None:
        """Have the subscribers told where a source that still grows has something else to say."""
        with self._lock:
            waiting = [run for scan in self._scans if scan.is_waiting for run in scan.runs]
        # Not in the loop of a task that lasts: its variable would keep the last run, and its data.
        for run in waiting:
            run.look_what_it_waits_for()

    def work(self) -> bool:
        """Work on the calling thread while there is something to do; whether there was any."""
        worker, has_worked = Worker(self._step_aside), False
        try:
            # From one to the next on the same thread: a hop to a thread and back costs 0.1 ms, and
            # a partition of a fast run takes 2.
            while (assignment := self.take()) is not None:
                has_worked = True
                self.learn(assignment, worker.work(assignment))
        finally:
            worker.rest()
        return has_worked

    def _step_aside(self, scan: Scan) -> None:
        """Do what comes before a scan on a thread that is in the middle of it, or wait for it."""
        if scan.in_background:
            self._work_ahead()
            return
        # Processors are for the answer: for its thread, for what makes its picture, for the page.
        # Looked at again and again, as nobody rings when a person has waited for long enough.
        until = time.monotonic() + STILL
        while self._keeps_a_person_waiting(scan) and time.monotonic() < until:
            time.sleep(GLANCE)

    def _keeps_a_person_waiting(self, scan: Scan) -> bool:
        """Whether somebody waits for another scan, and not for this one."""
        with self._lock:
            return not scan.is_urgent and any(other.is_urgent for other in self._scans)

    def _work_ahead(self) -> None:
        """Do what comes before the background, on a thread that is in the middle of that."""
        worker: Worker | None = None
        try:
            while (assignment := self.take(ahead=True)) is not None:
                worker = worker or Worker()
                self.learn(assignment, worker.work(assignment))
        finally:
            if worker is not None:
                worker.rest()
                # For whoever waited for that: beside busy threads it wakes up milliseconds later.
                time.sleep(GLANCE)

    def take(self, *, ahead: bool = False) -> Assignment | None:
        """Return what is to be done next, None where there is nothing; `learn` has to follow.

        Parameters
        ----------
        ahead : bool
            Nothing of the background.
        """
        with self._lock:
            for scan in self._in_turn():
                if ahead and scan.in_background:
                    continue
                # Only what keeps the GIL is done in here; frames are sorted by `work_out`, later.
                # All workers waited where NumPy gave it up under the lock
                # (docs/decisions/050-gil.md).
                assignment = scan.take()
                if assignment is not None:
                    self._at_work[assignment] = time.monotonic()
                    return assignment
        return None

    def learn(self, assignment: Assignment, reading: float, moved: int = 0) -> None:
        """Take note that an assignment is done, and put runs together that go well together.

        Parameters
        ----------
        assignment : Assignment
            From `take`.
        reading : float
            Seconds that reading the frames has taken.
        moved : int
            Bytes of partial results that came from another process.
        """
        scan = assignment.scan
        with self._lock:
            kept, was_known = assignment in self._kept(), scan.is_known
            del self._at_work[assignment]
            self.traffic = self.traffic.plus(assignment, moved)
            scan.learn(assignment, reading)
            regrouped = scan in self._scans and self._regroup(scan)
        if regrouped or kept or scan.is_known > was_known:
            self.bell.ring()  # threads that found nothing may have a part in it now

    def _kept(self) -> list[Assignment]:
        """Return the assignments whose thread is kept by a UDF."""
        now = time.monotonic()
        return [assignment for assignment, began in self._at_work.items() if now - began > KEPT]

    def _open_for_work(self) -> list[Scan]:
        """Return the scans that may get one more thread."""
        found = self._with_something_to_do()
        # Nearly always: a short run asks this six times.
        if len(found) < 2 and len(self._at_work) < self._workers:
            return found
        kept = self._kept()
        busy_with = [assignment for assignment in self._at_work if assignment not in kept]
        if not any(scan.in_background for scan in found):
            # Those that are at work in the background step aside.
            busy_with = [each for each in busy_with if not each.scan.in_background]
        if len(busy_with) >= self._workers:
            # A thread that waits for the disk is of no use to anybody: with some 16 GiB that were
            # never read it took 0.1 to 1 s until one of two was free.
            return self._urgent()
        # One that is paused, or waits for its detector, takes no thread from anybody.
        if sum(not scan.is_waiting for scan in found) < 2:
            return found
        busy = {assignment.scan for assignment in self._at_work}
        blocked = {assignment.scan for assignment in kept}
        return [s for s in found if s not in blocked and (s.is_known or s not in busy)]

    def _with_something_to_do(self) -> list[Scan]:
        """Return the scans that have it; those in the background only while no other has."""
        ready = [scan for scan in self._scans if any(run.is_ready() for run in scan.runs)]
        if len(ready) < 2:
            return ready
        ahead = [scan for scan in ready if not scan.in_background]
        # One that waits for its detector is asked first, and leaves the thread to others.
        if any(not scan.is_waiting for scan in ahead):
            return ahead
        return ahead + [scan for scan in ready if scan.in_background]

    def _in_turn(self) -> list[Scan]:
        """Return the scans that may get a thread, the one whose turn it is first."""
        scans = self._open_for_work()
        if len(scans) < 2:
            return scans
        self._turn += 1
        n_fair, is_preferred = self._turn // TURNS, self._turn % TURNS > 0
        # Each kind of turn goes round by itself: nobody is left out of either.
        begin = (self._turn - n_fair if is_preferred else n_fair) % len(scans)
        in_turn = scans[begin:] + scans[:begin]
        if is_preferred:
            in_turn.sort(key=lambda scan: -max(run.touched for run in scan.runs))
        return sorted(in_turn, key=lambda scan: (scan.in_background, not scan.is_urgent))

    def _regroup(self, scan: Scan) -> bool:
        """Let a slow run out of a scan, or a quick one that is alone into another scan."""
        slow = scan.too_slow()
        if slow is not None:
            cost = scan.costs[slow]
            self._take_out(slow, scan)
            self._open(slow, scan.place, cost)
            return True
        if len(scan.runs) != 1 or not scan.is_known:
            return False
        run, cost = scan.runs[0], scan.costs[scan.runs[0]]
        for other in self._scans:
            is_there = other is not scan and not scan.is_far_from(other)
            if is_there and other.takes(run) and other.suits(run, cost):
                self._take_out(run, scan)
                other.join(run, cost)
                return True
        return False

    def _open(self, run: Run, place: int, cost: float | None = None) -> None:
        scan = Scan.of(run, place)
        scan.join(run, cost)
        self._scans.append(scan)

    def _take_out(self, run: Run, scan: Scan) -> None:
        scan.leave(run)
        if not scan.runs:
            self._scans.remove(scan)
