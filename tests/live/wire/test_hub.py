from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import queue
import sys
import threading

import comm
import numpy as np
import pytest

from udfwidgets.engine.executors.aside import stand_back
from udfwidgets.geometry import Disk
from udfwidgets.live.image import LiveImage
from udfwidgets.live.picture.picture import Picture, Status
from udfwidgets.live.status import StatusBar
from udfwidgets.live.wire.hub import Heartbeat, Hub, hub
from udfwidgets.live.wire.protocol import TARGET

PATIENCE = 10


class Channel:
    """A comm that a browser has opened, seen from the kernel."""

    def __init__(self):
        self.arrived = threading.Semaphore(0)
        self.sent = []
        self.heard = self.closed = None

    def send(self, data, buffers):
        self.sent.append((data, [bytes(b) for b in buffers]))
        self.arrived.release()

    def on_msg(self, callback):
        self.heard = callback

    def on_close(self, callback):
        self.closed = callback

    def say(self, **data):
        self.heard({"content": {"data": {"page": "page", **data}}})

    def wait(self):
        assert self.arrived.acquire(timeout=PATIENCE), "no message has come"
        return self.sent[-1][0]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    hub().close()
    assert not [t for t in threading.enumerate() if t.name == "udfwidgets-hub"]


@pytest.fixture
def channel():
    channel = Channel()
    yield channel
    if channel.closed:
        channel.closed({})


def open_channel(channel):
    opened = comm.get_comm_manager().targets[TARGET]
    opened(channel, {"content": {"data": {"type": "hello", "page": "page"}}})


@pytest.fixture
def image():
    image = LiveImage((4, 5), kind="nav", title="test")
    yield image
    image.close()


def test_without_a_browser_nothing_happens(image, monkeypatch):
    steps, asked = [], []
    monkeypatch.setattr(hub(), "step", lambda: steps.append(1))
    for _ in range(100):
        image.offer(lambda: asked.append(1))
    assert not steps
    assert not asked


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads have no priority")
def test_thread_does_not_stand_back_like_a_worker_that_has_news(image):
    def work():
        stand_back()
        hub().news(unseen=True)

    worker = threading.Thread(target=work)
    worker.start()
    worker.join()
    own = os.getpriority(os.PRIO_PROCESS, hub()._thread.native_id)
    assert own == os.getpriority(os.PRIO_PROCESS, 0)


def test_last_picture_is_saved_without_a_browser(image):
    saved = threading.Event()
    image.canvas.observe(lambda _: saved.set(), "_saved")
    image.offer(lambda: Picture(np.eye(4, 5), final=True), final=True)
    assert saved.wait(PATIENCE)
    assert image.canvas._saved["header"]["final"]
    bundle = image._repr_mimebundle_()
    assert bundle["text/plain"] == "<LiveImage nav 4x5 'test'>"
    assert bundle["image/png"]


def test_nobody_waits_for_an_image_that_is_closed(image):
    image.close()
    image.offer(lambda: Picture(np.eye(4, 5), final=True), final=True)
    assert image.wait_saved(0)


def test_picture_reaches_a_page(image, channel):
    open_channel(channel)
    channel.say(type="want", key=image._feed.key, view="visible")
    image.offer(lambda: Picture(np.ones((4, 5))))
    message = channel.wait()
    assert message["to"] == "page"
    assert message["images"][0]["key"] == image._feed.key


def test_what_a_hand_has_drawn_is_answered_within_the_tick(image, channel, monkeypatch):
    monkeypatch.setattr("udfwidgets.live.wire.hub.TICK", 100 * PATIENCE)
    monkeypatch.setattr("udfwidgets.live.wire.hub.LED", 10 * PATIENCE)
    assert image.figure
    image.shapes["A"] = Disk(2, 2, 1)
    feeds = hub()._open()
    # Not as messages: the thread would begin with a tick that nobody has drawn in.
    hub().flow.receive({"type": "hello", "page": "page"}, channel.send, feeds)
    for key in feeds:
        want = {"type": "want", "page": "page", "key": key, "view": "visible"}
        hub().flow.receive(want, channel.send, feeds)
    (layer,) = (key for key, feed in feeds.items() if feed.kind == "drawings")
    strokes = [["A", Disk(1, 1, 1).to_plain(), True]]
    draw = {"type": "draw", "page": "page", "key": layer, "number": 1, "strokes": strokes}
    hub().receive(draw, channel.send)
    while not any(drawing["heard"] for drawing in channel.wait()["drawings"]):
        pass
    image.offer(lambda: Picture(np.ones((4, 5))))
    while not channel.wait()["images"]:
        pass


