"""One per kernel: the thread and the comm through which all widgets speak to their pages.

The rules are in `protocol`, who gets what is decided in `flow`; here is what moves. Offers wake a
sender thread, which ticks at most every 16 ms: it takes in what the pages said, asks the feeds that
have news and somebody looking for their newest snapshot, encodes it and sends it. Last offers are
taken at once, because somebody may wait for them. The thread is started by the first thing to do,
and ends with the last widget. Messages from pages may arrive on any thread: they are queued, and
the thread is woken.
"""

from __future__ import annotations

import asyncio
import atexit
import contextvars
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import comm

from udfwidgets.live.wire.flow import PACE, Feed, Flow, Send
from udfwidgets.live.wire.heard import heard
from udfwidgets.live.wire.protocol import CREDIT, TARGET, Frames
from udfwidgets.live.wire.quiet import Quiet

#: Seconds between two messages to a page at least: a screen shows no more.
TICK = 0.016
#: Seconds after which it looks again in any case; also while a hand draws: an answer out of memory
#: is there some milliseconds later, and waited for the rest of the tick.
SOON = TICK / 4
#: Seconds for which a hand is taken to draw on.
LED = 0.1
#: Seconds for which what was drawn is not told back unless with an answer: each message costs the
#: page two milliseconds, of which a hand that moves leaves it few.
ECHO = 2 * SOON
#: A main loop that has not answered for this long is taken to be blocked.
STALLED = 0.3
#: Messages from pages that wait: some hundred per second come in, and a tick takes them all.
INBOX = 4096
#: Seconds after a command in which no pictures are made but the last ones: a person waits to see
#: that the button was heard.
RESPITE = 0.05

_log = logging.getLogger(__name__)


