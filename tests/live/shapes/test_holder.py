from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from udfwidgets.geometry import Annulus, Disk, Point
from udfwidgets.live.shapes.holder import COLOURS, LONGEST_NAME, Shapes

DISK, PROBE = Disk(8, 9, 3), Point(2, 3)


@pytest.fixture
def shapes():
    shapes = Shapes()
    yield shapes
    shapes.close()


@pytest.fixture
def told(shapes):
    """Return what a callback was told so far."""
    told = []
    shapes.on_change(lambda *news: told.append(news))
    return told


def test_is_a_mapping_in_the_order_of_what_came(shapes):
    shapes["probe"] = PROBE
    shapes["BF"] = DISK
    shapes["probe"] = Point(5, 5)
    assert list(shapes.items()) == [("probe", Point(5, 5)), ("BF", DISK)]
    del shapes["probe"]
    assert "probe" not in shapes
    assert dict(shapes) == {"BF": DISK}
    with pytest.raises(KeyError, match="probe"):
        del shapes["probe"]


def test_who_iterates_sees_what_there_was(shapes):
    shapes.update(a=DISK, b=DISK)
    seen = []
    for name in shapes:
        seen.append(name)
        shapes.clear()
    assert seen == ["a", "b"]
    assert not shapes


def test_each_change_is_told_once(shapes, told):
    shapes["BF"] = DISK
    shapes["BF"] = Disk(8, 9, 3)  # the same
    shapes.update({"BF": Disk(1, 1, 1)}, probe=PROBE)
    del shapes["BF"]
    assert told == [
        ("BF", DISK, True),
        ("BF", Disk(1, 1, 1), True),
        ("probe", PROBE, True),
        ("BF", None, True),
    ]


def test_update_is_one_change_or_none(shapes):
    news = []
    shapes = Shapes(lambda: news.append(dict(shapes)))
    shapes.update(a=DISK, b=PROBE)
    with pytest.raises(TypeError, match="'d' is a int"):
        shapes.update(c=DISK, d=5)
    shapes.clear()
    assert news == [{"a": DISK, "b": PROBE}, {}]


def test_callbacks_that_are_removed_are_not_called(shapes, told):
    other = []
    remove = shapes.on_change(lambda *news: other.append(news))
    remove()
    remove()
    shapes["BF"] = DISK
    assert told
    assert not other


def test_callback_may_change_shapes(shapes, told):
    def follow(name, shape, resting):
        if name == "BF" and shape is not None:
            shapes["ADF"] = Annulus(shape.cx, shape.cy, shape.r, 2 * shape.r)

    shapes.on_change(follow)
    shapes["BF"] = DISK
    assert told == [("BF", DISK, True), ("ADF", Annulus(8, 9, 3, 6), True)]


def test_callback_that_fails_is_logged_and_the_others_are_called(shapes, caplog):
    def fail(name, shape, resting):
        raise RuntimeError("no detector")

    shapes.on_change(fail)
    told = []
    shapes.on_change(lambda *news: told.append(news))
    with caplog.at_level(logging.ERROR):
        shapes["BF"] = DISK
    assert told == [("BF", DISK, True)]
    assert "no detector" in caplog.text


def test_hand_is_told_on_a_thread_of_its_own(shapes):
    told, done = [], threading.Event()

    def note(name, shape, resting):
        told.append((name, shape, resting, threading.current_thread().name))
        done.set()

    shapes.on_change(note)
    shapes.draw({"BF": (DISK, False)})
    assert done.wait(10)
    assert told == [("BF", DISK, False, "udfwidgets-hand")]
    assert not shapes.is_resting("BF")
    shapes["BF"] = DISK
    assert told[-1] == ("BF", DISK, True, threading.current_thread().name)


def test_slow_callback_gets_the_newest_only_and_holds_up_nobody(shapes):
    told, entered, leave, rests = [], threading.Event(), threading.Event(), threading.Event()

    def slow(name, shape, resting):
        told.append((shape.cx, resting))
        entered.set()
        assert leave.wait(10)
        if resting:
            rests.set()

    shapes.on_change(slow)
    shapes.draw({"BF": (Disk(0, 0, 1), False)})
    assert entered.wait(10)
    for x in range(1, 100):
        shapes.draw({"BF": (Disk(x, 0, 1), False)})
    shapes["BF"] = Disk(100, 0, 1)  # does not wait for the callback either
    assert shapes["BF"].cx == 100
    leave.set()
    assert rests.wait(10)
    assert told == [(0, False), (100, True)]


