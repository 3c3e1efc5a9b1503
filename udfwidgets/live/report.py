"""Where a run stands, in the words and numbers of its card."""

from __future__ import annotations

from udfwidgets.engine.merge.progress import RunState
from udfwidgets.engine.run import Run
from udfwidgets.errors import shortened, text_of
from udfwidgets.live.picture.picture import Status
from udfwidgets.live.wire.protocol import State

_STATES: dict[RunState, State] = {
    RunState.RUNNING: "running",
    RunState.PAUSED: "paused",
    RunState.DONE: "done",
    RunState.CANCELLED: "cancelled",
    RunState.FAILED: "failed",
}


def status_of(run: Run, fault: Exception | None = None, advice: str = "") -> Status:
    """Return how far a run is, with the rates since its start.

    Parameters
    ----------
    run : Run
        Under way, or ended.
    fault : Exception, optional
        Why its results cannot be drawn. While the run goes on that may still mend itself; a run
        that ends with it counts as failed.
    advice : str
        Goes with the notes of the dataset.
    """
    progress, error = run.progress, run.error or fault
    rate = progress.frames / progress.seconds if progress.seconds > 0 else 0.0
    left = (progress.n_frames - progress.frames) / rate if rate else None
    state = _STATES[run.state]
    if fault is not None and state == "done":
        state = "failed"
    if progress.waiting and state == "running":
        state = "stalled"
    return Status(
        state=state,
        fraction=progress.fraction,
        frames_done=progress.frames,
        frames_total=progress.n_frames,
        frames_per_second=rate,
        bytes_per_second=progress.n_bytes / progress.seconds if progress.seconds > 0 else 0.0,
        seconds_left=left if state == "running" else None,
        message=progress.waiting if error is None else _told(error),
        note="; ".join([*run.dataset.notes, *([advice] if advice else [])]),
    )


def _told(error: BaseException) -> str:
    """Say what went wrong, and in which UDF and where, which is in the notes."""
    notes = map(str, getattr(error, "__notes__", ()))
    return shortened("\n".join([f"{type(error).__name__}: {text_of(error)}", *notes]))
