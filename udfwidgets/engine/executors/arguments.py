"""Arguments of executors: how many workers, and those of LiberTEM, without effect or refused."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from typing import Any

from udfwidgets.errors import ExecutorSpecException

_log = logging.getLogger(__name__)

#: Without effect here, and why.
WITHOUT_EFFECT = {
    "debug": "errors say where they come from",
    "inline_threads": "a worker is one thread",
    "pin_workers": "the system places threads on processors",
    **dict.fromkeys(
        ("startup_timeout", "cleanup_timeout", "early_setup"), "threads are there at once"
    ),
    "lt_resources": "every worker of a cluster does every kind of work",
    "snooze_timeout": "workers that rest cost nothing",
}


def pass_over(executor: str, **given: Any) -> None:
    """Say in the log what is taken without effect; what is None was not given."""
    for name in (name for name, value in given.items() if value is not None):
        reason = WITHOUT_EFFECT[name]
        _log.debug("the %s executor takes %s without effect: %s", executor, name, reason)


def count_of(cpus: Any) -> int | None:
    """Return how many workers are asked for, by their number or by those of the processors."""
    return len(tuple(cpus)) if isinstance(cpus, Iterable) else cpus


def check_gpus(executor: str, gpus: Any, main_process_gpu: int | None = None) -> None:
    """Raise if GPUs are asked for.

    Raises
    ------
    ExecutorSpecException
        The work is done on processors.
    """
    # The number of a GPU, which may be 0, and not False.
    wants_main = main_process_gpu is not None and main_process_gpu is not False
    if count_of(gpus) or wants_main:
        asked = main_process_gpu if wants_main else gpus
        raise ExecutorSpecException(
            f"the {executor} executor works on processors and cannot use gpus={asked}: leave it out"
        )


def available_cpus() -> int:
    """Return how many CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
