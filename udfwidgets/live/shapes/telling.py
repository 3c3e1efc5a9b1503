"""Tells callbacks what has changed: one after the other, and only the newest of each name."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

Change = TypeVar("Change")

#: Seconds that a thread which has changed something tells of what others change meanwhile.
SHARE = 0.05
#: Seconds that the thread for the hand's changes waits for more of them before it ends.
LINGER = 1.0

_log = logging.getLogger(__name__)


class Teller(Generic[Change]):
    """Calls back with a name and what has become of it.

    Nobody waits for a callback of another thread, and no two run at once: whoever finds one under
    way leaves his change to the thread that is at it. What was overtaken is never told, so that a
    callback which takes longer than a move of the hand does not fall behind it.
    """

    def __init__(self) -> None:
        self._wake = threading.Condition()
        self._callbacks: list[Callable[[str, Change], None]] = []
        self._pending: dict[str, Change] = {}
        self._is_telling = False
        self._is_open = True
        self._thread: threading.Thread | None = None

    def add(self, callback: Callable[[str, Change], None]) -> Callable[[], None]:
        """Call back from now on; return what ends that, which may be called twice."""
        with self._wake:
            self._callbacks.append(callback)

        def remove() -> None:
            with self._wake:
                # By identity: two methods of equal objects are equal, too.
                self._callbacks = [each for each in self._callbacks if each is not callback]

        return remove

    def tell(self, changes: Mapping[str, Change], *, here: bool) -> None:
        """Call all callbacks.

        Parameters
        ----------
        changes : mapping
            By name.
        here : bool
            On the calling thread, before this returns, unless a callback is under way. Otherwise
            on a thread of its own, and this returns at once.
        """
        with self._wake:
            if not self._callbacks or not self._is_open:
                return
            for name, change in changes.items():
                self._pending.pop(name, None)  # the order is that of the newest
                self._pending[name] = change
            if not here:
                self._start()
            if self._is_telling or not here:
                return
            self._is_telling = True
        self._tell_all(time.monotonic() + SHARE)

    def close(self) -> None:
        """Tell nothing any more; the thread ends."""
        with self._wake:
            self._is_open = False
            self._pending.clear()
            self._callbacks = []
            self._wake.notify_all()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="udfwidgets-hand", daemon=True)
            self._thread.start()
        self._wake.notify_all()

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: not self._is_open or self._is_due(), LINGER)
                if not self._is_due():
                    self._thread = None
                    return
                self._is_telling = True
            self._tell_all(None)

    def _is_due(self) -> bool:
        return bool(self._pending) and not self._is_telling

    def _tell_all(self, until: float | None) -> None:
        """Tell what is pending, and what comes up meanwhile; after a time leave it to others."""
        while True:
            with self._wake:
                is_late = until is not None and time.monotonic() > until
                if not self._pending or is_late:
                    self._is_telling = False
                    if self._pending:
                        self._start()
                    return
                name = next(iter(self._pending))
                change = self._pending.pop(name)
                callbacks = tuple(self._callbacks)
            for callback in callbacks:
                self._guarded(callback, name, change)

    @staticmethod
    def _guarded(callback: Callable[[str, Change], None], name: str, change: Change) -> None:
        try:
            callback(name, change)
        except Exception:
            # One callback that fails must not keep the others from hearing of it.
            _log.exception("a callback for the shape %r failed", name)
