"""Vectors, complex numbers and colours: what is sent of them, and what is saved."""

from __future__ import annotations

import io
import json
import threading
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from udfwidgets import UDF, Context
from udfwidgets.live import RGB, LiveImage, Picture, Vectors
from udfwidgets.live.picture.colour import table
from udfwidgets.live.picture.image_feed import ImageFeed
from udfwidgets.live.picture.quantise import Encoding
from udfwidgets.live.picture.tint.planes import directions
from udfwidgets.live.picture.tint.wheel import key, tinted
from udfwidgets.udf.com import CoMUDF

VECTORS = json.loads(
    (Path(__file__).parents[3] / "js" / "test" / "vectors.json").read_text("utf-8")
)
DATA = np.random.default_rng(5).poisson(9, (6, 7, 4, 5)).astype("u2")


@pytest.fixture
def ctx():
    with Context.make_with("threads", cpus=2) as context:
        yield context


@pytest.fixture
def shown(ctx):
    """Return a function that runs UDFs to the end, and returns their card."""
    cards = []

    def show(udf, plots=True, **options):
        cards.append(ctx.live(ctx.load("memory", data=DATA), udf, plots=plots, **options))
        cards[-1].result()
        assert all(image.wait_saved(10) for image in cards[-1].images)
        return cards[-1]

    yield show
    for card in cards:
        card.close()


class ComplexUDF(UDF):
    """A complex number for each frame and each pixel."""

    def get_result_buffers(self):
        return {
            "wave": self.buffer("nav", dtype="c8"),
            "vectors": self.buffer("nav", (2,), "c8"),
            "words": self.buffer("single", (3,), "c16"),
        }

    vector_results = ("vectors",)

    def process_frame(self, frame):
        self.results.wave[:] = frame[0, 0] - 9 + 1j * (frame[1, 1] - 9)

    def merge(self, dest, src):
        dest.wave[:] = src.wave


WAVE = DATA[..., 0, 0] - 9.0 + 1j * (DATA[..., 1, 1] - 9.0)


def rgb_of(image, **options):
    return np.asarray(Image.open(io.BytesIO(image.png(**options)))).astype(int)


@pytest.mark.parametrize("case", VECTORS["tints"], ids=["hues", "own"])
def test_colours_are_those_the_browser_is_tested_with(case):
    values = Encoding(0.0, 1.0).decode(np.array(case["codes"], np.uint16))
    tint = np.array(case["tint"])
    own = len(tint) > len(values)
    tint = tint.reshape(-1, 3).astype(np.uint8) if own else tint.astype(np.uint16)
    rgb = tinted(values, tint, (0.0, 1.0), "phase", gamma=0.7, empty=(1, 2, 3))
    assert rgb.tolist() == case["rgb"]


def test_directions_go_once_around():
    right, down, left, up = directions(
        np.array([0, 1, 0, -1.0]), np.array([1, 0, -1, 0.0])
    ).tolist()
    assert (right, down, up) == (32768, 49151, 16384)
    assert left in (0, 65535)
    assert directions(np.array([np.nan]), np.array([1.0])).tolist() == [32768]


