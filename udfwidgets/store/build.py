"""One attempt at a store: its memory, and the run that fills it."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable

from udfwidgets.engine.executors.base import Executor
from udfwidgets.engine.plan.job import Job
from udfwidgets.engine.plan.order import Order
from udfwidgets.engine.run import Run
from udfwidgets.engine.subscription import Subscriber
from udfwidgets.io.corrections import CorrectionSet
from udfwidgets.io.dataset.base import DataSet
from udfwidgets.store.binning import Grid
from udfwidgets.store.building import BriefPace, StoreUDF, Target
from udfwidgets.store.planes import Layout, Planes


class Build:
    """One attempt at a store.

    Parameters
    ----------
    executor, dataset, corrections, order
        As for a `PixelStore`.
    grid : Grid
        In which pixels.
    budget : int
        Bytes that it may take.
    folder : path or None
        For a file in place of memory.
    on_end : callable
        Called when the run has ended, on any thread.

    Attributes
    ----------
    planes : Planes
        The memory.
    run : Run
        Fills it.
    settled : threading.Event
        Set when all is done that follows from the end of the run.
    """

    def __init__(
        self,
        executor: Executor,
        dataset: DataSet,
        corrections: CorrectionSet | None,
        order: Order | None,
        grid: Grid,
        budget: int,
        folder: str | os.PathLike[str] | None,
        on_end: Callable[[Build], None],
    ) -> None:
        layout = layout_of(dataset, corrections, grid)
        self.grid = grid
        self.planes = Planes(layout, folder)
        self.settled = threading.Event()
        self._on_end = on_end
        target = Target(self.planes, grid, budget)
        job = Job.of(dataset, (StoreUDF(target),), corrections=corrections, order=order)
        self.run = Run(job, executor.workers, BriefPace(job.plan.frame_bytes), in_background=True)
        self.run.subscribe(_AtEnd(target, self))

    def settle(self) -> None:
        """Do what follows from the end of the run."""
        try:
            self._on_end(self)
        finally:
            self.settled.set()

    def wait(self) -> None:
        """Block until the run has ended, and what follows is done."""
        self.run.wait(self.run.has_ended)
        self.settled.wait()


class _AtEnd(Subscriber):
    """Lets the memory go when the run has ended: who holds on to the run does not hold it."""

    def __init__(self, target: Target, build: Build) -> None:
        self._target = target
        self._build = weakref.ref(build)

    def ended(self) -> None:
        self._target.planes = None
        build = self._build()
        if build is not None:
            build.settle()


def layout_of(dataset: DataSet, corrections: CorrectionSet | None, grid: Grid) -> Layout:
    """Return what the memory for a dataset looks like."""
    dtype = Job.of(dataset, (), corrections=corrections).plan.corrected_dtype
    # As they are kept first: half floats are widened.
    kept = Layout.of(dataset.shape.nav.size, grid.size, dtype).dtype
    return Layout.of(dataset.shape.nav.size, grid.size, grid.dtype_for(kept))
