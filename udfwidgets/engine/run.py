"""A run: what several UDFs make of one dataset, from the plan to the final result.

Workers take partitions off its backlog, process them, and hand over what came out: it is merged
one at a time, and the subscribers are told. With the last partition, or when nobody is at
work on it any more after it was told to stop, the run has ended. `cancel` may come from any thread
at any time: workers look at it before every tile, or call of compiled code.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, NoReturn, Protocol

import anyio.lowlevel

from udfwidgets.buffers import BufferWrapper, UDFResults
from udfwidgets.engine.bell import Bell
from udfwidgets.engine.blame import add_note
from udfwidgets.engine.merge.merging import Accumulator, Frozen
from udfwidgets.engine.merge.progress import Progress, RunState, Stopwatch
from udfwidgets.engine.merge.results import conclude
from udfwidgets.engine.plan.backlog import Backlog
from udfwidgets.engine.plan.cadence import Cadence, Pace
from udfwidgets.engine.plan.job import Job
from udfwidgets.engine.plan.order import Order
from udfwidgets.engine.plan.partitions import Partition, Plan
from udfwidgets.engine.sources import Sources
from udfwidgets.engine.subscription import Subscriber, Subscribers
from udfwidgets.errors import DataSetException, UDFException, UDFRunCancelled
from udfwidgets.io.dataset.base import DataSet
from udfwidgets.io.source import Source
from udfwidgets.told.names import Listed
from udfwidgets.udf.base import UDF

_touches = itertools.count(1)
#: Seconds for which a run that a person has touched goes before all others, if it has no picture.
#: Then it has most turns, as before: a slow UDF may never have one.
HASTE = 1.0


class Host(Protocol):
    """Brings the workers: the executor that a run was given to."""

    @property
    def sources(self) -> Sources:
        """The open sources of datasets."""

    @property
    def bell(self) -> Bell:
        """Rung when there may be something new to do."""

    def advance(self, run: Run) -> bool:
        """Do a piece of a run's work on the calling thread; False where there is none to do."""

    def can_advance(self, run: Run) -> bool:
        """Whether `advance` would do anything."""

    def forget(self, run: Run) -> None:
        """Take note that a run is not under way any more."""


