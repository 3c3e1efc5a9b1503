"""The contract of an executor."""

from __future__ import annotations

from typing import Protocol

from udfwidgets.engine.run import Host, Run
from udfwidgets.engine.work.pool import Traffic

IS_CLOSED = "the Context is closed: make a new one"
IS_ELSEWHERE = (
    "this process was forked from the one that made the Context, and has none of its threads: "
    "make a new Context here"
)


class Executor(Host, Protocol):
    """Brings the workers that do the work of runs.

    Attributes
    ----------
    name : str
        As in ``Context.make_with(name)``.
    workers : int
        How many partitions it works on at the same time.
    runs : tuple of Run
        All that are under way.
    traffic : Traffic
        How much has passed through it so far.
    """

    name: str
    workers: int

    @property
    def runs(self) -> tuple[Run, ...]:
        """All runs that are under way."""

    @property
    def traffic(self) -> Traffic:
        """How much has passed through it so far."""

    @property
    def is_elsewhere(self) -> bool:
        """Whether this process was forked from the one that has the workers."""

    def start(self, run: Run) -> None:
        """Begin a run and return at once.

        Raises
        ------
        DataSetException
            If the dataset cannot be opened.
        RuntimeError
            If the executor is closed.
        """

    def close(self) -> None:
        """Cancel all runs and return when nothing works any more. Closing twice is allowed."""
