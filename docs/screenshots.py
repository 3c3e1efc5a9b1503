"""Takes the pictures of the README anew: ``python -m docs.screenshots`` from the top folder.

The live-plotting notebook is run in a real JupyterLab, in both themes, with one picture on the way
and one at the end of the scan.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.browser.lab import Lab
from udfwidgets import demo

TOP = Path(__file__).parents[1]
IMAGES = TOP / "docs" / "images"
QUIET = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false"}}
# The code cells of the notebook up to the live view, by their place among all cells.
BEFORE, LIVE = (1, 3, 5), 7
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


def main() -> None:
    """Take all pictures."""
    demo.make_scan(TOP / "demo-data")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "demo-data").symlink_to(TOP / "demo-data", target_is_directory=True)
        with Lab(folder, settings=QUIET, viewport=(1250, 1000)) as lab:
            for theme in ("Dark", "Light"):
                take(lab, theme)


if __name__ == "__main__":
    main()
