from __future__ import annotations

import numpy as np
import pytest

from udfwidgets.live.picture.image_feed import REMEMBERED, ImageFeed
from udfwidgets.live.picture.picture import Picture, Status
from udfwidgets.live.status import StatusFeed
from udfwidgets.live.wire.flow import PACE, Flow

SHAPE = (6, 8)


class PageDouble:
    """What a browser does, without one: keeps what it was sent, and puts it together."""

    def __init__(self, flow, feeds, name="page", independent=True):
        self.flow, self.feeds, self.name, self.independent = flow, feeds, name, independent
        self.received = []
        self.codes = {}

    def send(self, frames, buffers):
        assert frames["to"] == self.name
        self.received.append(frames)
        for part in frames["images"]:
            codes = self.codes.setdefault(part["key"], np.zeros(part["grid"], np.uint16))
            if part["pixels"] is not None:
                y, x, height, width = part["rect"]
                pixels = np.frombuffer(bytes(buffers[part["pixels"]]), "<u2")
                codes[y : y + height, x : x + width] = pixels.reshape(height, width)

    def say(self, kind, **fields):
        message = {"type": kind, "page": self.name, **fields}
        self.flow.receive(message, self.send, self.feeds, independent=self.independent)

    def ack_all(self):
        painted = [(p["key"], p["sequence"]) for f in self.received for p in f["images"]]
        painted += [(p["key"], p["sequence"]) for f in self.received for p in f["statuses"]]
        self.say("ack", painted=painted)

    def shown(self, key="image"):
        part = [p for f in self.received for p in f["images"] if p["key"] == key][-1]
        return part["lo"] + (self.codes[key] - 1.0) / 65534 * (part["hi"] - part["lo"])


class Bench:
    """A flow with one image, one status and any number of pages."""

    def __init__(self):
        self.saved = []
        self.commands = []
        self.deleted = []
        self.painted = []
        self.image = ImageFeed(
            "image",
            SHAPE,
            "nav",
            lambda *part: self.saved.append(part),
            lambda: self.painted.append(1),
        )
        self.status = StatusFeed(
            "status", lambda *_: None, self.commands.append, lambda: self.deleted.append(1)
        )
        self.feeds = {"image": self.image, "status": self.status}
        self.flow = Flow()
        self.asked = 0
        self.now = 0.0

    def page(self, name="page", independent=True, view="visible"):
        page = PageDouble(self.flow, self.feeds, name, independent)
        page.say("hello")
        page.say("want", key="image", view=view)
        return page

    def offer(self, value, final=False, generation=0, presentable=True):
        def source():
            self.asked += 1
            values = np.full(SHAPE, value) if np.isscalar(value) else value
            return Picture(values, final=final, generation=generation)

        self.image.offer(source, final, presentable)

    def tick(self, stalled=False):
        """Do what the hub does in one tick."""
        self.now += 0.02
        for feed in self.feeds.values():
            if feed.pending and (feed.urgent or self.flow.has_credit(feed, self.now, stalled)):
                feed.refresh()
        return self.flow.deliver(self.feeds.values(), self.now, stalled)


@pytest.fixture
def bench():
    return Bench()


def test_nobody_looks_nothing_is_computed(bench):
    bench.offer(1)
    assert not bench.tick()
    assert bench.asked == 0


def test_at_most_two_under_way(bench):
    page = bench.page()
    for value in range(10):
        bench.offer(value)
        bench.tick()
    assert len(page.received) == 2
    assert bench.asked == 2


def test_what_was_overtaken_is_never_asked_for(bench):
    page = bench.page()
    for value in range(10):
        bench.offer(value)
        bench.tick()
    page.ack_all()
    bench.tick()
    assert len(page.received) == 3
    np.testing.assert_array_equal(page.shown(), np.full(SHAPE, 9))


