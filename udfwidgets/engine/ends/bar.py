"""A text progress bar for a run, for scripts and terminals."""

from __future__ import annotations

from typing import Any

from tqdm import tqdm

from udfwidgets.engine.run import Run
from udfwidgets.engine.subscription import Followed, Subscriber


class ProgressBar(Subscriber):
    """Counts the merged frames of a run in a bar of tqdm, until the run ends.

    Parameters
    ----------
    run : Run
        Not started yet.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._bar: Any = None

    def merged(self, run: Followed) -> None:
        """Move the bar; it appears with the first step."""
        if self._bar is None:
            self._bar = _Bar(total=run.plan.n_frames, unit=" frames", unit_scale=True)
        self._bar.update(run.progress.frames - self._bar.n)

    def ended(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()


class _Bar(tqdm):  # type: ignore[misc]
    # No monitor thread: every step moves the bar, and a run leaves no thread behind.
    monitor_interval = 0
