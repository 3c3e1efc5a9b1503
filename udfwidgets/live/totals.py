"""The line above a dashboard: what all analyses of a Context do together."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict

import psutil
import traitlets

from udfwidgets.api import Context
from udfwidgets.live.drawn import Drawn
from udfwidgets.live.picture.picture import Totals
from udfwidgets.live.quick import new_name
from udfwidgets.live.wire.flow import NOTHING, Feed, Part, Sight
from udfwidgets.live.wire.pool import BufferPool

#: Seconds over which rates are taken: long enough to be read, short enough to be of now.
WINDOW = 2.0


class Meter:
    """Turns counters that only grow into rates.

    Parameters
    ----------
    clock : callable
        Seconds; only goes forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._readings: deque[tuple[float, tuple[int, ...]]] = deque()

    def rates(self, *counts: int) -> tuple[float, ...]:
        """Return how much each counter has grown per second; 0 at first."""
        now = self._clock()
        self._readings.append((now, counts))
        while len(self._readings) > 2 and now - self._readings[1][0] >= WINDOW:
            self._readings.popleft()
        then, before = self._readings[0]
        passed = now - then
        if passed <= 0:
            return (0.0,) * len(counts)
        return tuple((n - b) / passed for n, b in zip(counts, before, strict=True))


class TotalsLine(Drawn):
    """How much is read, how much is served, and how much memory that takes.

    Parameters
    ----------
    context : Context
        Whose analyses to sum up.
    on_look : callable
        Called, on the hub's thread, before each look.
    on_deleted : callable
        Called, on the hub's thread, when no output in any page shows it any more.
    """

    _kind = traitlets.Unicode("totals").tag(sync=True)

    def __init__(
        self, context: Context, on_look: Callable[[], None], on_deleted: Callable[[], None]
    ) -> None:
        key = new_name()
        super().__init__(key)
        self._context = context
        self._on_look = on_look
        self._meter = Meter()
        self._process = psutil.Process()
        self._feed = TotalsFeed(key, self._look, on_deleted)
        self.connect(self._feed)

    def _look(self) -> Totals:
        self._on_look()
        executor = self._context.executor
        traffic = executor.traffic
        read, served, moved = self._meter.rates(traffic.read, traffic.served, traffic.moved)
        memory = self._process.memory_info().rss
        # Only executors with processes have these.
        processes = getattr(executor, "processes", 0)
        page = getattr(executor, "dashboard", "")
        running = len(self._context.analyses)
        return Totals(running, read, served, moved, memory, processes, page)

    def __repr__(self) -> str:
        return "<TotalsLine>"


class TotalsFeed(Feed):
    """What all analyses of a Context do together, looked at anew while somebody looks.

    Parameters
    ----------
    key : str
        Names the widget.
    look : callable
        Returns the newest totals; called on the hub's thread.
    on_deleted : callable
        Called when the last view was deleted.
    """

    kind = "totals"
    period = 0.5

    def __init__(
        self, key: str, look: Callable[[], Totals], on_deleted: Callable[[], None]
    ) -> None:
        self.key = key
        self.version = NOTHING
        self.totals = Totals()
        self._look = look
        self._on_deleted = on_deleted
        self._looked_at = float("-inf")

    @property
    def pending(self) -> bool:
        """Whether the last look was long enough ago."""
        return time.monotonic() - self._looked_at >= self.period

    @property
    def urgent(self) -> bool:
        """Never: they are of no interest to nobody."""
        return False

    def refresh(self) -> None:
        """Look again."""
        self._looked_at = time.monotonic()
        newest = self._look()
        if newest != self.totals or self.version == NOTHING:
            self.totals = newest
            self.version += 1

    def part(self, sight: Sight, pool: BufferPool) -> Part:
        """Return all fields: they are few."""
        return Part(asdict(self.totals))

    def deleted(self) -> None:
        """Pass it on."""
        self._on_deleted()
