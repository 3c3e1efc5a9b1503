"""A bell: wakes threads, and tasks on any event loop, from any thread, without waiting for them.

`anyio.from_thread.run_sync` also reaches a task on another loop, but it waits until that loop has
taken the call. A loop is often the kernel's own, which can be busy with a cell for minutes, and a
worker that waits for it would stop the run. So a wake-up is posted and forgotten
(see docs/decisions/001-bell.md).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import anyio
from anyio.lowlevel import current_token

# The loop of a task that waits, None for a thread, and what wakes it.
Waker = tuple[Any, Callable[[], None]]


class Bell:
    """Wakes whoever waits for something to become true.

    Whoever changes the state that others wait for calls `ring` afterwards. It takes no lock, so
    it may be called from a finalizer and from signal handlers.
    """

    def __init__(self) -> None:
        # Appending and popping are atomic: no lock that a finalizer could find taken.
        self._wakers: deque[Waker] = deque()

    def ring(self) -> None:
        """Let every waiter look again."""
        # One message for all tasks of a loop: it costs a call of the system.
        by_loop: dict[Any, list[Callable[[], None]]] = {}
        with suppress(IndexError):
            # Popped, not iterated over: others enter meanwhile, and append and pop are atomic.
            while True:
                loop, wake = self._wakers.popleft()
                if loop is None:
                    wake()
                else:
                    by_loop.setdefault(loop, []).append(wake)
        for loop, wakes in by_loop.items():
            _post(loop, wakes)

    def wait(self, come_true: Callable[[], bool]) -> None:
        """Block the calling thread until `come_true()`."""
        while not come_true():
            event = threading.Event()
            with self._listening(None, event.set):
                # Looked at again once it is entered: no ring can fall in between. One too many is
                # harmless.
                if not come_true():
                    event.wait()

    async def wait_async(self, come_true: Callable[[], bool]) -> None:
        """Wait, as a task under asyncio or trio, until `come_true()`."""
        loop = current_token().native_token
        while not come_true():
            event = anyio.Event()
            with self._listening(loop, event.set):
                if not come_true():
                    await event.wait()

    @contextmanager
    def _listening(self, loop: Any, wake: Callable[[], None]) -> Iterator[None]:
        """Keep a waker in the bell while the block runs."""
        waker = loop, wake
        self._wakers.append(waker)
        try:
            yield
        finally:
            with suppress(ValueError):
                self._wakers.remove(waker)


def _post(loop: Any, calls: Sequence[Callable[[], None]]) -> None:
    """Have a loop make some calls soon. A loop that has ended has nobody left to wake."""

    def make() -> None:
        for call in calls:
            call()

    # trio's name for it, or asyncio's: a third backend of anyio would need a name here.
    call_soon = getattr(loop, "run_sync_soon", None) or loop.call_soon_threadsafe
    with suppress(RuntimeError):
        call_soon(make)
