"""Who gets which frame when: credit, catching up, and pages that come and go.

Nothing here knows of threads, comms or clocks: `Flow` is told what a page said and what time it
is, and calls the `send` it was given. See `udfwidgets.live.wire.protocol` for the rules it follows.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from udfwidgets.live.wire.pool import BufferPool, Lease
from udfwidgets.live.wire.protocol import CREDIT, CommandName, Frames, Rect, Stroke, View

Limits = tuple[float, float]
Send = Callable[[Frames, list[memoryview]], None]

#: Without acknowledgements, because the kernel's main thread is blocked, a frame per this many
#: seconds is sent: a browser on a slow line still keeps up.
PACE = 0.1
#: So many frames of a widget go to a page before it has a view in sight: making one takes the page
#: so long that the scan has made a picture meanwhile.
#: A model asks after 130 ms, and its view is in sight after 280, when a page is busiest
#: (docs/decisions/051-first-picture.md).
EARLY = 2
NOTHING = -1
#: What a page that is not known yet may begin with.
GREETINGS = ("hello", "want", "have", "command", "draw")

_log = logging.getLogger(__name__)


@dataclass
class Sight:
    """What one page has of one widget.

    Attributes
    ----------
    view : {'none', 'hidden', 'visible'}
        What it shows of it.
    version : int
        Of the feed, as last sent; `NOTHING` asks for everything.
    sequence : int
        Number of the frame last sent.
    in_flight : dict
        Frames not acknowledged yet, with the memory they occupy.
    """

    view: View
    version: int = NOTHING
    sequence: int = 0
    in_flight: dict[int, list[Lease]] = field(default_factory=dict)
    sent_at: float = float("-inf")
    look: Rect | None = None

    @property
    def visible(self) -> bool:
        """Whether it is looked at."""
        return self.view == "visible"

    @property
    def painted(self) -> bool:
        """Whether it is looked at with something on it."""
        return self.visible and self.sequence > len(self.in_flight)

    def forget(self) -> None:
        """Assume that the page has nothing."""
        self.version = NOTHING
        self.in_flight.clear()

    def acknowledge(self, sequence: int) -> None:
        """Give credit back for everything up to this frame."""
        # All that came before, too: with one acknowledgement lost, its credit would never come
        # back.
        for number in [n for n in self.in_flight if n <= sequence]:
            for lease in self.in_flight.pop(number):
                lease.give_back()


@dataclass
class Page:
    """One browser window.

    Attributes
    ----------
    send : callable
        Delivers a message to it.
    independent : bool
        Its messages have been seen to arrive while the kernel's main thread was doing other
        things, so a missing acknowledgement means a busy browser, never a busy kernel.
    """

    send: Send
    independent: bool = False
    sights: dict[str, Sight] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """A feed's contribution to a message; its buffers are named by index in `header`."""

    header: dict[str, Any]
    buffers: dict[str, Lease] = field(default_factory=dict)


class Feed(ABC):
    """Where the news of one widget come from.

    Attributes
    ----------
    key : str
        Names the widget in all messages.
    kind : str
        The list of a `Frames` message that its parts go to.
    version : int
        Grows with every change that a page should see.
    presentable : bool
        Whether the newest offer is worth beginning with, where there is no view yet.
    slow : bool
        Whether `refresh` takes milliseconds.
    settled : bool
        Whether what was taken is small, and nothing comes after it: it is sent without credit.
    period : float or None
        Seconds after which it has something new to take by itself, while somebody looks.
    """

    key: str
    kind: str
    version: int
    presentable: bool = True
    slow: bool = False
    settled: bool = False
    period: float | None = None

    @property
    @abstractmethod
    def pending(self) -> bool:
        """Whether something was offered that has not been taken yet."""

    @property
    @abstractmethod
    def urgent(self) -> bool:
        """Whether what was offered has to be taken even if nobody looks."""

    @abstractmethod
    def refresh(self) -> None:
        """Take the newest offer."""

    @abstractmethod
    def part(self, sight: Sight, pool: BufferPool) -> Part:
        """Return what a page with this sight lacks."""

    def command(self, name: CommandName) -> None:  # noqa: B027  most have no buttons
        """Answer a button that a person has pressed."""

    def draw(self, page: str, number: int, strokes: Sequence[Stroke]) -> None:  # noqa: B027
        """Take in, on any thread, what a hand has drawn in a page, which counts what it says.

        It may come twice.
        """

    def contrast(self, limits: Limits | None, log: bool) -> None:  # noqa: B027  most have no colours
        """Serve limits that a person has chosen, or those proposed for a scale."""

    def aim(self, goal: float | None) -> None:  # noqa: B027  most have nothing to stop
        """Stop at a signal-to-noise ratio that a person has chosen, or do not look at it."""

    def choose_slice(self, index: int) -> None:  # noqa: B027  most have one only
        """Show another slice from now on."""

    def choose_component(self, index: int) -> None:  # noqa: B027  most have one only
        """Show another part of complex numbers or vectors from now on."""

    def painted(self) -> None:  # noqa: B027  most have nothing to wait for it
        """Take note that a page shows something of it; called again and again."""

    def close(self) -> None:  # noqa: B027  most have nobody who waits
        """Have nobody wait any longer: nothing is taken any more."""

    def deleted(self) -> None:  # noqa: B027  most belong to a widget that takes care of it
        """Take note that the last view of the widget, in all pages, was deleted."""


