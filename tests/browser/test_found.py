"""Cards that are found again: in a saved notebook without state, on a page without a network."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from playwright.sync_api import Page

from udfwidgets.live.fronts.stills import mark

from .cards import SETUP, run_cells, wait_for_states
from .conftest import FAILURES, NotebookMaker
from .lab import Lab

pytestmark = pytest.mark.browser

CELL = "live = ctx.live(scan(800), SumSigUDF())\nlive"
STILLS = f"[...document.querySelectorAll('img[src*=\"{mark()}\"]')]"
SEEN = f"{STILLS}.filter(each => each.naturalWidth > 1 && each.offsetHeight > 1)"
STATE = """
import json, ipywidgets
print(json.dumps(ipywidgets.Widget.get_manager_state(drop_defaults=False)))
"""


def shown(page: Page) -> npt.NDArray[np.uint8]:
    """Return the pixels of the picture that stands in for the card, as the page shows it."""
    page.wait_for_function(f"() => {SEEN}.length === 1")
    image = page.evaluate_handle(f"() => {SEEN}[0]").as_element()
    assert image is not None
    return np.asarray(Image.open(io.BytesIO(image.screenshot())).convert("RGB"))


def looks_like_the_scan(rgb: npt.NDArray[np.uint8]) -> bool:
    """Whether it becomes brighter to the right, as the scan does."""
    columns = rgb[40:].astype(float).sum(axis=2).mean(axis=0)
    return bool(np.diff(columns.reshape(8, -1).mean(axis=1)).min() > 10)


def test_saved_notebook_shows_its_pictures(
    lab: Lab, lab_notebook: NotebookMaker, tmp_path: Path
) -> None:
    lab.open(lab_notebook([SETUP, CELL]))
    run_cells(lab, [0, 1])
    wait_for_states(lab, "done")
    # The run was over after the cell; what stands in for the card is there, and not seen.
    lab.wait_until(f"() => {STILLS}.some(each => each.naturalWidth > 100)")
    assert lab.page.evaluate(f"() => {SEEN}.length") == 0
    # Without the numbers of axes.
    assert sum(not line.strip().isdigit() for line in lab.output(1).splitlines()) < 30
    lab.wait_until("() => document.querySelector('style.udfw-hush') !== null")
    state = json.loads(lab.execute(STATE))
    lab.save()
    (saved,) = [path for path in lab.root.glob("*.ipynb") if "saved_notebook" in path.name]
    notebook = nbformat.read(saved, 4)
    assert "widgets" not in notebook.metadata
    assert saved.stat().st_size < 600_000

    # Next week: another kernel, which knows nothing of the card.
    lab.open(saved)
    assert looks_like_the_scan(shown(lab.page))
    failed = "document.querySelector('.jp-OutputArea-output.jupyter-widgets:not(:has(*))')"
    lab.wait_until(f"() => {failed}?.textContent.includes('model not found')")
    assert lab.page.evaluate(f"() => {failed}.parentElement.offsetHeight") == 0
    lab.screenshot(FAILURES.parent / "found" / "saved.png")

    # As a page, opened as a file on a machine without a network.
    nbformat.write(notebook, tmp_path / "bare.ipynb")
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": state}
    nbformat.write(notebook, tmp_path / "state.ipynb")
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "bare.ipynb", "state.ipynb"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    browser = lab.page.context.browser
    assert browser is not None
    for name in ("bare", "state"):
        context = browser.new_context(offline=True)
        try:
            page = context.new_page()
            page.goto((tmp_path / f"{name}.html").as_uri())
            assert looks_like_the_scan(shown(page)), name
            (FAILURES.parent / "found" / f"{name}.png").write_bytes(page.screenshot())
        finally:
            context.close()


def test_pictures_do_without_bqplot(lab: Lab, lab_notebook: NotebookMaker) -> None:
    lab.page.route("**/extensions/bqplot/**", lambda route: route.abort())
    try:
        lab.open(lab_notebook([SETUP, CELL]))
        run_cells(lab, [0, 1])
        wait_for_states(lab, "done")
        lab.wait_until("() => document.querySelector('.udfw-canvas').dataset.udfwState === 'final'")
        assert lab.page.locator(".bqplot").count() == 0
        assert not lab.page.locator(".jupyter-widgets-error-widget:visible").count()
        pixels = lab.canvas_pixels(".udfw-canvas")[:, :, :3]
        assert looks_like_the_scan(pixels[:, : pixels.shape[1] // 8 * 8])
        # It zooms, and its contrast changes.
        lab.page.locator(".udfw-canvas").hover()
        lab.page.mouse.wheel(0, -400)
        lab.wait_until("() => document.querySelector('.udfw-zoomed') !== null")
        lab.execute("live.images[0].colormap = 'gray'")
        lab.wait_until(
            "() => { const c = document.querySelector('.udfw-canvas');"
            " const p = c.getContext('2d').getImageData(c.width / 2, c.height / 2, 1, 1).data;"
            " return p[0] === p[1] && p[1] === p[2]; }"
        )
        lab.screenshot(FAILURES.parent / "found" / "without-bqplot.png")
    finally:
        lab.page.unroute("**/extensions/bqplot/**")
