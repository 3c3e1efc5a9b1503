"""A run: one pass of several UDFs over one dataset, from its plan to the final result.

Executors bring the workers. Each worker calls `work` until it has nothing left to do: it takes the
next partition, processes it, merges it under the run's lock, and tells the subscribers. When all
workers are gone the executor calls `finish`, which closes the source. `cancel` may come from any
thread at any time: workers look at it before every tile.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, NoReturn, Protocol

import anyio.lowlevel

from udfwidgets.buffers import BufferWrapper, UDFResults
from udfwidgets.engine.bell import Bell
from udfwidgets.engine.blame import add_note
from udfwidgets.engine.cadence import Cadence, Pace
from udfwidgets.engine.merging import Accumulator, Frozen
from udfwidgets.engine.plan import READ_BYTES, Partition, Plan
from udfwidgets.engine.progress import Progress, RunState
from udfwidgets.engine.results import conclude
from udfwidgets.engine.roi import resolve_roi
from udfwidgets.engine.subscription import Subscriber
from udfwidgets.engine.tying import tied
from udfwidgets.engine.worker import Worker
from udfwidgets.errors import UDFException, UDFRunCancelled
from udfwidgets.io.corrections import CorrectionSet
from udfwidgets.io.dataset.base import DataSet, Source
from udfwidgets.udf.base import UDF, UDFMethod, parameters_of

# A UDF that looks at single frames gets so many at first; the number grows fourfold at a time.
FIRST_FRAMES = 8


class Host(Protocol):
    """Brings the workers: the executor that a run was given to."""

    def advance(self, run: Run) -> bool:
        """Do a piece of a run's work on the calling thread; False where workers do all of it."""


