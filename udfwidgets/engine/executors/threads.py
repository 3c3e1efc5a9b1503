"""The threads executor: worker threads of this process, run from an event loop of their own.

The loop lives on a background thread, so runs go on while a notebook cell keeps the kernel's own
loop busy, and `run_udf` can be called where a loop is already running. On it lives one task per
worker, which waits for something to do and does it on a thread; a thread is kept for as long as
there is work, because each change costs about 0.1 ms. One more task ends the runs that were told
to stop while nobody was at work on them, and closes files that have not been used for a while.
"""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import Any

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup
from anyio.from_thread import BlockingPortal, start_blocking_portal

from udfwidgets.engine.bell import Bell
from udfwidgets.engine.executors.arguments import check_gpus, count_of, pass_over
from udfwidgets.engine.executors.base import IS_CLOSED, IS_ELSEWHERE
from udfwidgets.engine.run import Run
from udfwidgets.engine.sources import REST, Sources
from udfwidgets.engine.work.pool import KEPT, MOST_KEPT, Pool, Traffic
from udfwidgets.engine.work.turns import short_switches

# Seconds after which a source that brought nothing is looked at again.
POLL = 0.01


def available_cpus() -> int:
    """Return how many CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class ThreadsExecutor:
    """Works with threads, as many as there are cores.

    Parameters
    ----------
    cpus : int, optional
        How many threads; by default as many as this process may use CPUs.
    spec : sequence, optional
        What `make_spec` returns, in the place of `cpus`.
    pin_workers, startup_timeout, cleanup_timeout, early_setup, main_process_gpu : optional
        Taken from code written for LiberTEM, without effect. A GPU is refused.
    """

    name = "threads"

    def __init__(
        self,
        cpus: int | None = None,
        *,
        spec: Sequence[Any] | None = None,
        pin_workers: bool | None = None,
        startup_timeout: float | None = None,
        cleanup_timeout: float | None = None,
        early_setup: Any = None,
        main_process_gpu: int | None = None,
    ) -> None:
        pass_over(
            self.name,
            pin_workers=pin_workers,
            startup_timeout=startup_timeout,
            cleanup_timeout=cleanup_timeout,
            early_setup=early_setup,
        )
        check_gpus(self.name, None, main_process_gpu)
        cpus = cpus if spec is None else len(spec)
        self.workers = cpus or available_cpus()
        self._loop = _Loop(self.workers)
        # Dropped without close(): the collector may be at work on one of the very threads that
        # are to be ended, so a thread of its own waits for them.
        self._finalizer = weakref.finalize(self, _close_from_elsewhere, self._loop)
        self._finalizer.atexit = False

    def __repr__(self) -> str:
        return f"<ThreadsExecutor workers={self.workers}>"

    @classmethod
    def make_local(
        cls, n_threads: int | None = None, main_process_gpu: int | None = None, **kwargs: Any
    ) -> ThreadsExecutor:
        """Return an executor with a number of threads; what else is given is as for the class."""
        return cls(n_threads, main_process_gpu=main_process_gpu, **kwargs)

    @classmethod
    def make_spec(
        cls, cpus: int | Iterable[int], cudas: int | Iterable[int] = (), has_cupy: bool = False
    ) -> Sequence[int]:
        """Return what the class takes as `spec`: one entry for each thread.

        Parameters
        ----------
        cpus : int, or iterable of int
            How many threads, or the numbers of the processors, of which as many are used.
        cudas, has_cupy : int, or iterable of int; bool
            GPUs are refused, and whether there is CuPy does not matter.
        """
        check_gpus(cls.name, cudas)
        return range(count_of(cpus) or 0)

    @property
    def bell(self) -> Bell:
        """Rung when there may be something new to do."""
        return self._loop.pool.bell

    @property
    def sources(self) -> Sources:
        """The open sources of datasets."""
        return self._loop.pool.sources

    @property
    def runs(self) -> tuple[Run, ...]:
        """All runs that are under way."""
        return self._loop.pool.runs

    @property
    def traffic(self) -> Traffic:
        """How much has passed through it so far."""
        return self._loop.pool.traffic

    @property
    def is_elsewhere(self) -> bool:
        """Whether this process was forked from the one that has the threads."""
        return self._loop.is_elsewhere

    def start(self, run: Run) -> None:
        """Begin a run on the worker threads."""
        self._loop.start(run, self)

    def advance(self, run: Run) -> bool:
        """Leave the work to the workers."""
        if self.is_elsewhere:  # nobody is there to do it
            raise RuntimeError(IS_ELSEWHERE)
        return False

    def can_advance(self, run: Run) -> bool:
        """Leave the work to the workers."""
        return False

    def forget(self, run: Run) -> None:
        """Take note that a run has ended."""
        self._loop.pool.remove(run)

    def close(self) -> None:
        """Cancel all runs, wait until their workers are gone, and end the loop."""
        self._finalizer.detach()
        self._loop.close()


def _close_from_elsewhere(loop: _Loop) -> None:
    threading.Thread(target=loop.close, name="udfwidgets-closer", daemon=True).start()


class _Loop:
    """The event loop on which the workers' tasks live; started when first needed."""

    def __init__(self, workers: int) -> None:
        self.pool = Pool(workers)
        self._workers = workers
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None
        self._closed = False

    @property
    def is_elsewhere(self) -> bool:
        return os.getpid() != self._process

    def start(self, run: Run, host: ThreadsExecutor) -> None:
        if self.is_elsewhere:
            raise RuntimeError(IS_ELSEWHERE)
        with self._lock:
            if self._closed:
                raise RuntimeError(IS_CLOSED)
            run.begin(host)
            if self._portal is None:
                self._portal = self._stack.enter_context(
                    start_blocking_portal("asyncio", name="udfwidgets-engine")
                )
                self._stack.enter_context(short_switches())
                atexit.register(self.close)
                self._portal.start_task_soon(self._serve)
            self.pool.add(run)

    async def _serve(self) -> None:
        # As many threads as there can be tasks: it is the pool that deals out the work.
        limiter = anyio.CapacityLimiter(self._workers + MOST_KEPT)
        try:
            async with anyio.create_task_group() as tasks:
                for _ in range(self._workers):
                    tasks.start_soon(self._work, limiter)
                await self._look_after(tasks, limiter)
        except Exception as error:
            # A fault of the engine: nobody must wait for what is not going to come.
            self._closed = True
            for run in self.pool.runs:
                run.fail(error)
            self.pool.settle()
            raise

    async def _work(self, limiter: anyio.CapacityLimiter) -> None:
        pool = self.pool
        while not self._has_ended():
            await pool.bell.wait_async(lambda: self._has_ended() or pool.has_work())
            if not await self._on_a_thread(limiter) and pool.has_work():
                # A source that still grows has brought nothing.
                pool.look_what_runs_wait_for()
                await anyio.sleep(POLL)

    async def _on_a_thread(self, limiter: anyio.CapacityLimiter) -> bool:
        """Work while there is something to do; return whether there was any."""
        # A worker thread cannot be abandoned while it writes: it is waited for, and it looks at
        # the flags of its runs before every tile.
        try:
            return await anyio.to_thread.run_sync(self.pool.work, limiter=limiter)
        except Exception as error:
            # Not from a UDF, those end up in their run: a fault of the engine must not hide.
            for run in self.pool.runs:
                run.fail(error)
            return True

    async def _look_after(self, tasks: TaskGroup, limiter: anyio.CapacityLimiter) -> None:
        """End runs that were told to stop, and bring threads for those that UDFs keep."""
        pool = self.pool
        while not self._has_ended():
            with anyio.move_on_after(REST) as rest:
                await pool.bell.wait_async(lambda: self._has_ended() or pool.needs_care())
            if rest.cancelled_caught:
                pool.sources.tidy()
                continue
            # Only where one run can keep the threads from another.
            with anyio.move_on_after(KEPT if len(pool.runs) > 1 else 0):
                await pool.bell.wait_async(lambda: self._has_ended() or pool.has_to_settle())
            pool.settle()
            pool.look_what_runs_wait_for()
            pool.bell.ring()  # how long a thread has been kept is heard by nobody
            if pool.needs_help():
                tasks.start_soon(self._on_a_thread, limiter)

    def _has_ended(self) -> bool:
        return self._closed and not self.pool.runs

    def close(self) -> None:
        if self.is_elsewhere:
            return  # the threads, and what they hold, are the other process's
        with self._lock:
            self._closed = True
        atexit.unregister(self.close)
        for run in self.pool.runs:
            run.cancel()
        self.pool.bell.ring()
        # Leaving the portal waits for the tasks of all runs.
        self._stack.close()
        self.pool.sources.close_resting()