def test_acknowledgements_buy_more(bench):
    page = bench.page()
    for value in range(10):
        bench.offer(value)
        bench.tick()
        page.ack_all()
    assert len(page.received) == 10


def test_last_picture_exactly_once(bench):
    page = bench.page()
    for value in range(5):
        bench.offer(value)
        bench.tick()
    bench.offer(7, final=True)
    for _ in range(5):
        bench.tick()
    assert not any(f["images"][0]["final"] for f in page.received)
    page.ack_all()
    for _ in range(5):
        bench.tick()
        page.ack_all()
    assert [f["images"][0]["final"] for f in page.received] == [False, False, True]
    np.testing.assert_array_equal(page.shown(), np.full(SHAPE, 7))
    assert len(bench.saved) == 1


def test_last_picture_is_saved_without_a_page(bench):
    bench.offer(3, final=True)
    bench.tick()
    [(header, buffers)] = bench.saved
    assert header["final"]
    assert header["whole"]
    assert len(buffers["pixels"]) == 2 * SHAPE[0] * SHAPE[1]


def test_only_what_changed_is_sent(bench):
    page = bench.page()
    values = np.zeros(SHAPE, np.int32)
    for y, x in ((0, 0), (2, 3), (4, 4)):
        values = values.copy()
        values[y, x] = 100
        bench.offer(values)
        bench.tick()
        page.ack_all()
    parts = [f["images"][0] for f in page.received]
    assert [p["whole"] for p in parts] == [True, False, False]
    assert [tuple(p["rect"]) for p in parts] == [(0, 0, 6, 8), (2, 3, 1, 1), (4, 4, 1, 1)]
    np.testing.assert_array_equal(page.shown(), values)


def test_skipped_changes_are_sent_together(bench):
    slow, quick = bench.page("slow"), bench.page("quick")
    values = np.zeros(SHAPE, np.int32)
    for step in range(6):
        values = values.copy()
        values[step, step] = 50
        bench.offer(values)
        bench.tick()
        quick.ack_all()
    slow.ack_all()
    bench.tick()
    assert tuple(slow.received[-1]["images"][0]["rect"]) == (2, 2, 4, 4)
    np.testing.assert_array_equal(slow.shown(), quick.shown())


def test_far_behind_gets_the_whole(bench):
    slow, quick = bench.page("slow"), bench.page("quick")
    for step in range(REMEMBERED + 9):
        bench.offer(np.full(SHAPE, step))
        bench.tick()
        quick.ack_all()
    slow.ack_all()
    bench.tick()
    assert slow.received[-1]["images"][0]["whole"]
    np.testing.assert_array_equal(slow.shown(), quick.shown())


def test_late_page_gets_the_whole_picture(bench):
    bench.page()
    bench.offer(5, final=True)
    bench.tick()
    late = bench.page("late")
    bench.tick()
    part = late.received[0]["images"][0]
    assert part["whole"]
    assert part["final"]
    np.testing.assert_array_equal(late.shown(), np.full(SHAPE, 5))


def test_page_begins_with_pictures_before_it_asks(bench):
    page = bench.page(view="visible")
    page.say("gone", key="image")
    bench.flow.introduce("image")
    bench.offer(7)
    bench.tick()
    np.testing.assert_array_equal(page.shown(), np.full(SHAPE, 7))
    page.say("have", held=[("image", 1)])
    assert not bench.tick()
    page.say("see", key="image", view="visible")
    bench.offer(8)
    bench.tick()
    assert not page.received[-1]["images"][0]["whole"]
    np.testing.assert_array_equal(page.shown(), np.full(SHAPE, 8))


def test_page_without_a_view_begins_with_what_is_worth_it(bench):
    page = bench.page(view="none")
    bench.offer(1, presentable=False)
    assert not bench.tick()
    assert bench.asked == 0
    bench.offer(2)
    assert bench.tick()
    np.testing.assert_array_equal(page.shown(), np.full(SHAPE, 2))


