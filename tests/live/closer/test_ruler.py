from __future__ import annotations

import numpy as np
import pytest

from udfwidgets.calibration import Scale
from udfwidgets.live import LiveImage, Picture
from udfwidgets.live.closer.along import along
from udfwidgets.live.closer.ruler import Ruler

IMAGE = np.random.default_rng(3).random((20, 30))


@pytest.fixture
def image():
    image = LiveImage(IMAGE.shape, kind="nav")
    yield image
    image.close()


def test_row_is_the_row():
    distances, values = along(IMAGE, None, Ruler(2, 7, 25, 7))
    np.testing.assert_allclose(distances, np.arange(24))
    np.testing.assert_allclose(values, IMAGE[7, 2:26])


def test_width_is_a_mean():
    _, values = along(IMAGE, None, Ruler(4, 17, 4, 2, width=5))
    np.testing.assert_allclose(values, IMAGE[17:1:-1, 2:7].mean(axis=1))


def test_diagonal_lies_between_pixels():
    y, x = np.mgrid[:20, :30]
    ruler = Ruler(1, 2, 13, 11, width=3)
    distances, values = along(2 * x + 3.0 * y, None, ruler)
    np.testing.assert_allclose(values, 8 + distances * (2 * 12 + 3 * 9) / 15)


def test_what_is_not_merged_has_no_weight():
    covered = np.ones(IMAGE.shape, bool)
    covered[6], covered[:, 10] = False, False
    _, values = along(np.where(covered, IMAGE, -1e9), covered, Ruler(5, 6, 15, 6, width=3))
    expected = IMAGE[[5, 7], 5:16].mean(axis=0)
    expected[5] = np.nan
    np.testing.assert_allclose(values, expected)


def test_nothing_lies_outside():
    _, values = along(IMAGE, None, Ruler(-3, 4, 2, 4))
    np.testing.assert_allclose(values, [np.nan, np.nan, np.nan, *IMAGE[4, :3]])


def test_no_length_is_one_point():
    distances, values = along(IMAGE, None, Ruler(3, 4, 3, 4))
    assert (distances.tolist(), values.tolist()) == ([0.0], [IMAGE[4, 3]])


def test_length_and_angle():
    ruler = Ruler(1, 2, 4, 6)
    assert ruler.length == 5
    assert ruler.angle == pytest.approx(np.degrees(np.arctan2(4, 3)))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((0, 0, 1, "far"), "'far'"),
        ((0, 0, 1, np.inf), "inf"),
        ((0, 0, np.nan, 1), "nan"),
        ((0, 0, 1, 1, 0), "width"),
        ((0, True, 1, 1), "True"),
    ],
)
def test_odd_rulers_are_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        Ruler(*arguments)


def test_ruler_of_an_image_is_what_its_pages_have(image):
    assert image.ruler is None
    image.ruler = Ruler(1, 2, 3, 4)
    assert image.canvas.ruler == [1, 2, 3, 4, 1]
    image.canvas.ruler = [5.5, 2.0, 3.0, 4.0, 7.0]  # as a page does
    assert image.ruler == Ruler(5.5, 2, 3, 4, width=7)
    image.ruler = None
    assert image.canvas.ruler == []
    with pytest.raises(TypeError, match=r"\(1, 2\)"):
        image.ruler = (1, 2)


def test_profile_follows_the_picture_in_units(image):
    with pytest.raises(RuntimeError, match="no ruler"):
        image.profile()
    image.ruler = Ruler(2, 3, 12, 3)
    with pytest.raises(RuntimeError, match="no picture yet"):
        image.profile()
    image.measure_shapes(Scale(0.5, "nm"), Scale(0.2, "nm"))
    for factor in (1, 2):
        image._feed.take_in(Picture(factor * IMAGE))
        profile = image.profile()
        np.testing.assert_allclose(profile.values, factor * IMAGE[3, 2:13])
    np.testing.assert_allclose(profile.distances, 0.2 * np.arange(11))
    assert profile.unit == "nm"
    assert image.profile(Ruler(4, 0, 4, 10)).distances[-1] == pytest.approx(5)
    image.measure_shapes(Scale(0.5, "nm"), None)
    assert image.profile().unit == "px"


def test_image_is_linked_unless_told_otherwise(image):
    assert image.linked
    image.linked = False
    assert image.canvas.linked is False
