"""What pictures were: scrubbed, compared and blinked while the run goes on; a rule to stop it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from udfwidgets.live.picture.colour import table

from .cards import run_cells, wait_for_python, wait_for_states
from .conftest import FAILURES, NotebookMaker
from .lab import Lab

pytestmark = pytest.mark.browser

SETUP = """
import time
import numpy as np
from udfwidgets import Context, SumSigUDF, SumUDF, demo
from udfwidgets.geometry import Disk
ctx = Context()
disk = Disk(cx=32, cy=32, r=10).mask((64, 64))
# Frames so large that few of them make a merge step.
data = np.random.default_rng(1).poisson(1 + 4 * disk, (64, 64, 64, 64)).astype(np.float32)
scan = demo.PacedDataSet(ctx.load("memory", data=data), 50)
"""
LIVE = "live = ctx.live(scan, [SumUDF(), SumSigUDF()])\nlive"
PAST = "[...document.querySelectorAll('.udfw-canvas')].map(c => c.dataset.udfwPast)"
CANVAS = "document.querySelector('.udfw-canvas')"
MOMENTS = "+document.querySelector('.udfw-scrub input').max"
# The colour in the middle, where the disk is, and all pixels as one number.
MIDDLE = f"""() => {{
  const canvas = {CANVAS};
  const at = [canvas.width, canvas.height].map(side => Math.floor(side * 32.5 / 64));
  return [...canvas.getContext('2d').getImageData(...at, 1, 1).data.slice(0, 3)];
}}"""
DIGEST = f"""() => {{
  const canvas = {CANVAS};
  // Without the strip along the lower edge, which says how far the scan is.
  const {{data}} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height - 8);
  return new Uint32Array(data.buffer).reduce((a, b) => (a * 31 + b) | 0, 7);
}}"""


def test_what_was(lab: Lab, lab_notebook: NotebookMaker) -> None:
    lab.open(lab_notebook([SETUP, LIVE, "time.sleep(100)"]))
    run_cells(lab, [0, 1])
    lab.page.get_by_role("button", name="What the pictures were").click()
    lab.wait_until(f"() => {MOMENTS} >= 6")
    lab.run_cell(2, wait=False)
    lab.wait_until("() => window.lab.kernelIs('busy')")
    slider = lab.page.locator(".udfw-scrub input")

    # Back to the beginning: both images stay there while the run goes on.
    slider.focus()
    lab.page.keyboard.press("Home")
    lab.wait_until(f"() => {PAST}.every(past => past > 0)")
    before = lab.page.evaluate(f"() => [+{CANVAS}.dataset.udfwSequence, ({DIGEST})()]")
    lab.wait_until(f"before => +{CANVAS}.dataset.udfwSequence > before[0] + 2", arg=before)
    assert lab.page.evaluate(DIGEST) == before[1]

    # What has come since: the disk has more of it than all else.
    lab.page.get_by_role("button", name="What has come since").click()
    wanted = table("vik")[-1].astype(int).tolist()
    near = "(value, i) => Math.abs(value - wanted[i]) < 60"
    lab.wait_until(f"wanted => ({MIDDLE})().every({near})", arg=wanted)
    keep_pictures(lab)
    lab.page.get_by_role("button", name="What has come since").click()

    # Then and now by turns, by a key on the image.
    lab.page.locator(".udfw-image").first.focus()
    lab.page.keyboard.press("b")
    for state in ("=== ''", "!== ''", "=== ''"):
        lab.wait_until(f"() => {PAST}.every(past => past {state})")
    lab.page.keyboard.press("b")
    slider.focus()
    lab.page.keyboard.press("End")
    lab.wait_until(f"() => {PAST}.every(past => past === '')")

    # A goal, which is reached: the run ends, also while a cell blocks the kernel.
    assert lab.page.evaluate("() => window.lab.running")
    lab.page.get_by_label("Signal to noise to stop at").fill("200")
    lab.page.get_by_label("Stop by signal to noise").check()
    wait_for_states(lab, "cancelled")
    text = "document.querySelector('.udfw-note').textContent"
    lab.wait_until(f"() => {text}.includes('signal to noise is')")
    assert lab.page.evaluate("() => window.lab.running")
    lab.page.evaluate("() => window.lab.run('notebook:interrupt-kernel')")
    lab.wait_until("() => !window.lab.running")
    wait_for_python(lab, "live._rule.reached and live._rule.goal == 200 and live.done")
    curve = np.array(json.loads(lab.execute("import json; print(json.dumps(live._rule.curve))")))
    assert curve[-1, 1] >= 200
    assert 0 < curve[-1, 0] < 1
    assert set(json.loads(lab.execute("print(json.dumps([*live.images[0].shapes]))"))) == {
        "signal",
        "background",
    }
    lab.screenshot(FAILURES.parent / "shown" / "history-stopped.png")


def keep_pictures(lab: Lab) -> None:
    """Keep pictures of the page, for people to look at."""
    before = lab.page.viewport_size
    assert before is not None
    lab.screenshot(FAILURES.parent / "shown" / "history-light-wide.png")
    lab.set_theme("JupyterLab Dark")
    lab.page.set_viewport_size({"width": 700, "height": before["height"]})
    lab.screenshot(FAILURES.parent / "shown" / "history-dark-narrow.png")
    lab.page.set_viewport_size(before)
    lab.set_theme("JupyterLab Light")
