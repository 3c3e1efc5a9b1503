"""Takes the pictures of the README anew: ``python -m docs.screenshots`` from the top folder.

With names behind it (``notebook``, ``dashboard``, ``explore``) it takes those only.

The live-plotting notebook is run in a real JupyterLab, in both themes, with one picture on the way
and one at the end of the scan. Then a dashboard is shown there with five analyses, one of which
rests, while another has been started again with other parameters; and the same scan is explored,
while it is read and at rest, wide and narrow.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import nbformat
from playwright.sync_api import FloatRect, ViewportSize

from tests.browser.lab import Lab
from udfwidgets import demo

TOP = Path(__file__).parents[1]
IMAGES = TOP / "docs" / "images"
#: Pictures that no page shows, only to be looked at.
ASIDE = TOP / ".cache" / "screenshots"
SHOWN = ("explore-light.png", "explore-half-dark.png", "explore-narrow-light.png")
QUIET = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false"}}
MARGIN = 4
# The code cells of the notebook up to the live view, by their place among all cells.
BEFORE, LIVE = (1, 3, 5), 7
# CSS pixels; the first is as wide as the two images of a card.
NOTEBOOK, DASHBOARD_SIZE, EXPLORE_SIZE = (1172, 1000), (1760, 1200), (1300, 1650)
NARROW = (700, 2400)
CARD = ".jp-Notebook .jp-CodeCell >> nth=3"
FRACTION = "+(document.querySelector('.udfw-canvas')?.dataset.udfwFraction ?? 0)"


def take(lab: Lab, theme: str) -> None:
    """Run the notebook in a theme and take its two pictures."""
    lab.open(TOP / "notebooks" / "live-plotting.ipynb")
    lab.set_theme(f"JupyterLab {theme}")
    for cell in BEFORE:
        lab.run_cell(cell)
    lab.run_cell(LIVE, wait=False)
    lab.page.wait_for_selector(".udfw-canvas")
    lab.page.evaluate("() => document.querySelector('.udfw-status').scrollIntoView()")
    card = lab.page.locator(CARD)
    lab.wait_until(f"() => {FRACTION} > 0.4")
    card.screenshot(path=IMAGES / f"live-{theme.lower()}.png")
    lab.wait_until(f"() => {FRACTION} === 1")
    lab.page.wait_for_timeout(2000)  # the highlight of what came last fades
    card.screenshot(path=IMAGES / f"done-{theme.lower()}.png")


DASHBOARD = (
    """
from udfwidgets import *
from udfwidgets import demo, masks
from udfwidgets.udf.com import CoMParams, CoMUDF
from udfwidgets.udf.crystallinity import CrystallinityUDF
from udfwidgets.udf.FEM import FEMUDF
from udfwidgets.udf.masks import ApplyMasksUDF
from udfwidgets.udf.logsum import LogsumUDF
from udfwidgets.udf.stddev import StdDevUDF

ctx = Context()
file = ctx.load("auto", path="../demo-data/default.hdr")
disk = lambda: masks.circular(32, 32, 64, 64, 8)
ring = lambda: masks.ring(32, 32, 64, 64, 24, 12)
bright = lambda sums: sums[..., 0]
dark = lambda sums: sums[..., 1]
bright.__name__, dark.__name__ = "bright field", "dark field"
quick, paced = demo.PacedDataSet(file, 1e6), demo.PacedDataSet(file, 600)
""",
    """
