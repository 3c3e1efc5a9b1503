"""Executors: where the work of a run is done, one module each."""

from __future__ import annotations

import logging
import pkgutil
from collections.abc import Callable

from udfwidgets.engine.executors.arguments import check_gpus, count_of
from udfwidgets.engine.executors.base import Executor
from udfwidgets.engine.executors.inline import InlineExecutor
from udfwidgets.engine.executors.threads import ThreadsExecutor
from udfwidgets.errors import ExecutorSpecException

__all__ = [
    "Executor",
    "InlineExecutor",
    "ThreadsExecutor",
    "check_gpus",
    "count_of",
    "make_executor",
]

_log = logging.getLogger(__name__)

# Brings distributed, which is an extra, and takes half a second.
DASK = "udfwidgets.engine.executors.dask:DaskExecutor"

# Executors of LiberTEM, and what to do instead.
_ELSEWHERE = {
    "delayed": "use 'threads', and sync=False for a result to be waited for later",
    "dask-integration": "use 'threads'; results become dask arrays by dask.array.from_array()",
    "dask-make-default": "use 'dask'",
}


def make_executor(spec: str, cpus: int | None = None) -> Executor:
    """Return a new executor.

    Parameters
    ----------
    spec : str
        'threads'; 'dask', or 'processes', which is the same; 'inline', or 'synchronous', which is
        the same.
    cpus : int, optional
        How many workers; by default as many as this process may use.

    Raises
    ------
    ExecutorSpecException
        If there is no such executor, or it cannot do with that many workers.
    """
    if cpus is not None and (isinstance(cpus, bool) or not isinstance(cpus, int) or cpus < 1):
        raise ExecutorSpecException(f"cpus is {cpus!r}, expected a whole number from 1 on, or None")
    if spec in ("concurrent", "pipelined"):
        _log.debug("the %s executor of LiberTEM is the threads executor here", spec)
        spec = "threads"
    if spec == "threads":
        return ThreadsExecutor(cpus)
    if spec in ("inline", "synchronous"):
        if cpus not in (None, 1):
            raise ExecutorSpecException(
                f"the {spec} executor works on the calling thread alone and cannot use "
                f"cpus={cpus}: leave cpus out, or use 'threads'"
            )
        return InlineExecutor()
    if spec in ("dask", "processes"):
        try:
            found: Callable[..., Executor] = pkgutil.resolve_name(DASK)
        except ImportError as error:
            raise ExecutorSpecException(
                f"the {spec} executor needs the package distributed: pip install udfwidgets[dask]"
            ) from error
        return found(cpus=cpus)
    if spec in _ELSEWHERE:
        raise ExecutorSpecException(f"there is no {spec} executor: {_ELSEWHERE[spec]}")
    raise ExecutorSpecException(
        f"unknown executor {spec!r}: use 'threads', 'processes', 'dask' or 'inline'"
    )
