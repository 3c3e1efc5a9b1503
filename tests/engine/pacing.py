"""Runs with partitions and tiles of a size that the test chooses."""

from __future__ import annotations

from udfwidgets.engine.ends.stream import AsyncResultStream, ResultStream
from udfwidgets.engine.executors import Executor
from udfwidgets.engine.plan.job import Job
from udfwidgets.engine.run import Run
from udfwidgets.engine.subscription import EveryStep


class FixedPace:
    """Partitions of always the same size."""

    def __init__(self, size: int) -> None:
        self.size = size

    def took(self, n_frames: int) -> None:
        pass

    def learn(self, n_frames: int, seconds: float, merging: float) -> None:
        pass


def start(executor: Executor, dataset, udfs, roi=None, size=1, tile_depth=None, order=None):
    """Start a run and return it with the inbox of its steps."""
    pace, workers = FixedPace(size), executor.workers
    job = Job.of(dataset, udfs, roi, tile_depth=tile_depth, order=order)
    run = Run(job, workers, pace)
    inbox = EveryStep()
    run.subscribe(inbox)
    executor.start(run)
    return run, inbox


def iterate(*args, **kwargs) -> ResultStream:
    return ResultStream(*start(*args, **kwargs))


def iterate_async(*args, **kwargs) -> AsyncResultStream:
    return AsyncResultStream(*start(*args, **kwargs))
