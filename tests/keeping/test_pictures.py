"""Results as pictures: what is drawn around the pixels, and that these are those of the page."""

from __future__ import annotations

import base64
import io
import sys
import xml.etree.ElementTree as ET

import h5py
import numpy as np
import pytest
from PIL import Image

from tests.live.gated import Gate, gated
from udfwidgets import Context, PickUDF, SumSigUDF, SumUDF
from udfwidgets.calibration import Calibration
from udfwidgets.live.image import LiveImage
from udfwidgets.live.picture.colour import table
from udfwidgets.live.picture.paper import bar_length
from udfwidgets.live.picture.picture import Picture
from udfwidgets.udf.com import CoMUDF

DATA = np.random.default_rng(5).poisson(9, (6, 7, 4, 5)).astype("u2")
GIVEN = Calibration(sig=(0.4, "mrad"), nav=(2.5, "nm"))
SVG, HREF = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"


@pytest.fixture
def ctx():
    with Context.make_with("threads", cpus=2) as context:
        yield context


@pytest.fixture
def live(ctx):
    live = ctx.live(ctx.load("memory", data=DATA), [SumUDF(), SumSigUDF()])
    live.result()
    yield live
    live.close()


def pixels_in(svg):
    """Return the pictures that an SVG has inside, and its texts."""
    tree = ET.parse(svg)
    found = []
    for each in tree.iter(f"{SVG}image"):
        png = base64.b64decode(each.attrib[HREF].partition(",")[2])
        found.append(np.asarray(Image.open(io.BytesIO(png)).convert("RGB")))
    return found, ["".join(each.itertext()) for each in tree.iter(f"{SVG}text")]


def on_page(image):
    return np.asarray(Image.open(io.BytesIO(image.png())))


def test_svg_has_the_pixels_of_the_page_and_vectors_around(live, tmp_path):
    live.images[0].colormap = "cividis_r"
    live.images[1].limits = (150, 200)
    live.images[1].gamma = 0.5
    found, texts = pixels_in(live.save(tmp_path / "a.svg", calibration=GIVEN))
    for image in live.images:
        expected = on_page(image)
        assert any(np.array_equal(expected, each) for each in found)
        assert image.title in texts
    assert {"x (nm)", "y (nm)", "x (mrad)", "y (mrad)", "5 nm", "0.5 mrad"} <= set(texts)
    # Numbers of the colour bar, from the one end to the other.
    assert {"150", "200"} <= set(texts)


def test_png_has_a_colour_bar(live, tmp_path):
    path = live.images[1].save(tmp_path / "a.png", title="Bright field")
    picture = Image.open(path)
    assert "SumSigUDF()" in picture.info["Description"]
    pixels = np.asarray(picture.convert("RGB"))
    # In one column of pixels all colours, the last one on top; no column of the image has so many.
    column = [len(np.unique(pixels[:, x], axis=0)) for x in range(pixels.shape[1])]
    bar = pixels[:, int(np.argmax(column))]
    far = np.abs(bar[:, None].astype(int) - table("viridis").astype(int)).max(axis=2)
    assert far.min(axis=0).max() <= 2  # the frame lies on both ends
    rows = far.argmin(axis=0)
    assert (np.diff(rows) <= 0).all()
    assert rows[0] - rows[-1] > 256


