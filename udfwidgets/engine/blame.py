"""Blame: which UDF, and which frames of the scan, an exception came from."""

from __future__ import annotations

from contextlib import suppress

from udfwidgets.udf.base import UDF, UDFMeta


class Blame:
    """Notes on an exception that leaves the block which UDF and which frames it came from.

    Parameters
    ----------
    udf : UDF
        At work; its `meta` says which frames it has in hand.
    """

    def __init__(self, udf: UDF) -> None:
        self._udf = udf

    def __enter__(self) -> None:
        pass

    def __exit__(self, exc_type: object, exc: BaseException | None, traceback: object) -> None:
        if exc is None:
            return
        meta = self._udf.meta
        note = (
            f"raised by {type(self._udf).__name__} while it worked on "
            f"{_frames(*meta.in_hand, meta)} of a scan with nav {meta.dataset_shape.nav}"
        )
        if meta.partition_range is not None:
            note += f", in the partition of {_frames(*meta.partition_range, meta)}"
        add_note(exc, note)


def _frames(start: int, stop: int, meta: UDFMeta) -> str:
    """Return in words which frames of the scan some of the selected frames are."""
    if start == stop:
        return "no frames"
    if meta.frames is not None:
        start, stop = meta.frames[start], meta.frames[stop - 1] + 1
    return f"frame {start}" if stop == start + 1 else f"frames {start} to {stop - 1}"


class _Note(str):
    """A note of ours, told from those of others."""

    __slots__ = ()


def add_note(exc: BaseException, note: str) -> None:
    """Attach a note to an exception; Python 3.10 does not print it but keeps it.

    It takes the place of an earlier one: a UDF may raise the same object in each run.
    """
    others = [each for each in getattr(exc, "__notes__", ()) if not isinstance(each, _Note)]
    with suppress(AttributeError):  # of an object that takes none
        exc.__notes__ = [*others, _Note(note)]  # type: ignore[attr-defined]