images = ctx.live(quick, [SumUDF(), SumSigUDF()])
phase = ctx.live(quick, CoMUDF.with_params(cy=32, cx=32), plots=[["field_x", "field_y"]])
detectors = ctx.live(
    paced, ApplyMasksUDF([disk, ring]), plots=[[("intensity", bright), ("intensity", dark)]]
)
spread = ctx.live(paced, [StdDevUDF(), LogsumUDF()])
disorder = ctx.live(paced, [FEMUDF((32, 32), 12, 24), CrystallinityUDF(4, 12, (32, 32), 6)])
ctx.dashboard()
""",
)
FRACTIONS = "[...document.querySelectorAll('.udfw-canvas')].map(c => +c.dataset.udfwFraction)"
OTHER = "[{'com_params': CoMParams(cy=32, cx=32, scan_rotation=60)}]"


def take_dashboard(lab: Lab, theme: str) -> None:
    """Run five analyses, and take a picture of them on their way."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell.strip()) for cell in DASHBOARD],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    path = lab.root / "five-analyses.ipynb"
    nbformat.write(notebook, path)
    lab.open(path)
    lab.set_theme(f"JupyterLab {theme}")
    lab.page.evaluate("() => window.lab.run('application:toggle-left-area')")
    lab.run_cell(0)
    lab.run_cell(1)
    lab.page.wait_for_selector(".udfw-dashboard")
    cell = lab.page.locator(".jp-Notebook .jp-CodeCell >> nth=1")
    dashboard = cell.locator(".udfw-dashboard")
    dashboard.scroll_into_view_if_needed()
    lab.wait_until(f"() => {FRACTIONS}[3] === 1")
    lab.execute(f"quick._frames_per_second = 600; phase.update_parameters({OTHER})")
    lab.wait_until(f"() => {FRACTIONS}[9] > 0.2")
    lab.execute("spread.pause()")
    lab.wait_until(f"() => {FRACTIONS}[9] > 0.35 && {FRACTIONS}[3] > 0.15")
    box = dashboard.bounding_box()
    assert box is not None
    # With some air beside the cards, and without the lines around the cell.
    clip: FloatRect = {
        "x": box["x"] - MARGIN,
        "y": box["y"],
        "width": box["width"] + 2 * MARGIN,
        "height": box["height"],
    }
    lab.page.screenshot(path=IMAGES / f"dashboard-{theme.lower()}.png", clip=clip)


EXPLORE = (
    """
from udfwidgets import Context, demo
from udfwidgets.geometry import Annulus, Disk, Point, sectors

ctx = Context()
scan = demo.PacedDataSet(ctx.load("auto", path="../demo-data/default.hdr"), 300)
beam = Disk(31.48, 31.48, 2.99)
ring = Annulus(beam.cx, beam.cy, 10, 17)
right, _, left, _ = sectors(ring, 4, start=-45)
formula = "(right - left) / (right + left)"
""",
    """
view = ctx.explore(
    scan,
    detectors={"BF": beam, "ADF": ring, "right": right, "left": left},
    probe=Point(52, 80),
    regions={"grain": Disk(20, 66, 7)},
    formulas={formula: formula},
)
view
""",
)


def take_explore(lab: Lab, theme: str) -> None:
    """Take a picture of detectors, formulas, probe and a region, when they are answered."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell.strip()) for cell in EXPLORE],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    path = lab.root / "explore.ipynb"
    nbformat.write(notebook, path)
    lab.open(path)
    lab.set_theme(f"JupyterLab {theme}")
    lab.page.evaluate("() => window.lab.run('application:toggle-left-area')")
    lab.run_cell(0)
    lab.run_cell(1)
    lab.wait_until("() => document.querySelectorAll('.udfw-drawing').length >= 6")
    card = lab.page.locator(".jp-Notebook .jp-CodeCell >> nth=1").locator(".udfw-analysis")
    lab.page.evaluate("() => document.querySelector('.udfw-status').scrollIntoView()")
    lab.wait_until(f"() => {FRACTIONS}[2] > 0.4")
    card.screenshot(path=_place(f"explore-half-{theme.lower()}.png"))
    lab.wait_until(f"() => {FRACTIONS}.every(each => each === 1)")
    lab.page.locator(".udfw-name", has_text="ADF").click()
    lab.page.mouse.move(0, 0)
    lab.page.wait_for_timeout(2000)  # the highlight of what came last fades
    card.screenshot(path=_place(f"explore-{theme.lower()}.png"))
    lab.page.set_viewport_size(_size(NARROW))
    lab.page.wait_for_timeout(1000)
    card.screenshot(path=_place(f"explore-narrow-{theme.lower()}.png"))


def _place(name: str) -> Path:
    return (IMAGES if name in SHOWN else ASIDE) / name


def _size(viewport: tuple[int, int]) -> ViewportSize:
    width, height = viewport
    return {"width": width, "height": height}


def main(wanted: Sequence[str]) -> None:
    """Take the pictures that are wanted, or all."""
    demo.make_scan(TOP / "demo-data")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "demo-data").symlink_to(TOP / "demo-data", target_is_directory=True)
        with Lab(folder, settings=QUIET, viewport=NOTEBOOK, scale=2) as lab:
            for theme in ("Dark", "Light"):
                for name, (size, shoot) in PARTS.items():
                    if name in (wanted or PARTS):
                        lab.page.set_viewport_size(_size(size))
                        shoot(lab, theme)


PARTS = {
    "notebook": (NOTEBOOK, take),
    "dashboard": (DASHBOARD_SIZE, take_dashboard),
    "explore": (EXPLORE_SIZE, take_explore),
}


if __name__ == "__main__":
    main(sys.argv[1:])
