"""What a person waits for in a real JupyterLab: ``python -m benchmarks.watched``.

A scan of 16 GiB over a polycrystal is made, and removed afterwards. On the page's own clock:

* from running the cell to a recognisable picture on the screen: one that correlates with the final
  one above 0.8 (`recognisable` says at which part of the scan that is);
* from pressing the cancel button to the card that says so, while cells and workers are busy;
* from a move of the pointer that holds a detector to the first picture of its answer: on that scan,
  of which nothing is in memory, and on one of 256 x 256 positions that is kept by its pixels;
* how many answers per second follow a hand that moves sixty times per second, and how far behind it
  they are; by turns with what a kernel merely says back.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import numpy as np
from scipy.spatial import cKDTree

from benchmarks.data import forget
from benchmarks.echo import ECHO, EchoHand
from benchmarks.pointed import FROM, RADIUS, VIEW, Hand, all_of, banded
from tests.browser.lab import Lab
from udfwidgets.engine.plan.order import coarse_to_fine
from udfwidgets.live.picture.sampling import spread
from udfwidgets.shapes import Shape

NAV, SIG, GRAINS, ROUNDS = (512, 1024), (128, 128), 60, 7
#: Views of a scan that was never read, and drags over one that is kept.
VIEWS, DRAGS = 3, 8
#: Seconds that a person takes from one cell to the next.
READING = 5
DATA = Path(__file__).parent / "data"

SETUP = """
from udfwidgets import Context, SumSigUDF, SumUDF
ctx = Context()
scan = ctx.load("raw", path={path!r}, dtype="uint16", nav_shape={nav}, sig_shape={sig})
"""
SMALL = """
import numpy as np
from udfwidgets.geometry import Disk, Point
row = np.ones((256, 128, 128), "u2")
row[np.arange(256), :, np.arange(256) // 2] += 64
small = ctx.load("memory", data=np.broadcast_to(row, (256, *row.shape)).copy())
"""
LIVE = """
live = ctx.live(scan, [SumSigUDF(), SumUDF()])
live
"""

# Does something, and waits until an attribute of an element passes a check; returns milliseconds on
# the page's clock, from just before.
TIME = """([act, selector, name, least]) => new Promise(resolve => {
  const passes = value => typeof least === 'number' ? Number(value) >= least : value === least;
  const began = performance.now();
  const look = () => {
    const found = document.querySelector(selector)?.dataset[name];
    if (passes(found)) resolve(performance.now() - began); else requestAnimationFrame(look);
  };
  new Function(act)();
  look();
})"""
RUN = """
const notebook = window.lab.panel().content;
notebook.activeCellIndex = notebook.widgets.indexOf(window.lab.cell(1));
void window.lab.run('notebook:run-cell');
"""
PRESS = "document.querySelector('.udfw-status .udfw-cancel').click()"


def recognisable(image: np.ndarray) -> float:
    """Return the part of the scan after which its picture correlates above 0.8 with `image`."""
    order = coarse_to_fine(Shape(image.shape, 0), 1)
    estimable = np.ones(image.shape, bool)
    for fraction in np.arange(0.001, 1, 0.001):
        covered = np.zeros(image.size, bool)
        covered[order[: int(fraction * image.size)]] = True
        covered = covered.reshape(image.shape)
        shown = spread(np.where(covered, image, 0), covered, estimable)
        known = ~np.isnan(shown)
        if np.corrcoef(shown[known], image[known])[0, 1] > 0.8:
            return float(fraction)
    return 1.0


def clear(lab: Lab) -> None:
    """Have all pictures be gone from the page."""
    lab.page.evaluate("() => window.lab.run('notebook:clear-all-cell-outputs')")
    lab.wait_until("() => !document.querySelector('.udfw-canvas')")


def first_picture(lab: Lab, part: float) -> float:
    """Return milliseconds from running the cell to a picture with a part of the scan in it."""
    clear(lab)
    milliseconds = float(lab.page.evaluate(TIME, [RUN, ".udfw-canvas", "udfwFraction", part]))
    lab.execute("live.close()")
    return milliseconds


def cancelled(lab: Lab) -> float:
    """Return milliseconds from a press of the cancel button to the card that says so."""
    lab.page.evaluate(TIME, [RUN, ".udfw-canvas", "udfwFraction", 0.05])
    card = [".udfw-status", "udfwState", "cancelled"]
    milliseconds = float(lab.page.evaluate(TIME, [PRESS, *card]))
    lab.execute("live.close()")
    return milliseconds


def polycrystal(rng: np.random.Generator) -> np.ndarray:
    """Return how bright each position of the scan is: grains, each of one brightness."""
    centers = rng.random((GRAINS, 2)) * NAV
    positions = np.stack(np.indices(NAV), axis=-1).reshape(-1, 2)
    return rng.integers(1, 64, GRAINS)[cKDTree(centers).query(positions)[1]].reshape(NAV)


def write(path: Path, brightness: np.ndarray, rng: np.random.Generator) -> None:
    """Write a raw file of which each frame is one pattern as bright as its position."""
    pattern = rng.poisson(3, SIG).astype("u2")
    with path.open("wb") as file:
        for row in brightness.astype("u2"):
            frames = row[:, np.newaxis, np.newaxis] * pattern
            banded(frames, len(row))
            frames.tofile(file)
        # A disk that is still busy with it would be measured, too.
        os.fsync(file.fileno())


def told(what: str, found: list[float]) -> None:
    """Print milliseconds."""
    rest = ", ".join(f"{ms:.0f}" for ms in found)
    print(f"{what}: {statistics.median(found):.0f} ms (of {rest})", flush=True)


def pointed(lab: Lab, large: Path) -> None:
    """Move detectors by hand."""
    found = []
    for _ in range(VIEWS):
        forget(large)
        lab.run_cell(2)
        found += Hand(lab).singly()
        lab.execute("view.close()")
        clear(lab)
    told("first picture after a move, of a scan that was never read", found)
    lab.run_cell(3, wait=True)
    lab.wait_until("() => document.querySelectorAll('.udfw-canvas').length > 1")
    lab.execute("import time\nview.wait()\nwhile not view.is_kept: time.sleep(0.05)")
    hand = Hand(lab)
    told("first picture after a move, of a scan that is kept", hand.singly())
    lab.run_cell(4)
    echo = EchoHand(lab)
    by_turns = [(hand.drag(), echo.drag()) for _ in range(DRAGS)]
    for what, drags in zip(
        ("of 256 x 256 positions", "a bare echo"), zip(*by_turns, strict=True), strict=True
    ):
        print(f"while dragging, {what}: {all_of(drags)}", flush=True)
    lab.execute("view.close()")


def main() -> int:
    rng = np.random.default_rng(0)
    brightness = polycrystal(rng)
    part = recognisable(brightness)
    with tempfile.TemporaryDirectory(dir=DATA) as folder:
        large = Path(folder) / "large.raw"
        write(large, brightness, rng)
        print(f"{large.stat().st_size / 2**30:.0f} GiB; recognisable after {part:.1%}")
        setup = SETUP.format(path=str(large), nav=NAV, sig=SIG)
        views = [VIEW.format(scan=scan, x=FROM, r=RADIUS) for scan in ("scan", "small")]
        sources = setup, LIVE, views[0], SMALL + views[1], ECHO
        cells = [nbformat.v4.new_code_cell(source) for source in sources]
        with Lab(Path(folder) / "lab") as lab:
            notebook = Path(folder) / "watched.ipynb"
            kernel = {"name": "python3", "display_name": "Python 3"}
            metadata = {"kernelspec": kernel}
            nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), notebook)
            lab.open(notebook)
            lab.run_cell(0)
            time.sleep(READING)
            print(f"first picture of a kernel: {first_picture(lab, part):.0f} ms")
            for what, measure in [
                ("first recognisable picture", lambda: first_picture(lab, part)),
                ("from the cancel button to the card that says so", lambda: cancelled(lab)),
            ]:
                told(what, [measure() for _ in range(ROUNDS)])
            pointed(lab, large)
    return 0


if __name__ == "__main__":
    sys.exit(main())
