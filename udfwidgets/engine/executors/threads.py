"""The threads executor: worker threads of this process, run from an event loop of their own.

On the loop lives one task per worker, which waits for something to do and does it on a thread; a
thread is kept for as long as there is work, because each change costs about 0.1 ms. One more task
ends the runs that were told to stop while nobody was at work on them, and closes files that have
not been used for a while.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from udfwidgets.engine.executors.arguments import available_cpus, check_gpus, count_of, pass_over
from udfwidgets.engine.executors.aside import stand_back
from udfwidgets.engine.executors.background import Background, Loop
from udfwidgets.engine.sources import REST
from udfwidgets.engine.work.pool import KEPT, MOST_KEPT, Pool
from udfwidgets.engine.work.turns import short_switches

# Seconds after which a source that brought nothing is looked at again.
POLL = 0.01


class ThreadsExecutor(Background):
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
        super().__init__(_Threads(self.workers))

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


class _Threads(Loop):
    """The event loop on which the workers' tasks live."""

    def __init__(self, workers: int) -> None:
        super().__init__(Pool(workers), "udfwidgets-engine", short_switches)
        self._workers = workers

    async def _work_through(self) -> None:
        # As many threads as there can be tasks: it is the pool that deals out the work.
        limiter = anyio.CapacityLimiter(self._workers + MOST_KEPT)
        async with anyio.create_task_group() as tasks:
            for _ in range(self._workers):
                tasks.start_soon(self._work, limiter)
            await self._look_after(tasks, limiter)

    async def _work(self, limiter: anyio.CapacityLimiter) -> None:
        pool = self.pool
        while not self.has_ended():
            await pool.bell.wait_async(lambda: self.has_ended() or pool.has_work())
            if not await self._on_a_thread(limiter) and pool.has_work():
                # A source that still grows has brought nothing.
                pool.look_what_runs_wait_for()
                await anyio.sleep(POLL)

    async def _on_a_thread(self, limiter: anyio.CapacityLimiter) -> bool:
        """Work while there is something to do; return whether there was any."""
        # A worker thread cannot be abandoned while it writes: it is waited for, and it looks at
        # the flags of its runs before every tile.
        try:
            return await anyio.to_thread.run_sync(self._work_aside, limiter=limiter)
        except Exception as error:
            # Not from a UDF, those end up in their run: a fault of the engine must not hide.
            for run in self.pool.runs:
                run.fail(error)
            return True

    def _work_aside(self) -> bool:
        stand_back()
        return self.pool.work()

    async def _look_after(self, tasks: TaskGroup, limiter: anyio.CapacityLimiter) -> None:
        """End runs that were told to stop, and bring threads for those that UDFs keep."""
        pool = self.pool
        while not self.has_ended():
            with anyio.move_on_after(REST) as rest:
                await pool.bell.wait_async(lambda: self.has_ended() or pool.needs_care())
            if rest.cancelled_caught:
                pool.sources.tidy()
                continue
            # Only where one run can keep the threads from another.
            with anyio.move_on_after(KEPT if len(pool.runs) > 1 else 0):
                await pool.bell.wait_async(
                    lambda: self.has_ended() or pool.has_to_settle() or pool.is_called()
                )
            pool.settle()
            pool.look_what_runs_wait_for()
            pool.bell.ring()  # how long a thread has been kept is heard by nobody
            if pool.needs_help():
                pool.note_help()
                tasks.start_soon(self._on_a_thread, limiter)