class Run(Listed):
    """One pass of several UDFs over one dataset.

    Parameters
    ----------
    job : Job
        What to do.
    workers : int
        How many workers the executor is going to bring.
    pace : Pace, optional
        Sizes the partitions; by default they are sized by time.
    in_background : bool
        Work on it only while no other run has anything to do. It never shares a scan with one
        that is not in the background: what it takes would hold that one up.
    """

    # For workers, executors and views.
    _unlisted = (
        *("abandon", "backlog", "begin", "bell", "can_finish", "check", "enter", "fail", "freeze"),
        *("hurry", "in_flight", "is_ready", "is_stopping", "is_urgent", "job", "launch"),
        "launcher",
        *("leave", "merge"),
        *("look_what_it_waits_for", "note_waiting", "pace", "ring", "source", "subscribe"),
        *("successor", "touch", "touched", "try_to_finish", "wanted_order"),
    )

    def __init__(
        self,
        job: Job,
        workers: int = 1,
        pace: Pace | None = None,
        *,
        in_background: bool = False,
    ) -> None:
        #: What is done; its UDFs change with `update_parameters`.
        self.job = job
        self.bell = Bell()
        self.error: BaseException | None = None
        self.pace: Pace = pace or Cadence(
            job.plan.n_frames,
            workers,
            first=job.first_partition(workers),
            most=job.largest_partition,
        )
        #: What starts a run of the same Context; weak, a run does not keep its Context alive.
        self.launcher: Callable[[], Callable[[Run], None] | None] | None = None
        #: Whether there can be no successor any more: its Context is closed.
        self.is_last = False
        #: When a person has last asked for it to be served first; counts up.
        self.touched = 0
        self._touched_at = 0.0
        self.in_background = in_background
        self._workers = workers
        self._state = RunState.RUNNING
        # For the state only; the accumulator has a lock of its own, so that who asks for the state,
        # or begins a stretch of work, does not wait for a merge.
        self._lock = threading.Lock()
        self._at_work = 0
        self._stopping = False
        self._paused = False
        self._waiting = ""
        self._finishing = False
        self._ended = False
        self._subscribers = Subscribers()
        self._merged: Accumulator | None = None
        self._source: Source | None = None
        # Until the run has ended: whoever holds on to its result keeps the workers that make it.
        self._host: Host | None = None
        self._stopwatch = Stopwatch()

    def __repr__(self) -> str:
        names = ", ".join(type(udf).__name__ for udf in self.udfs)
        return f"<Run of {names}: {self.state.name.lower()}>"

    @property
    def dataset(self) -> DataSet:
        """What it reads."""
        return self.job.dataset

    @property
    def udfs(self) -> tuple[UDF, ...]:
        """What it runs, bound to the dataset."""
        return self.job.udfs

    @property
    def plan(self) -> Plan:
        """Which frames it reads, in which tiles."""
        return self.job.plan

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a run, and the iterators and awaitables of it, belong to the process they work in "
            "and cannot be pickled: pickle its results"
        )

    def hurry(self, *, alone: bool) -> None:
        """Take few and large partitions, before it begins: nobody looks before the end.

        Parameters
        ----------
        alone : bool
            No others are going to be started beside it: it begins with large ones at once. What
            it had taken already would be read for the others once more.
        """
        if isinstance(self.pace, Cadence) and not self.dataset.is_growing:
            self.pace.hurry(self.job.unwatched_partition(self._workers) if alone else 0)

    # For executors

    def begin(self, host: Host) -> None:
        """Open the dataset; from here on the run has to be brought to its end."""
        self._stopwatch.start()
        self._accumulator  # noqa: B018  # here, and not on the first worker that merges
        try:
            self._source = host.sources.open(self.dataset)
        except BaseException as error:
            self._accumulator.end(error)
            raise
        self._host = host
        if not self.plan.n_frames:
            self._subscribers.merged(self)  # nothing was selected: that is the one and only step
            self._stopping = True

    @property
    def _accumulator(self) -> Accumulator:
        # Not before the run begins: a run that is only looked at takes no memory for results. There
        # must be one only, and a dashboard may look at a run that is just beginning.
        # No cached property: up to Python 3.11 those of all runs wait for each other, and from 3.12
        # on two threads may both make one, so that what went into the first was lost.
        if self._merged is None:
            with self._lock:
                self._merged = self._merged or Accumulator(self.udfs, self.plan)
        return self._merged

    @cached_property
    def backlog(self) -> Backlog:
        """The frames that no worker has taken yet; guarded by whoever hands them out."""
        return Backlog(self.plan)

    @property
    def source(self) -> Source:
        """Where the frames are read from."""
        if self._source is None:
            raise RuntimeError("a run needs begin() before it can be worked on")
        return self._source

    @cached_property
    def wanted_order(self) -> Order:
        """In which order it visits the scan, where it has the choice; settled when first asked.

        Frames that still come are visited as they come, also when the last one is in.
        """
        if self.dataset.is_growing:
            return "scan"
        return self.job.order or self.job.preferred_order

    @property
    def is_urgent(self) -> bool:
        """Whether a person waits for its first picture, and has not waited for long."""
        if not self.touched or time.monotonic() - self._touched_at > HASTE:
            return False
        is_early = self.wanted_order == "progressive" and not self.in_background
        goes_on = not self._paused and not self._stopping
        return is_early and goes_on and not self.progress.is_presentable

    @property
    def in_flight(self) -> int:
        """Frames that were taken and are not merged."""
        return self.plan.n_frames - self.backlog.count - self._accumulator.n_merged

    def is_ready(self) -> bool:
        """Whether it can take another partition."""
        is_open = not self._stopping and not self._paused
        return is_open and self.backlog.count > 0 and self._subscribers.has_room()

    def enter(self) -> bool:
        """Begin a stretch of work, unless the run is stopping; then `leave` has to be called."""
        with self._lock:
            if self._stopping:
                return False
            self._at_work += 1
        return True

    def leave(self) -> None:
        """End a stretch of work, and with the last one a run that is stopping."""
        with self._lock:
            self._at_work -= 1
        self.try_to_finish()

    def merge(
        self, partition: Partition, parts: Sequence[Mapping[str, Any]], seconds: float
    ) -> None:
        """Merge what the UDFs made of a partition, which took a worker so many seconds."""
        began = time.perf_counter()
        accumulator = self._accumulator
        self._check_files()
        with accumulator.lock:
            if self._stopping:
                return
            # The subscribers are told under the lock: what they freeze is this step, and steps come
            # in order.
            accumulator.fold(partition, parts)
            self._waiting = ""
            self._subscribers.merged(self)
            if accumulator.n_merged == self.plan.n_frames:
                self._stopping = True
        self.pace.learn(len(partition), seconds, time.perf_counter() - began)

    def can_finish(self) -> bool:
        """Whether it is to stop, and nobody is at work on it."""
        return self._stopping and not self._at_work and not self._finishing

    def try_to_finish(self) -> None:
        """Close the source and settle the state, if that can be done now."""
        with self._lock:
            if not self.can_finish():
                return
            self._finishing = True
        self._finish()

    def _finish(self) -> None:
        host = self._host
        if host is not None:
            host.forget(self)
            try:
                if self._source is not None:
                    host.sources.close(self.dataset)
            except Exception as error:
                self.error = self.error or error
        self._stopwatch.stop()
        self._let_udfs_end()
        self._state = self._final_state()
        self._waiting = ""
        with self._lock:
            # Under the lock of `subscribe`: who is in by now is told below, who comes later is told
            # there.
            self._ended = True
        self._host = None
        self._subscribers.ended()
        self.bell.ring()

    def _let_udfs_end(self) -> None:
        reason = self.error
        if reason is None and self._accumulator.n_merged < self.plan.n_frames:
            reason = UDFRunCancelled("the run was cancelled")
        failed = self._accumulator.end(reason)
        self.error = self.error or (failed if failed is not reason else None)

    def _final_state(self) -> RunState:
        if self.error is not None:
            return RunState.FAILED
        complete = self._accumulator.n_merged == self.plan.n_frames
        return RunState.DONE if complete else RunState.CANCELLED

    # For whoever started it

    def subscribe(self, subscriber: Subscriber) -> None:
        """Tell a subscriber of all merge steps from now on."""
        with self._lock:
            self._subscribers.add(subscriber)
            ended = self._ended
        if ended:
            subscriber.ended()

    def cancel(self) -> None:
        """Ask the workers to stop; does not wait. Has no effect on a run that has ended."""
        # No lock: a finalizer or a signal handler may come here while its own thread holds it.
        self._stopping = True
        self.ring()

    def pause(self) -> None:
        """Have no more partitions taken until `resume`; those that are, are merged."""
        self._set_paused(True)

    def resume(self) -> None:
        """Go on after `pause`."""
        self._set_paused(False)

    def _set_paused(self, paused: bool) -> None:
        with self._lock:
            if self._stopping or self._paused is paused:
                return
            self._paused = paused
            if paused:
                self._stopwatch.stop()
            else:
                self._stopwatch.start()
        self._subscribers.changed(self)
        self.ring()

    def look_what_it_waits_for(self) -> None:
        """Tell the subscribers if a source that still grows has something else to say."""
        source = self._source
        if source is None or not self.dataset.is_growing or self._ended:
            return
        before, self._waiting = self._waiting, source.waiting_for()
        if self._waiting != before:
            self._subscribers.changed(self)

    def note_waiting(self, what: str) -> None:
        """Tell the subscribers what the whole run waits for; nothing, if that has come."""
        before, self._waiting = self._waiting, what
        if what != before and not self._ended:
            self._subscribers.changed(self)

    def touch(self) -> None:
        """Have it served before others from now on: a person has turned to it."""
        self.touched, self._touched_at = next(_touches), time.monotonic()

    def ring(self) -> None:
        """Wake whoever waits for the run, and who works on it. Takes no lock."""
        self.bell.ring()
        host = self._host
        if host is not None:
            host.bell.ring()

    def abandon(self) -> None:
        """Stop a run whose consumer is gone, from wherever the collector happens to be at work.

        It takes no lock, which the very same thread may hold. The host ends the run, or gives back
        what it has opened when the run is gone, too.
        """
        self.cancel()

    def fail(self, error: BaseException) -> None:
        """Stop the run with an error, unless it already has one."""
        if isinstance(error, (StopIteration, StopAsyncIteration, GeneratorExit)):
            # Raised again it would end the consumer's loop, as if the run were complete.
            error = _as_udf_exception(error)
        # Not while it ends: a reader may complain that the source was closed under it.
        if self.error is None and not self._finishing:
            self.error = self._reason_for(error)
        self.cancel()

    def _check_files(self) -> None:
        host = self._host
        if host is not None:
            host.sources.check(self.dataset)

    def _reason_for(self, error: BaseException) -> BaseException:
        """Return what is wrong with the files, if a UDF could not cope with what was in them."""
        if not isinstance(error, DataSetException):
            try:
                self._check_files()
            except DataSetException as reason:
                reason.__cause__ = error
                return reason
        return error

    @property
    def state(self) -> RunState:
        """Where it stands."""
        if self._state is RunState.RUNNING and self._paused and not self._ended:
            return RunState.PAUSED
        return self._state

    def is_stopping(self) -> bool:
        """Whether workers should stop."""
        return self._stopping

    def has_ended(self) -> bool:
        """Whether no worker is left and all resources are given back."""
        return self._ended

    def wait(self, come_true: Callable[[], bool]) -> None:
        """Block the calling thread until `come_true()`, which a merge step or the end makes."""
        while not come_true():
            if not self._advance():
                self.bell.wait(lambda: come_true() or self._can_advance())
        if self._ended:
            # Last pictures have to leave while the cell runs (see `live.generation.PATIENCE`).
            self._subscribers.linger()

    async def wait_async(self, come_true: Callable[[], bool]) -> None:
        """Wait, as a task under asyncio or trio, until `come_true()`."""
        while not come_true():
            if self._advance():
                # The work was done on the loop itself: others there have their turn, and a cancel
                # is heard.
                await anyio.lowlevel.checkpoint()
            else:
                await self.bell.wait_async(lambda: come_true() or self._can_advance())
        if self._ended:
            await self._subscribers.linger_async()

    def _advance(self) -> bool:
        host = self._host
        return host is not None and host.advance(self)

    def _can_advance(self) -> bool:
        host = self._host
        return host is not None and host.can_advance(self)

    @property
    def progress(self) -> Progress:
        """How far it has come."""
        merged, total = self._accumulator.n_merged, self.plan.n_frames
        n_bytes = merged * self.plan.frame_bytes
        return Progress(merged, total, n_bytes, self._stopwatch.seconds, self._waiting)

    def update_parameters(self, parameters: Sequence[Mapping[str, Any]]) -> None:
        """Change parameters of the UDFs for the partitions that are not yet handed out.

        Parameters
        ----------
        parameters : sequence of mapping
            One per UDF, of parameters to change.
        """
        job = self.job.with_parameters(parameters)
        with self._accumulator.lock:
            self.job = job
            self._accumulator.take_parameters(job.udfs)

    def successor(self, parameters: Sequence[Mapping[str, Any]] | None = None) -> Run:
        """Return a new run of what was asked for, to be started by `launch`.

        Parameters
        ----------
        parameters : sequence of mapping, optional
            One per UDF, of parameters to change.
        """
        run = Run(self.job.anew(parameters), self._workers)
        run.launcher = self.launcher
        return run

    def retire(self) -> None:
        """Take note that the Context is closed, and tell the subscribers."""
        self.is_last = True
        self._subscribers.changed(self)

    def launch(self) -> None:
        """Start it, where the Context that it was asked of is still open.

        Raises
        ------
        RuntimeError
            If the Context is closed or gone.
        """
        launch = self.launcher and self.launcher()
        if launch is None:
            raise RuntimeError("the Context of this run is gone: make a new one, and run it there")
        launch(self)

    def freeze(self) -> Frozen:
        """Return the merged buffers as they are; the caller holds their lock, as in `merged`."""
        return self._accumulator.freeze()

    def snapshot(self) -> UDFResults:
        """Return what has been merged so far, independent of what comes."""
        with self._accumulator.lock:
            frozen = self._accumulator.freeze()
        return conclude(self.udfs, frozen, self.plan)

    def result(self) -> tuple[dict[str, BufferWrapper], ...]:
        """Return the final result of a run that has ended.

        Raises
        ------
        UDFRunCancelled
            If the run was cancelled before it was through.
        BaseException
            What a UDF or the reader raised.
        """
        self.check()
        # From a copy: what the user does with the result does not show in the live picture, nor
        # in the next result of the same run.
        return self.snapshot().buffers

    def check(self) -> None:
        """Raise what `result` would raise."""
        if self.error is not None:
            raise self.error
        if self._state is RunState.CANCELLED:
            merged, total = self._accumulator.n_merged, self.plan.n_frames
            raise UDFRunCancelled(
                f"the run was cancelled after {merged} of {total} frames: run it again for the "
                "whole result, or use run_udf_iter to keep partial results"
            )


def _as_udf_exception(error: BaseException) -> UDFException:
    wrapped = UDFException(f"a UDF raised {type(error).__name__}: catch it where it comes from")
    wrapped.__cause__ = error
    for note in getattr(error, "__notes__", []):
        add_note(wrapped, note)
    return wrapped
