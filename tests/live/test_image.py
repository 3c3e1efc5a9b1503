from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import bqplot
import numpy as np
import pytest
from PIL import Image

from udfwidgets.live.image import MARGIN, LiveImage
from udfwidgets.live.picture.colour import table
from udfwidgets.live.picture.picture import Picture


def test_pixels_are_square():
    image = LiveImage((64, 128), kind="nav", width=400)
    wide = 400 - MARGIN["left"] - MARGIN["right"]
    height = int(image.canvas.layout.height[:-2]) - MARGIN["top"] - MARGIN["bottom"]
    assert wide / height == pytest.approx(2, rel=0.01)
    image.close()


@pytest.mark.parametrize("shape", [(1, 1), (1, 1000), (1000, 1)])
def test_extreme_shapes_stay_visible(shape):
    image = LiveImage(shape, kind="nav")
    assert 100 < int(image.canvas.layout.height[:-2]) < 700
    image.close()


def test_repr_is_stable():
    image = LiveImage((64, 64), kind="nav", title="intensity")
    assert repr(image) == "<LiveImage nav 64x64 'intensity'>"
    image.close()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"shape": (3,), "kind": "nav"}, r"\(3,\)"),
        ({"shape": (0, 3), "kind": "nav"}, r"\(0, 3\)"),
        ({"shape": (3, 3), "kind": "both"}, "'both'"),
    ],
    ids=["one axis", "empty", "kind"],
)
def test_wrong_arguments_are_named(arguments, says):
    with pytest.raises(ValueError, match=says):
        LiveImage(**arguments)


def test_a_picture_that_no_function_returns_is_refused_at_once():
    image = LiveImage((2, 2), kind="sig")
    with pytest.raises(TypeError, match=r"a Picture was offered, .* write offer\(lambda: it\)"):
        image.offer(Picture(np.zeros((2, 2))))
    image.close()


def test_limits_and_scale():
    image = LiveImage((3, 3), kind="sig", log=True)
    assert (image.scale, image.limits) == ("log", None)
    image.scale, image.limits = "linear", (1, 5)
    assert (image.log, image.limits) == (False, (1, 5))
    image.limits = None
    assert image.canvas.auto
    with pytest.raises(ValueError, match="lo < hi"):
        image.limits = (5, 1)
    with pytest.raises(ValueError, match="'cubic'"):
        image.scale = "cubic"
    image.close()


def test_interaction_is_told_to_the_canvas():
    image = LiveImage((3, 3), kind="sig")
    figure = image.figure
    selector = bqplot.interacts.BrushSelector(x_scale=figure.scale_x, y_scale=figure.scale_y)
    figure.interaction = selector
    assert image.canvas._interaction == "selector"
    figure.interaction = None
    assert image.canvas._interaction == ""
    selector.close()
    image.close()


def test_figure_comes_after_the_first_picture_is_on_a_screen():
    image = LiveImage((3, 4), kind="sig")
    assert image.children == (image.canvas,)
    image._feed.painted()
    assert image.children == (image.canvas, image.figure)
    image._feed.painted()
    assert image.children == (image.canvas, image.figure)
    image.close()


def test_figure_comes_with_the_last_picture():
    image = LiveImage((3, 4), kind="sig")
    image.offer(lambda: Picture(np.ones((3, 4)), final=True), final=True)
    assert image.wait_saved(10)
    assert len(image.children) == 2
    image.close()


def test_figure_is_the_same_for_all_who_ask_at_once():
    image = LiveImage((3, 4), kind="sig")
    with ThreadPoolExecutor(8) as threads:
        figures = list(threads.map(lambda _: image.figure, range(32)))
    assert {id(figure) for figure in figures} == {id(image.figure)}
    image.close()


def test_figure_of_a_closed_image():
    image, never = LiveImage((3, 4), kind="sig"), LiveImage((3, 4), kind="sig")
    figure = image.figure
    image.close()
    never.close()
    assert image.figure is figure
    with pytest.raises(RuntimeError, match="closed"):
        _ = never.figure


def test_png_is_the_picture():
    image = LiveImage((3, 4), kind="sig", colormap="magma")
    image._feed.take_in(Picture(np.arange(12).reshape(3, 4)))
    image.limits = (0, 11)
    rgb = np.asarray(Image.open(io.BytesIO(image.png())))
    np.testing.assert_array_equal(rgb[0, 0], table("magma")[0])
    np.testing.assert_array_equal(rgb[-1, -1], table("magma")[255])
    image.close()


def test_who_observes_an_image_may_ask_for_its_figure():
    image, seen = LiveImage((3, 4), kind="sig"), []
    image.observe(lambda change: seen.append(image.figure), "children")
    image._feed.painted()
    assert seen == [image.figure]
    image.close()