def test_answer_to_a_hand_says_that_it_was_heard(image, channel, monkeypatch):
    assert image.figure
    image.shapes["A"] = Disk(2, 2, 1)
    mine = Hub(clock=lambda: 0.0)
    feeds = hub()._open()
    (layer,) = (feed for feed in feeds.values() if feed.kind == "drawings")
    monkeypatch.setattr(mine, "_start", lambda: None)  # steps are taken here
    for feed in (image._feed, layer):
        mine.register(feed)
    mine.receive({"type": "hello", "page": "page"}, channel.send)
    for feed in (image._feed, layer):
        want = {"type": "want", "page": "page", "key": feed.key, "view": "visible"}
        mine.receive(want, channel.send)
    mine.step()
    channel.sent.clear()
    strokes = [["A", Disk(1, 1, 1).to_plain(), False]]
    draw = {"type": "draw", "page": "page", "key": layer.key, "number": 1, "strokes": strokes}
    mine.receive(draw, channel.send)
    image.offer(lambda: Picture(np.ones((4, 5))))
    mine.step()
    [(frames, _)] = channel.sent
    assert frames["images"]
    assert frames["drawings"][0]["heard"] == [("page", 1)]


def test_frames_are_sent_in_the_context_in_which_the_page_came(image):
    where = contextvars.ContextVar("where", default="elsewhere")
    seen = []

    class Noted(Channel):
        def send(self, data, buffers):
            seen.append(where.get())
            super().send(data, buffers)

    def come():
        where.set("the page's thread")
        open_channel(channel)

    channel = Noted()
    contextvars.copy_context().run(come)
    channel.say(type="want", key=image._feed.key, view="visible")
    image.offer(lambda: Picture(np.ones((4, 5))))
    channel.wait()
    channel.closed({})
    assert seen == ["the page's thread"]


def test_offers_from_many_threads_end_with_the_newest(image, channel):
    open_channel(channel)
    channel.say(type="want", key=image._feed.key, view="visible")
    threads = [
        threading.Thread(target=lambda: image.offer(lambda: Picture(np.zeros((4, 5)))))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    image.offer(lambda: Picture(np.ones((4, 5)), final=True), final=True)
    while not (message := channel.wait())["images"][0]["final"]:
        sequence = message["images"][0]["sequence"]
        channel.say(type="ack", painted=[(image._feed.key, sequence)])
    assert sum(f["images"][0]["final"] for f, _ in channel.sent) == 1


def test_status_that_says_the_same_is_said_once():
    bar = StatusBar("run")
    versions = []
    for status in [*[Status("running", 0.5)] * 2, Status("running", 0.6), *[Status("done", 1)] * 2]:
        bar._feed.take_in(status)
        versions.append(bar._feed.version)
    assert versions == [0, 0, 1, 2, 2]
    assert bar._feed.settled
    bar.close()


def test_broken_source_does_not_stop_the_others(image, channel, caplog):
    other = LiveImage((2, 2), kind="sig")
    open_channel(channel)
    for each in (image, other):
        channel.say(type="want", key=each._feed.key, view="visible")
    with caplog.at_level(logging.CRITICAL, "udfwidgets.live.wire.hub"):
        image.offer(lambda: 1 / 0)
        other.offer(lambda: Picture(np.ones((2, 2))))
        assert channel.wait()["images"][0]["key"] == other._feed.key
    other.close()


def test_command_reaches_the_callback(channel):
    bar = StatusBar("run")
    pressed = queue.Queue()
    bar.answer(["cancel"], pressed.put)
    assert bar.commands == ["cancel"]
    open_channel(channel)
    channel.say(type="command", key=bar._feed.key, name="cancel")
    assert pressed.get(timeout=PATIENCE) == "cancel"
    bar.close()


def test_deletion_reaches_the_callback(channel):
    bar = StatusBar("run")
    deleted = threading.Event()
    bar.on_deleted(deleted.set)
    open_channel(channel)
    channel.say(type="want", key=bar._feed.key, view="visible")
    channel.say(type="see", key=bar._feed.key, view="none")
    assert deleted.wait(PATIENCE)
    bar.close()


def test_status_reaches_a_page(channel):
    bar = StatusBar("run")
    open_channel(channel)
    channel.say(type="want", key=bar._feed.key, view="visible")
    bar.offer(lambda: Status("running", 0.25))
    assert channel.wait()["statuses"][0]["fraction"] == 0.25
    bar.close()


def test_page_that_closes_is_forgotten(image, channel):
    open_channel(channel)
    channel.say(type="want", key=image._feed.key, view="visible")
    image.offer(lambda: Picture(np.ones((4, 5))))
    channel.wait()
    channel.closed({})
    hub().step()
    assert not hub().flow.pages


def test_thread_ends_with_the_last_widget(channel):
    first, second = LiveImage((2, 2), kind="nav"), LiveImage((2, 2), kind="nav")
    open_channel(channel)
    assert [t for t in threading.enumerate() if t.name == "udfwidgets-hub"]
    first.close()
    first.close()
    second.close()
    assert not [t for t in threading.enumerate() if t.name == "udfwidgets-hub"]


def test_hubs_are_independent():
    assert Hub()._thread is None


def test_fault_of_a_step_does_not_stop_the_next(image, channel, monkeypatch, caplog):
    open_channel(channel)
    channel.say(type="want", key=image._feed.key, view="visible")
    failed = threading.Semaphore(0)

    def deliver(*args, **options):
        failed.release()
        raise RuntimeError("Event loop is closed")

    with caplog.at_level(logging.ERROR, "udfwidgets.live.wire.hub"):
        monkeypatch.setattr(hub().flow, "deliver", deliver)
        image.offer(lambda: Picture(np.ones((4, 5))))
        assert failed.acquire(timeout=PATIENCE)
        assert failed.acquire(timeout=PATIENCE)  # once more, although nothing was offered
        monkeypatch.undo()
        assert channel.wait()["images"][0]["key"] == image._feed.key
    assert len(caplog.records) == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_thread_that_has_died_is_started_again(image, channel, monkeypatch):
    def deliver(*args, **options):
        raise SystemExit

    monkeypatch.setattr(hub().flow, "deliver", deliver)
    open_channel(channel)
    hub()._thread.join(PATIENCE)
    monkeypatch.undo()
    channel.say(type="want", key=image._feed.key, view="visible")
    image.offer(lambda: Picture(np.ones((4, 5))))
    assert channel.wait()["images"]


class Loop:
    """An event loop that never answers."""

    def __init__(self, closes=False):
        self.closes = closes

    def is_closed(self):
        return False

    def call_soon_threadsafe(self, callback):
        if self.closes:
            raise RuntimeError("Event loop is closed")


def test_heartbeat_of_a_loop_that_closes_meanwhile(monkeypatch):
    heartbeat = Heartbeat()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: Loop(closes=True))
    heartbeat.watch()
    assert not heartbeat.stalled(0.0)
    assert not heartbeat.stalled(10.0)


