"""Takes frames from an async iterator, on the event loop that it belongs to, into a spool.

An async iterator has state of the loop that it was made on, such as connections, so a task of that
loop takes the frames: the one that is running when the feed starts. Where none is running, or on
request, a thread with a loop of its own does.

The task belongs to the feed. Whatever happens on other threads reaches it as a call posted to its
loop. It asks for a frame when the one before is written, so a disk that is slow holds back the
iterator and does not fill the memory.
"""

from __future__ import annotations

import asyncio
import atexit
import importlib
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, cast

import anyio
import anyio.lowlevel
import anyio.to_thread
import numpy as np
from anyio.lowlevel import EventLoopToken, current_token

from udfwidgets.errors import DataSetException, text_of
from udfwidgets.io.arriving.spool import Spool
from udfwidgets.io.source import Array
from udfwidgets.masked import without_mask

_logger = logging.getLogger(__name__)

# An iterator that always has a frame ready would keep everything else on its loop waiting.
_GIVE_WAY_EVERY = 0.01
# For an iterator to end in order, when it is no longer wanted.
_CLOSING = 5.0
# A loop that has not taken a call after so long is held up by a cell.
_BUSY = 1.0
_LOOP_ENDED = "the event loop that they came on has ended"


class Feed:
    """An async iterator of frames, and how far it has come.

    Parameters
    ----------
    frames : async iterator of array_like
        Each item a frame of shape `sig`, or several, of shape (n, *sig). It is closed at the end.
    spool : Spool
        Where they go.
    n_frames : int
        How many to take.
    sig, dtype : tuple of int, numpy.dtype
        Of a frame.
    """

    def __init__(
        self,
        frames: AsyncIterator[Any],
        spool: Spool,
        n_frames: int,
        sig: tuple[int, ...],
        dtype: np.dtype[Any],
    ) -> None:
        self._frames = frames
        self._spool = spool
        self._n_frames = n_frames
        self._sig = sig
        self._dtype = dtype
        self._n_taken = 0
        self._end = ""
        self._cause: BaseException | None = None
        self._stopping = False
        self._done = threading.Event()
        self._token: EventLoopToken | None = None
        self._scope: anyio.CancelScope | None = None
        self._task: object = None
        self._thread: threading.Thread | None = None
        self._called = self._answered = 0.0

    # State, for any thread

    @property
    def n_taken(self) -> int:
        """How many frames are in the spool."""
        return self._n_taken

    @property
    def end(self) -> str:
        """Why no more frames will come; empty while more may. `n_taken` is final then."""
        return self._end

    @property
    def cause(self) -> BaseException | None:
        """What ended it, if something was raised."""
        return self._cause

    def is_on_current_loop(self) -> bool:
        """Whether frames can come only once the caller lets its event loop go on."""
        token = running_loop()
        return (
            not self._end
            and token is not None
            and self._token is not None
            and token.native_token is self._token.native_token
        )

    def is_held_up(self) -> bool:
        """Whether the loop has not answered for a while; asks it again from time to time."""
        now, token = time.monotonic(), self._token
        if self._answered < self._called:
            return now - self._called > _BUSY
        if token is not None and now - self._called > _BUSY / 2:
            self._called = now
            _post(token, self._answer)
        return False

    def _answer(self) -> None:
        self._answered = time.monotonic()

    # Beginning and end

    def start(self, background: bool) -> None:
        """Begin to take frames, on the running loop or on one of its own."""
        token = None if background else running_loop()
        if token is None:
            self._thread = threading.Thread(
                target=anyio.run, args=(self._run,), name="udfwidgets-stream", daemon=True
            )
            atexit.register(self.close)
            self._thread.start()
            return
        self._token = token
        if isinstance(token.native_token, asyncio.AbstractEventLoop):
            task = token.native_token.create_task(self._run(), name="udfwidgets-stream")
            # A task that is cancelled before its first step does not run at all.
            task.add_done_callback(lambda _: self._finish(_LOOP_ENDED))
            self._task = task
        else:
            trio = importlib.import_module("trio")
            self._task = trio.lowlevel.spawn_system_task(self._run, name="udfwidgets-stream")

    def stop(self) -> None:
        """Ask the task to end, from any thread and from finalizers; does not wait."""
        self._stopping = True
        if self._token is not None:
            _post(self._token, self._cancel)

    def close(self) -> None:
        """Stop, and wait for the end where that is on a thread of its own."""
        self.stop()
        if self._thread is not None:
            self._wait()

    async def aclose(self) -> None:
        """Stop, and wait for the end."""
        self.stop()
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._wait)

    def _wait(self) -> None:
        if self._thread is None:
            self._done.wait()
        elif self._thread is not threading.current_thread():
            self._thread.join()

    def _cancel(self) -> None:
        if self._scope is not None:
            self._scope.cancel()

    # The task

    async def _run(self) -> None:
        self._token = current_token()
        end, cause = _LOOP_ENDED, cast("BaseException | None", None)
        try:
            with anyio.CancelScope() as self._scope:
                if self._stopping:
                    self._scope.cancel()
                try:
                    await self._take()
                    end = "the iterator has ended"
                except DataSetException as error:
                    end, cause = text_of(error), error
                except Exception as error:
                    end, cause = f"the iterator raised {error!r}", error
                finally:
                    await self._close_frames()
            if self._scope.cancelled_caught:
                end = "the dataset was closed"
        finally:
            self._finish(end, cause)

    async def _take(self) -> None:
        await anyio.lowlevel.checkpoint_if_cancelled()  # closed before the first step
        gave_way = time.monotonic()
        async for item in self._frames:
            frames = self._checked(item)
            self._spool.write(self._n_taken, frames)
            self._n_taken += len(frames)
            if self._n_taken == self._n_frames:
                return
            if time.monotonic() - gave_way > _GIVE_WAY_EVERY:
                await anyio.lowlevel.checkpoint()
                gave_way = time.monotonic()

    def _checked(self, item: Any) -> Array:
        """Return what the iterator gave as a stack of frames, no more than are wanted."""
        instead = "give item.filled(...)"
        frames: Array = np.asarray(without_mask(item, f"frame {self._n_taken}", instead))
        if frames.shape == self._sig:
            frames = frames[np.newaxis]
        # Safe casts are not made either: they would hide that something else is recorded.
        same_dtype = frames.dtype.newbyteorder("=") == self._dtype
        if frames.shape[1:] != self._sig or not same_dtype:
            raise DataSetException(
                f"frame {self._n_taken} is of shape {np.shape(item)} and dtype {frames.dtype}, "
                f"expected {self._sig} and {self._dtype}, or several of them as (n, "
                f"{', '.join(map(str, self._sig))})"
            )
        return np.ascontiguousarray(frames[: self._n_frames - self._n_taken], self._dtype)

    async def _close_frames(self) -> None:
        aclose = getattr(self._frames, "aclose", None)
        if aclose is None:
            return
        with anyio.move_on_after(_CLOSING, shield=True):
            try:
                await aclose()
            except Exception:
                _logger.exception("the iterator of a stream of frames could not be closed")

    def _finish(self, end: str, cause: BaseException | None = None) -> None:
        if self._end:
            return
        self._cause = cause
        self._end = end
        self._spool.close()
        atexit.unregister(self.close)
        self._done.set()


def running_loop() -> EventLoopToken | None:
    """Return the event loop that runs on this thread, None if there is none."""
    try:
        return current_token()
    except RuntimeError:
        return None


def _post(token: EventLoopToken, callback: Callable[[], Any]) -> None:
    """Have a loop call something soon. A loop that has ended has nobody left to ask."""
    loop: Any = token.native_token
    call_soon = getattr(loop, "run_sync_soon", None) or loop.call_soon_threadsafe
    with suppress(RuntimeError):
        call_soon(callback)
