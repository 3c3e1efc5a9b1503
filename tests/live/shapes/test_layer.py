from __future__ import annotations

import json
import logging
import threading
import time

import pytest

from udfwidgets.geometry import Annulus, Brush, Disk, Point, Polygon
from udfwidgets.live.image import LiveImage
from udfwidgets.live.shapes.holder import Shapes
from udfwidgets.live.shapes.layer import PAGES, Layer, ShapesFeed
from udfwidgets.live.wire.flow import Flow
from udfwidgets.live.wire.heard import heard

DISK = Disk(8, 9, 3)


class Bench:
    """Shapes with a flow that carries them, and pages that say and see what a browser would."""

    def __init__(self):
        self.shapes = Shapes()
        self.feed = ShapesFeed("layer", self.shapes)
        self.flow = Flow()
        self.seen = {}
        self.now = 0.0

    def page(self, name):
        self.say(name, type="hello")
        self.say(name, type="want", key="layer", view="visible")

    def say(self, page, **fields):
        def send(frames, buffers):
            # What a page gets has gone through JSON.
            self.seen.setdefault(page, []).extend(json.loads(json.dumps(frames))["drawings"])

        for message in heard({**fields, "page": page}):
            self.flow.receive(message, send, {"layer": self.feed})

    def draw(self, page, number, *strokes):
        self.say(page, type="draw", key="layer", number=number, strokes=list(strokes))

    def tick(self):
        self.now += 0.02
        if self.feed.pending and self.flow.has_credit(self.feed, self.now, False):
            self.feed.refresh()
        self.flow.deliver([self.feed], self.now)
        for page, frames in self.seen.items():
            self.say(page, type="ack", painted=[("layer", frames[-1]["sequence"])])


@pytest.fixture
def bench():
    bench = Bench()
    yield bench
    bench.shapes.close()


def test_pages_get_all_shapes_with_their_colours(bench):
    bench.shapes.update(BF=DISK, probe=Point(1, 2))
    bench.page("one")
    bench.tick()
    [frame] = bench.seen["one"]
    assert frame["shapes"] == [["BF", DISK.to_plain(), 0], ["probe", Point(1, 2).to_plain(), 1]]
    assert frame["heard"] == []
    bench.tick()
    assert len(bench.seen["one"]) == 1  # nothing new


def test_what_a_hand_draws_is_in_python_and_in_the_other_page(bench):
    bench.page("one")
    bench.page("two")
    bench.draw("one", 1, ["BF", DISK.to_plain(), False])
    assert bench.shapes["BF"] == DISK
    assert not bench.shapes.is_resting("BF")
    bench.tick()
    assert bench.seen["two"][-1]["shapes"] == [["BF", DISK.to_plain(), 0]]
    bench.draw("one", 2, ["BF", None, True])
    bench.tick()
    assert bench.seen["two"][-1]["shapes"] == []
    assert bench.seen["two"][-1]["heard"] == [["one", 2]]


def test_page_is_told_that_it_was_heard_even_if_nothing_has_changed(bench):
    bench.page("one")
    bench.shapes["BF"] = DISK
    bench.tick()
    bench.draw("one", 1, ["BF", DISK.to_plain(), True])
    bench.tick()
    assert bench.seen["one"][-1]["heard"] == [["one", 1]]
    bench.draw("one", 1, ["BF", DISK.to_plain(), True])  # the answer was lost
    bench.tick()
    assert bench.seen["one"][-1]["heard"] == [["one", 1]]
    assert len(bench.seen["one"]) == 3


def test_strokes_that_come_again_or_late_change_nothing(bench):
    bench.page("one")
    bench.draw("one", 2, ["BF", Disk(2, 2, 2).to_plain(), True])
    bench.draw("one", 1, ["BF", Disk(1, 1, 1).to_plain(), True])
    bench.shapes["BF"] = DISK
    bench.draw("one", 2, ["BF", Disk(2, 2, 2).to_plain(), True])
    assert bench.shapes["BF"] == DISK


def test_pages_that_were_closed_are_forgotten(bench):
    for n in range(2 * PAGES):
        bench.draw(f"page {n}", 1, ["BF", DISK.to_plain(), True])
    bench.page("last")
    bench.tick()
    told = [page for page, _ in bench.seen["last"][-1]["heard"]]
    assert told == [f"page {n}" for n in range(PAGES, 2 * PAGES)]


ODD_SHAPES = [
    {},
    {"type": "blob"},
    {**DISK.to_plain(), "r": -1},
    {**DISK.to_plain(), "r": float("nan")},
    {**DISK.to_plain(), "r": "3"},
    {**DISK.to_plain(), "x": 3},
    {"type": "annulus", "cx": 1, "cy": 1, "ri": 5, "ro": 4},
    {"type": "polygon", "points": [[1, 2]]},
    {"type": "polygon", "points": 5},
]


