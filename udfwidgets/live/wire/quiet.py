"""Has the kernel not tell the page for each message of ours that it is busy, and idle again.

A hand says sixty things per second. JupyterLab shows each of these states, by another favicon
among others, which takes it longer than the picture that answers; and the server holds the picture
back until the page has confirmed what came before (docs/decisions/340-a-quiet-kernel.md). ipykernel
tells neither of what it hears beside a cell that awaits; here it does the same for all that comes
on our own comms. Everything else is told as ever.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

#: What an ipykernel says its states with.
TELL = "_publish_status"


class Quiet:
    """The comms whose messages change nothing in what a kernel says of itself.

    Safe on any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kernel: Any = None
        #: What the kernel had in the place of its class's method, and what it has now.
        self._before: Any = None
        self._ours: Any = None
        self._comms: set[str] = set()

    def add(self, channel: Any) -> None:
        """Keep quiet about what comes on a comm, where its kernel can be asked to."""
        kernel: Any = getattr(channel, "kernel", None)
        tell = getattr(kernel, TELL, None)
        if tell is None:
            return
        with self._lock:
            if self._kernel is None:
                self._kernel, self._before = kernel, vars(kernel).get(TELL)
                self._ours = self._quieter(kernel, tell)
                setattr(kernel, TELL, self._ours)
            self._comms.add(channel.comm_id)

    def remove(self, channel: Any) -> None:
        """Forget a comm whose page is gone; behind the last one the kernel is as it was."""
        with self._lock:
            self._comms.discard(getattr(channel, "comm_id", ""))
            if not self._comms:
                self._let_go()

    def close(self) -> None:
        """Forget all comms."""
        with self._lock:
            self._comms.clear()
            self._let_go()

    def _let_go(self) -> None:
        kernel, self._kernel = self._kernel, None
        # What somebody has wrapped around ours since stays: without comms it passes everything on.
        if kernel is None or vars(kernel).get(TELL) is not self._ours:
            return
        if self._before is None:
            delattr(kernel, TELL)  # what the class has comes to light again
        else:
            setattr(kernel, TELL, self._before)

    def _quieter(self, kernel: Any, tell: Callable[..., None]) -> Callable[..., None]:
        def publish(status: str, channel: str, parent: Any = None, **more: Any) -> None:
            message = parent or kernel.get_parent(channel)
            if not self._is_ours(message):
                tell(status, channel, parent, **more)

        return publish

    def _is_ours(self, message: Any) -> bool:
        kind = (message.get("header") or {}).get("msg_type")
        content = message.get("content") or {}
        return kind == "comm_msg" and content.get("comm_id") in self._comms
