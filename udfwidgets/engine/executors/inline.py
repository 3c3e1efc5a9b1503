"""The inline executor: works on the thread that waits for the result, for debugging and Pyodide."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from udfwidgets.engine.run import Run
from udfwidgets.engine.worker import Worker


def _after_each_partition() -> bool:
    return True


class InlineExecutor:
    """Has no threads: a run goes on only while somebody waits for it."""

    name = "inline"
    workers = 1

    def __init__(self) -> None:
        self._at_work: WeakKeyDictionary[Run, Worker] = WeakKeyDictionary()

    def start(self, run: Run) -> None:
        """Begin a run; its work is done by whoever waits for it."""
        run.begin(self)
        self._at_work[run] = run.new_worker()

    def advance(self, run: Run) -> bool:
        """Work through one partition of a run; False when it has ended."""
        worker = self._at_work.get(run)
        if worker is None:
            return False
        if not run.work(worker, _after_each_partition):
            del self._at_work[run]
            run.finish()
        return True

    def close(self) -> None:
        """Cancel all runs and give back what they hold."""
        for run in list(self._at_work):
            run.cancel()
            run.wait(run.has_ended)