def test_pdf_is_whole(live, tmp_path):
    content = live.save(tmp_path / "a.pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    assert content.rstrip().endswith(b"%%EOF")
    assert b"SumSigUDF" in content


def test_what_is_saved_of_a_run_under_way_is_what_is_merged(ctx, tmp_path):
    gate, roi = Gate(), np.zeros((6, 7), bool)
    roi[:2] = True
    live = ctx.live(ctx.load("memory", data=DATA), gated(gate), roi=roi)
    with pytest.raises(ValueError, match="GatedUDF: sums"):
        live.save(tmp_path / "a.npy", "sum")
    with pytest.warns(UserWarning, match="14 of 14 scan positions are not merged"):
        live.save(tmp_path / "a.npy")
    with h5py.File(live.save(tmp_path / "a.h5")) as file:
        assert np.isnan(file["entry/GatedUDF_sums/data"]).all()
        assert not file["entry/coverage/data"][:].any()
    found, texts = pixels_in(live.images[0].save(tmp_path / "a.svg"))
    assert any((each == 190).all() for each in found)
    assert "GatedUDF: sums (0 % of the scan)" in texts
    gate.set()
    live.result()
    with h5py.File(live.save(tmp_path / "a.h5", overwrite=True)) as file:
        np.testing.assert_array_equal(file["entry/coverage/data"], roi)
    found, texts = pixels_in(live.save(tmp_path / "b.svg"))
    assert "GatedUDF: sums" in texts
    assert any(np.array_equal((each == 190).all(axis=2), ~roi) for each in found)
    live.close()
    # What was merged can still be had.
    saved = np.load(live.save(tmp_path / "sums.NPY", "GatedUDF: sums"))
    np.testing.assert_array_equal(saved[roi], DATA.sum((2, 3), dtype="f8")[roi])


def test_names_of_results(live, tmp_path):
    with pytest.raises(ValueError, match=r"several results 'intensity'.*'SumUDF: intensity', 'Sum"):
        live.save(tmp_path / "a.npy", "intensity")
    path = live.save(tmp_path / "a.npy", "SumUDF: intensity")
    np.testing.assert_array_equal(np.load(path), DATA.sum(axis=(0, 1)))
    with pytest.raises(FileExistsError, match="overwrite=True"):
        live.images[0].save(path)
    np.testing.assert_array_equal(
        np.load(live.images[1].save(path, overwrite=True)), DATA.sum(axis=(2, 3))
    )


def test_the_slice_that_is_shown(ctx, tmp_path):
    roi = np.zeros((6, 7), bool)
    roi[:2] = True
    live = ctx.live(ctx.load("memory", data=DATA), PickUDF(), roi=roi)
    live.result()
    live.images[0].slice = 9
    saved = np.load(live.images[0].save(tmp_path / "a.npy"))
    np.testing.assert_array_equal(saved, DATA[1, 2])
    _, texts = pixels_in(live.save(tmp_path / "a.svg"))
    assert "PickUDF: intensity, [9]" in texts
    with pytest.raises(ValueError, match="14 images, and a picture takes 12"):
        live.save(tmp_path / "b.svg", "intensity")
    assert not (tmp_path / "b.svg").exists()
    live.close()


def test_an_image_of_no_analysis(tmp_path):
    image = LiveImage((4, 5), kind="nav", title="cost: $1 and $2")
    with pytest.raises(RuntimeError, match="no picture yet"):
        image.save(tmp_path / "a.png")
    values = np.arange(20.0).reshape(4, 5)
    image.offer(lambda: Picture(values, final=True), final=True)
    assert image.wait_saved(10)
    np.testing.assert_array_equal(np.load(image.save(tmp_path / "a.npy")), values)
    _, texts = pixels_in(image.save(tmp_path / "a.svg"))
    assert "cost: $1 and $2" in texts
    image.close()


def test_without_matplotlib(live, tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "udfwidgets.live.picture.paper")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        live.save(tmp_path / "a.png")
    assert not list(tmp_path.iterdir())
    assert live.save(tmp_path / "a.h5").exists()


def test_a_field_has_its_key_and_its_arrows(ctx, tmp_path):
    live = ctx.live(ctx.load("memory", data=DATA), CoMUDF())
    live.result()
    (image,) = live.images
    found, texts = pixels_in(live.save(tmp_path / "a.svg"))
    assert any(np.array_equal(on_page(image), each) for each in found)
    # The disk of all directions, and the length that is brightest below it.
    assert any(each.shape == (256, 256, 3) for each in found)
    assert f"{image._feed.limits[1]:.3g}" in texts
    without = (tmp_path / "a.svg").read_text().count("<path")
    image.arrows = True
    image.save(tmp_path / "b.svg")
    assert (tmp_path / "b.svg").read_text().count("<path") >= without + 40
    image.component = "direction"
    _, texts = pixels_in(image.save(tmp_path / "c.svg"))
    assert "CoMUDF: field, direction" in texts
    live.close()


@pytest.mark.parametrize(
    ("most", "length"),
    [(1.0, 1), (0.3, 0.2), (9.99, 5), (0.1 + 0.2, 0.2), (700, 500), (2e-3, 2e-3), (1e4, 1e4)],
)
def test_scale_bars_are_round(most, length):
    assert bar_length(most) == length
