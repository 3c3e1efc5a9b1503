"""The histogram of an image: what it shows, and limits, gamma and colours that are set on it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from udfwidgets.live.picture.colour import table

from .cards import run_cells, wait_for_python, wait_for_states
from .conftest import FAILURES, NotebookMaker
from .lab import Lab

pytestmark = pytest.mark.browser

SETUP = """
import time
import numpy as np
from udfwidgets import Context, SumSigUDF
ctx = Context()
data = np.random.default_rng(0).poisson(20, (48, 64, 8, 8)).astype(np.uint16)
data[5, 7] = 60000
"""
LIVE = "live = ctx.live(ctx.load('memory', data=data), SumSigUDF())\nlive"
CELLS = [SETUP, LIVE, "time.sleep(60)"]
IMAGE = "live.images[0]"
PIXELS = """() => {
  const canvas = document.querySelector('.udfw-canvas');
  return canvas.toDataURL();
}"""


def sums() -> np.ndarray:
    data = np.random.default_rng(0).poisson(20, (48, 64, 8, 8)).astype("u8")
    data[5, 7] = 60000
    return data.sum(axis=(2, 3))


@pytest.fixture
def contrast(lab: Lab, lab_notebook: NotebookMaker) -> Lab:
    """A finished picture, whose panel has been opened by its key."""
    lab.open(lab_notebook(CELLS))
    run_cells(lab, [0, 1])
    wait_for_states(lab, "done")
    lab.wait_until("() => document.querySelector('.udfw-canvas').dataset.udfwState === 'final'")
    lab.page.locator(".udfw-image").first.focus()
    lab.page.keyboard.press("h")
    assert lab.page.locator(".udfw-histogram").is_visible()
    return lab


def drag(lab: Lab, handle: str, to: float) -> None:
    """Drag a handle to a place on the range, 0 to 1."""
    box = lab.page.locator(".udfw-bars").bounding_box()
    at = lab.page.locator(f".udfw-handle.udfw-{handle}").bounding_box()
    assert box is not None
    assert at is not None
    mouse = lab.page.mouse
    mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    mouse.down()
    mouse.move(box["x"] + to * box["width"], at["y"] + 4, steps=4)
    mouse.up()


def limits(lab: Lab) -> list[float]:
    return [float(n) for n in lab.execute(f"print(*{IMAGE}.limits)").split()]


def test_limits_are_dragged_while_a_cell_blocks(contrast: Lab) -> None:
    before = contrast.page.evaluate(PIXELS)
    contrast.run_cell(2, wait=False)
    contrast.wait_until("() => window.lab.kernelIs('busy')")
    drag(contrast, "low", 0.4)
    drag(contrast, "high", 0.6)
    contrast.wait_until(f"before => ({PIXELS})() !== before", arg=before)
    # Not the state that the kernel tells: what it hears meanwhile ends with "idle" as well.
    assert contrast.page.evaluate("() => window.lab.running")
    contrast.page.evaluate("() => window.lab.run('notebook:interrupt-kernel')")
    contrast.wait_until("() => !window.lab.running")
    lo, hi = limits(contrast)
    low, high = np.percentile(sums(), [0.1, 99.9])
    # The range has a little more than what most pixels have, and not the hot one.
    more = 0.04 * (high - low)
    for limit, share in ((lo, 0.4), (hi, 0.6)):
        expected = low - more + share * (high - low + 2 * more)
        assert limit == pytest.approx(expected, abs=0.03 * (high - low))


def test_percentiles_are_those_of_the_values(contrast: Lab) -> None:
    contrast.page.locator(".udfw-histogram select").select_option("5 to 95 %")
    wait_for_python(contrast, f"bool({IMAGE}.limits)", True)
    assert limits(contrast) == pytest.approx(np.percentile(sums(), [5, 95]), rel=2e-3)
    contrast.page.locator(".udfw-histogram select").select_option("0 to 100 %")
    wait_for_python(contrast, f"{IMAGE}.limits[1] > 3e6", True)


def test_handles_and_keys(contrast: Lab) -> None:
    cells = contrast.page.evaluate("() => window.lab.panel().content.widgets.length")
    handle = contrast.page.locator(".udfw-handle.udfw-low")
    handle.focus()
    contrast.page.keyboard.press("Shift+ArrowRight")
    wait_for_python(contrast, f"bool({IMAGE}.limits)", True)
    first = limits(contrast)
    contrast.page.keyboard.press("ArrowLeft")
    wait_for_python(contrast, f"{IMAGE}.limits[0] < {first[0]}", True)
    drag(contrast, "middle", 0.3)
    wait_for_python(contrast, f"{IMAGE}.gamma != 1", True)
    contrast.page.keyboard.press("a")
    contrast.page.keyboard.press("h")
    contrast.wait_until("() => document.querySelector('.udfw-panel').hidden")
    assert contrast.page.evaluate("() => window.lab.panel().content.widgets.length") == cells


def test_colours_can_be_inverted(contrast: Lab) -> None:
    contrast.page.get_by_role("button", name="vik", exact=True).click()
    contrast.page.get_by_role("button", name="Inverted", exact=True).click()
    wait_for_python(contrast, f"{IMAGE}.colormap", "vik_r")
    keep_pictures(contrast)
    contrast.page.get_by_role("button", name="gray", exact=True).click()
    wait_for_python(contrast, f"{IMAGE}.colormap", "gray_r")
    contrast.page.get_by_role("button", name="Inverted", exact=True).click()
    wait_for_python(contrast, f"{IMAGE}.colormap", "gray")
    contrast.page.get_by_role("button", name="turbo", exact=True).click()
    contrast.page.keyboard.press("Escape")
    check_colour_bar(saved_picture(contrast), table("turbo"))


def saved_picture(lab: Lab) -> np.ndarray:
    """Return what the button of the image saves."""
    lab.page.locator(".udfw-image").first.hover()
    with lab.page.expect_download() as download:
        lab.page.get_by_role("button", name="Save as PNG").first.click()
    path = FAILURES.parent / "shown" / "saved.png"
    download.value.save_as(path)
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def check_colour_bar(picture: np.ndarray, colours: np.ndarray) -> None:
    """Look for a column of pixels with all colours, the last one on top."""
    right = picture[:, -2 * 76 :]
    at = int(np.argmax([len(np.unique(column, axis=0)) for column in right.swapaxes(0, 1)]))
    far = np.abs(right[:, at][:, None] - colours.astype(int)).max(axis=2)
    # Rows are no whole pixels, and the frame lies on both ends.
    assert far[:, 4:-4].min(axis=0).max() <= 6
    assert (np.diff(far.argmin(axis=0)[4:-4]) <= 0).all()


def keep_pictures(lab: Lab) -> None:
    """Keep pictures of the page, for people to look at."""
    before = lab.page.viewport_size
    assert before is not None
    lab.screenshot(FAILURES.parent / "shown" / "contrast-light-wide.png")
    lab.set_theme("JupyterLab Dark")
    lab.page.set_viewport_size({"width": 700, "height": before["height"]})
    lab.screenshot(FAILURES.parent / "shown" / "contrast-dark-narrow.png")
    lab.page.set_viewport_size(before)
    lab.set_theme("JupyterLab Light")
