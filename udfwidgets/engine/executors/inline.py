"""The inline executor: works on the thread that waits for the result, for debugging and Pyodide."""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakSet

from udfwidgets.engine.run import Run


def _after_each_partition() -> bool:
    return True


class InlineExecutor:
    """Has no threads: a run goes on only while somebody waits for it."""

    name = "inline"
    workers = 1

    def __init__(self) -> None:
        self._runs: WeakSet[Run] = WeakSet()

    def start(self, run: Run) -> None:
        """Begin a run; its work is done by whoever waits for it."""
        run.begin()
        run.advance = self._partition_by_partition(run)
        self._runs.add(run)

    def _partition_by_partition(self, run: Run) -> Callable[[], None]:
        worker = run.new_worker()

        def advance() -> None:
            if not run.has_ended() and not run.work(worker, _after_each_partition):
                run.finish()

        return advance

    def close(self) -> None:
        """Cancel all runs and give back what they hold."""
        for run in list(self._runs):
            run.cancel()
            run.wait(run.has_ended)
