"""Where a run stands: its state, and how much of it is merged."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class RunState(Enum):
    """Where a run stands."""

    RUNNING = "running"
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
        Since the run started, until it ended.
    """

    frames: int
    n_frames: int
    n_bytes: int
    seconds: float

    @property
    def fraction(self) -> float:
        """Share of the selected frames that are merged."""
        return self.frames / self.n_frames if self.n_frames else 1.0
