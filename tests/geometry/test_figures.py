"""What shapes cover, beside one line of NumPy, and what they refuse."""

import itertools
import json
import math
import pickle

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from udfwidgets import masks
from udfwidgets.geometry import (
    Annulus,
    Brush,
    Disk,
    Ellipse,
    Figure,
    Lasso,
    Point,
    Polygon,
    Rectangle,
    Sector,
    from_plain,
    sectors,
)
from udfwidgets.geometry.directions import direction

FRAME = (23, 31)
Y, X = np.mgrid[: FRAME[0], : FRAME[1]].astype(float)

# Halves and whole numbers put rims on the centres of pixels.
PLACES = st.one_of(st.integers(-20, 80).map(lambda n: n / 2), st.floats(-10, 40))
SIZES = st.one_of(st.integers(0, 60).map(lambda n: n / 2), st.floats(0, 60))
ANGLES = st.one_of(st.integers(-16, 32).map(lambda n: n * 22.5), st.floats(-400, 800))
POINTS = st.lists(st.tuples(PLACES, PLACES), min_size=3, max_size=12)
RADII = st.tuples(SIZES, SIZES).map(sorted)

FIGURES = st.one_of(
    st.builds(Point, PLACES, PLACES),
    st.builds(Disk, PLACES, PLACES, SIZES),
    st.builds(lambda cx, cy, r: Annulus(cx, cy, *r), PLACES, PLACES, RADII),
    st.builds(
        lambda cx, cy, r, start, stop: Sector(cx, cy, *r, start, stop),
        PLACES, PLACES, RADII, ANGLES, ANGLES,
    ),
    st.builds(Rectangle, PLACES, PLACES, SIZES, SIZES),
    st.builds(Ellipse, PLACES, PLACES, SIZES, SIZES, ANGLES),
    st.builds(Polygon, POINTS),
    st.builds(Lasso, POINTS),
    st.builds(Brush, POINTS, SIZES),
)  # fmt: skip


def by_the_rule(figure: Figure) -> np.ndarray:
    """What the docstring of the shape says, for every pixel of the frame."""
    if isinstance(figure, Polygon):
        return _in_polygon(figure.points)
    if isinstance(figure, Brush):
        return _near_line(figure.points, figure.r)
    dx, dy = X - figure.cx, Y - figure.cy
    q = dx * dx + dy * dy
    match figure:
        case Point():
            return (figure.index[1] == X) & (figure.index[0] == Y)
        case Disk():
            return q <= figure.r * figure.r
        case Sector():
            ring = (figure.ri * figure.ri < q) & (q <= figure.ro * figure.ro)
            return ring & _between(dx, dy, figure.start, figure.stop)
        case Annulus():
            return (figure.ri * figure.ri < q) & (q <= figure.ro * figure.ro)
        case Rectangle():
            is_there = figure.width > 0 and figure.height > 0
            return is_there & (abs(dx) <= figure.width / 2) & (abs(dy) <= figure.height / 2)
        case Ellipse():
            c, s = direction(figure.angle)
            u, v = (dx * c + dy * s) * figure.ry, (dy * c - dx * s) * figure.rx
            is_there = figure.rx >= 1e-6 and figure.ry >= 1e-6
            return is_there & (u * u + v * v <= (figure.rx * figure.ry) * (figure.rx * figure.ry))
    raise AssertionError(figure)


def _between(dx, dy, start, stop):
    if abs(stop - start) >= 360:
        return np.ones(FRAME, bool)
    (uc, us), (vc, vs) = direction(start), direction(stop)
    a, b = uc * dy - us * dx, vc * dy - vs * dx
    ahead = (a > 0) | ((a == 0) & (uc * dx + us * dy > 0))
    turn = uc * vs - us * vc
    if turn > 0 or (turn == 0 and uc * vc + us * vs > 0):
        return ahead & (b < 0)
    return ahead | (b < 0)


# Edges are divided by their height in rows, too, that they do not reach.
@np.errstate(over="ignore", invalid="ignore")
def _in_polygon(points):
    inside = np.zeros(FRAME, bool)
    for one, two in zip(points, (*points[1:], points[0]), strict=True):
        (x1, y1), (x2, y2) = sorted((one, two), key=lambda p: p[1])
        rows = (y1 <= Y) & (y2 > Y)
        crossing = x1 + (Y - y1) * (x2 - x1) / ((y2 - y1) or 1)
        inside ^= rows & (crossing <= X)
    return inside


def _near_line(points, r):
    inside = np.zeros(FRAME, bool)
    for (ax, ay), (bx, by) in itertools.pairwise(points):
        ux, uy, wx, wy = bx - ax, by - ay, X - ax, Y - ay
        length, along = ux * ux + uy * uy, wx * ux + wy * uy
        across = ux * wy - uy * wx
        inside |= np.where(
            along <= 0,
            wx * wx + wy * wy <= r * r,
            np.where(
                along >= length,
                (X - bx) * (X - bx) + (Y - by) * (Y - by) <= r * r,
                across * across <= (r * r) * length,
            ),
        )
    return inside