def test_heartbeat_asks_a_new_loop_anew(monkeypatch):
    heartbeat = Heartbeat()
    monkeypatch.setattr(asyncio, "get_running_loop", Loop)
    heartbeat.watch()
    heartbeat.stalled(0.0)
    assert heartbeat.stalled(10.0)
    heartbeat.watch()
    assert not heartbeat.stalled(10.0)


def test_how_it_ended_is_said_before_the_last_picture_is_made(image, channel):
    bar = StatusBar("run")
    try:
        open_channel(channel)
        channel.say(type="want", key=image._feed.key, view="visible")
        channel.say(type="want", key=bar._feed.key, view="visible")
        may_draw = threading.Event()

        def picture():
            assert may_draw.wait(PATIENCE)
            return Picture(np.ones((4, 5)), final=True)

        bar.offer(lambda: Status("cancelled", 0.5), final=True)
        image.offer(picture, final=True)
        message = channel.wait()
        assert message["statuses"][0]["state"] == "cancelled"
        assert message["images"] == []
        may_draw.set()
        assert channel.wait()["images"][0]["final"]
    finally:
        bar.close()


def test_all_that_is_said_at_one_time_is_heard(image, channel):
    open_channel(channel)
    want = {"type": "want", "page": "page", "key": image._feed.key, "view": "visible"}
    channel.say(type="said", messages=[want, {**want, "type": "see"}])
    image.offer(lambda: Picture(np.ones((4, 5))))
    assert channel.wait()["images"][0]["key"] == image._feed.key


def test_page_is_sent_a_new_image_before_it_asks(image, channel):
    open_channel(channel)
    new = LiveImage((3, 3), kind="nav")
    try:
        new.offer(lambda: Picture(np.ones((3, 3))))
        assert channel.wait()["images"][0]["key"] == new._feed.key
    finally:
        new.close()


def test_page_may_speak_of_a_widget_that_is_made_during_a_step(image, channel, monkeypatch):
    mine = Hub(clock=lambda: 0.0)
    monkeypatch.setattr(mine, "_start", lambda: None)  # steps are taken here
    other, late = (LiveImage((3, 3), kind="nav") for _ in range(2))
    for each in (image, other):
        mine.register(each._feed)

    def say(kind, of):
        message = {"type": kind, "page": "page", "key": of._feed.key, "view": "visible"}
        mine.receive(message, channel.send)

    def made_meanwhile():
        mine.register(late._feed)
        say("want", late)
        say("see", late)
        return Picture(np.ones((4, 5)))

    try:
        mine.receive({"type": "hello", "page": "page"}, channel.send)
        say("want", image)
        image.offer(made_meanwhile)
        for _ in range(2):
            mine.step()
        assert mine.flow.pages["page"].sights[late._feed.key].view == "visible"
    finally:
        for each in (other, late):
            each.close()
