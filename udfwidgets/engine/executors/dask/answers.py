"""Brings what workers have answered to the runs that it is for."""

from __future__ import annotations

import pickle

from udfwidgets.engine.blame import add_note
from udfwidgets.engine.executors.dask.messages import Answer, Part
from udfwidgets.engine.work.scan import Assignment
from udfwidgets.engine.work.share import Share


def settle(assignment: Assignment, found: Answer | BaseException) -> float:
    """Merge what came of an assignment, or fail its runs; return the seconds that reading took."""
    if isinstance(found, BaseException):
        for share in assignment.shares:
            share.run.fail(found)
        return 0.0
    for share, part in zip(assignment.shares, found.parts, strict=True):
        share.seconds = part.seconds
        _settle(share, part, found.worker)
    return found.reading


def size_of(found: Answer | BaseException) -> int:
    """Return how many bytes of partial results have come."""
    parts = () if isinstance(found, BaseException) else found.parts
    arrays = [each for part in parts for buffers in part.buffers or () for each in buffers.values()]
    return sum(array.nbytes for array in arrays)


def _settle(share: Share, part: Part, worker: str) -> None:
    run = share.run
    if part.error is not None:
        error, notes = pickle.loads(part.error)
        add_note(error, "\n".join([*notes, f"on {worker}"]))
        run.fail(error)
    elif part.buffers is not None and run.enter():
        try:
            run.merge(share.partition, part.buffers, part.seconds)
        except BaseException as error:
            run.fail(error)
        finally:
            run.leave()
