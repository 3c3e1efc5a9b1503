"""The contract of an executor."""

from __future__ import annotations

from typing import Protocol

from udfwidgets.engine.run import Host, Run


class Executor(Host, Protocol):
    """Brings the workers that do the work of runs.

    Attributes
    ----------
    name : str
        As in ``Context.make_with(name)``.
    workers : int
        How many partitions it works on at the same time.
    """

    name: str
    workers: int

    def start(self, run: Run) -> None:
        """Begin a run and return at once; call ``run.finish()`` when its last worker is gone.

        Raises
        ------
        DataSetException
            If the dataset cannot be opened.
        """

    def close(self) -> None:
        """Cancel all runs and return when nothing works any more. Closing twice is allowed."""
