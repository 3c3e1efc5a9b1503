"""What is shown of results that are no single image: slices, lines and numbers."""

from __future__ import annotations

import numpy as np
import pytest

from .cards import SETUP, run_cells, wait_for_python, wait_for_states
from .conftest import FAILURES, NotebookMaker
from .lab import Lab

pytestmark = pytest.mark.browser

UDFS = """
from udfwidgets import ApplyMasksUDF, UDF

class Spectrum(UDF):
    \"\"\"How often each sum of a column has been seen, and the brightest pixel.\"\"\"
    def get_result_buffers(self):
        return {"histogram": self.buffer("single", (64,), "u8"),
                "brightest": self.buffer("single", dtype="f8")}
    def process_frame(self, frame):
        self.results.histogram[:] += frame.sum(axis=0).astype("u8")
        self.results.brightest[:] = max(self.results.brightest[0], frame.max())
    def merge(self, dest, src):
        dest.histogram += src.histogram
        dest.brightest[:] = max(dest.brightest[0], src.brightest[0])

y, x = np.mgrid[:64, :64] - 31.5
rings = [(np.hypot(y, x) // 4 == i) for i in range(9)]
"""
CARDS = """
rate = 50
many = ctx.live(scan(rate), ApplyMasksUDF(rings))
few = ctx.live(scan(rate), [ApplyMasksUDF(rings[0]), Spectrum()], plots=[
    {"bright field": "intensity"}, {"columns": "histogram", "brightest": "brightest"}])
from IPython.display import display
display(few, many)
"""
HISTOGRAM = "few.snapshot().buffers[1]['histogram'].data.astype('f8')"
# The points that bqplot draws, in pixels.
PATH = "() => document.querySelector('.udfw-image .bqplot path.line')?.getAttribute('d') ?? ''"

# Each part of the detector has waves of its own over the scan, and so many pixels that a few frames
# are a step.
TWENTY = """
y, x = np.mgrid[:32, :32] / 32
waves = np.stack([np.cos(1 + k + (k % 5 + 1) * y + (k // 5 + 1) * x) for k in range(20)], axis=-1)
parts = (2 + waves).astype("f4").reshape(32, 32, 4, 5)
frames = np.kron(parts, np.ones((1, 1, 16, 16), "f4"))
part = np.kron(np.arange(20).reshape(4, 5), np.ones((16, 16)))
udfs = [ApplyMasksUDF({f"mask {k}": part == k for k in range(n, n + 4)}) for n in range(0, 20, 4)]
live = ctx.live(demo.PacedDataSet(ctx.load("memory", data=frames), 150), udfs)
live
"""
ALL_LIVE = """() => {
  const all = [...document.querySelectorAll('.udfw-canvas')].map(canvas => canvas.dataset);
  return all.length === 20 && all.every(each => each.udfwState === 'live'
    && each.udfwPainted > 2 && each.udfwFraction > 0 && each.udfwFraction < 1);
}"""
ALL_FINAL = """() => [...document.querySelectorAll('.udfw-canvas')].every(
  ({dataset}) => dataset.udfwState === 'final' && dataset.udfwFraction === '1')"""


