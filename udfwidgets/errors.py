"""The exceptions of udfwidgets, in one tree.

::

    UDFWidgetsError
    ├── DataSetException        a dataset cannot be opened, understood or read
    │   └── AcquisitionEnded    frames of a scan are missing, and will not come any more
    ├── ExecutorSpecException   an executor, or an option for it, that does not exist
    ├── UDFException            a UDF breaks its contract
    └── UDFRunCancelled         the run that was waited for has been cancelled

Wrong arguments raise Python's own `ValueError` and `TypeError`, and an exception raised inside a
user's UDF keeps its type: a note on it names the UDF and the frames it was working on.
"""

from __future__ import annotations


class UDFWidgetsError(Exception):
    """Root of all exceptions that udfwidgets defines."""


class DataSetException(UDFWidgetsError):
    """A dataset cannot be opened, understood or read.

    The message names the path, what was found there and what was expected.
    """


class AcquisitionEnded(DataSetException):
    """A scan that was followed while it was recorded has ended before its last frame.

    Parameters
    ----------
    message : str
        How many frames have come, how many were expected, and what to do.
    n_frames : int
        How many have come, in scan order; they can be read.
    """

    def __init__(self, message: str, n_frames: int = 0) -> None:
        super().__init__(message)
        self.n_frames = n_frames

    def __reduce__(self) -> tuple[type[AcquisitionEnded], tuple[str, int]]:
        return type(self), (str(self), self.n_frames)


class ExecutorSpecException(UDFWidgetsError, ValueError):
    """An executor that does not exist, or an option that it cannot honour."""


class UDFException(UDFWidgetsError):
    """A UDF breaks its contract, for example by returning a result it has not declared."""


class UDFRunCancelled(UDFWidgetsError):
    """The run was cancelled before it had seen every frame."""


# Characters of a text that go to pages and into messages: an exception may have a file in its own.
MOST_TEXT = 2000


def text_of(error: BaseException) -> str:
    """Return what an exception says, in a length that can be shown, even if it cannot be printed.

    The whole of it stays on the exception.
    """
    try:
        text = str(error)
    except Exception as reason:
        return f"(its text cannot be printed: {type(reason).__name__})"
    return shortened(text)


def shortened(text: str) -> str:
    """Return a text, or its beginning and its length where it is long."""
    if len(text) <= MOST_TEXT:
        return text
    return f"{text[:MOST_TEXT]} ... ({len(text)} characters in all; they are on the exception)"
