"""The header of an analysis: what it is doing, how far it is, and the buttons that steer it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

import traitlets

from udfwidgets.live.drawn import Drawn
from udfwidgets.live.offered import OfferedWidget
from udfwidgets.live.picture.picture import Status
from udfwidgets.live.quick import new_name
from udfwidgets.live.wire.feed import SlotFeed
from udfwidgets.live.wire.flow import NOTHING, Part, Sight
from udfwidgets.live.wire.pool import BufferPool
from udfwidgets.live.wire.protocol import CommandName


class StatusBar(OfferedWidget[Status], Drawn):
    """Title, state, a slim progress bar, rates, and a button for each command that is answered.

    Parameters
    ----------
    title : str
        Of the analysis.
    commands : sequence of str
        Buttons to begin with; see `answer`.
    """

    _kind = traitlets.Unicode("status").tag(sync=True)
    title = traitlets.Unicode().tag(sync=True)
    commands = traitlets.List(traitlets.Unicode()).tag(sync=True)
    #: Lines that reproduce what the card shows; a button copies them.
    code = traitlets.Unicode().tag(sync=True)
    #: Whether a person can say when to stop.
    stops = traitlets.Bool(False).tag(sync=True)

    _feed: StatusFeed

    def __init__(self, title: str = "", commands: Sequence[CommandName] = ()) -> None:
        key = new_name()
        super().__init__(
            key, title=title, commands=list(commands), _dom_classes=["udfw-status-widget"]
        )
        self._on_command: Callable[[CommandName], None] | None = None
        self._on_deleted: Callable[[], None] | None = None
        self._feed = StatusFeed(key, self._save, self._command, self._deleted)
        self.connect(self._feed)

    @property
    def status(self) -> Status:
        """The newest status that was taken."""
        return self._feed.status

    def answer(
        self, commands: Sequence[CommandName], callback: Callable[[CommandName], None]
    ) -> None:
        """Show buttons, and call `callback` with the name of one that is pressed.

        It is called on the hub's thread, so that it works while a cell blocks the kernel. It must
        not block: until it returns no widget is updated. It is also called with 'touch' whenever a
        person does something else with the card.
        """
        self._on_command = callback
        self.offer_commands(commands)

    def offer_commands(self, commands: Sequence[CommandName]) -> None:
        """Show these buttons, where the state allows."""
        self.commands = list(commands)

    def on_goal(self, callback: Callable[[float | None], None]) -> None:
        """Call `callback`, on the hub's thread, when a person says when to stop, or not to."""
        self._feed.on_goal = callback
        self.stops = True

    def on_deleted(self, callback: Callable[[], None]) -> None:
        """Call `callback`, on the hub's thread, when no output in any page shows it any more."""
        self._on_deleted = callback

    def close(self) -> None:
        """Release everything, in the kernel and in all browsers. May be called twice."""
        super().close()
        self._on_command = self._on_deleted = None
        self._feed.on_goal = lambda goal: None

    def _command(self, name: CommandName) -> None:
        if self._on_command is not None:
            self._on_command(name)

    def _deleted(self) -> None:
        if self._on_deleted is not None:
            self._on_deleted()

    def _save(self, header: dict[str, Any], buffers: dict[str, memoryview]) -> None:
        self._saved = {"header": header, "buffers": {}}

    def __repr__(self) -> str:
        return f"<StatusBar {self.title!r}>"


class StatusFeed(SlotFeed[Status]):
    """How far a run has come.

    Parameters
    ----------
    key, save
        As in `SlotFeed`.
    on_command : callable
        Called with the name of a button that was pressed.
    on_deleted : callable
        Called when the last view was deleted.
    """

    kind = "statuses"

    def __init__(
        self,
        key: str,
        save: Callable[[dict[str, Any], dict[str, memoryview]], None],
        on_command: Callable[[CommandName], None],
        on_deleted: Callable[[], None],
    ) -> None:
        super().__init__(key, save)
        self.status = Status()
        self._on_command = on_command
        self._on_deleted = on_deleted
        self.on_goal: Callable[[float | None], None] = lambda goal: None

    def take_in(self, news: Status) -> bool:
        """Make a status the current one."""
        left = news.seconds_left
        before = self.status
        self.status = replace(
            news,
            fraction=_finite(news.fraction),
            frames_per_second=_finite(news.frames_per_second),
            bytes_per_second=_finite(news.bytes_per_second),
            seconds_left=left if left is not None and math.isfinite(left) else None,
        )
        # While a hand moves it is the same sixty times per second, and laid out as often.
        if self.status != before or self.version == NOTHING:
            self.version += 1
        self.settled = news.final
        return news.final

    def part(self, sight: Sight, pool: BufferPool) -> Part:
        """Return all fields: they are few."""
        return Part(asdict(self.status))

    def command(self, name: CommandName) -> None:
        """Pass the wish on."""
        self._on_command(name)

    def aim(self, goal: float | None) -> None:
        """Pass it on."""
        self.on_goal(goal)

    def deleted(self) -> None:
        """Pass it on."""
        self._on_deleted()


def _finite(number: float) -> float:
    return float(number) if math.isfinite(number) else 0.0
