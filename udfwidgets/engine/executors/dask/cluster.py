"""Clients of Dask clusters: of one that is running, or of one that is started on this machine."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dask.config
from distributed import Client, LocalCluster

from udfwidgets.engine.executors.dask import remote

# What Dask looks at in each of its servers, and how often. Left as it is, two idle workers and
# their client take 10 % of a core; so they take 2 %, and code of users has the GIL for longer.
QUIET = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.worker.memory.monitor-interval": "1s",
    "distributed.admin.system-monitor.interval": "5s",
}
# What a nanny sets for glibc has its worker map and clear memory of 128 KiB and more anew each
# time, which is 8 % of a loop over the pixels of frames (findings/dask-nanny-malloc.sh).
TRIM = "MALLOC_TRIM_THRESHOLD_"
ENVIRONMENT = "distributed.nanny.pre-spawn-environ"


def start_local(workers: int) -> Any:
    """Return a client of a new cluster on this machine, which nobody else can reach.

    Each process has one thread: Python code of users holds the GIL of its process only.

    Parameters
    ----------
    workers : int
        How many processes.
    """
    with _own_environment(), dask.config.set(QUIET | {f"{ENVIRONMENT}.{TRIM}": None}):
        cluster = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            silence_logs=50,
            # In each process before anything else, also in those that come in place of others.
            preload=[remote.__name__],
        )
    # Answers come from the workers themselves, which are seen from here.
    return Client(cluster, set_as_default=False, direct_to_workers=True)


@contextmanager
def _own_environment() -> Iterator[None]:
    """Give workers an environment of their own, and leave that of this process as it is.

    Nannies set in this process what their workers find in theirs, and leave it there: whatever else
    is started from a notebook would have one thread (findings/dask-nanny-environ.sh). Not seen to
    is what they set when they bring a worker in place of one that has died.
    """
    defaults = dask.config.get(ENVIRONMENT)
    names = {*defaults, "PYTHONHASHSEED"}
    before = {name: os.environ[name] for name in names & set(os.environ)}
    if before.get(TRIM) == str(defaults.get(TRIM)):
        del os.environ[TRIM]  # from another cluster
    try:
        yield
    finally:
        for name in names:
            os.environ.pop(name, None)
        os.environ.update(before)


def connect(address: str) -> Any:
    """Return a client of a running cluster.

    Parameters
    ----------
    address : str
        Of its scheduler, such as ``tcp://host:8786``.
    """
    return Client(address, set_as_default=False)


def dashboard_of(client: Any) -> str:
    """Return the address of the page that Dask has for a cluster; empty where there is none."""
    # What is served without bokeh says that bokeh is missing.
    is_drawn_here = importlib.util.find_spec("bokeh") is not None
    is_ours = isinstance(client.cluster, LocalCluster)
    return (client.dashboard_link or "") if is_drawn_here or not is_ours else ""