@given(FIGURES)
@example(Polygon([(0, 0), (0, 0), (0.5, 1.1e-308)]))
def test_a_mask_is_what_the_rule_says(figure):
    mask = figure.mask(FRAME)
    assert mask.dtype == bool
    np.testing.assert_array_equal(mask, by_the_rule(figure))


@given(FIGURES)
def test_plain_data_gives_the_same_shape_after_json(figure):
    assert from_plain(json.loads(json.dumps(figure.to_plain()))) == figure
    assert pickle.loads(pickle.dumps(figure)) == figure
    assert hash(from_plain(figure.to_plain())) == hash(figure)


@given(FIGURES, st.integers(-9, 9), st.integers(-9, 9))
def test_a_moved_shape_is_back_after_the_way_back(figure, dx, dy):
    there = figure.moved(dx, dy)
    assert type(there) is type(figure)
    back = there.moved(-dx, -dy).to_plain()
    for name, value in figure.to_plain().items():
        assert back[name] == value or np.allclose(back[name], value)


def test_whole_shapes_move_with_their_pixels():
    for figure in (Disk(9, 8, 4), Sector(9, 8, 1, 5, 20, 300), Polygon([(4, 4), (9, 5), (6, 11)])):
        moved = figure.moved(3, 2).mask(FRAME)
        np.testing.assert_array_equal(moved, np.roll(figure.mask(FRAME), (2, 3), (0, 1)))


@given(PLACES, PLACES, SIZES, SIZES)
def test_disks_and_rings_are_those_of_the_masks(cx, cy, one, two):
    ny, nx = FRAME
    inner, outer = sorted((one, two))
    disk, ring = Disk(cx, cy, outer), Annulus(cx, cy, inner, outer)
    np.testing.assert_array_equal(disk.mask(FRAME), masks.circular(cx, cy, nx, ny, outer))
    np.testing.assert_array_equal(ring.mask(FRAME), masks.ring(cx, cy, nx, ny, outer, inner))


@given(st.integers(0, 30), st.integers(0, 20), st.integers(0, 9), st.integers(0, 9))
def test_rectangles_with_whole_corners_are_those_of_the_masks(x, y, width, height):
    ny, nx = FRAME
    rectangle = Rectangle(x + width / 2, y + height / 2, width, height)
    same = masks.rectangular(x, y, width, height, nx, ny)
    np.testing.assert_array_equal(rectangle.mask(FRAME), same)


@given(PLACES, PLACES, RADII, st.integers(1, 24), ANGLES)
def test_sectors_share_no_pixel_and_leave_none_out(cx, cy, radii, n, start):
    ring = Annulus(cx, cy, *radii)
    parts = sectors(ring, n, start=start)
    assert len(parts) == n
    np.testing.assert_array_equal(sum(p.mask(FRAME).astype(int) for p in parts), ring.mask(FRAME))


@given(PLACES, PLACES, POINTS)
def test_triangles_around_a_point_make_up_their_polygon(x, y, points):
    together = np.zeros(FRAME, bool)
    for one, two in zip(points, (*points[1:], points[0]), strict=True):
        together ^= Polygon([(x, y), one, two]).mask(FRAME)
    np.testing.assert_array_equal(together, Polygon(points).mask(FRAME))


def test_angles_go_from_x_towards_y():
    quarter = Sector(10, 10, 0, 5, 0, 90).mask(FRAME)
    assert quarter[12, 12]
    assert quarter[10, 12]  # start
    assert not quarter[12, 10]  # stop
    assert quarter.sum() * 4 == Annulus(10, 10, 0, 5).mask(FRAME).sum()
    flat = Ellipse(15, 11, 10, 2, 90).mask(FRAME)
    assert flat[3, 15]
    assert not flat[11, 9]


def test_a_sector_goes_past_the_turn_and_all_around():
    across = Sector(10, 10, 0, 5, 315, 45).mask(FRAME)
    assert across[10, 13]
    np.testing.assert_array_equal(across, Sector(10, 10, 0, 5, -45, 45).mask(FRAME))
    np.testing.assert_array_equal(across, Sector(10, 10, 0, 5, 315, 405).mask(FRAME))
    for start, stop in ((0, 360), (30, 390), (0, 1000), (90, -270)):
        ring = Annulus(10, 10, 1, 5).mask(FRAME)
        np.testing.assert_array_equal(Sector(10, 10, 1, 5, start, stop).mask(FRAME), ring)
    assert not Sector(10, 10, 1, 5, 70, 70).mask(FRAME).any()


@given(ANGLES)
def test_a_direction_is_cosine_and_sine(degrees):
    exact = math.radians(math.fmod(degrees, 360))
    assert np.allclose(direction(degrees), (math.cos(exact), math.sin(exact)), rtol=0, atol=3e-15)


