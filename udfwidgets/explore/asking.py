"""What has changed is asked anew, on a thread of its own: the newest of each."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

#: Seconds without a question after which the thread ends.
LINGER = 1.0
#: Seconds between two looks whether a question may take the place of the one before.
LOOK = 0.005

_log = logging.getLogger(__name__)


class Asking(Generic[Key]):
    """Calls back once for all that has changed of one thing, in the order of the first changes.

    A hand moves faster than a scan can be read. What is overtaken is never asked.

    Parameters
    ----------
    ask : callable
        Called with a key, on the thread; may take its time. What it raises is logged.
    may_ask : callable
        Whether a key may be asked now; until then it waits, and others come first.
    """

    def __init__(self, ask: Callable[[Key], None], may_ask: Callable[[Key], bool]) -> None:
        self._ask = ask
        self._may_ask = may_ask
        self._wake = threading.Condition()
        self._due: dict[Key, None] = {}
        self._asked: Key | None = None
        self._thread: threading.Thread | None = None
        self._is_open = True

    def want(self, key: Key) -> None:
        """Have something asked anew; does not wait."""
        with self._wake:
            if not self._is_open:
                return
            self._due[key] = None
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="udfwidgets-asking", daemon=True
                )
                self._thread.start()
            self._wake.notify_all()

    @property
    def is_idle(self) -> bool:
        """Whether nothing else waits to be asked."""
        return not self._due

    def wait(self, timeout: float | None = None) -> bool:
        """Block until everything that is wanted was asked; return whether it was."""
        with self._wake:
            return self._wake.wait_for(lambda: not self._due and self._asked is None, timeout)

    def close(self) -> None:
        """Ask nothing any more; returns when nothing is being asked."""
        with self._wake:
            self._is_open = False
            self._due.clear()
            self._wake.notify_all()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _run(self) -> None:
        while True:
            with self._wake:
                if not self._due:
                    self._wake.wait_for(lambda: self._due or not self._is_open, LINGER)
                if not self._due:
                    self._thread = None
                    self._wake.notify_all()
                    return
                self._asked = next((key for key in self._due if self._may_ask(key)), None)
                if self._asked is None:
                    self._wake.wait(LOOK)
                    continue
                key = self._asked
                del self._due[key]
            try:
                self._ask(key)
            except Exception:
                _log.exception("%r could not be asked", key)
            finally:
                with self._wake:
                    self._asked = None
                    self._wake.notify_all()
