"""A thread that looks whether there is memory left, and has a store give its own back if not."""

from __future__ import annotations

import threading
import weakref
from typing import Protocol

from udfwidgets.store import memory

# Seconds between two looks.
PERIOD = 1.0


class Watched(Protocol):
    """A store, as far as it is watched."""

    def drop(self, why: str) -> None:
        """Give the memory back, and say why."""


class Watch:
    """Looks after the memory of a store until that is closed, dropped, or gone.

    Parameters
    ----------
    store : Watched
        It is not kept alive.
    """

    def __init__(self, store: Watched) -> None:
        self._closed = threading.Event()
        arguments = (weakref.ref(store), self._closed)
        self.thread = threading.Thread(
            target=_look_after, args=arguments, name="udfwidgets-store", daemon=True
        )
        self.thread.start()

    def close(self) -> None:
        """End the thread."""
        self._closed.set()
        if threading.current_thread() is not self.thread:
            self.thread.join()


def _look_after(reference: weakref.ref[Watched], closed: threading.Event) -> None:
    while not closed.wait(PERIOD):
        store = reference()
        if store is None:
            return
        if memory.is_short():
            store.drop("there is little memory left: close what takes it, and build a new one")
            return
        # Not while it waits: the store could not go.
        del store