def test_many_threads_set_shapes_at_once(shapes):
    told = []
    shapes.on_change(lambda name, shape, resting: told.append((name, shape.cx)))

    def move(name):
        for x in range(200):
            shapes[name] = Disk(x, 0, 1)

    names = [f"D{n}" for n in range(8)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(move, names))
    assert {name: shape.cx for name, shape in shapes.items()} == dict.fromkeys(names, 199)
    # Left over is what was set while a callback was under way; it is told by whoever was at it.
    with ThreadPoolExecutor(1) as threads:
        threads.submit(shapes.__setitem__, "end", Disk(0, 0, 1)).result()
    deadline = threading.Event()
    while ("end", 0) not in told or len({n for n, x in told if x == 199}) < 8:
        assert not deadline.wait(0.01)
    for name in names:
        xs = [x for n, x in told if n == name]
        assert xs == sorted(xs)


def test_shapes_keep_their_colours(shapes):
    names = [str(n) for n in range(len(COLOURS))]
    shapes.update(dict.fromkeys(names, DISK))
    assert [shapes.colour(name) for name in names] == list(COLOURS)
    del shapes["2"]
    shapes["0"] = PROBE
    shapes["new"] = DISK
    assert shapes.colour("0") == COLOURS[0]
    assert shapes.colour("3") == COLOURS[3]
    assert shapes.colour("new") == COLOURS[2]
    shapes["one more"] = DISK
    assert shapes.colour("one more") == COLOURS[0]


def test_a_shape_that_is_called_something_else_keeps_its_place_and_colour(shapes, told):
    shapes.update(A=DISK, B=PROBE, C=DISK)
    told.clear()
    shapes.rename("A", "bright field")
    assert list(shapes.items()) == [("bright field", DISK), ("B", PROBE), ("C", DISK)]
    assert [shapes.colour(name) for name in shapes] == list(COLOURS[:3])
    assert told == [("A", None, True), ("bright field", DISK, True)]
    shapes.rename("B", "B")
    assert len(told) == 2


@pytest.mark.parametrize(
    ("name", "new", "error", "says"),
    [
        ("A", "B", ValueError, "there is a shape 'B' already"),
        ("A", " ", ValueError, "is blank"),
        ("A", "x" * 61, ValueError, "61 characters"),
        ("D", "E", KeyError, "D"),
    ],
)
def test_a_name_that_cannot_be_is_refused(shapes, told, name, new, error, says):
    shapes.update(A=DISK, B=PROBE)
    told.clear()
    with pytest.raises(error, match=says):
        shapes.rename(name, new)
    assert dict(shapes) == {"A": DISK, "B": PROBE}
    assert not told


def test_a_hand_renames_where_one_goes_and_an_equal_one_comes(shapes):
    shapes.update(A=DISK, B=PROBE)
    message = {"A": (None, True), "ring": (DISK, True)}
    shapes.draw(message)
    assert list(shapes) == ["ring", "B"]
    assert shapes.colour("ring") == COLOURS[0]
    shapes.draw(message)  # said again, for want of an answer
    assert list(shapes) == ["ring", "B"]
    # Another shape is another one.
    shapes.draw({"ring": (None, True), "C": (Disk(1, 1, 1), True)})
    assert list(shapes) == ["B", "C"]
    assert shapes.now_called("A") is None


def test_it_is_known_what_a_shape_is_called_by_now(shapes):
    shapes["A"] = DISK
    shapes.rename("A", "B")
    shapes.rename("B", "C")
    assert [shapes.now_called(name) for name in "ABCD"] == ["C", "C", "C", None]
    shapes["A"] = PROBE
    assert [shapes.now_called(name) for name in "AB"] == ["A", "C"]
    shapes.rename("C", "B")
    assert [shapes.now_called(name) for name in "BC"] == ["B", "B"]
    del shapes["B"]
    assert [shapes.now_called(name) for name in "ABC"] == ["A", None, None]


@pytest.mark.parametrize(
    ("name", "shape", "error", "says"),
    [
        (5, DISK, TypeError, "name of a shape is 5"),
        ("", DISK, ValueError, "has 0 characters"),
        (" \t", DISK, ValueError, "is blank"),
        ("x" * (LONGEST_NAME + 1), DISK, ValueError, "has 61 characters"),
        ("BF", (8, 9, 3), TypeError, "'BF' is a tuple"),
        ("BF", None, TypeError, "'BF' is a NoneType"),
    ],
    ids=["number", "empty", "blank", "long", "tuple", "none"],
)
def test_what_cannot_be_kept_is_refused(shapes, told, name, shape, error, says):
    with pytest.raises(error, match=says):
        shapes[name] = shape
    assert not shapes
    assert not told


def test_closed_shapes_can_be_read_and_tell_nothing(shapes, told):
    shapes["BF"] = DISK
    shapes.close()
    shapes["BF"] = Disk(1, 1, 1)
    assert shapes["BF"] == Disk(1, 1, 1)
    assert told == [("BF", DISK, True)]
