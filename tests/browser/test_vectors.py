"""A field as a colour wheel: its pixels, its key, its arrows, and its components."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

from udfwidgets.live.picture.colour import table
from udfwidgets.live.picture.tint.planes import directions
from udfwidgets.live.picture.tint.wheel import tinted

from .cards import run_cells, wait_for_python, wait_for_states
from .conftest import FAILURES, NotebookMaker
from .lab import Lab

pytestmark = pytest.mark.browser

SETUP = """
import time
import numpy as np
from udfwidgets import Context
from udfwidgets.live import RGB
from udfwidgets.udf.com import CoMUDF
ctx = Context()
steps = np.arange(33) - 16
data = np.zeros((33, 33, 33, 33), np.uint8)
y, x = np.meshgrid(steps, steps, indexing="ij")
data[y + 16, x + 16, y + 16, x + 16] = 1
def colours(results):
    byte = (7 * np.arange(33)).astype(np.uint8)
    return RGB(np.tile(byte, (33, 1)), np.zeros((33, 33), np.uint8), np.tile(byte, (33, 1)).T)
"""
LIVE = """plots = [["field", "idpc", colours]]
live = ctx.live(ctx.load("memory", data=data), CoMUDF(), plots=plots)
live"""
IMAGE = "live.images[0]"
STEPS = np.arange(33) - 16.0
# Colours in the middle of pixels of the data.
SEEN = """places => {
  const canvas = document.querySelector('.udfw-canvas');
  const surface = canvas.getContext('2d');
  return places.map(([y, x]) => [...surface.getImageData(
    Math.floor((x + 0.5) / 33 * canvas.width), Math.floor((y + 0.5) / 33 * canvas.height), 1, 1,
  ).data.slice(0, 3)]);
}"""
PLACES = [[16, 32], [32, 16], [16, 0], [0, 16], [3, 9], [27, 20], [16, 16]]
SHOWS = "name => document.querySelector('.udfw-components select').selectedOptions[0].text === name"


def expected(places: list[list[int]], longest: float) -> np.ndarray:
    y, x = STEPS[np.array(places).T]
    return tinted(np.hypot(y, x), directions(y, x), (0, longest), "phase").astype(int)


def test_a_field(lab: Lab, lab_notebook: NotebookMaker) -> None:
    lab.open(lab_notebook([SETUP, LIVE, "time.sleep(60)"]))
    run_cells(lab, [0, 1])
    wait_for_states(lab, "done")
    lab.wait_until(
        "() => [...document.querySelectorAll('.udfw-canvas')].every(c =>"
        " c.dataset.udfwState === 'final' && c.closest('.udfw-image').querySelector('.bqplot'))"
    )
    longest = float(lab.execute(f"print({IMAGE}._feed.limits[1])"))
    assert longest == pytest.approx(math.hypot(16, 16), rel=0.05)
    # What was merged last glows for a moment.
    wait_for_pixels(lab, PLACES, expected(PLACES, longest))
    pixels = np.array(lab.page.evaluate(SEEN, PLACES))

    # The key says the same: right, down, left and up, from its middle.
    disk = lab.canvas_pixels(".udfw-key").astype(int)
    side = disk.shape[0]
    for pixel, at in zip(pixels[:4], ((0, 1), (1, 0), (0, -1), (-1, 0)), strict=True):
        row, column = (round(side / 2 + 0.94 * step * side / 2) for step in at)
        key = disk[min(row, side - 1), min(column, side - 1), :3]
        assert np.abs(key / key.max() - pixel / pixel.max()).max() < 0.1
    box, plot = (
        lab.page.locator(name).first.bounding_box() for name in (".udfw-key", ".udfw-plot")
    )
    assert box is not None
    assert plot is not None
    assert box["y"] + box["height"] < plot["y"]

    keep_pictures(lab)
    check_saved(lab)
    check_arrows(lab)
    check_components(lab)
    rgb = lab.canvas_pixels(".udfw-canvas", 2)
    middle = rgb[rgb.shape[0] // 2, rgb.shape[1] // 2, :3].astype(int)
    np.testing.assert_array_equal(middle, [112, 0, 112])


def wait_for_pixels(lab: Lab, places: list[list[int]], wanted: np.ndarray) -> None:
    """Wait until pixels of the data have these colours, within what rounding makes of them."""
    lab.wait_until(
        f"([places, wanted]) => ({SEEN})(places).flat()"
        ".every((value, i) => Math.abs(value - wanted.flat()[i]) <= 3)",
        arg=[places, wanted.tolist()],
    )


def check_saved(lab: Lab) -> None:
    """The picture that a button saves has all hues beside the image."""
    lab.page.locator(".udfw-image").first.hover()
    with lab.page.expect_download() as download:
        lab.page.get_by_role("button", name="Save as PNG").first.click()
    path = FAILURES.parent / "shown" / "field.png"
    download.value.save_as(path)
    picture = np.asarray(Image.open(path).convert("RGB")).astype(int)
    beside = picture[:, -2 * 76 :].reshape(-1, 1, 3)
    hues = table("phase")[::16].astype(int)
    assert np.abs(beside - hues).max(axis=2).min(axis=0).max() < 24


def check_arrows(lab: Lab) -> None:
    """Arrows come at the press of a button, and Python knows."""
    white = """() => {
      const canvas = document.querySelector('.udfw-canvas');
      const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return new Uint32Array(data.buffer).filter(pixel => pixel === 0xffffffff).length;
    }"""
    assert lab.page.evaluate(white) == 0
    lab.page.get_by_role("button", name="Show arrows").first.click()
    lab.wait_until(f"() => ({white})() > 200")
    wait_for_python(lab, f"{IMAGE}.arrows", True)
    lab.screenshot(FAILURES.parent / "shown" / "field-arrows.png")
    lab.execute(f"{IMAGE}.arrows = False")
    lab.wait_until(f"() => ({white})() === 0")


def check_components(lab: Lab) -> None:
    """Components are chosen while a cell blocks, and by Python."""
    before = lab.page.evaluate(SEEN, PLACES)
    lab.run_cell(2, wait=False)
    lab.wait_until("() => window.lab.kernelIs('busy')")
    lab.page.locator(".udfw-components select").first.select_option("x")
    lab.wait_until(
        f"before => JSON.stringify(({SEEN})({PLACES})) !== JSON.stringify(before)", arg=before
    )
    lab.wait_until(
        "() => document.querySelector('.udfw-key').hidden"
        f" && JSON.stringify(({SEEN})([[3, 32], [5, 32]])[0])"
        f" === JSON.stringify(({SEEN})([[3, 32], [5, 32]])[1])"
    )
    assert lab.page.evaluate("() => window.lab.running")
    lab.page.evaluate("() => window.lab.run('notebook:interrupt-kernel')")
    lab.wait_until("() => !window.lab.running")
    wait_for_python(lab, f"({IMAGE}.component, {IMAGE}.colormap)", ("x", "vik"))
    lab.execute(f"{IMAGE}.component = 'direction'")
    lab.wait_until(SHOWS, arg="direction")
    wait_for_pixels(lab, [[16, 32], [32, 16]], table("phase")[[128, 191]].astype(int))
    lab.execute(f"{IMAGE}.component = 'wheel'")
    lab.wait_until(f"() => ({SHOWS})('colour wheel')")


def keep_pictures(lab: Lab) -> None:
    """Keep pictures of the page, for people to look at."""
    before = lab.page.viewport_size
    assert before is not None
    lab.screenshot(FAILURES.parent / "shown" / "field-light-wide.png")
    lab.set_theme("JupyterLab Dark")
    lab.page.set_viewport_size({"width": 700, "height": before["height"]})
    lab.screenshot(FAILURES.parent / "shown" / "field-dark-narrow.png")
    lab.page.set_viewport_size(before)
    lab.set_theme("JupyterLab Light")