def test_the_key_points_where_the_vectors_do():
    disk = key(101, "phase").astype(int)
    assert disk[0, 0, 3] == 0
    assert disk[50, 50, :3].max() < 5
    for (row, column), code in {(50, 100): 32768, (100, 50): 49151, (0, 50): 16384}.items():
        hue = table("phase")[(code + 128) // 257].astype(int)
        assert np.abs(disk[row, column, :3] - hue).max() <= 4


def test_a_field_is_shown_as_a_colour_wheel(shown):
    live = shown(CoMUDF())
    (image,) = live.images
    assert image.title == "CoMUDF: field"
    assert (image.component, image.colormap) == ("wheel", "phase")
    assert image.components == ("wheel", "magnitude", "direction", "y", "x")
    y, x = np.moveaxis(live.snapshot().buffers[0]["field"].data, -1, 0)
    size = np.hypot(y, x)
    np.testing.assert_allclose(image._feed.picture.values, size, rtol=1e-6)
    lo, hi = image._feed.limits
    assert (lo, hi) == (0, pytest.approx(np.percentile(size, 99.8), rel=1e-5))
    hue = table("phase")[(directions(y, x).astype(int) + 128) // 257].astype(int)
    level = np.floor(np.clip(size / hi, 0, 1) * 255 + 0.5).astype(int)[..., None]
    np.testing.assert_allclose(rgb_of(image), (hue * level + 127) // 255, atol=1)


@pytest.mark.parametrize(
    ("component", "expected", "colormap"),
    [
        ("magnitude", np.abs, "viridis"),
        ("phase", np.angle, "phase"),
        ("real", np.real, "vik"),
        ("imaginary", np.imag, "vik"),
        ("wheel", np.abs, "phase"),
    ],
)
def test_components_of_complex_numbers(shown, tmp_path, component, expected, colormap):
    (image,) = shown(ComplexUDF()).images
    assert image.component == "magnitude"
    image.component = component
    until_saved(image, component)
    assert image.colormap == colormap
    np.testing.assert_allclose(image._feed.picture.values, expected(WAVE), rtol=1e-6)
    if component == "phase":
        assert image._feed.limits == (-np.pi, np.pi)
    saved = np.load(image.save(tmp_path / "a.npy"))
    np.testing.assert_allclose(saved, WAVE if component == "wheel" else expected(WAVE), rtol=1e-6)
    # A picture for paper has the same pixels.
    panel = image.panel(image._kept(None, "a"))
    np.testing.assert_array_equal(panel.pixels(), rgb_of(image))


def until_saved(image, component):
    """Wait, without a page, until a component is saved with the notebook."""
    changed = threading.Event()
    image.canvas.observe(lambda _: changed.set(), "_saved")
    while image.canvas._saved["header"]["component"] != component:
        assert changed.wait(10)
        changed.clear()


def test_other_complex_results_are_magnitudes(shown):
    live = shown(ComplexUDF(), [["words", "vectors", ("wave", np.conj), ("wave", np.real)]])
    line, first, second, conjugate, real = live.images
    assert not line.components
    # Vectors of complex numbers have no colour.
    assert (first.components, second.components) == (conjugate.components,) * 2
    np.testing.assert_allclose(conjugate._feed.picture.values, np.abs(WAVE), rtol=1e-6)
    assert not real.components


def test_functions_make_vectors_and_colours(shown, tmp_path):
    def turned(results):
        return Vectors(y=results["field_x"].data, x=-results["field_y"].data)

    def composed(results):
        byte = np.arange(42, dtype=np.uint8).reshape(6, 7)
        return RGB(results["field_x"].data, byte, results["magnitude"].data * 0)

    live = shown(CoMUDF(), [[turned, composed, "raw_shifts", ("field", 0)]])
    turned, composed, shifts, single = live.images
    results = live.snapshot().buffers[0]
    y, x = results["field_x"].data, -results["field_y"].data
    np.testing.assert_array_equal(turned._feed.newest.values, x + 1j * y)
    assert (shifts.component, single.components, composed.components) == ("wheel", (), ())
    rgb = rgb_of(composed)
    np.testing.assert_array_equal(rgb[..., 1], np.arange(42).reshape(6, 7))
    assert (rgb[..., 0].min(), rgb[..., 0].max(), rgb[..., 2].max()) == (0, 255, 0)
    saved = np.load(composed.save(tmp_path / "a.npy"))
    np.testing.assert_array_equal(np.moveaxis(saved, 0, -1), rgb)
    with h5py.File(turned.save(tmp_path / "a.h5")) as file:
        entry = file["entry"]
        (data,) = (each for each in entry.values() if "component" in each)
        np.testing.assert_array_equal(data["data"][()], [y, x])


def test_vectors_that_are_none(ctx):
    with pytest.raises(ValueError, match=r"shape \(3,\).*shape \(2,\).*one shape"):
        Vectors(np.zeros(3), np.zeros(2)).joined()
    with pytest.raises(ValueError, match="shapes"):
        RGB(np.zeros(3), np.zeros(2), np.zeros(3)).joined()
    dataset = ctx.load("memory", data=DATA)
    with pytest.raises(ValueError, match="expected an image"):
        ctx.live(dataset, CoMUDF(), plots=[[lambda results: Vectors(np.ones(3), np.ones(3))]])
    image = LiveImage((3, 4), kind="nav", nature="vector")
    with pytest.raises(ValueError, match=r"'phase'.*magnitude"):
        image.component = "phase"
    image.close()


def test_only_what_has_changed_is_sent_of_directions():
    feed = ImageFeed("k", (8, 9), "sig", lambda *_: None, lambda: None, nature="vector")
    z = np.ones((8, 9), np.complex64)
    feed.take_in(Picture(z))
    first = feed._tint.copy()
    turned = z.copy()
    turned[2:4, 5] = 1j
    feed.take_in(Picture(turned))
    assert feed._changes[1][0] == (2, 5, 2, 1)
    assert (first != feed._tint).sum() == 2


def test_directions_of_a_large_image_are_those_of_the_mean_vector():
    z = np.random.default_rng(0).normal(size=(2, 600, 700)) @ np.eye(700)
    z = (z[0] + 1j * z[1]).astype(np.complex64)
    feed = ImageFeed("k", z.shape, "sig", lambda *_: None, lambda: None, nature="complex")
    feed.component = "phase"
    feed.take_in(Picture(z))
    mean = z.reshape(300, 2, 350, 2).mean(axis=(1, 3))
    angles, _ = feed.overview()
    np.testing.assert_allclose(angles, np.angle(mean), atol=2e-3)
    feed.choose_component(4)
    feed.refresh()
    np.testing.assert_allclose(
        feed.tint(overview=True).astype(int), directions(mean.imag, mean.real), atol=2
    )
