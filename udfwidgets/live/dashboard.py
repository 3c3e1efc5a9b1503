"""The dashboard: every analysis of a Context in a grid, with one line for all of them."""

from __future__ import annotations

import threading
from typing import Any

import ipywidgets

from udfwidgets.api import Context
from udfwidgets.engine.ends.registry import Entry
from udfwidgets.engine.run import Run
from udfwidgets.live.analysis import LiveAnalysis
from udfwidgets.live.outputs import Outputs
from udfwidgets.live.totals import TotalsLine
from udfwidgets.told.names import Listed


class Dashboard(Listed, ipywidgets.VBox):  # type: ignore[misc]
    """Shows every analysis of a Context: the last line of a cell.

    New ones appear by themselves, those that have ended stay until their card is closed. Cards of
    live analyses are further views of them: what is chosen in one is chosen in all. A run without
    pictures of its own gets a card as soon as it has been going on for a moment.

    It goes when its output is deleted or its cell runs again; the analyses on it do not.

    Parameters
    ----------
    context : Context
        Whose analyses to show.

    Attributes
    ----------
    cards : tuple of LiveAnalysis
        In the order in which they came.
    """

    _unlisted = ("grid", "line")
    #: Its picture is kept, also when it is displayed before there is any card.
    _is_pictured = True

    def __init__(self, context: Context) -> None:
        self._lock = threading.RLock()
        self._outputs = Outputs(self, self.close)
        #: Runs without a view; seen on the way to a card by the next look at the totals.
        self._waiting: list[Run] = []
        #: Cards made here, for runs that belong to somebody else.
        self._own: set[LiveAnalysis] = set()
        self.line = TotalsLine(context, self._add_waiting, self._outputs.deleted)
        self.grid = ipywidgets.Box()
        self.grid.add_class("udfw-grid")
        super().__init__([self.line, self.grid])
        # Each has a comm of its own, which ipywidgets leaves open when the widget is closed.
        self._layouts = (self.layout, self.grid.layout)
        self.add_class("udfw-dashboard")
        # First watched, then looked at: one that starts in between comes twice and is added once.
        self._unwatch = context.registry.watch(self._note)
        for entry in context.registry.entries():
            self._note(entry)

    @property
    def cards(self) -> tuple[LiveAnalysis, ...]:
        """What it shows."""
        return tuple(self.grid.children)

    def _note(self, entry: Entry) -> None:
        """Take note of a run, on the thread that starts it."""
        view = LiveAnalysis.of(entry.run) or entry.view
        if isinstance(view, LiveAnalysis):
            self._add(view)
            return
        # Not now: it would hold up whoever starts it, and many are through in no time.
        with self._lock:
            self._waiting = [run for run in self._waiting if not run.has_ended()]
            if entry.run not in self._waiting:
                self._waiting.append(entry.run)

    def _add_waiting(self) -> None:
        """Make cards for the runs without a view that are still going on."""
        with self._lock:
            going_on = [run for run in self._waiting if not run.has_ended()]
            self._waiting = []
        for run in going_on:
            card = LiveAnalysis(run, guest=True)
            self._own.add(card)
            self._add(card)

    def _add(self, card: LiveAnalysis) -> None:
        # Not under our lock: somebody may hold the card's, and wait for ours.
        card.furnish()
        with self._lock:
            if self.comm is None or card.comm is None or card in self.grid.children:
                return
            card.keepers.put_on(self)
            self.grid.children = (*self.grid.children, card)
        if card.comm is None:
            self.remove(card)  # closed since we looked

    def remove(self, card: LiveAnalysis) -> None:
        """Take a card off."""
        with self._lock:
            self.grid.children = tuple(c for c in self.grid.children if c is not card)
            is_own = card in self._own
            self._own.discard(card)
        card.keepers.take_off(self)
        if is_own:
            card.close()

    def close(self) -> None:
        """Release everything; analyses go on, also those that nothing else shows."""
        with self._lock:
            if self.comm is None:
                return
            self._unwatch()
            self._waiting = []
            cards = self.cards
            self.line.close()
            self.grid.close()
            super().close()
            for layout in self._layouts:
                layout.close()
        for card in cards:
            self.remove(card)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        mime: dict[str, Any] = {}
        if self.comm is not None:
            self._outputs.note()
            mime = super()._repr_mimebundle_(**kwargs) or {}
        mime["text/plain"] = repr(self)
        return mime

    def __repr__(self) -> str:
        return f"<Dashboard of {len(self.cards)} analyses>"
