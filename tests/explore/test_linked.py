from __future__ import annotations

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


def test_a_hand_that_has_moved_on_is_not_set_back(linked, images):
    moved = [Point(cx=x, cy=0) for x in range(20)]
    for point in moved:
        images[0].draw({"probe": (point, False)})
    while linked["probe"] != moved[-1]:
        assert images[0]["probe"] == moved[-1]
    assert all(each["probe"] == moved[-1] for each in images)


def test_who_has_left_is_not_told(linked, images):
    linked.leave(images[0])
    linked["probe"] = Point(cx=9, cy=9)
    images[0]["probe"] = Point(cx=0, cy=0)
    assert linked["probe"] == images[1]["probe"] == Point(cx=9, cy=9)


def test_only_shapes_are_taken(linked):
    with pytest.raises(TypeError, match="expected one of udfwidgets"):
        linked["x"] = (1, 2)