def test_page_that_looks_is_sent_everything(bench):
    page = bench.page()
    bench.offer(1, presentable=False)
    assert bench.tick()
    np.testing.assert_array_equal(page.shown(), np.full(SHAPE, 1))


def test_page_that_is_known_to_look_is_not_introduced_again(bench):
    page = bench.page()
    bench.offer(1)
    bench.tick()
    page.ack_all()
    bench.flow.introduce("image")
    bench.offer(2)
    bench.tick()
    assert len(page.received) == 2
    assert not page.received[-1]["images"][0]["whole"]


@pytest.mark.parametrize("view", ["none", "hidden"])
def test_page_that_does_not_look_gets_two_frames_then_the_newest(bench, view):
    page = bench.page(view=view)
    for value in range(5):
        bench.offer(value)
        bench.tick()
        page.ack_all()
    assert bench.asked == 2
    page.say("see", key="image", view="visible")
    bench.tick()
    assert len(page.received) == 3
    np.testing.assert_array_equal(page.shown(), np.full(SHAPE, 4))


def test_closed_page_is_forgotten(bench):
    page = bench.page()
    page.say("bye")
    page.say("see", key="image", view="visible")
    bench.offer(1)
    assert not bench.tick()
    assert not bench.flow.pages


def test_unreachable_page_does_not_harm_others(bench, caplog):
    broken, page = bench.page("broken"), bench.page("page")

    def fail(frames, buffers):
        raise OSError("the line is cut")

    bench.flow.pages["broken"].send = fail
    bench.offer(1)
    bench.tick()
    assert len(page.received) == 1
    assert not broken.received
    assert list(bench.flow.pages) == ["page"]


def test_lost_message_is_sent_again(bench):
    page = bench.page()
    bench.offer(1)
    bench.tick()
    page.say("have", held=[("image", 0)])
    bench.tick()
    assert [f["images"][0]["whole"] for f in page.received] == [True, True]
    page.say("have", held=[("image", page.received[-1]["images"][0]["sequence"])])
    assert not bench.tick()


def test_lost_acknowledgement_is_made_good_by_what_the_page_has(bench):
    page = bench.page()
    for value in (1, 2):
        bench.offer(value)
        bench.tick()
    bench.offer(3)
    assert not bench.tick()
    page.say("have", held=[("image", 2)])
    assert bench.tick()
    assert page.shown().max() == pytest.approx(3)


def test_page_that_asks_again_keeps_looking_where_it_did(bench):
    page = bench.page()
    page.say("look", key="image", rect=[1, 2, 3, 4])
    page.say("want", key="image", view="visible")
    assert bench.flow.pages["page"].sights["image"].look == (1, 2, 3, 4)


def test_reload_asks_again(bench):
    page = bench.page()
    bench.offer(1)
    bench.tick()
    page.say("want", key="image", view="visible")
    bench.tick()
    sequences = [f["images"][0]["sequence"] for f in page.received]
    assert sequences == [1, 2]
    assert page.received[-1]["images"][0]["whole"]


def test_blocked_kernel_is_paced_by_time(bench):
    page = bench.page(independent=False)
    for value in range(100):  # two seconds of ticks
        bench.offer(value)
        bench.tick(stalled=True)
    assert 2 + 1.6 / PACE <= len(page.received) <= 2 + 2.1 / PACE


def test_busy_browser_is_waited_for(bench):
    page = bench.page(independent=False)
    for value in range(100):
        bench.offer(value)
        bench.tick(stalled=False)
    assert len(page.received) == 2
    assert bench.flow.waits_for_acknowledgement()


def test_own_thread_is_never_paced_by_time(bench):
    page = bench.page(independent=True)
    for value in range(100):
        bench.offer(value)
        bench.tick(stalled=True)
    assert len(page.received) == 2


