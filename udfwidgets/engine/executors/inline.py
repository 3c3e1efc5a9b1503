"""The inline executor: works on the thread that waits for the result, for debugging and Pyodide.

It does not keep runs alive, for one that nobody holds is one that nobody can wait for: its source
is given back when it is gone.
"""

from __future__ import annotations

import threading
import time
import weakref
from typing import Any

from udfwidgets.engine.bell import Bell
from udfwidgets.engine.executors.arguments import check_gpus, pass_over
from udfwidgets.engine.executors.base import IS_CLOSED
from udfwidgets.engine.run import Run
from udfwidgets.engine.sources import Sources
from udfwidgets.engine.work.pool import Traffic
from udfwidgets.engine.work.scan import Assignment, Scan
from udfwidgets.engine.work.worker import Worker

# Seconds after which a source that brought nothing is looked at again.
POLL = 0.01


class InlineExecutor:
    """Has no threads: a run goes on only while somebody waits for it, and each goes alone.

    Parameters
    ----------
    debug, inline_threads, main_process_gpu : optional
        Taken from code written for LiberTEM, without effect. A GPU is refused.
    """

    name = "inline"
    workers = 1

    def __init__(
        self,
        debug: bool | None = None,
        inline_threads: int | None = None,
        main_process_gpu: int | None = None,
    ) -> None:
        pass_over("inline", debug=debug, inline_threads=inline_threads)
        check_gpus("inline", None, main_process_gpu)
        self.bell = Bell()
        self.sources = Sources()
        self.traffic = Traffic()
        self._lock = threading.Lock()
        self._closed = False
        self._desks: weakref.WeakKeyDictionary[Run, _Desk] = weakref.WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"<InlineExecutor workers={self.workers}>"

    @property
    def runs(self) -> tuple[Run, ...]:
        """All runs that are under way."""
        found = (reference() for reference in self._desks.keyrefs())
        return tuple(run for run in found if run is not None)

    @property
    def is_elsewhere(self) -> bool:
        """Whoever waits does the work, in whatever process."""
        return False

    def start(self, run: Run) -> None:
        """Begin a run; its work is done by whoever waits for it."""
        self._settle()
        with self._lock:
            if self._closed:
                raise RuntimeError(IS_CLOSED)
            run.begin(self)
            self._desks[run] = _Desk(run, weakref.finalize(run, self.sources.drop, run.dataset))

    def advance(self, run: Run) -> bool:
        """Work through one partition of a run; False when it can take none, or has ended."""
        desk = self._desks.get(run)
        if desk is None:
            return False
        # Of several threads that wait for the run, one works at a time.
        with desk.lock:
            if not self.can_advance(run):
                return False
            assignment = desk.work(run)
        if assignment is not None:
            with self._lock:
                self.traffic = self.traffic.plus(assignment)
        elif not run.is_stopping():
            run.look_what_it_waits_for()
            time.sleep(POLL)  # the source still grows, and has brought nothing
        run.try_to_finish()
        return True

    def can_advance(self, run: Run) -> bool:
        """Whether a run can take another partition, or is to be ended."""
        return run in self._desks and (run.is_ready() or run.is_stopping())

    def forget(self, run: Run) -> None:
        """Take note that a run has ended."""
        desk = self._desks.pop(run, None)
        if desk is not None:
            desk.finalizer.detach()

    def close(self) -> None:
        """Cancel all runs and give back what they hold."""
        with self._lock:
            self._closed = True
        for run in self.runs:
            run.cancel()
            run.wait(run.has_ended)

    def _settle(self) -> None:
        """End runs that were told to stop, and that nobody waits for."""
        for run in self.runs:
            run.try_to_finish()


class _Desk:
    """Where the work of a run is done, without the run itself, which may go."""

    def __init__(self, run: Run, finalizer: weakref.finalize[Any, Run]) -> None:
        finalizer.atexit = False
        self.finalizer = finalizer
        self.lock = threading.Lock()
        self._scan = Scan.of(run)
        self._worker = Worker()

    def work(self, run: Run) -> Assignment | None:
        """Work through one partition, which is returned, if there is one."""
        self._scan.join(run)
        try:
            assignment = self._scan.take()
            if assignment is not None:
                self._worker.work(assignment)
                self._worker.rest()
            return assignment
        finally:
            self._scan.leave(run)
