"""Where a run stands: its state, how much of it is merged, and how long it took."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import Enum

#: Positions of a scan, from coarse to fine, that make a recognisable picture.
#: With nothing begun before, the first of those was on the page earlier as well: after 284 to
#: 395 ms, not 400 to 509.
PRESENTABLE = 2048


class RunState(Enum):
    """Where a run stands."""

    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True)
class Progress:
    """How far a run has come.

    Attributes
    ----------
    frames, n_frames : int
        Merged so far, and selected in all.
    n_bytes : int
        Size of the frames merged so far.
    seconds : float
        Since the run started, until it ended, without pauses.
    waiting : str
        What it waits for, in words, while a source that still grows brings nothing.
    """

    frames: int
    n_frames: int
    n_bytes: int
    seconds: float
    waiting: str = ""

    @property
    def fraction(self) -> float:
        """Share of the selected frames that are merged."""
        return self.frames / self.n_frames if self.n_frames else 1.0

    @property
    def is_presentable(self) -> bool:
        """Whether there is enough for a picture in which something can be recognised."""
        return self.frames >= min(PRESENTABLE, self.n_frames)


class Stopwatch:
    """Measures how long something has been going on, without pauses."""

    def __init__(self) -> None:
        self._before = 0.0
        self._since: float | None = None

    @property
    def seconds(self) -> float:
        """So far."""
        since = self._since
        return self._before + (0.0 if since is None else time.perf_counter() - since)

    def start(self) -> None:
        """Begin, or go on after `stop`."""
        if self._since is None:
            self._since = time.perf_counter()

    def stop(self) -> None:
        """Stop, for good or until `start`."""
        self._before, self._since = self.seconds, None
