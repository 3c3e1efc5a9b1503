"""A share: what one run gets of the frames that a worker reads."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from udfwidgets.buffers import Array
from udfwidgets.engine.plan.partitions import Partition, Plan
from udfwidgets.engine.plan.reading import Frames
from udfwidgets.engine.work.task import Task
from udfwidgets.engine.work.turns import Turn
from udfwidgets.engine.work.writers import WritesIntoData
from udfwidgets.io.source import Scratch
from udfwidgets.udf.base import UDF
from udfwidgets.udf.compiled.fused import Step


class Served(Protocol):
    """What work is done for: a run, or what stands for it in another process."""

    @property
    def udfs(self) -> tuple[UDF, ...]:
        """What it runs, bound to the dataset."""

    @property
    def plan(self) -> Plan:
        """Which frames it reads, in which tiles."""

    def enter(self) -> bool:
        """Begin a stretch of work, unless it is stopping; then `leave` has to be called."""

    def leave(self) -> None:
        """End a stretch of work."""

    def is_stopping(self) -> bool:
        """Whether workers should stop."""

    def fail(self, error: BaseException) -> None:
        """Stop with an error."""

    def merge(
        self, partition: Partition, parts: Sequence[Mapping[str, Any]], seconds: float
    ) -> None:
        """Take what the UDFs made of a partition, which took a worker so many seconds."""


class Share:
    """One run's partition, worked on beside those of other runs.

    Nothing that happens in it touches the others: an error goes to its run, and when its run
    stops, all that is still to be done for it is left out.

    Parameters
    ----------
    run : Served
        Whose it is.
    partition : Partition
        Of the run's selected frames.
    frames : numpy.ndarray of int
        Numbers of the partition's frames, ascending; kept, not copied.

    Attributes
    ----------
    seconds : float
        Of the worker's time that it has taken so far.
    """

    def __init__(self, run: Served, partition: Partition, frames: Frames) -> None:
        self.run = run
        self.partition = partition
        self.frames = frames
        self.seconds = 0.0
        # Parameters may change: those of the moment in which the partition was handed out count.
        self._udfs = run.udfs
        self._task: Task | None = None
        #: Whether all has to be done once more, from `begin` on.
        self.is_to_repeat = False

    def begin(self) -> None:
        """Make the UDFs ready for the partition."""
        self.is_to_repeat = False
        self._on_its_own(self._begin)

    @property
    def wants_tiles(self) -> bool:
        """Whether `feed` has to be called."""
        return self._task is not None and self._task.wants_tiles

    @property
    def steps(self) -> Sequence[Step]:
        """What is compiled of its work; see `drive`."""
        return () if self._task is None else self._task.steps

    def adopt(self, step: Step, results: Sequence[Array]) -> None:
        """Take what another share's step has made of the same frames for what this one's would."""
        if self._task is not None:
            self._task.adopt(step, results)

    def feed(self, frames: Array, scratch: Scratch, turn: Turn) -> None:
        """Let the UDFs see the next frames of the partition."""
        task = self._task
        if task is not None:
            self._on_its_own(lambda: task.feed(frames, scratch, turn))

    def end(self, reading: float) -> None:
        """Let the UDFs finish the partition, and merge it.

        Parameters
        ----------
        reading : float
            Seconds that the worker has spent on reading for all shares.
        """
        self._on_its_own(lambda: self._end(reading))
        if self._task is not None:
            self._task.dismiss()

    def _on_its_own(self, do: Callable[[], None]) -> None:
        if not self.run.enter():
            return
        began = time.perf_counter()
        try:
            do()
        except WritesIntoData:
            self.is_to_repeat = True
            if self._task is not None:
                self._task.dismiss()
            self._task = None
        except BaseException as error:
            # Whatever a user's code raises belongs to whoever waits for the result.
            self.run.fail(error)
        finally:
            self.seconds += time.perf_counter() - began
            self.run.leave()

    def _begin(self) -> None:
        run = self.run
        self._task = Task(self._udfs, run.plan, self.partition, run.is_stopping)

    def _end(self, reading: float) -> None:
        began = time.perf_counter()
        parts = None if self._task is None else self._task.end()
        if parts is not None:
            seconds = reading + self.seconds + time.perf_counter() - began
            self.run.merge(self.partition, parts, seconds)
