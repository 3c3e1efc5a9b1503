"""The threads executor: worker threads of this process, run from an event loop of their own.

The loop lives on a background thread, so runs go on while a notebook cell keeps the kernel's own
loop busy, and `run_udf` can be called where a loop is already running. A run is one task on it; the
task starts one worker per thread and waits until all of them are done.

A worker keeps its thread for as long as no other run wants one, because each change costs about
0.1 ms. As soon as there are several runs, each worker gives its thread back after every partition,
and the limiter, which is first come first served, deals them out in turn.
"""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from contextlib import ExitStack

import anyio
import anyio.to_thread
from anyio.from_thread import BlockingPortal, start_blocking_portal

from udfwidgets.engine.run import Host, Run


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
    """

    name = "threads"

    def __init__(self, cpus: int | None = None) -> None:
        self.workers = cpus or available_cpus()
        self._loop = _Loop(self.workers)
        # Dropped without close(): the collector may be at work on one of the very threads that
        # are to be ended, so a thread of its own waits for them.
        self._finalizer = weakref.finalize(self, _close_from_elsewhere, self._loop)
        self._finalizer.atexit = False

    def start(self, run: Run) -> None:
        """Begin a run on the worker threads."""
        self._loop.start(run, self)

    def advance(self, run: Run) -> bool:
        """Leave the work to the workers."""
        return False

    def close(self) -> None:
        """Cancel all runs, wait until their workers are gone, and end the loop."""
        self._finalizer.detach()
        self._loop.close()


def _close_from_elsewhere(loop: _Loop) -> None:
    threading.Thread(target=loop.close, name="udfwidgets-closer", daemon=True).start()


class _Loop:
    """The event loop that deals out worker threads to runs; started when first needed."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None
        self._limiter: anyio.CapacityLimiter | None = None
        self._closed = False
        self._runs: set[Run] = set()

    def start(self, run: Run, host: Host) -> None:
        with self._lock:
            if self._closed:
                raise RuntimeError("the Context is closed: make a new one")
            if self._portal is None:
                self._portal = self._stack.enter_context(
                    start_blocking_portal("asyncio", name="udfwidgets-engine")
                )
                atexit.register(self.close)
            run.begin(host)
            self._runs.add(run)
            self._portal.start_task_soon(self._drive, run)

    async def _drive(self, run: Run) -> None:
        try:
            async with anyio.create_task_group() as tasks:
                for _ in range(self._workers):
                    tasks.start_soon(self._work, run)
        except Exception as error:
            # Not from a UDF, those end up in the run: a fault of the engine must not hide as a
            # run that was cancelled.
            run.fail(error)
        finally:
            self._runs.discard(run)
            run.finish()

    async def _work(self, run: Run) -> None:
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(self._workers)
        worker = run.new_worker()
        # A worker thread cannot be abandoned while it writes: it is waited for, and it looks at
        # the run's flag before every tile.
        while await anyio.to_thread.run_sync(
            run.work, worker, self._is_crowded, limiter=self._limiter
        ):
            await run.bell.wait_async(run.has_room)

    def _is_crowded(self) -> bool:
        return len(self._runs) > 1

    def close(self) -> None:
        with self._lock:
            self._closed = True
        atexit.unregister(self.close)
        for run in tuple(self._runs):
            run.cancel()
        # Leaving the portal waits for the tasks of all runs.
        self._stack.close()