class Flow:
    """The pages, and what each of them has.

    Parameters
    ----------
    pool : BufferPool, optional
        Memory for the frames under way.
    """

    def __init__(self, pool: BufferPool | None = None) -> None:
        self.pages: dict[str, Page] = {}
        #: Frames of a widget that may be under way to a page: one more for the answer to a hand,
        #: which is not to wait until the page has shown what it no longer asks for.
        self.credit = CREDIT
        self._pool = pool or BufferPool()

    def receive(
        self,
        message: Mapping[str, Any],
        send: Send,
        feeds: Mapping[str, Feed],
        *,
        independent: bool = False,
    ) -> None:
        """Note what a page says.

        Parameters
        ----------
        message : mapping
            One of `udfwidgets.live.wire.protocol.FromPage`; an unknown type is ignored.
        send : callable
            How to answer this page.
        feeds : mapping
            Of the widgets that are open.
        independent : bool
            The message arrived on a thread other than the main one.
        """
        name, kind = str(message.get("page", "")), message.get("type")
        if kind == "bye":
            self.pages.pop(name, None)
            return
        if name not in self.pages and kind not in GREETINGS:
            return  # said by a page that has gone: messages may overtake its `bye`
        page = self.pages.setdefault(name, Page(send))
        page.send = send
        page.independent |= independent
        if kind == "ack":
            for key, sequence in message["painted"]:
                if key in page.sights:
                    page.sights[key].acknowledge(sequence)
            # When all have their credit back, whatever comes of it.
            for key, _ in message["painted"]:
                self._note_painted(page, key, feeds)
        elif kind == "have":
            for key, sequence in message["held"]:
                sight = page.sights.get(key)
                if sight is None and key in feeds:
                    page.sights[key] = Sight("visible")
                elif sight is not None and sight.sequence != sequence:
                    sight.forget()
                elif sight is not None and sight.visible:
                    sight.acknowledge(sequence)  # it is drawn, and what was said of that is lost
        else:
            self._about_one(page, kind, message, feeds)

    def _about_one(
        self, page: Page, kind: Any, message: Mapping[str, Any], feeds: Mapping[str, Feed]
    ) -> None:
        key = message.get("key", "")
        feed, sight = feeds.get(key), page.sights.get(key)
        if kind == "want" and feed is not None:
            before = sight or Sight("none")
            # What it looks at stays: a page that asked anew lost its view in full resolution.
            page.sights[key] = Sight(message["view"], sequence=before.sequence, look=before.look)
        elif kind == "see" and sight is not None:
            sight.view = message["view"]
            if feed is not None and sight.view == "none" and not self.is_shown(key):
                feed.deleted()
            self._note_painted(page, key, feeds)
        elif kind == "look" and sight is not None:
            rect = message["rect"]
            sight.look = None if rect is None else tuple(rect)
            sight.version = NOTHING
        elif kind == "contrast" and feed is not None:
            limits = message["limits"]
            feed.contrast(None if limits is None else (limits[0], limits[1]), message["log"])
        elif kind == "slice" and feed is not None:
            feed.choose_slice(message["index"])
        elif kind == "goal" and feed is not None:
            feed.aim(message["value"])
        elif kind == "component" and feed is not None:
            feed.choose_component(message["index"])
        elif kind == "gone":
            page.sights.pop(key, None)
        elif kind == "command" and feed is not None:
            feed.command(message["name"])
        elif kind == "draw" and feed is not None:
            feed.draw(str(message["page"]), message["number"], message["strokes"])

    @staticmethod
    def _note_painted(page: Page, key: str, feeds: Mapping[str, Feed]) -> None:
        if key in feeds and key in page.sights and page.sights[key].painted:
            feeds[key].painted()

    def is_shown(self, key: str) -> bool:
        """Return whether any page has a view of a widget, in sight or not."""
        sights = (page.sights.get(key) for page in self.pages.values())
        return any(sight is not None and sight.view != "none" for sight in sights)

    def introduce(self, key: str) -> None:
        """Have all pages begin with the first pictures of a new widget, before they ask."""
        for page in self.pages.values():
            page.sights.setdefault(key, Sight("none"))

    def drop(self, key: str) -> None:
        """Forget a widget that was closed."""
        for page in self.pages.values():
            page.sights.pop(key, None)

    def has_credit(self, feed: Feed, now: float, stalled: bool) -> bool:
        """Return whether any page could be sent news of this feed now."""
        return any(
            feed.key in page.sights and self._free(page, feed, now, stalled)
            for page in self.pages.values()
        )

    def waits_for_acknowledgement(self) -> bool:
        """Return whether a page holds because its acknowledgements may be stuck in the kernel."""
        return any(
            not page.independent and sight.visible and len(sight.in_flight) >= CREDIT
            for page in self.pages.values()
            for sight in page.sights.values()
        )

    def deliver(
        self, feeds: Iterable[Feed], now: float, stalled: bool = False, *, echo: bool = True
    ) -> bool:
        """Send every page what it lacks, in one message each.

        Parameters
        ----------
        feeds : iterable of Feed
            Of the widgets that are open.
        now : float
            Seconds, of a clock that only goes forward.
        stalled : bool
            The kernel's main loop does not tick, so acknowledgements may wait there.
        echo : bool
            Whether a page is told what was drawn even if there is nothing else to be said.

        Returns
        -------
        bool
            Whether anything was sent.
        """
        feeds = list(feeds)
        sent = False
        for name, page in list(self.pages.items()):
            ready = [
                (feed, page.sights[feed.key])
                for feed in feeds
                if feed.key in page.sights
                and page.sights[feed.key].version < feed.version
                and self._free(page, feed, now, stalled)
            ]
            if not ready or not (echo or any(feed.kind != "drawings" for feed, _ in ready)):
                continue
            try:
                self._send(name, page, ready, now)
            except Exception:
                # Whatever is wrong with this page's connection, the others go on.
                _log.warning("the page %s cannot be reached and is forgotten", name, exc_info=True)
                self.pages.pop(name, None)
            sent = True
        return sent

    def _free(self, page: Page, feed: Feed, now: float, stalled: bool) -> bool:
        sight = page.sights[feed.key]
        is_early = feed.presentable and sight.sequence < EARLY
        if not (sight.visible or is_early):
            return False
        # Without credit a kernel was through with 100 frames of 1024 x 1024 in 0.2 s, and the page
        # showed the last one 9.9 s later.
        if len(sight.in_flight) < self.credit or feed.settled:
            return True
        return stalled and not page.independent and now - sight.sent_at >= PACE

    def _send(self, name: str, page: Page, ready: list[tuple[Feed, Sight]], now: float) -> None:
        frames: Frames = {
            "type": "frames",
            "to": name,
            "images": [],
            "statuses": [],
            "totals": [],
            "drawings": [],
        }
        buffers: list[memoryview] = []
        for feed, sight in ready:
            part = feed.part(sight, self._pool)
            sight.sequence += 1
            header = {**part.header, "key": feed.key, "sequence": sight.sequence}
            for field_name, lease in part.buffers.items():
                header[field_name] = len(buffers)
                buffers.append(lease.memory)
            frames[feed.kind].append(header)  # type: ignore[literal-required]
            sight.version = feed.version
            sight.sent_at = now
            sight.in_flight[sight.sequence] = list(part.buffers.values())
            while len(sight.in_flight) > self.credit:
                # Sent by time alone: whether it has left is not known, so its memory is let go
                # instead of being used again.
                sight.in_flight.pop(next(iter(sight.in_flight)))
        page.send(frames, buffers)
