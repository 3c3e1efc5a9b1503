"""How much anonymous memory a worker takes, as seen from outside."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.processes import Worker


def peak_memory(worker: Worker, work: Callable[[], Any], *, alone: bool = False) -> int:
    """Bytes of anonymous memory at the highest, of the worker and its children, during `work`.

    Sampled every 5 ms, which takes some of the processor: not for runs that are timed.

    Parameters
    ----------
    worker : Worker
        Whose.
    work : callable
        What it does meanwhile.
    alone : bool
        Whether its children do not count.
    """
    done = threading.Event()
    peak = 0

    def sample() -> None:
        nonlocal peak
        while not done.wait(0.005):
            counted = worker.family()[: 1 if alone else None]
            peak = max(peak, sum(_rss_anon(process.pid) for process in counted))

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        work()
    finally:
        done.set()
        sampler.join()
    return peak


def _rss_anon(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    return 0
