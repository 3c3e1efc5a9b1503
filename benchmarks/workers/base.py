"""What all contenders have in common."""

from __future__ import annotations

import resource
import time
from typing import Any

import numpy as np


class Contender:
    """Who can be measured.

    Parameters
    ----------
    name : str
        As the worker process was told.
    variant : str or None
        Which kind of it: an executor, a kind of loop.
    """

    works: tuple[str, ...] = ()
    """Names of what it can compute; by default those of its methods."""
    formats: tuple[str, ...] = ("raw",)

    def __init__(self, name: str, variant: str | None) -> None:
        self.name = name
        self.variant = variant

    def start(self) -> dict[str, float]:
        """Get ready; seconds that importing and making a Context took."""
        return {"import": 0.0, "context": 0.0}

    def abilities(self) -> dict[str, list[str]]:
        return {"works": list(self.works), "formats": list(self.formats)}

    def limit_memory(self, n_bytes: int) -> None:
        """Let all further private writable memory of this process be at most so much.

        Mapped files do not count, a copy of one does.
        """
        resource.setrlimit(resource.RLIMIT_DATA, (n_bytes, n_bytes))

    def load(self, scan: dict[str, Any]) -> None:
        raise NotImplementedError

    def run(self, works: list[str], save: str | None = None, repeat: int = 1) -> float:
        """Seconds of one run, the mean of `repeat` in a row; the results go to `save`."""
        begin = time.perf_counter()
        for _ in range(repeat):
            arrays = self.compute(works)
        seconds = (time.perf_counter() - begin) / repeat
        if save is not None:
            np.savez(save, *arrays)
        return seconds

    def compute(self, works: list[str]) -> list[Any]:
        """Do the works one after the other, or all in one pass where that is overridden."""
        return [array for work in works for array in getattr(self, work)()]

    def stop(self) -> None:
        pass