def test_twenty_images_are_live_at_once(lab: Lab, lab_notebook: NotebookMaker) -> None:
    lab.open(lab_notebook([SETUP + "from udfwidgets import ApplyMasksUDF", TWENTY]))
    before = lab.page.viewport_size
    assert before is not None
    # What is out of sight is not sent, so all of them are in it.
    lab.page.set_viewport_size({"width": 2560, "height": 3000})
    run_cells(lab, [0, 1])
    lab.wait_until(ALL_LIVE)
    lab.wait_until(ALL_FINAL)
    lab.screenshot(FAILURES.parent / "shown" / "twenty.png")
    y, x = np.mgrid[:32, :32] / 32
    waves = [np.cos(1 + k + (k % 5 + 1) * y + (k // 5 + 1) * x).ravel() for k in range(20)]
    shown = [brightness(lab, k, 32).ravel() for k in range(20)]
    alike = np.corrcoef(waves, shown)[:20, 20:]
    assert (alike.argmax(axis=0) == np.arange(20)).all(), "each shows the waves of its own mask"
    assert np.diag(alike).min() > 0.98
    lab.page.set_viewport_size(before)


def brightness(lab: Lab, index: int, side: int) -> np.ndarray:
    """Return how bright the pixels of an image are, from the middle of each on the screen."""
    pixels = lab.canvas_pixels(".udfw-canvas", index).astype(float)
    rows, columns = (((np.arange(side) + 0.5) * n / side).astype(int) for n in pixels.shape[:2])
    return np.asarray(pixels[np.ix_(rows, columns)][..., :3] @ [0.2126, 0.7152, 0.0722])


def test_slices_lines_and_numbers(lab: Lab, lab_notebook: NotebookMaker) -> None:
    lab.open(lab_notebook([SETUP + UDFS, CARDS]))
    run_cells(lab, [0, 1])
    wait_for_states(lab, "running", "running")
    lab.wait_until(f"() => ({PATH})().length > 200")
    early = lab.page.evaluate(PATH)
    lab.wait_until(f"early => ({PATH})() !== early", arg=early)
    assert "NaN" not in lab.page.evaluate(PATH)
    assert float(lab.page.locator(".udfw-number").inner_text()) > 1
    take_pictures(lab)
    slider = lab.page.locator(".udfw-slices:visible input")
    assert lab.page.locator(".udfw-slices:visible output").inner_text() == "mask 0"
    slider.focus()
    for _ in range(3):
        lab.page.keyboard.press("ArrowRight")
    assert lab.page.locator(".udfw-slices:visible output").inner_text() == "mask 3"
    wait_for_python(lab, "many.images[0].slice", 3)
    lab.execute("many.images[0].slice = 5")
    lab.wait_until("() => +document.querySelector('.udfw-slices:not([hidden]) input').value === 5")

    lab.execute("many.cancel(); few.cancel()")
    wait_for_states(lab, "cancelled", "cancelled")
    slider.focus()
    lab.page.keyboard.press("ArrowRight")
    wait_for_python(lab, "many.images[0].canvas._saved['header']['slice']", 6)
    saved = f"bool(np.array_equal(few.images[1].figure.marks[0].y, {HISTOGRAM}))"
    wait_for_python(lab, saved)
    brightest = lab.execute("f'{few.snapshot().buffers[1][\"brightest\"].data[0]:.6g}'").strip("'")
    assert lab.page.locator(".udfw-number").inner_text() == brightest
    shown = [float(n) for n in lab.execute(f"print(*{HISTOGRAM})").split()]
    wait_for_line(lab, shown)
    lab.restart_page()
    wait_for_line(lab, shown)


def take_pictures(lab: Lab) -> None:
    """Keep pictures of the page, for people to look at: wide and light, narrow and dark."""
    before = lab.page.viewport_size
    assert before is not None
    lab.screenshot(FAILURES.parent / "shown" / "light-wide.png")
    lab.set_theme("JupyterLab Dark")
    lab.page.set_viewport_size({"width": 700, "height": before["height"]})
    lab.screenshot(FAILURES.parent / "shown" / "dark-narrow.png")
    lab.page.set_viewport_size(before)
    lab.set_theme("JupyterLab Light")


def wait_for_line(lab: Lab, values: list[float]) -> None:
    """Wait until the line on the page goes through these values, to half a percent."""
    lab.wait_until(
        """values => {
          const path = document.querySelector('.udfw-image .bqplot path.line')?.getAttribute('d');
          const y = (path ?? '').slice(1).split('L').map(point => -point.split(',')[1]);
          const [a, b] = [y, values].map(all => {
            const low = Math.min(...all);
            return all.map(each => (each - low) / (Math.max(...all) - low));
          });
          return a.length === b.length && a.every((each, i) => Math.abs(each - b[i]) < 0.005);
        }""",
        arg=values,
    )
