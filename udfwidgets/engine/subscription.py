"""Subscribers of a run; two kinds are inboxes: for every merge step, or for the newest one."""

from __future__ import annotations

import logging
from collections import deque
from typing import Protocol

from udfwidgets.buffers import UDFResults
from udfwidgets.engine.bell import Bell
from udfwidgets.engine.merge.merging import Frozen
from udfwidgets.engine.merge.progress import Progress
from udfwidgets.engine.merge.results import conclude
from udfwidgets.engine.plan.partitions import Plan
from udfwidgets.udf.base import UDF

# Snapshots that may wait for a consumer. Enough to bridge its hiccups; each holds all results.
BOUND = 8

_log = logging.getLogger(__name__)


class Followed(Protocol):
    """A run, as far as those who follow it look."""

    @property
    def udfs(self) -> tuple[UDF, ...]:
        """What it runs, bound to the dataset."""

    @property
    def plan(self) -> Plan:
        """Which frames it reads."""

    @property
    def bell(self) -> Bell:
        """Rung when there may be something new to take."""

    @property
    def progress(self) -> Progress:
        """How far it has come."""

    def ring(self) -> None:
        """Wake whoever waits for the run, and who works on it."""

    def freeze(self) -> Frozen:
        """Return the merged buffers as they are; only while `Subscriber.merged` is called."""

    def snapshot(self) -> UDFResults:
        """Return what has been merged so far, independent of what comes."""


class Subscriber:
    """Wants to know of every merge step of a run, and of its end; the base takes no notice."""

    def merged(self, run: Followed) -> None:
        """Take note of a merge step; called under the lock of its buffers, by a worker."""

    def ended(self) -> None:
        """Take note that the run has ended, for whatever reason; may be called on any thread."""

    def changed(self, run: Followed) -> None:
        """Take note of a pause, its end, what is waited for, or that there is no successor.

        May come on any thread.
        """

    def has_room(self) -> bool:
        """Whether it can take more; workers pause while it cannot."""
        return True

    def linger(self) -> None:
        """Hold up whoever waited for the run, when it has ended, for as long as need be."""

    async def linger_async(self) -> None:
        """Hold up, as `linger`, a task under asyncio or trio."""


class Subscribers:
    """All subscribers of a run. One that fails keeps no other from learning what happens."""

    def __init__(self) -> None:
        # Replaced, never changed: it may be gone through on any thread without a lock.
        self._all: tuple[Subscriber, ...] = ()

    def add(self, subscriber: Subscriber) -> None:
        """Tell one more from now on; not from two threads at once."""
        self._all = (*self._all, subscriber)

    def has_room(self) -> bool:
        """Whether all can take more."""
        return all(subscriber.has_room() for subscriber in self._all)

    def merged(self, run: Followed) -> None:
        """Tell of a merge step; whoever fails here fails the run."""
        for subscriber in self._all:
            subscriber.merged(run)

    def changed(self, run: Followed) -> None:
        """Tell of a pause, its end, what is waited for, or that there is no successor."""
        for subscriber in self._all:
            try:
                subscriber.changed(run)
            except Exception:
                _log.exception("a subscriber could not take note of a change")

    def ended(self) -> None:
        """Tell of the end."""
        for subscriber in self._all:
            try:
                subscriber.ended()
            except Exception:
                _log.exception("a subscriber failed at the end of a run")

    def linger(self) -> None:
        """Be held up by each, as `Subscriber.linger`."""
        for subscriber in self._all:
            subscriber.linger()

    async def linger_async(self) -> None:
        """Be held up by each, as `Subscriber.linger_async`."""
        for subscriber in self._all:
            await subscriber.linger_async()


class EveryStep(Subscriber):
    """Keeps a snapshot of every merge step until it is taken, and pauses the run when full."""

    def __init__(self) -> None:
        self._steps: deque[UDFResults] = deque()
        self._ended = False

    def merged(self, run: Followed) -> None:
        """Keep a snapshot."""
        self._steps.append(conclude(run.udfs, run.freeze(), run.plan))
        run.bell.ring()

    def has_room(self) -> bool:
        """Whether fewer snapshots wait than the bound."""
        return len(self._steps) < BOUND

    def ended(self) -> None:
        """Take note that no more will come."""
        self._ended = True

    def ready(self) -> bool:
        """Whether `take` has an answer: a snapshot, or that there is none any more."""
        return bool(self._steps) or self._ended

    def take(self, run: Followed) -> UDFResults | None:
        """Return the oldest snapshot not yet taken, or None at the end."""
        if not self._steps:
            return None
        step = self._steps.popleft()
        if len(self._steps) >= BOUND - 1:
            run.ring()  # a worker may be waiting for the room
        return step


class NewestStep(Subscriber):
    """Notes that there is news; the snapshot is made when it is taken. The last one is sure."""

    def __init__(self) -> None:
        # What was merged before it came is news, too.
        self._news = True
        self._ended = False

    def merged(self, run: Followed) -> None:
        """Note the news."""
        self._news = True
        run.bell.ring()

    def ended(self) -> None:
        """Take note that no more will come."""
        self._ended = True

    def ready(self) -> bool:
        """Whether `take` has an answer: a snapshot, or that there is none any more."""
        return self._news or self._ended

    def take(self, run: Followed) -> UDFResults | None:
        """Return a snapshot of now, or None if the last one has been taken."""
        if not self._news:
            return None
        self._news = False
        return run.snapshot()
