"""Widgets that are offered the newest of something, and have the last of it saved."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, Generic

from udfwidgets.live.wire.feed import Offered, SlotFeed
from udfwidgets.live.wire.hub import hub


class OfferedWidget(Generic[Offered]):
    """A mixin; whoever mixes it in has a feed."""

    _feed: SlotFeed[Offered]

    def offer(
        self,
        source: Callable[[], Offered | None],
        *,
        final: bool = False,
        presentable: bool = True,
    ) -> None:
        """Say that there is something new.

        Safe on any thread; takes microseconds and never waits. The newest offer replaces older
        ones that have not been taken.

        Parameters
        ----------
        source : callable
            Returns the newest of what is shown, or None to leave it as it is. Called at most once,
            on the hub's thread, when a browser is ready to draw; never called if nobody looks.
        final : bool
            Nothing comes after it: `source` is called even if nobody looks, and what it returns is
            saved with the notebook.
        presentable : bool
            Whether it is worth beginning with: a page that has no view of the widget yet takes as
            long to make one as to take in what it is sent meanwhile.

        Raises
        ------
        TypeError
            `source` cannot be called.
        """
        if not callable(source):
            raise TypeError(
                f"a {type(source).__name__} was offered, expected a function that returns one; "
                "write offer(lambda: it)"
            )
        self._feed.offer(source, final, presentable)
        hub().news(urgent=final, unseen=self._feed.is_watched)

    def wait_saved(self, timeout: float) -> bool:
        """Wait until what was offered with `final` is saved with the notebook.

        Parameters
        ----------
        timeout : float
            Seconds at most.

        Returns
        -------
        bool
            Whether it is. On the hub's thread, which does it, there is no waiting.
        """
        return self._feed.wait_saved(0 if hub().is_current_thread() else timeout)

    async def wait_saved_async(self) -> None:
        """Wait, as `wait_saved`, as a task under asyncio or trio."""
        await self._feed.wait_saved_async()


def wait_saved(widgets: Iterable[OfferedWidget[Any]], timeout: float) -> bool:
    """Wait until what was offered last of several is saved, so many seconds for all; return so."""
    deadline = time.monotonic() + timeout
    # All of them: not only up to the first that is not.
    saved = [each.wait_saved(max(0.0, deadline - time.monotonic())) for each in widgets]
    return all(saved)
