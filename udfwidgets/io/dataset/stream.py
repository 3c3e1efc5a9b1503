"""A scan whose frames come from an async iterator while it is recorded."""

from __future__ import annotations

import inspect
import math
import os
import weakref
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from types import TracebackType
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from udfwidgets.closing import Closing
from udfwidgets.errors import DataSetException
from udfwidgets.io.arriving.feed import Feed
from udfwidgets.io.arriving.growing import Arrived, GrowingSource, check_stall_timeout
from udfwidgets.io.arriving.spool import Spool
from udfwidgets.io.dataset.base import DataSet
from udfwidgets.io.layout.folding import axes
from udfwidgets.io.source import Array, Scratch, Source
from udfwidgets.shapes import Shape

_ADVICE = "what has come stays in the dataset, select it by roi="


class StreamDataSet(DataSet, Closing):
    """Frames from an async iterator, kept in a temporary file for as long as the dataset is open.

    The iterator is consumed from now on, whether runs read or not, and every run gets all frames,
    one that starts late, too. It is consumed on the event loop that is running, that of a
    notebook for instance, and closed when all frames are in. Close the dataset to end that
    earlier and to give back the disk space; also ``with`` and ``async with`` do so.

    Parameters
    ----------
    frames : async iterator of array_like
        Each item is a frame of shape `sig_shape` and dtype `dtype`, or a stack of frames of shape
        ``(n, *sig_shape)``. An item may be overwritten when the next one is asked for.
    nav_shape, sig_shape : sequence of int
        Of the whole scan and of a frame. Frames beyond the scan are not asked for.
    dtype : dtype_like
        Of the frames.
    background : bool, default False
        Consume the iterator on a thread with an asyncio loop of its own, so that frames come
        while a cell blocks the loop. The iterator must not belong to another loop; one that an
        ``async def`` function with ``yield`` has just made does not. Without a running loop, in
        a script, this is always so.
    stall_timeout : float, optional
        Seconds without a new frame after which a run fails. By default it waits until the iterator
        ends, and the run shows since when it has been waiting.
    spool_dir : str or os.PathLike, optional
        Folder for the temporary file, by default that of the system (``TMPDIR``).

    Raises
    ------
    DataSetException
        If there is no room for the frames on the disk.
    TypeError
        If `frames` is not an async iterator.
    ValueError
        If an axis, the dtype or the timeout cannot be right.
    """

    def __init__(
        self,
        frames: AsyncIterable[Any],
        nav_shape: Sequence[int],
        sig_shape: Sequence[int],
        dtype: npt.DTypeLike,
        *,
        background: bool = False,
        stall_timeout: float | None = None,
        spool_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        nav, sig = axes(nav_shape, "nav_shape"), axes(sig_shape, "sig_shape")
        if np.dtype(dtype).kind not in "buifc":
            raise ValueError(f"dtype={np.dtype(dtype)}, expected a dtype of numbers")
        super().__init__(Shape((*nav, *sig), len(sig)), dtype)
        self._stall_timeout = check_stall_timeout(stall_timeout)
        iterator = _async_iterator(frames)
        n_frames = math.prod(nav)
        spool = Spool((n_frames, *sig), self.dtype, spool_dir)
        self._frames: Array | None = spool.map()
        self._feed = Feed(iterator, spool, n_frames, sig, self.dtype)
        # Dropped without close(): nobody can wait for the task, but it ends.
        self._finalizer = weakref.finalize(self, self._feed.stop)
        self._finalizer.atexit = False
        self._feed.start(background)

    @property
    def is_growing(self) -> bool:
        """Whether frames are missing."""
        return self._feed.n_taken < self.shape.nav.size

    def open(self) -> Source:
        """Return a source of views of what has come."""
        if self._frames is None:
            raise DataSetException("the stream was closed, and its frames are gone; load it again")
        return _StreamSource(self._feed, self._frames, self._stall_timeout)

    def check_blocking(self) -> None:
        """Raise if frames can come only once the caller lets its event loop go on.

        Raises
        ------
        RuntimeError
            In place of a wait that would have no end.
        """
        if self.is_growing and self._feed.is_on_current_loop():
            raise RuntimeError(
                "this call blocks the event loop on which the frames of the stream are still "
                "coming: use ctx.live() or sync=False, or load the stream with background=True"
            )

    def close(self) -> None:
        """Stop the iterator and give back the disk space. Closing twice is allowed.

        Waits for the iterator if that is consumed in the background. On an event loop, `aclose`
        waits for it.
        """
        self._frames = None
        self._finalizer.detach()
        self._feed.close()

    async def aclose(self) -> None:
        """Close, and return when the iterator has been closed."""
        self._frames = None
        self._finalizer.detach()
        await self._feed.aclose()

    async def __aenter__(self) -> StreamDataSet:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a stream belongs to the process that it came to and cannot be pickled: save it with "
            "ctx.export_dataset() and load the file"
        )


class _StreamSource(GrowingSource):
    """Views of the frames that have come."""

    def __init__(self, feed: Feed, frames: Array, stall_timeout: float | None) -> None:
        super().__init__("the stream", len(frames), stall_timeout, _ADVICE, _do_nothing)
        self._feed = feed
        self._frames: Array | None = frames

    def read(self, start: int, stop: int, scratch: Scratch) -> Array:
        """Return a view, without touching the data."""
        if self._frames is None:
            raise ValueError("read from a source that is closed")
        return self._frames[start:stop]

    def close(self) -> None:
        """Let go of the frames."""
        self._frames = None

    def _look(self) -> Arrived:
        end = self._feed.end  # before the number, which is final once there is an end
        note = "their event loop is held up by something else" if self._feed.is_held_up() else ""
        return Arrived(self._feed.n_taken, end, self._feed.cause, note)


def _do_nothing() -> None:
    pass


def _async_iterator(frames: Any) -> AsyncIterator[Any]:
    if inspect.isasyncgenfunction(frames):
        raise TypeError(
            f"frames is the function {frames.__qualname__}, expected an async iterator: call it"
        )
    if not isinstance(frames, AsyncIterable):
        raise TypeError(
            f"frames is of type {type(frames).__name__}, expected an async iterator, such as what "
            "an async def function with yield returns; for frames that are there already use "
            "load('memory', data=...)"
        )
    return aiter(frames)
