"""Tells how far a run has come: in a bar of text, or by a reporter of the user's own."""

from __future__ import annotations

import importlib
import uuid
from functools import cache
from typing import Any, NamedTuple

from udfwidgets.engine.run import Run
from udfwidgets.engine.subscription import Followed, Subscriber


class ProgressState(NamedTuple):
    """How far a run has come.

    Attributes
    ----------
    num_frames_complete : float
        Frames that are merged.
    num_frames_total : int
        Frames that are selected, and exist.
    num_part_complete, num_part_in_progress : int
        Partitions that are merged; those at work are not counted, that is 0.
    num_part_total : int
        Partitions in all, if the others are as large as those that are merged: a run sizes them
        while it goes on.
    progress_id : str
        Of the run; several may tell one reporter.
    """

    num_frames_complete: float
    num_frames_total: int
    num_part_complete: int
    num_part_in_progress: int
    num_part_total: int
    progress_id: str


class ProgressReporter:
    """Is told how far runs have come, by their workers; to be inherited from.

    What a method raises ends the run, but for `end`, after which there is none.
    """

    def start(self, state: ProgressState) -> None:
        """Take note of a run with its first step, or with its end if there is none."""
        raise NotImplementedError(f"{type(self).__name__} has no start(state)")

    def update(self, state: ProgressState) -> None:
        """Take note of a step."""
        raise NotImplementedError(f"{type(self).__name__} has no update(state)")

    def end(self, state: ProgressState) -> None:
        """Take note of the end of a run, for whatever reason."""
        raise NotImplementedError(f"{type(self).__name__} has no end(state)")


class TQDMProgressReporter(ProgressReporter):
    """Counts the merged frames of a run in a bar of tqdm. One is for one run at a time."""

    def __init__(self) -> None:
        self._bar: Any = None

    def start(self, state: ProgressState) -> None:
        """Show the bar."""
        self._bar = _bar()(total=state.num_frames_total, unit=" frames", unit_scale=True)

    def update(self, state: ProgressState) -> None:
        """Move the bar."""
        self._update(state)

    def end(self, state: ProgressState) -> None:
        """Leave the bar as it is."""
        self._update(state)
        self._bar.close()

    # Subclasses that others have written bring a bar of their own and call these.

    def _update(self, state: ProgressState, *, clip: bool = True, refresh: bool = False) -> None:
        if self._bar.desc:
            self._bar.set_description(self._get_description(state), refresh=False)
        self._bar.update(state.num_frames_complete - self._bar.n)
        if refresh:
            self._bar.refresh()

    @staticmethod
    def _get_description(state: ProgressState) -> str:
        return f"Partitions {state.num_part_complete}/{state.num_part_total}, Frames"


@cache
def _bar() -> Any:
    tqdm = importlib.import_module("tqdm").tqdm  # here: a Context is there sooner
    # No monitor thread: every step moves the bar, and a run leaves no thread behind.
    return type("Bar", (tqdm,), {"monitor_interval": 0})


class Reporting(Subscriber):
    """Tells a reporter of a run.

    Parameters
    ----------
    run : Run
        Not started yet.
    reporter : ProgressReporter
        Whom to tell.
    """

    def __init__(self, run: Run, reporter: ProgressReporter) -> None:
        self._run = run
        self._reporter = reporter
        self._id = uuid.uuid4().hex
        self._steps = 0
        self._is_known = False

    def merged(self, run: Followed) -> None:
        """Tell of a step, and of the run before the first one."""
        self._introduce()
        self._steps += 1
        self._reporter.update(self._state())

    def ended(self) -> None:
        """Tell of the end."""
        self._introduce()
        self._reporter.end(self._state())

    def _introduce(self) -> None:
        if not self._is_known:
            self._is_known = True
            self._reporter.start(self._state())

    def _state(self) -> ProgressState:
        progress, steps = self._run.progress, self._steps
        frames = progress.frames if steps else 0
        total = round(steps * progress.n_frames / frames) if frames else max(1, steps)
        return ProgressState(frames, progress.n_frames, steps, 0, total, self._id)


def reporter_of(progress: Any) -> ProgressReporter | None:
    """Return whom to tell of a run: what was given, a bar for whatever else is true, or nobody.

    Parameters
    ----------
    progress : bool or ProgressReporter
    """
    if isinstance(progress, ProgressReporter):
        return progress
    return TQDMProgressReporter() if progress else None