def test_all_news_in_one_message(bench):
    page = bench.page()
    page.say("want", key="status", view="visible")
    bench.offer(1)
    bench.status.slot.put(lambda: Status("running", 0.5, seconds_left=float("inf")), False)
    bench.tick()
    [message] = page.received
    assert len(message["images"]) == len(message["statuses"]) == 1
    assert message["statuses"][0]["seconds_left"] is None


def test_last_status_waits_for_no_credit(bench):
    page = bench.page()
    page.say("want", key="status", view="visible")
    for i in range(5):
        bench.status.offer(lambda i=i: Status("running", i / 10), final=False)
        bench.tick()
    bench.status.offer(lambda: Status("cancelled", 0.5), final=True)
    assert bench.tick()
    statuses = [part for frames in page.received for part in frames["statuses"]]
    assert [status["state"] for status in statuses] == ["running", "running", "cancelled"]
    assert not bench.tick()


def test_command_reaches_the_feed(bench):
    page = bench.page()
    for name in ("pause", "cancel"):
        page.say("command", key="status", name=name)
    assert bench.commands == ["pause", "cancel"]


def test_feed_learns_when_its_last_view_is_deleted(bench):
    first, second = bench.page("first"), bench.page("second")
    for page in (first, second):
        page.say("want", key="status", view="hidden")
    first.say("see", key="status", view="none")
    assert bench.deleted == []
    second.say("see", key="status", view="none")
    assert bench.deleted == [1]


def test_feed_learns_when_a_page_shows_it(bench):
    page = bench.page(view="none")
    bench.offer(1)
    bench.tick()
    page.ack_all()
    assert not bench.painted  # the page has it, but no view of it
    page.say("see", key="image", view="visible")
    assert bench.painted == [1]


def test_feed_learns_of_a_picture_in_a_view_that_was_there_before(bench):
    page = bench.page()
    page.say("see", key="image", view="visible")
    assert not bench.painted  # there is nothing on it
    bench.offer(1)
    bench.tick()
    assert not bench.painted
    page.ack_all()
    assert bench.painted == [1]


def test_credit_comes_back_whatever_a_painted_picture_leads_to(bench):
    page = bench.page()
    page.say("want", key="status", view="visible")
    bench.offer(1)
    bench.status.offer(lambda: Status("running", 0.5), final=False)
    bench.tick()

    def fail():
        raise RuntimeError("on purpose")

    bench.image._on_painted = fail
    with pytest.raises(RuntimeError, match="on purpose"):
        page.say("ack", painted=[("image", 1), ("status", 1)])
    assert not any(sight.in_flight for sight in bench.flow.pages["page"].sights.values())


def test_page_that_leaves_has_deleted_nothing(bench):
    page = bench.page()
    page.say("want", key="status", view="visible")
    page.say("gone", key="status")
    page.say("bye")
    bench.page("again").say("want", key="status", view="none")
    assert bench.deleted == []


def test_older_generation_is_dropped(bench):
    page = bench.page()
    bench.offer(5, generation=2)
    bench.tick()
    page.ack_all()
    bench.offer(1, generation=1)
    bench.tick()
    np.testing.assert_array_equal(page.shown(), np.full(SHAPE, 5))


def test_sent_memory_is_not_overwritten_before_the_acknowledgement(bench):
    held = []
    page = bench.page()
    bench.flow.pages["page"].send = lambda frames, buffers: held.append(buffers)
    bench.offer(np.arange(48).reshape(SHAPE))
    bench.tick()
    first = bytes(held[0][0])
    bench.offer(np.arange(48)[::-1].reshape(SHAPE))
    bench.tick()
    assert bytes(held[0][0]) == first
    page.say("ack", painted=[("image", 2)])
    bench.offer(1)
    bench.tick()
    assert bench.flow.pages["page"].sights["image"].in_flight.keys() == {3}


def test_unknown_messages_are_ignored(bench):
    page = bench.page()
    page.say("sing")
    page.say("want", key="nobody", view="visible")
    assert not bench.tick()
