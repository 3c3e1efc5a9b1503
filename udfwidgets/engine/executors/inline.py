"""The inline executor: works on the thread that waits for the result, for debugging and Pyodide."""

from __future__ import annotations

import time
from weakref import WeakKeyDictionary

from udfwidgets.engine.bell import Bell
from udfwidgets.engine.pool import Traffic
from udfwidgets.engine.run import Run
from udfwidgets.engine.scan import Scan
from udfwidgets.engine.sources import Sources
from udfwidgets.engine.worker import Worker

# Seconds after which a source that brought nothing is looked at again.
POLL = 0.01


class InlineExecutor:
    """Has no threads: a run goes on only while somebody waits for it, and each goes alone."""

    name = "inline"
    workers = 1

    def __init__(self) -> None:
        self.bell = Bell()
        self.sources = Sources()
        self.traffic = Traffic()
        self._scans: WeakKeyDictionary[Run, tuple[Scan, Worker]] = WeakKeyDictionary()

    @property
    def runs(self) -> tuple[Run, ...]:
        """All runs that are under way."""
        return tuple(self._scans)

    def start(self, run: Run) -> None:
        """Begin a run; its work is done by whoever waits for it."""
        run.begin(self)
        scan = Scan(run.dataset, run.source, run.wanted_order)
        scan.join(run)
        self._scans[run] = scan, Worker()

    def advance(self, run: Run) -> bool:
        """Work through one partition of a run; False when it can take none, or has ended."""
        if not self.can_advance(run):
            return False
        scan, worker = self._scans[run]
        assignment = scan.take()
        if assignment is not None:
            worker.work(assignment)
            self.traffic = self.traffic.plus(assignment)
        elif not run.is_stopping():
            time.sleep(POLL)  # the source still grows, and has brought nothing
        run.try_to_finish()
        return True

    def can_advance(self, run: Run) -> bool:
        """Whether a run can take another partition, or is to be ended."""
        return run in self._scans and (run.is_ready() or run.is_stopping())

    def forget(self, run: Run) -> None:
        """Take note that a run has ended."""
        self._scans.pop(run, None)

    def close(self) -> None:
        """Cancel all runs and give back what they hold."""
        for run in self.runs:
            run.cancel()
            run.wait(run.has_ended)