@given(st.integers(-20, 20))
def test_eighths_of_a_turn_are_exact(n):
    x, y = direction(45 * n)
    assert (abs(x) == abs(y)) if n % 2 else ({abs(x), abs(y)} == {0, 1})
    assert direction(45 * n + 360) == (x, y)


def test_a_point_is_the_pixel_it_lies_in():
    assert Point(3.4, 2.6).index == (3, 3)
    assert Point(-0.5, 0.5).index == (1, 0)
    assert not Point(-0.6, 3).mask(FRAME).any()
    assert not Point(3, FRAME[0] - 0.5).mask(FRAME).any()


def test_numbers_of_numpy_are_numbers():
    disk = Disk(np.int16(3), np.float32(4.5), np.uint64(2))
    assert disk == Disk(3, 4.5, 2)
    assert all(type(value) is float for value in (disk.cx, disk.cy, disk.r))
    corners = np.array([[0, 0], [4, 0], [0, 4]])
    assert Polygon(corners) == Polygon([(0, 0), (4.0, 0), [0, 4]])
    assert Polygon(iter(corners.tolist())) == Polygon(corners)


REFUSED = {
    "nan": (lambda: Disk(math.nan, 0, 1), "cx of Disk is nan"),
    "inf": (lambda: Rectangle(0, 0, math.inf, 1), "width of Rectangle is inf"),
    "too far": (lambda: Point(0, 1e10), "cy of Point is 1"),
    "beyond float": (lambda: Point(10**400, 0), "cx of Point is 1000"),
    "bool": (lambda: Disk(0, 0, True), "r of Disk is True, expected a number"),
    "text": (lambda: Disk("1", 0, 1), "cx of Disk is '1', expected a number"),
    "complex": (lambda: Disk(1j, 0, 1), "cx of Disk is 1j"),
    "array": (lambda: Disk(np.ones(3), 0, 1), "expected a number"),
    "negative": (lambda: Brush([(0, 0)], -1), "r of Brush is -1, expected 0 or more"),
    "turned inside out": (lambda: Annulus(0, 0, 3, 2), "ri=3 and ro=2"),
    "inside out, too": (lambda: Sector(0, 0, 3, 2, 0, 90), "Sector has ri=3"),
    "two points": (lambda: Lasso([(0, 0), (1, 1)]), "points of Lasso has 2 points, expected 3"),
    "no point": (lambda: Brush([], 1), "0 points, expected 1"),
    "many points": (lambda: Polygon(np.zeros((10_001, 2))), "10001 points"),
    "no points": (lambda: Polygon(3), "points of Polygon is 3, expected a sequence"),
    "text for points": (lambda: Polygon("abc"), "'abc', expected a sequence"),
    "single numbers": (lambda: Polygon([1, 2, 3]), r"points of Polygon\[0\] is 1, expected"),
    "three numbers": (lambda: Polygon(np.zeros((4, 3))), r"points of Polygon\[0\] is"),
    "ragged": (lambda: Polygon([(0, 0), (1, 2), (3,)]), r"points of Polygon\[2\] is \(3,\)"),
    "nan point": (lambda: Polygon([(0, 0), (1, 2), (3, math.nan)]), r"y of points of Polygon\[2\]"),
    "text in points": (lambda: Polygon([(0, 0), (1, "2"), (3, 4)]), r"Polygon\[1\] is '2'"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "words"), REFUSED.values(), ids=REFUSED)
def test_refused_with_what_came(make, words):
    with pytest.raises(ValueError, match=words):
        make()


DISK = {"type": "disk", "cx": 1, "cy": 2, "r": 3}
NOT_PLAIN = {
    "no dict": ([1, 2], "came as a list"),
    "no type": ({"cx": 1}, "type None, expected one of"),
    "type of a wrong kind": ({"type": ["disk"]}, r"type \['disk'\]"),
    "another type": (DISK | {"type": "Figure"}, "type 'Figure'"),
    "missing": ({"type": "disk", "cx": 1}, "2 missing"),
    "too many": (DISK | {"colour": "red"}, r"\['cx', 'cy', 'r', 'colour'\].* 1 too many"),
    "no text for a key": (DISK | {5: 6}, "1 too many"),
    "null": (DISK | {"cx": None}, "cx of Disk is None"),
    "long": (DISK | {"cx": "x" * 10_000}, r"cx of Disk is 'x+\.\.\., expected"),
}


@pytest.mark.parametrize(("plain", "words"), NOT_PLAIN.values(), ids=NOT_PLAIN)
def test_plain_data_is_refused_with_what_came(plain, words):
    with pytest.raises(ValueError, match=words) as caught:
        from_plain(plain)
    assert len(str(caught.value)) < 500


def test_an_ellipse_needs_no_angle():
    plain = {"type": "ellipse", "cx": 1, "cy": 2, "rx": 3, "ry": 4}
    assert from_plain(plain) == Ellipse(1, 2, 3, 4)
