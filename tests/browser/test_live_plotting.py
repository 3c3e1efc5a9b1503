"""The live-plotting notebook, as a person sees it: pixels that change, hatch, zoom and cancel."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest

from udfwidgets import demo
from udfwidgets.live.picture.colour import colour, table
from udfwidgets.live.picture.contrast import LINEAR, LOGARITHMIC

from .cards import wait_for_python
from .lab import Lab

pytestmark = pytest.mark.browser

REPOSITORY = Path(__file__).parents[2]
NOTEBOOK = REPOSITORY / "notebooks" / "live-plotting.ipynb"
SIG, NAV = 0, 1

# Counts how often the pixels of each image change while the run goes on.
WATCH = """() => {
  const watched = window.watched = { changes: [0, 0], running: true };
  const last = ['', ''];
  const look = () => {
    const bar = document.querySelector('.udfw-status');
    const canvases = document.querySelectorAll('.udfw-canvas');
    if (bar?.dataset.udfwState === 'running' && canvases.length === 2)
      canvases.forEach((canvas, index) => {
        const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        const digest = new Uint32Array(pixels.data.buffer).reduce((a, b) => (a * 31 + b) | 0, 7);
        if (digest !== last[index]) { last[index] = digest; watched.changes[index] += 1; }
      });
    if (watched.running) requestAnimationFrame(look);
  };
  look();
}"""

IN_SIGHT = "() => document.querySelector('.udfw-status').scrollIntoView({block: 'center'})"
STATE = "document.querySelector('.udfw-status')?.dataset.udfwState"
FRACTION = "+(document.querySelectorAll('.udfw-canvas')[1]?.dataset.udfwFraction ?? 0)"


def code_cell(start: str) -> int:
    """Return the index of the cell that begins with a piece of code."""
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    (index,) = (i for i, cell in enumerate(cells) if cell.source.startswith(start))
    return index


@pytest.fixture
def story(lab: Lab) -> Lab:
    """The notebook, run up to the cell that starts the live view."""
    demo.make_scan(REPOSITORY / "demo-data")
    link = lab.folder / "demo-data"
    if not link.exists():
        link.symlink_to(REPOSITORY / "demo-data", target_is_directory=True)
    lab.open(NOTEBOOK)
    for start in ("import os", "data_base_path", "ds = demo.PacedDataSet"):
        lab.run_cell(code_cell(start))
    return lab


def start_live(lab: Lab) -> None:
    lab.run_cell(code_cell("live = ctx.live"), wait=False)
    lab.page.wait_for_selector(".udfw-status")
    lab.page.evaluate(IN_SIGHT)
    lab.wait_until(f"() => {STATE} === 'running'")


def sampled(lab: Lab, index: int, shape: tuple[int, int]) -> np.ndarray:
    """Return the colour on the screen in the middle of each data pixel."""
    pixels = lab.canvas_pixels(".udfw-canvas", index)
    rows, columns = (
        ((np.arange(n) + 0.5) * side / n).astype(int)
        for n, side in zip(shape, pixels.shape[:2], strict=True)
    )
    return pixels[np.ix_(rows, columns)][..., :3].astype(int)


def sums_by_numpy() -> tuple[np.ndarray, np.ndarray]:
    """Return what SumUDF and SumSigUDF are to find in the demo scan, from the bytes of its file."""
    layout = np.dtype([("header", "V384"), ("frame", ">u2", (64, 64))])
    frames = np.fromfile(REPOSITORY / "demo-data" / "default.mib", layout)["frame"]
    by_position = frames.sum(axis=(1, 2), dtype=np.uint64).reshape(96, 96)
    return frames.sum(axis=0, dtype=np.uint64), by_position


def distance_to_map(pixels: np.ndarray, colormap: str) -> np.ndarray:
    """Return how far each colour is from the nearest one of a colour map."""
    difference = pixels.reshape(-1, 1, 3) - table(colormap).astype(int)
    return np.abs(difference).sum(axis=-1).min(axis=-1)


def test_images_form_and_end_as_numpy_says(story: Lab) -> None:
    story.page.evaluate(WATCH)
    start_live(story)
    story.wait_until(f"() => {FRACTION} > 0.4 && {FRACTION} < 0.7")
    half_way = sampled(story, NAV, (96, 96))
    story.wait_until(f"() => {STATE} === 'done' && {FRACTION} === 1")
    changes = story.page.evaluate("() => { watched.running = false; return watched.changes; }")
    assert min(changes) >= 5, f"images changed {changes} times"

    # Half way many pixels have a colour of the map; elsewhere it shines through, or glows.
    distances = distance_to_map(half_way, "viridis")
    assert 0.15 < np.mean(distances <= 3) < 0.8
    assert np.median(distances[distances > 3]) > 12

    # At the end every pixel has the colour that NumPy gives it.
    story.execute("for image in live.images: image.overlay = False")
    looks = ((SIG, "magma", True), (NAV, "viridis", False))
    for (index, colormap, log), sums in zip(looks, sums_by_numpy(), strict=True):
        values = sums.astype(np.float32)
        limits = (LOGARITHMIC if log else LINEAR)(values, None)
        expected = colour(values, limits, colormap, log=log).astype(int)
        story.wait_until(
            "i => document.querySelectorAll('.udfw-canvas')[i].dataset.udfwState === 'final'",
            arg=index,
        )
        seen = sampled(story, index, values.shape)
        levels = np.abs(seen - expected).max(axis=-1)
        assert np.mean(levels <= 4) > 0.999, f"image {index} differs by up to {levels.max()}"


def test_wheel_zooms_the_figure_and_its_pixels(story: Lab) -> None:
    start_live(story)
    story.wait_until(f"() => {STATE} === 'done'")
    before = sampled(story, NAV, (96, 96))
    story.execute("scales = live.images[1].figure.scale_x, live.images[1].figure.scale_y")

    def extents() -> list[float]:
        return json.loads(story.execute("print([abs(scale.max - scale.min) for scale in scales])"))

    assert extents() == [96, 96]
    story.page.locator(".udfw-canvas").nth(NAV).hover(force=True)
    story.page.mouse.wheel(0, -500)
    while max(extents()) >= 96:
        pass  # the wheel has not reached the kernel yet
    across, down = extents()
    assert across == pytest.approx(down)
    after = sampled(story, NAV, (96, 96))
    assert np.mean(np.abs(after - before).max(axis=-1) > 8) > 0.5


def test_limits_are_typed_and_typed_ones_dropped(story: Lab) -> None:
    start_live(story)
    story.wait_until(f"() => {STATE} === 'done'")
    image = story.page.locator(".udfw-image").nth(NAV)
    image.hover(force=True)
    image.locator(".udfw-swatch").click()
    field = image.get_by_label("From value")

    def write(number: int, key: str) -> None:
        field.click()
        for press in ("Control+a", *str(number), key):
            story.page.keyboard.press(press)

    write(12000, "Enter")
    wait_for_python(story, "int((live.images[1].limits or [0])[0])", 12000)
    write(13000, "Escape")
    assert field.input_value() == "12000"
    image.locator(".udfw-swatch").click()
    wait_for_python(story, "int(live.images[1].limits[0])", 12000)


HEAR_CANCEL = """
def heard(cancel=live._run.cancel):
    global at_cancel
    at_cancel = live.snapshot().damage.data.sum()
    cancel()
live._run.cancel = heard
"""


def test_cancel_ends_the_run_at_once(story: Lab) -> None:
    start_live(story)
    story.wait_until(f"() => {FRACTION} > 0.1")
    # What is merged from the moment on in which the kernel hears of it.
    story.execute(HEAR_CANCEL)
    story.page.click(".udfw-cancel")
    story.wait_until(f"() => {STATE} === 'cancelled'")
    merged = story.execute("int(live.snapshot().damage.data.sum() - at_cancel)")
    # The frames come at 2000 per second: it took less than half a second.
    assert int(merged) < 1000
    assert story.execute("live.done") == "True"
    assert not story.page.locator(".udfw-cancel").is_visible()
    state = story.execute(
        "try: live.result()\nexcept Exception as error: print(type(error).__name__)"
    )
    assert re.search("UDFRunCancelled", state)
