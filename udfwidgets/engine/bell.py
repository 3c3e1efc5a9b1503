"""A bell: wakes threads, and tasks on any event loop, from any thread, without waiting for them.

`anyio.from_thread.run_sync` also reaches a task on another loop, but it waits until that loop has
taken the call. A loop is often the kernel's own, which can be busy with a cell for minutes, and a
worker that waits for it would stop the run. So a wake-up is posted and forgotten
(see docs/decisions/001-bell.md).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import anyio
from anyio.lowlevel import EventLoopToken, current_token


class Bell:
    """Wakes whoever waits for something to become true.

    Whoever changes the state that others wait for calls `ring` afterwards. It takes no lock, so
    it may be called from a finalizer and from signal handlers.
    """

    def __init__(self) -> None:
        # Appending and popping are atomic: no lock that a finalizer could find taken.
        self._wakers: deque[Callable[[], None]] = deque()

    def ring(self) -> None:
        """Let every waiter look again."""
        with suppress(IndexError):
            while True:
                self._wakers.popleft()()

    def wait(self, come_true: Callable[[], bool]) -> None:
        """Block the calling thread until `come_true()`."""
        while not come_true():
            event = threading.Event()
            with self._listening(event.set):
                if not come_true():
                    event.wait()

    async def wait_async(self, come_true: Callable[[], bool]) -> None:
        """Wait, as a task under asyncio or trio, until `come_true()`."""
        token = current_token()
        while not come_true():
            event = anyio.Event()
            with self._listening(partial(_post, token, event.set)):
                if not come_true():
                    await event.wait()

    def _listening(self, waker: Callable[[], None]) -> _Listening:
        return _Listening(self._wakers, waker)


class _Listening:
    """Keeps a waker in the bell while the block runs."""

    def __init__(self, wakers: deque[Callable[[], None]], waker: Callable[[], None]) -> None:
        self._wakers = wakers
        self._waker = waker

    def __enter__(self) -> None:
        self._wakers.append(self._waker)

    def __exit__(self, *exc_info: object) -> None:
        with suppress(ValueError):
            self._wakers.remove(self._waker)


def _post(token: EventLoopToken, callback: Callable[[], Any]) -> None:
    """Have a loop call something soon. A loop that has ended has nobody left to wake."""
    loop: Any = token.native_token
    call_soon = getattr(loop, "run_sync_soon", None) or loop.call_soon_threadsafe
    with suppress(RuntimeError):
        call_soon(callback)