@pytest.mark.parametrize("plain", ODD_SHAPES, ids=repr)
def test_odd_shape_is_dropped_with_one_line_and_the_last_good_one_stays(bench, plain, caplog):
    bench.shapes["BF"] = DISK
    with caplog.at_level(logging.WARNING):
        bench.draw("one", 1, ["BF", plain, True], ["probe", Point(1, 2).to_plain(), True])
    assert dict(bench.shapes) == {"BF": DISK}
    assert len(caplog.records) == 1


ODD_MESSAGES = [
    {"number": 1},
    {"number": "1", "strokes": []},
    {"number": 1, "strokes": {}},
    {"number": 1, "strokes": [["BF", None]]},
    {"number": 1, "strokes": [[5, None, True]]},
    {"number": 1, "strokes": [["BF", "disk", True]]},
    {"number": 1, "strokes": [["BF", {"type": "disk"}, 1]]},
]


@pytest.mark.parametrize("fields", ODD_MESSAGES, ids=repr)
def test_message_with_other_fields_is_dropped_with_one_line(bench, fields, caplog):
    with caplog.at_level(logging.WARNING):
        bench.say("one", type="draw", key="layer", **fields)
    assert not bench.shapes
    assert len(caplog.records) == 1


def test_name_that_is_too_long_is_dropped(bench, caplog):
    bench.draw("one", 1, ["x" * 10_000, DISK.to_plain(), True])
    assert not bench.shapes
    assert len(caplog.text) < 1000


def wait_for(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def layers(image):
    return [child for child in image.children if isinstance(child, Layer)]


def test_image_without_shapes_has_no_layer():
    image = LiveImage((16, 16), kind="sig")
    assert image.tools == ()
    assert not image.shapes
    _ = image.figure
    assert not layers(image)
    image.close()


@pytest.mark.parametrize("comes_first", ["figure", "shape", "tool"])
def test_layer_comes_with_the_figure_and_a_shape_or_a_tool(comes_first):
    image = LiveImage((16, 12), kind="sig", title="sum")
    if comes_first == "figure":
        _ = image.figure
    if comes_first == "tool":
        image.tools = ["disk"]
    else:
        image.shapes["BF"] = DISK
    if comes_first != "figure":
        assert image.children == (image.canvas,)
    figure = image.figure
    [layer] = layers(image)
    assert image.children == (image.canvas, figure, layer)
    assert (layer.shape, layer.tools) == ([16, 12], list(image.tools))
    assert (layer.scale_x, layer.scale_y) == (figure.scale_x, figure.scale_y)
    image.tools = ("annulus", "point")
    image.shapes["probe"] = Point(1, 1)
    assert layers(image) == [layer]
    assert layer.tools == ["annulus", "point"]
    image.close()


def test_shapes_may_be_set_on_any_thread():
    image = LiveImage((16, 16), kind="sig")
    _ = image.figure
    threads = [
        threading.Thread(target=image.shapes.__setitem__, args=(str(n), Disk(n, n, 1)))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(layers(image)) == 1
    assert len(image.shapes) == 8
    image.close()


def test_notebook_keeps_the_shapes_that_rest():
    image = LiveImage((16, 16), kind="sig")
    _ = image.figure
    image.shapes.update(BF=DISK, region=Polygon([(1, 1), (5, 1), (5, 6)]), line=Brush([(1, 2)], 2))
    [layer] = layers(image)
    wait_for(lambda: len(layer.get_state("_saved")["_saved"]["shapes"]) == 3)
    kept = json.loads(json.dumps(layer.get_state("_saved")["_saved"]["shapes"]))
    assert kept[0] == ["BF", DISK.to_plain(), 0]
    assert kept[1][1]["points"] == [[1, 1], [5, 1], [5, 6]]
    image.shapes.draw({"BF": (Disk(0, 0, 1), False)})
    image.shapes.draw({"BF": (Disk(0, 0, 2), True)})
    wait_for(lambda: layer._saved["shapes"][0][1]["r"] == 2)
    image.close()


def test_closed_image_still_has_its_shapes():
    image = LiveImage((16, 16), kind="sig")
    image.shapes["BF"] = DISK
    _ = image.figure
    image.close()
    image.close()
    image.shapes["ADF"] = Annulus(1, 1, 1, 2)
    assert dict(image.shapes) == {"BF": DISK, "ADF": Annulus(1, 1, 1, 2)}


def test_shapes_are_offered_to_pages():
    image = LiveImage((16, 16), kind="sig")
    _ = image.figure
    image.offer_shapes({"BF": None}, "no disk")
    [layer] = layers(image)
    assert (layer.presets, layer.presets_why) == ([("BF", None)], "no disk")
    image.offer_shapes({"BF": DISK})
    assert (layer.presets, layer.presets_why) == ([("BF", DISK.to_plain())], "")
    assert not image.shapes
    with pytest.raises(TypeError, match="'BF' is a tuple"):
        image.offer_shapes({"BF": (8, 9, 3)})
    image.close()


@pytest.mark.parametrize("tools", ["disk", ["disk", "circle"], [5]], ids=repr)
def test_tools_that_are_none_are_refused(tools):
    image = LiveImage((16, 16), kind="sig")
    with pytest.raises(ValueError, match="expected a sequence of any of"):
        image.tools = tools
    assert image.tools == ()
    image.close()
