"""A scan that was stopped early: what is missing is hatched to the end, and the card says so."""

from __future__ import annotations

import re

import numpy as np
import pytest

from .cards import SETUP, run_cells, show, wait_for_fraction, wait_for_python, wait_for_states
from .conftest import NotebookMaker
from .lab import Lab
from .test_live_plotting import distance_to_map

pytestmark = pytest.mark.browser

#: Whole numbers, of which a blank result would be 0, a value like any other.
STOPPED = """
import warnings
counts = (data[:, :, :16, :16] * 50).astype(np.uint16).reshape(4096, 16, 16)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    scan = ctx.load("memory", data=counts[:2600], nav_shape=(64, 64))
print(caught[0].message)
"""
LIVE = """
live = ctx.live(demo.PacedDataSet(scan, {rate}), SumSigUDF(), order={order!r})
live
"""
NOTE = "1496 of 4096 frames are missing, as there are only 2600"
WHOLE = "() => document.querySelector('.udfw-canvas')?.dataset.udfwFraction === '1'"
# What was merged last glows for a moment: is the picture that of the animation frame before?
STILL = """() => {
  const canvas = document.querySelector('.udfw-canvas');
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const digest = new Uint32Array(pixels.data.buffer).reduce((a, b) => (a * 31 + b) | 0, 7);
  const before = window.digestBefore;
  window.digestBefore = digest;
  return before === digest;
}"""


def sampled(lab: Lab) -> np.ndarray:
    """Return the colours on the screen around the middle of each data pixel."""
    pixels = lab.canvas_pixels(".udfw-canvas")[..., :3].astype(int)
    height, width = pixels.shape[:2]
    rows, columns = ((np.arange(64) + 0.5) * side // 64 for side in (height, width))
    return pixels[np.ix_(rows.astype(int), columns.astype(int))]


def check_hatch(lab: Lab) -> None:
    """The last lines have two colours, those of the hatch, and the first ones those of the map."""
    lab.wait_until(STILL)
    pixels = sampled(lab)
    there, missing = pixels[:40], pixels[42:]
    assert (distance_to_map(there, "viridis") <= 3).mean() > 0.95
    assert (distance_to_map(missing, "viridis") > 12).mean() > 0.95
    grey = np.ptp(missing, axis=-1)
    assert (grey < 25).mean() > 0.95, "something shines through the hatch"


def reading(lab: Lab, row: int, column: int) -> str:
    """Return what is said of a data pixel under the pointer."""
    box = lab.page.locator(".udfw-canvas").bounding_box()
    assert box is not None
    lab.page.mouse.move(
        box["x"] + (column + 0.5) * box["width"] / 64, box["y"] + (row + 0.5) * box["height"] / 64
    )
    text = lab.page.locator(".udfw-readout").inner_text()
    assert text.startswith(f"y {row} × {column}: ")
    return text.partition(": ")[2]


def card_note(lab: Lab) -> str:
    return str(lab.page.locator(".udfw-note").first.inner_text())


@pytest.mark.parametrize("order", ["progressive", "scan"])
def test_missing_positions_are_hatched_to_the_end(
    lab: Lab, lab_notebook: NotebookMaker, order: str
) -> None:
    notebook = lab_notebook([SETUP, STOPPED, LIVE.format(rate=1500, order=order)])
    lab.open(notebook)
    run_cells(lab, [0, 1, 2])
    assert NOTE in lab.output(1)
    wait_for_fraction(lab, 0.3)
    assert card_note(lab) == NOTE
    pixels = sampled(lab)[44:]
    assert (np.ptp(pixels, axis=-1) < 25).mean() > 0.95, "an estimate of what never comes"
    assert reading(lab, 50, 20) == "nothing here"
    wait_for_states(lab, "done")
    lab.wait_until(WHOLE)
    check_hatch(lab)
    assert re.sub(r"\W", "", lab.page.locator(".udfw-line").inner_text()).startswith("2600frames")
    wait_for_python(
        lab,
        "bool((live.result()[0]['intensity'].valid_mask == ~scan.missing).all()"
        " and (live.result()[0]['intensity'].data[~scan.missing]"
        " == counts[:2600].sum(axis=(1, 2))).all())",
    )
    # Once more from what is saved, in a page that has seen nothing of the run.
    lab.restart_page()
    show(lab)
    lab.wait_until(WHOLE)
    check_hatch(lab)
    assert card_note(lab) == NOTE
