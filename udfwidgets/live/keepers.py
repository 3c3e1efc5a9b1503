"""Who keeps a card: outputs that show it, shelves that hold it, and code that waits for its run.

The rule is told in docs/lifetime.md: a card that has been shown goes when none of them is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import ipywidgets

from udfwidgets.live.outputs import Outputs


class Shelf(Protocol):
    """Shows analyses that were started elsewhere, such as a dashboard."""

    def remove(self, card: Any) -> None:
        """Stop showing one, and say so to its keepers."""


class Keepers:
    """All that keep one card.

    Parameters
    ----------
    card : ipywidgets.Widget
        Which one.
    on_shown : callable
        Called, on whatever thread, when it is shown somewhere.
    on_lost : callable
        Called, on whatever thread, when the last of them is gone; maybe more than once.

    Attributes
    ----------
    outputs : Outputs
        Those that show it.
    waiters : set
        Whoever waits for its run, each by an object of his own.
    """

    def __init__(
        self,
        card: ipywidgets.Widget,
        on_shown: Callable[[], None],
        on_lost: Callable[[], None],
    ) -> None:
        self.outputs = Outputs(card, self.look, on_shown)
        self.waiters: set[object] = set()
        self._shelves: set[Shelf] = set()
        self._on_lost = on_lost

    @property
    def shelves(self) -> tuple[Shelf, ...]:
        """Those it is on now."""
        return tuple(self._shelves)

    def put_on(self, shelf: Shelf) -> None:
        """Take note that a shelf shows it, too, until `take_off`."""
        self._shelves.add(shelf)

    def take_off(self, shelf: Shelf) -> None:
        """Take note that a shelf does not show it any more."""
        self._shelves.discard(shelf)
        self.look()

    @contextmanager
    def waited_for(self) -> Iterator[None]:
        """Keep it while the block lasts."""
        waiter = object()
        self.waiters.add(waiter)
        try:
            yield
        finally:
            self.leave(waiter)

    def leave(self, waiter: object) -> None:
        """Take note that somebody does not wait for it any more."""
        self.waiters.discard(waiter)
        self.look()

    def look(self) -> None:
        """Look whether anybody is left; replaced by another card, it is not kept by shelves."""
        on_shelf = self._shelves and not self.outputs.are_replaced
        if self.outputs.are_lost and not self.waiters and not on_shelf:
            self._on_lost()
