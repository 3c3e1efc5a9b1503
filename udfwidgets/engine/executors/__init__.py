"""Executors: where the work of a run is done, one module each."""

from __future__ import annotations

from udfwidgets.engine.executors.base import Executor
from udfwidgets.engine.executors.inline import InlineExecutor
from udfwidgets.engine.executors.threads import ThreadsExecutor
from udfwidgets.errors import ExecutorSpecException

__all__ = ["Executor", "InlineExecutor", "ThreadsExecutor", "make_executor"]


def make_executor(spec: str, cpus: int | None = None) -> Executor:
    """Return a new executor.

    Parameters
    ----------
    spec : str
        'threads'; 'inline', or 'synchronous', which is the same.
    cpus : int, optional
        How many workers; by default as many as this process may use.

    Raises
    ------
    ExecutorSpecException
        If there is no such executor, or it cannot do with that many workers.
    """
    if cpus is not None and (isinstance(cpus, bool) or not isinstance(cpus, int) or cpus < 1):
        raise ExecutorSpecException(f"cpus is {cpus!r}, expected a whole number from 1 on, or None")
    if spec == "threads":
        return ThreadsExecutor(cpus)
    if spec in ("inline", "synchronous"):
        if cpus not in (None, 1):
            raise ExecutorSpecException(
                f"the {spec} executor works on the calling thread alone and cannot use "
                f"cpus={cpus}: leave cpus out, or use 'threads'"
            )
        return InlineExecutor()
    if spec == "dask":
        raise ExecutorSpecException(
            "the dask executor is not part of this version yet: use 'threads', which keeps all "
            "cores of this machine busy"
        )
    raise ExecutorSpecException(f"unknown executor {spec!r}: use 'threads' or 'inline'")