class Heartbeat:
    """Tells whether the kernel's main loop is blocked."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked: float | None = None

    def watch(self) -> None:
        """Remember the loop of the main thread, if that is the calling one and has any."""
        if threading.current_thread() is not threading.main_thread():
            return  # an image gets its shapes on any thread, and loops of others are not the kernel
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        if loop is not self._loop:
            # What another loop was asked says nothing about this one.
            self._loop, self._asked = loop, None

    def stalled(self, now: float) -> bool:
        """Ask the loop for a sign of life; return whether the last question is unanswered."""
        if self._loop is None or self._loop.is_closed():
            return False
        if self._asked is None:
            try:
                self._loop.call_soon_threadsafe(self._answer)
            except RuntimeError:
                return False  # closed since we looked
            self._asked = now
        return now - self._asked > STALLED

    def _answer(self) -> None:
        self._asked = None


class Hub:
    """Carries the news of all widgets of a kernel.

    Parameters
    ----------
    clock : callable
        Seconds; only goes forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.flow = Flow()
        self._clock = clock
        self._feeds: dict[str, Feed] = {}
        #: Keys of those that no page has been told of.
        self._newcomers: set[str] = set()
        self._inbox: deque[tuple[Mapping[str, Any], Send, bool]] = deque(maxlen=INBOX)
        self._wake = threading.Condition()
        self._work = False
        #: Ends the pause between two ticks.
        self._hurry = threading.Event()
        self._thread: threading.Thread | None = None
        self._heartbeat = Heartbeat()
        self._quiet = Quiet()
        #: Until when no pictures are made, on the clock.
        self._respite = float("-inf")
        #: Until when a hand is taken to draw, on the clock.
        self._led = self._echo = float("-inf")
        #: Whether the last step failed: a fault that stays is logged once.
        self._at_fault = False

    def register(self, feed: Feed) -> None:
        """Begin to carry the news of a widget; of the first one on the kernel's main thread."""
        self._heartbeat.watch()
        with self._wake:
            self._feeds[feed.key] = feed
            self._newcomers.add(feed.key)
            # Here, and not by the first worker that has news: on Linux a thread is as nice as the
            # one that starts it, and this one must not stand back behind a page.
            self._start()
        # Again every time: a test or a restart may have replaced the manager.
        comm.get_comm_manager().register_target(TARGET, self._opened)

    def unregister(self, key: str) -> None:
        """Stop carrying them; with the last widget the thread ends before this returns."""
        with self._wake:
            self._feeds.pop(key, None)
            self._newcomers.discard(key)
            self._work = True
            self._wake.notify()
            thread = None if self._feeds else self._thread
        if thread is not None:
            self._hurry.set()
        if thread is not None and thread is not threading.current_thread():
            # Bounded: the thread may be inside a source that waits for a lock of our caller.
            thread.join(timeout=1.0)

    def news(self, *, urgent: bool = False, unseen: bool = False) -> None:
        """Say that a feed has something to take. Never blocks for longer than a lock.

        Parameters
        ----------
        urgent : bool
            It has to be taken even if nobody looks, and at once.
        unseen : bool
            It has to be taken even if nobody looks, with the next tick.
        """
        if not (urgent or unseen) and not self.flow.pages and not self._inbox:
            return  # nobody looks: nothing is computed, and no thread is needed
        with self._wake:
            self._work = True
            self._start()
            self._wake.notify()
        if urgent:
            self._hurry.set()

    def receive(self, message: Mapping[str, Any], send: Send) -> None:
        """Queue what a page said; safe on any thread."""
        independent = threading.current_thread() is not threading.main_thread()
        messages = heard(message)
        if not messages:
            return
        for each in messages:
            if each.get("type") == "draw":
                self._follow_hand(each)
        with self._wake:
            self._inbox.extend((each, send, independent) for each in messages)
            self._work = True
            self._start()
            self._wake.notify()

    def _follow_hand(self, message: Mapping[str, Any]) -> None:
        """Take in at once what a hand has drawn: the thread may be making a picture."""
        now = self._clock()
        self._led = now + LED
        self._echo = self._echo if now < self._echo else now + ECHO
        feed = self._feeds.get(message["key"])
        if feed is not None:
            said = message["page"], message["number"], message["strokes"]
            self._guarded(partial(feed.draw, *said))

    def is_current_thread(self) -> bool:
        """Whether the caller is on the thread that carries the news."""
        return threading.current_thread() is self._thread

    def step(self) -> float | None:
        """Do everything that can be done now.

        Returns
        -------
        float or None
            Seconds after which to try again although nothing happens, or None.
        """
        self._listen()
        with self._wake:
            feeds = dict(self._feeds)
            newcomers, self._newcomers = self._newcomers, set()
        # To all pages that had said hello before a widget was made.
        for key in newcomers:
            self.flow.introduce(key)
        for key in {key for page in self.flow.pages.values() for key in page.sights} - set(feeds):
            self.flow.drop(key)
        self.flow.credit = CREDIT + (self._clock() < self._led)
        holding = self.flow.waits_for_acknowledgement()
        stalled = holding and self._heartbeat.stalled(self._clock())
        quick = [feed for feed in feeds.values() if not feed.slow]
        slow = [feed for feed in feeds.values() if feed.slow]
        for feed in slow:
            # Making a picture takes a while: what a person has pressed is heard before, and how a
            # run ended is said.
            self._listen()
            if any(each.urgent for each in quick):
                self._refresh(quick, stalled)
                self.flow.deliver(quick, self._clock(), stalled)
            if feed.urgent or self._clock() >= self._respite:
                self._refresh([feed], stalled)
            if self._clock() < self._led:
                # What answers a hand does not wait for the pictures of others, and says that the
                # hand was heard: a message more costs the page as much as the picture.
                self._refresh(quick, stalled)
                self.flow.deliver([feed, *quick], self._clock(), stalled, echo=False)
        self._refresh(quick, stalled)
        now = self._clock()
        self.flow.deliver(feeds.values(), now, stalled, echo=now >= self._echo)
        pauses = [PACE] if holding else []
        pauses += [until - now for until in (self._respite, self._echo) if now < until]
        for feed in quick:
            if feed.period is not None and self.flow.has_credit(feed, now, stalled):
                pauses.append(feed.period)
        return min(pauses, default=None)

    def _listen(self) -> None:
        """Take in what the pages have said."""
        while self._inbox:
            message, send, independent = self._inbox.popleft()
            # After that: a page speaks of a widget as soon as it is made, while a step goes on.
            feeds = self._open()
            if message.get("type") == "command" and message.get("name") != "touch":
                self._respite = self._clock() + RESPITE
            receive = partial(self.flow.receive, independent=independent)
            self._guarded(partial(receive, message, send, feeds))

    def _refresh(self, feeds: Iterable[Feed], stalled: bool) -> None:
        """Take what is pending, where it has to be taken or somebody looks."""
        for feed in feeds:
            looked_at = self.flow.has_credit(feed, self._clock(), stalled)
            if feed.pending and (feed.urgent or looked_at):
                self._guarded(feed.refresh)

    def _open(self) -> dict[str, Feed]:
        with self._wake:
            return dict(self._feeds)

    def _opened(self, channel: Any, message: Mapping[str, Any]) -> None:
        """Answer a page that opened a comm, on whatever thread the kernel uses for it."""
        # ipykernel 7.4 hands what a page says next to the thread in whose context it was last sent
        # something. Left to chance that is the main thread, where it would wait for a running cell.
        context = contextvars.copy_context()

        def send(frames: Frames, buffers: list[memoryview]) -> None:
            context.run(channel.send, data=frames, buffers=buffers)

        data = message["content"]["data"]
        page = data.get("page", "") if isinstance(data, Mapping) else ""
        channel.on_msg(lambda m: self.receive(m["content"]["data"], send))

        def closed(_: Any) -> None:
            self.receive({"type": "bye", "page": page}, send)
            self._quiet.remove(channel)

        channel.on_close(closed)
        self._quiet.add(channel)
        self.receive(data, send)

    def _start(self) -> None:
        alive = self._thread is not None and self._thread.is_alive()
        if not alive and self._feeds:
            self._thread = threading.Thread(target=self._run, name="udfwidgets-hub", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        pause: float | None = None
        while True:
            with self._wake:
                if not self._work and self._feeds:
                    self._wake.wait(pause)
                self._work = False
                if not self._feeds:
                    self._thread = None
                    return
            self._hurry.clear()
            began = time.monotonic()
            pause = self._safe_step()
            # What comes in meanwhile goes out together in the next message.
            tick = SOON if self._clock() < self._led else TICK
            self._hurry.wait(max(SOON, tick - (time.monotonic() - began)))

    def _safe_step(self) -> float | None:
        """Do a step; after a fault nothing is lost, and the next one tries again."""
        try:
            pause = self.step()
        except Exception:
            if not self._at_fault:
                _log.exception("the live widgets could not be updated")
            self._at_fault = True
            return PACE
        self._at_fault = False
        return pause

    @staticmethod
    def _guarded(do: Callable[[], object]) -> None:
        try:
            do()
        except Exception:
            # One widget's broken source, or one page's odd message, must not stop the others.
            _log.exception("a live widget could not be updated")

    def close(self) -> None:
        """Forget all widgets and pages; the thread ends."""
        for key in self._open():
            self.unregister(key)
        # What they have said last is about what is gone, and would be heard by whoever comes next.
        self._inbox.clear()
        self.flow.pages.clear()
        self._quiet.close()


_hub = Hub()


def _begin_anew() -> None:
    """Leave the pages to the process that this one was forked from, and its thread."""
    global _hub
    _hub = Hub()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
atexit.register(lambda: _hub.close())


def hub() -> Hub:
    """Return the hub of this kernel."""
    return _hub