class Run:
    """One pass of several UDFs over one dataset.

    Parameters
    ----------
    dataset : DataSet
        What to read.
    udfs : sequence of UDF
        They are copied: the same instances may be in several runs at once.
    roi : object
        Which scan positions, in any form that `resolve_roi` takes.
    workers : int
        How many workers the executor is going to bring.
    corrections : CorrectionSet, optional
        Applied to the data first; by default those that the dataset itself declares.
    pace : Pace, optional
        Sizes the partitions; by default they are sized by time.
    tile_depth : int, optional
        Frames in a tile; by default as many as fit into the cache.

    Raises
    ------
    TypeError, ValueError
        If `udfs` or `roi` are not what they should be; no resource is held then.
    """

    def __init__(
        self,
        dataset: DataSet,
        udfs: Sequence[UDF],
        roi: Any = None,
        workers: int = 1,
        *,
        corrections: CorrectionSet | None = None,
        pace: Pace | None = None,
        tile_depth: int | None = None,
    ) -> None:
        self.dataset = dataset
        if corrections is None:
            corrections = dataset.get_correction_data()
        self.corrections = corrections
        plan = Plan.of(
            dataset.shape,
            dataset.dtype,
            dataset.frames_per_block,
            resolve_roi(roi, dataset.shape.nav),
            tile_depth,
            corrections,
        )
        self.udfs = tuple(tied(udf, plan, corrections) for udf in udfs)
        preferences = [udf.get_tiling_preferences() for udf in self.udfs]
        self.plan = plan if tile_depth else plan.with_tiles_for(preferences)
        self.bell = Bell()
        self.state = RunState.RUNNING
        self.error: BaseException | None = None
        self._pace = pace or Cadence(
            self.plan.n_frames,
            workers,
            first=self._first_partition(),
            most=self._largest_partition(),
        )
        self._lock = threading.Lock()
        self._next = 0
        self._stopping = False
        self._ended = False
        self._subscribers: tuple[Subscriber, ...] = ()
        self._source: Source | None = None
        # Until the run has ended: whoever holds on to its result keeps the workers that make it.
        self._host: Host | None = None
        self._started = self._stopped = time.perf_counter()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a run, and the iterators and awaitables of it, belong to the process they work in "
            "and cannot be pickled: pickle its results"
        )

    # For executors

    def begin(self, host: Host) -> None:
        """Open the dataset; from here on `finish` has to be called."""
        self._host = host
        self._started = time.perf_counter()
        self._accumulator  # noqa: B018  # here, and not on the first worker that merges
        self._source = self.dataset.open()

    @cached_property
    def _accumulator(self) -> Accumulator:
        # Not before the run begins: a run that is only looked at takes no memory for results.
        return Accumulator(self.udfs, self.plan)

    def new_worker(self) -> Worker:
        """Return a worker for one thread."""
        if self._source is None:
            raise RuntimeError("a run needs begin() before it can have workers")
        return Worker(self.plan, self._source)

    def work(self, worker: Worker, step_aside: Callable[[], bool]) -> bool:
        """Work through partitions on the calling thread.

        Parameters
        ----------
        worker : Worker
            The thread's own.
        step_aside : callable
            Asked after each partition: whether other runs wait for this thread.

        Returns
        -------
        bool
            Whether there is more to do for this worker, later: it has stepped aside, or a
            subscriber has no room (see `has_room`).
        """
        try:
            while not self._stopping:
                if not self.has_room():
                    return True
                partition = self._take()
                if partition is None:
                    return False
                started = time.perf_counter()
                parts = worker.process(self.udfs, partition, self.is_stopping)
                if parts is None:
                    return False
                processed = time.perf_counter()
                self._merge(partition, parts)
                merged = time.perf_counter()
                self._pace.learn(len(partition), processed - started, merged - processed)
                if step_aside():
                    return True
        except BaseException as error:
            # Whatever a user's code raises belongs to whoever waits for the result.
            self.fail(error)
        return False

    def has_room(self) -> bool:
        """Whether all subscribers can take another merge step, or none will come any more."""
        return self._stopping or all(subscriber.has_room() for subscriber in self._subscribers)

    def finish(self) -> None:
        """Close the source and settle the state; called when no worker is left."""
        self._stopping = True
        try:
            if self._source is not None:
                self._source.close()
            if self.plan.n_frames == 0 and self.error is None:
                self._publish()  # nothing was selected: that is the one and only step
        except Exception as error:
            self.fail(error)
        self._stopped = time.perf_counter()
        self.state = self._final_state()
        with self._lock:
            self._ended = True
        self._host = None
        for subscriber in self._subscribers:
            subscriber.ended()
        self.bell.ring()

    def _final_state(self) -> RunState:
        if self.error is not None:
            return RunState.FAILED
        complete = self._accumulator.n_merged == self.plan.n_frames
        return RunState.DONE if complete else RunState.CANCELLED

    def _first_partition(self) -> int:
        """Return how many frames to begin with: few where Python may need long for each."""
        by_tile = all(udf.get_method() is UDFMethod.TILE for udf in self.udfs)
        return self.plan.tile_depth if by_tile else min(self.plan.tile_depth, FIRST_FRAMES)

    def _largest_partition(self) -> int:
        """Return how many frames may be in memory at once, if a UDF wants to see them so."""
        if any(udf.get_method() is UDFMethod.PARTITION for udf in self.udfs):
            return max(1, READ_BYTES // max(self.plan.frame_bytes, 1))
        return max(1, self.plan.n_frames)

    def _take(self) -> Partition | None:
        with self._lock:
            if self._next >= self.plan.n_frames:
                return None
            partition = self.plan.partition_from(self._next, self._pace.size)
            self._next = partition.stop
            return partition

    def _merge(self, partition: Partition, parts: Sequence[Mapping[str, Any]]) -> None:
        with self._lock:
            if self._stopping:
                return
            self._accumulator.fold(partition, parts)
            self._publish()
        self.bell.ring()

    def _publish(self) -> None:
        for subscriber in self._subscribers:
            subscriber.merged(self)

    # For whoever started it

    def subscribe(self, subscriber: Subscriber) -> None:
        """Tell a subscriber of all merge steps from now on."""
        with self._lock:
            self._subscribers = (*self._subscribers, subscriber)
            ended = self._ended
        if ended:
            subscriber.ended()

    def cancel(self) -> None:
        """Ask the workers to stop; does not wait. Has no effect on a run that has ended."""
        self._stopping = True
        self.bell.ring()

    def abandon(self) -> None:
        """Stop a run whose consumer is gone, from wherever the collector happens to be at work."""
        self.cancel()
        self._advance()  # without threads nobody else gives back what it holds

    def fail(self, error: BaseException) -> None:
        """Stop the run with an error, unless it already has one."""
        if isinstance(error, (StopIteration, StopAsyncIteration, GeneratorExit)):
            # Raised again it would end the consumer's loop, as if the run were complete.
            error = _as_udf_exception(error)
        if self.error is None and not self._ended:
            self.error = error
        self.cancel()

    def is_stopping(self) -> bool:
        """Whether workers should stop."""
        return self._stopping

    def has_ended(self) -> bool:
        """Whether no worker is left and all resources are given back."""
        return self._ended

    def wait(self, come_true: Callable[[], bool]) -> None:
        """Block the calling thread until `come_true()`, which a merge step or the end makes."""
        while not come_true() and self._advance():
            pass
        self.bell.wait(come_true)
        if self._ended:
            for subscriber in self._subscribers:
                subscriber.linger()

    async def wait_async(self, come_true: Callable[[], bool]) -> None:
        """Wait, as a task under asyncio or trio, until `come_true()`."""
        while not come_true() and self._advance():
            await anyio.lowlevel.checkpoint()
        await self.bell.wait_async(come_true)
        if self._ended:
            for subscriber in self._subscribers:
                await subscriber.linger_async()

    def _advance(self) -> bool:
        host = self._host
        return host is not None and host.advance(self)

    @property
    def progress(self) -> Progress:
        """How far it has come."""
        merged = self._accumulator.n_merged
        end = self._stopped if self._ended else time.perf_counter()
        return Progress(
            merged, self.plan.n_frames, merged * self.plan.frame_bytes, end - self._started
        )

    def update_parameters(self, parameters: Sequence[Mapping[str, Any]]) -> None:
        """Change parameters of the UDFs for the partitions that are not yet handed out.

        Parameters
        ----------
        parameters : sequence of mapping
            One per UDF, of parameters to change.
        """
        if len(parameters) != len(self.udfs):
            raise ValueError(
                f"got parameters for {len(parameters)} UDFs, this run has {len(self.udfs)}: "
                "give one dict per UDF, an empty one where nothing changes"
            )
        changed = (
            type(udf)(**{**parameters_of(udf), **new})
            for udf, new in zip(self.udfs, parameters, strict=True)
        )
        udfs = tuple(tied(udf, self.plan, self.corrections) for udf in changed)
        with self._lock:
            self.udfs = udfs
            self._accumulator.take_parameters(udfs)

    def freeze(self) -> Frozen:
        """Copy the merged buffers; the caller holds the run's lock (see `Subscriber.merged`)."""
        return self._accumulator.freeze()

    def snapshot(self) -> UDFResults:
        """Return what has been merged so far, independent of what comes."""
        with self._lock:
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
        return conclude(self.udfs, self._accumulator.freeze(), self.plan).buffers

    def check(self) -> None:
        """Raise what `result` would raise."""
        if self.error is not None:
            raise self.error
        if self.state is RunState.CANCELLED:
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
