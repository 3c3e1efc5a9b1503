"""Takes the newest of what a widget is offered, and has the last of it kept with the notebook."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from udfwidgets.engine.bell import Bell
from udfwidgets.live.wire.flow import NOTHING, Feed, Sight
from udfwidgets.live.wire.pool import BufferPool

Offered = TypeVar("Offered")


class Slot(Generic[Offered]):
    """Holds the newest offer. The engine's threads put in, the hub's thread takes out."""

    def __init__(self) -> None:
        # One place and no queue: what was overtaken is dropped, so a slow browser never holds up a
        # run.
        self._held: tuple[Callable[[], Offered | None], bool] | None = None

    def put(self, source: Callable[[], Offered | None], final: bool) -> None:
        """Replace whatever was in."""
        self._held = (source, final)  # one assignment: no lock needed

    def take(self) -> tuple[Callable[[], Offered | None], bool] | None:
        """Empty the slot; return the source, and whether it is the last one."""
        held, self._held = self._held, None
        return held

    @property
    def full(self) -> bool:
        """Whether an offer waits."""
        return self._held is not None

    @property
    def final(self) -> bool:
        """Whether the offer that waits is the last one."""
        held = self._held
        return held is not None and held[1]


class SlotFeed(Feed, Generic[Offered]):
    """A feed that is offered snapshots of which only the newest counts.

    Parameters
    ----------
    key : str
        Names the widget.
    save : callable
        Is handed the last part as (header, buffers), to be kept with the notebook.
    """

    def __init__(
        self, key: str, save: Callable[[dict[str, Any], dict[str, memoryview]], None]
    ) -> None:
        self.key = key
        self.version = NOTHING
        self.slot: Slot[Offered] = Slot()
        # Set unless a last offer waits to be saved.
        self._saved = threading.Event()
        self._saved.set()
        self._bell = Bell()
        self._is_open = True
        #: Whether every offer is to be taken as soon as may be, also if nobody looks.
        self.is_watched = False
        self._save = save
        # What is saved stays with the widget: nothing of it ever comes back.
        self._pool = BufferPool(kept=0)

    def offer(
        self, source: Callable[[], Offered | None], final: bool, presentable: bool = True
    ) -> None:
        """Replace the newest offer."""
        if final:
            # Before it is put: the hub's thread may take it at once, and say that it is saved.
            self._saved.clear()
        self.presentable = presentable
        self.slot.put(source, final)
        # Nobody is going to take it any more, and nobody may wait for it.
        if not self._is_open:
            self._wake()

    def wait_saved(self, timeout: float) -> bool:
        """Block the calling thread until no last offer waits to be saved; return whether so."""
        return self._saved.wait(timeout)

    async def wait_saved_async(self) -> None:
        """Wait, as a task under asyncio or trio, until no last offer waits to be saved."""
        await self._bell.wait_async(self._saved.is_set)

    def close(self) -> None:
        """Have nobody wait any longer: nothing is taken any more."""
        self._is_open = False
        self._wake()

    def _wake(self) -> None:
        self._saved.set()
        self._bell.ring()

    @property
    def pending(self) -> bool:
        """Whether something was offered that has not been taken yet."""
        return self.slot.full

    @property
    def urgent(self) -> bool:
        """Whether it is the last offer, which is saved even if nobody looks, or all are wanted."""
        return self.slot.final or (self.is_watched and self.slot.full)

    def refresh(self) -> None:
        """Take the newest offer."""
        taken = self.slot.take()
        if taken is None:
            return
        source, final = taken
        try:
            self._take(source)
        finally:
            # Whether it went well or not.
            if final and not self.slot.full:
                self._wake()

    def _take(self, source: Callable[[], Offered | None]) -> None:
        news = source()
        if news is not None and self.take_in(news):
            self._keep()

    def _keep(self) -> None:
        """Have the current state kept with the notebook."""
        part = self.part(Sight("visible"), self._pool)
        self._save(
            {**part.header, "key": self.key, "sequence": 0},
            {name: lease.memory for name, lease in part.buffers.items()},
        )

    @abstractmethod
    def take_in(self, news: Offered) -> bool:
        """Make an offer the current state; return whether it is the last one."""
