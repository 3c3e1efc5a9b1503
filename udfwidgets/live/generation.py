"""One run of an analysis: offers its pictures and its status to the card, as they come.

An analysis that is started again, or with other parameters, goes on with a new run. The old one may
take a moment to stop, and what it still says must not reach the card: each run of an analysis is a
generation, and only the newest one is let through.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Protocol

import anyio
import numpy as np

from udfwidgets.buffers import BoolArray, UDFResults
from udfwidgets.engine.run import Run
from udfwidgets.engine.subscription import Followed, Subscriber
from udfwidgets.live.image import LiveImage
from udfwidgets.live.offered import wait_saved
from udfwidgets.live.picture.channels import Channel
from udfwidgets.live.picture.picture import Picture, Status
from udfwidgets.live.report import status_of
from udfwidgets.live.status import StatusBar
from udfwidgets.live.wire.hub import hub

#: Seconds that whoever waits for a run also waits for its last pictures to be saved, at most.
#: They have to leave while the cell runs: tools that execute notebooks drop what comes later.
PATIENCE = 1.0
#: So many times as long as a snapshot takes there is none after it.
RESPITE = 4

_log = logging.getLogger(__name__)


class Rule(Protocol):
    """Says something of a run besides."""

    @property
    def told(self) -> dict[str, Any]:
        """Fields of a `Status`."""


class Generation(Subscriber):
    """Follows one run, on its workers' threads, until the next generation takes its place.

    Parameters
    ----------
    number : int
        Counted from 0.
    run : Run
        What to follow; subscribe it.
    channels : sequence of Channel
        What to show, of the UDFs of this run.
    images : sequence of LiveImage
        Where, one per channel.
    status : StatusBar
        Where to say how far it is.
    on_changed : callable
        Called, on any thread, when something else than the results has changed.
    on_ended : callable
        Called when the run has ended and its last state is offered.
    advice : str
        What the status is to say besides.
    """

    def __init__(
        self,
        number: int,
        run: Run,
        channels: Sequence[Channel],
        images: Sequence[LiveImage],
        status: StatusBar,
        on_changed: Callable[[], None],
        on_ended: Callable[[], None],
        advice: str = "",
    ) -> None:
        self.number = number
        self.run = run
        self.snapshots = Snapshots(run)
        self._channels = tuple(channels)
        self._images = tuple(images)
        self._status = status
        self._on_changed = on_changed
        self._on_ended = on_ended
        self._advice = advice
        #: What may stop the run, see `udfwidgets.live.history`.
        self.rule: Rule | None = None
        # Held while something is offered: what is offered last is what is shown in the end.
        self._gate = threading.Lock()
        self._superseded = False
        #: Whether the last state was offered: nothing comes after it.
        self._is_over = False
        #: Places of the channels whose last picture has not been made.
        self._due = set(range(len(channels)))
        #: What keeps channels from being drawn, by their place. Only the hub's thread changes it.
        self._faults: dict[int, Exception] = {}
        self._fault_is_logged = False
        self._last_is_offered = threading.Event()
        self._deadline: float | None = None

    def supersede(self) -> None:
        """Offer nothing any more, and hold nobody up."""
        with self._gate:
            self._superseded = True
        self._last_is_offered.set()
        self.run.bell.ring()
        self.snapshots.let_go()

    # As a subscriber

    def merged(self, run: Followed) -> None:
        """Offer the news; it is looked at when the browser is ready to draw."""
        self.offer(final=False)

    def changed(self, run: Followed) -> None:
        """Offer the new state."""
        self._offer_status(final=False)
        self._on_changed()

    def ended(self) -> None:
        """Offer the last state."""
        self.offer(final=True)
        self._last_is_offered.set()
        self._on_ended()

    def linger(self) -> None:
        """Wait until the last pictures are saved, within the patience that is left."""
        self.wait_saved(self._patience_left())

    async def linger_async(self) -> None:
        """Wait, as `linger`, as a task under asyncio or trio."""
        with anyio.move_on_after(self._patience_left()):
            # The run counts as ended a moment before it says so to its views.
            await self.run.bell.wait_async(self._last_is_offered.is_set)
            # The status is the last one to be settled: then nobody is woken for the others.
            for widget in reversed(self._widgets):
                if not self._superseded:
                    await widget.wait_saved_async()

    def wait_saved(self, timeout: float) -> bool:
        """Wait until the last pictures of a run that has ended are saved with the notebook."""
        if self._superseded:
            return True
        if hub().is_current_thread():
            timeout = 0.0
        deadline = time.monotonic() + timeout
        is_offered = self._last_is_offered.wait(timeout)
        return wait_saved(self._widgets, deadline - time.monotonic()) and is_offered

    @property
    def _widgets(self) -> tuple[LiveImage | StatusBar, ...]:
        """All that is drawn."""
        return (*self._images, self._status)

    def _patience_left(self) -> float:
        """Seconds: it begins with the first one who waits, for nobody else has to."""
        if self._deadline is None:
            self._deadline = time.monotonic() + PATIENCE
        return max(0.0, self._deadline - time.monotonic())

    def offer(self, final: bool) -> None:
        """Offer what there is now."""
        with self._gate:
            if self._superseded or (self._is_over and not final):
                return
            self._is_over = final
            presentable = final or self.run.progress.is_presentable
            for place, image in enumerate(self._images):
                source = self._source_of(place, final)
                image.offer(source, final=final, presentable=presentable)
        self._offer_status(final)

    def advise(self, advice: str | None = None) -> None:
        """Have the status say something besides, or look anew; where the run has ended, too."""
        self._advice = self._advice if advice is None else advice
        self._offer_status(self._is_over)

    def _status_now(self) -> Status:
        status = status_of(self.run, next(iter(self._faults.values()), None), self._advice)
        rule = self.rule
        return status if rule is None else replace(status, **rule.told)

    def _offer_status(self, final: bool) -> None:
        with self._gate:
            if not self._superseded and (final or not self._is_over):
                self._status.offer(
                    self._status_now,
                    final=final,
                    # Together with the first pictures: a page takes a while for each message.
                    presentable=final or self.run.progress.is_presentable,
                )

    # On the hub's thread

    def _source_of(self, place: int, final: bool) -> Callable[[], Picture | None]:
        def picture() -> Picture | None:
            if self._superseded:
                return None
            try:
                picture = self._picture_of(place, final)
            except Exception as error:
                self._note(place, error, final)
                return None
            finally:
                if final:
                    self._due.discard(place)
                if not self._due:
                    self.snapshots.let_go()
            if self._faults.pop(place, None):
                self._offer_status(final)
            return picture

        return picture

    def _picture_of(self, place: int, final: bool) -> Picture:
        results = self.snapshots.newest(last=final)
        return Picture(
            self._channels[place].image_of(results),
            coverage=np.atleast_2d(results.damage.data),
            fraction=self.run.progress.fraction,
            generation=self.number,
            final=final,
            estimable=self._estimable,
            expected=self._expected,
        )

    @cached_property
    def _estimable(self) -> BoolArray | None:
        """Where positions that are not merged may show a neighbour.

        That is of use where the whole scan is visited from coarse to fine. Where it is visited line
        by line, the last line would be smeared over all that is to come.
        """
        return self._expected if self.run.wanted_order == "progressive" else None

    @cached_property
    def _expected(self) -> BoolArray:
        """Where frames are going to be merged."""
        plan = self.run.plan
        wanted = np.ones(plan.shape.nav.axes, bool) if plan.wanted is None else plan.wanted
        return np.atleast_2d(wanted)

    def _note(self, place: int, error: Exception, final: bool) -> None:
        """Have the status say why a channel cannot be drawn; the other channels go on."""
        self._faults[place] = error
        if not self._fault_is_logged:
            # No louder: it would come out in whatever cell is running.
            _log.info("%s cannot be drawn", self._channels[place].title, exc_info=error)
        self._fault_is_logged = True
        self._offer_status(final)


class Snapshots:
    """Makes snapshots of a run: one for all channels of a step.

    One copies all results, while nothing is merged. Where that takes long, as for many slices,
    pictures show an older one now and then: the run has four fifths of the time at least.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._newest: tuple[int, UDFResults] | None = None
        #: When the next one may be made.
        self._due = 0.0

    def newest(self, last: bool = False) -> UDFResults:
        """Return what is merged now, or was a moment ago; `last` asks for now."""
        with self._lock:
            frames = self._run.progress.frames
            held, began = self._newest, time.monotonic()
            if held is not None and (held[0] == frames or (not last and began < self._due)):
                return held[1]
            results = self._run.snapshot()
            self._newest = (frames, results)
            now = time.monotonic()
            self._due = now + RESPITE * (now - began)
            return results

    def let_go(self) -> None:
        """Give the memory of the snapshot back: nobody is going to ask for it again."""
        with self._lock:
            self._newest = None
