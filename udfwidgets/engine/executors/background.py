"""Executors whose work goes on in the background, looked after from an event loop of their own.

The loop lives on a thread, so runs go on while a notebook cell keeps the kernel's own loop busy,
and `run_udf` can be called where a loop is already running.
"""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext

from anyio.from_thread import BlockingPortal, start_blocking_portal

from udfwidgets.engine.bell import Bell
from udfwidgets.engine.executors.base import IS_CLOSED, IS_ELSEWHERE
from udfwidgets.engine.run import Run
from udfwidgets.engine.sources import Sources
from udfwidgets.engine.work.pool import Pool, Traffic


class Loop:
    """An event loop on which a pool is served; started when first needed.

    Parameters
    ----------
    pool : Pool
        The runs, and what is to be done for them.
    name : str
        Of its thread.
    around : callable
        Returns a context in which the loop lives.
    """

    def __init__(
        self,
        pool: Pool,
        name: str,
        around: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self.pool = pool
        self._name = name
        self._around = around
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None
        self._closed = False

    @property
    def is_elsewhere(self) -> bool:
        """Whether this process was forked from the one that has the loop."""
        return os.getpid() != self._process

    def start(self, run: Run, host: Background) -> None:
        """Begin a run."""
        if self.is_elsewhere:
            raise RuntimeError(IS_ELSEWHERE)
        with self._lock:
            if self._closed:
                raise RuntimeError(IS_CLOSED)
            self._prepare(run)
            run.begin(host)
            if self._portal is None:
                self._portal = self._stack.enter_context(
                    start_blocking_portal("asyncio", name=self._name)
                )
                self._stack.enter_context(self._around())
                atexit.register(self.close)
                self._portal.start_task_soon(self._serve)
            self.pool.add(run)

    def _prepare(self, run: Run) -> None:
        """Do what a run needs before it begins."""

    async def _serve(self) -> None:
        """Do the work, until `has_ended`."""
        try:
            await self._work_through()
        except Exception as error:
            # A fault of the engine: nobody must wait for what is not going to come.
            self._closed = True
            self.fail_all(error)
            raise

    async def _work_through(self) -> None:
        raise NotImplementedError

    def has_ended(self) -> bool:
        """Whether it is closed, and there is nothing more to do."""
        return self._closed and not self.pool.runs

    def fail_all(self, error: BaseException) -> None:
        """End all runs with an error."""
        for run in self.pool.runs:
            run.fail(error)
        self.pool.settle()

    def close(self) -> None:
        """Cancel all runs, wait until nothing works any more, and end the loop."""
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


class Background:
    """An executor that leaves its work to a loop.

    Parameters
    ----------
    loop : Loop
        Closed with the executor, or when that is gone.
    """

    name: str
    workers: int

    def __init__(self, loop: Loop) -> None:
        self._served = loop
        # Dropped without close(): the collector may be at work on one of the very threads that
        # are to be ended, so a thread of its own waits for them.
        self._finalizer = weakref.finalize(self, _close_from_elsewhere, loop)
        self._finalizer.atexit = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} workers={self.workers}>"

    @property
    def bell(self) -> Bell:
        """Rung when there may be something new to do."""
        return self._served.pool.bell

    @property
    def sources(self) -> Sources:
        """The open sources of datasets."""
        return self._served.pool.sources

    @property
    def runs(self) -> tuple[Run, ...]:
        """All runs that are under way."""
        return self._served.pool.runs

    @property
    def traffic(self) -> Traffic:
        """How much has passed through it so far, all workers together."""
        return self._served.pool.traffic

    @property
    def is_elsewhere(self) -> bool:
        """Whether this process was forked from the one that has the workers."""
        return self._served.is_elsewhere

    def start(self, run: Run) -> None:
        """Begin a run on the workers."""
        self._served.start(run, self)

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
        self._served.pool.remove(run)

    def close(self) -> None:
        """Cancel all runs, and return when nothing works any more."""
        self._finalizer.detach()
        self._served.close()


def _close_from_elsewhere(loop: Loop) -> None:
    threading.Thread(target=loop.close, name="udfwidgets-closer", daemon=True).start()
