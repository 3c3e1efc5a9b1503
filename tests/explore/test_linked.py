from __future__ import annotations

import threading
import time

import pytest

from udfwidgets.explore.linked import Linked
from udfwidgets.geometry import Disk, Point
from udfwidgets.live.shapes.holder import Shapes


@pytest.fixture
def images():
    made = [Shapes() for _ in range(3)]
    yield made
    for each in made:
        each.close()


@pytest.fixture
def heard():
    return []


@pytest.fixture
def linked(images, heard):
    linked = Linked(heard.append)
    linked["probe"] = Point(cx=1, cy=2)
    for each in images:
        linked.join(each)
    return linked


def test_who_joins_gets_what_there_is(linked, images):
    assert [dict(each) for each in images] == [{"probe": Point(cx=1, cy=2)}] * 3


def test_what_is_done_on_one_shows_on_all(linked, images, heard):
    heard.clear()
    images[1]["grain"] = Disk(cx=3, cy=3, r=2)
    assert all(each["grain"] == Disk(cx=3, cy=3, r=2) for each in [linked, *images])
    del images[2]["probe"]
    assert all("probe" not in each for each in [linked, *images])
    assert heard == ["grain", "probe"]


def test_python_sets_all(linked, images):
    linked["probe"] = Point(cx=5, cy=5)
    assert all(each["probe"] == Point(cx=5, cy=5) for each in images)
    del linked["probe"]
    assert not any("probe" in each for each in images)


def names_become(images, names):
    deadline = time.monotonic() + 10
    while not all(list(each) == names for each in images):
        assert time.monotonic() < deadline, [list(each) for each in images]
        time.sleep(0.01)


def test_a_new_name_is_the_name_on_all(linked, images, heard):
    grain = Disk(cx=3, cy=3, r=2)
    linked.update({"grain": grain, "last": grain})
    colours = [each.colour("grain") for each in images]
    heard.clear()
    linked.rename("grain", "Ni")
    assert [list(each) for each in [linked, *images]] == [["probe", "Ni", "last"]] * 4
    assert heard == ["grain", "Ni"]
    images[1].draw({"Ni": (None, True), "Al": (grain, True)})  # by hand
    names_become([linked, *images], ["probe", "Al", "last"])
    assert [each.colour("Al") for each in images] == colours
    assert [linked.now_called(name) for name in ("grain", "Ni", "Al", "other")] == [
        "Al", "Al", "Al", None,
    ]  # fmt: skip
    del linked["Al"]
    assert linked.now_called("grain") is None
    with pytest.raises(ValueError, match="there is a shape 'last' already"):
        linked.rename("probe", "last")
    with pytest.raises(KeyError):
        linked.rename("grain", "x")


def eventually(images, point):
    deadline = time.monotonic() + 10
    while not all(each["probe"] == point for each in images):
        assert time.monotonic() < deadline, [each["probe"] for each in images]


@pytest.mark.parametrize("hand", [0, 1, 2])
def test_a_hand_that_has_moved_on_is_not_set_back(linked, images, hand):
    first, second = Point(cx=5, cy=0), Point(cx=6, cy=0)

    def move_on(name, shape, resting):
        if shape == first:
            images[hand].draw({"probe": (second, True)})

    for each in images:
        if each is not images[hand]:
            each.on_change(move_on)
    images[hand].draw({"probe": (first, False)})
    eventually([linked, *images], second)


def test_a_shape_that_goes_back_takes_all_with_it(linked, images):
    before = linked["probe"]
    for shape in (Point(cx=7, cy=7), before, Point(cx=8, cy=8), Point(cx=7, cy=7), before):
        images[1]["probe"] = shape
        assert [each["probe"] for each in [linked, *images]] == [shape] * 4


def test_a_late_echo_sets_nobody_back(images, heard):
    gate, reached = threading.Event(), threading.Event()

    def hold(name, shape, resting):
        if shape == Point(cx=5, cy=0):
            reached.set()
            gate.wait(10)

    images[0].on_change(hold)  # before the others hear of it
    linked = Linked(heard.append)
    for each in images:
        linked.join(each)
    slow = threading.Thread(target=lambda: linked.update(probe=Point(cx=5, cy=0)))
    slow.start()
    assert reached.wait(10)
    images[1].on_change(lambda name, shape, resting: seen.append(shape.cx))
    seen: list[float] = []
    images[1]["probe"] = Point(cx=6, cy=0)
    gate.set()
    slow.join()
    eventually([linked, *images], Point(cx=6, cy=0))
    assert seen == [6]


def test_who_has_left_is_not_told(linked, images):
    linked.leave(images[0])
    linked["probe"] = Point(cx=9, cy=9)
    images[0]["probe"] = Point(cx=0, cy=0)
    assert linked["probe"] == images[1]["probe"] == Point(cx=9, cy=9)


def test_only_shapes_are_taken(linked):
    with pytest.raises(TypeError, match="expected one of udfwidgets"):
        linked["x"] = (1, 2)
