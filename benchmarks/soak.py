"""Ten minutes of dragging in a real JupyterLab: ``python -m benchmarks.soak``.

A detector, a ring and the probe of a view are dragged over a demo scan, one after the other and
without a pause. Between drags it is looked at how much memory of its own (`RssAnon`) the kernel
has; in the end the view is closed. It fails where the view took more than the budget of what it
keeps of the scan, where the last fifth of the time took more than the first, and where closing did
not give it back.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat

from tests.browser.lab import Lab
from udfwidgets import demo

#: Bytes that may come and go: caches of the interpreter, of NumPy, and of the widgets.
ALLOWANCE = 48 * 2**20
#: Seconds between two looks.
LOOK = 5
MIB = 2**20
NAV = (192, 192)

CELLS = (
    """
import gc, os
from udfwidgets import Context, SumUDF
from udfwidgets.geometry import *

ctx = Context()
scan = ctx.load("auto", path={path!r})
# All that is compiled and loaded once.
first = ctx.explore(scan, detectors={{"BF": Disk(32, 32, 8), "ADF": Annulus(32, 32, 10, 17)}})
first
""",
    "view = ctx.explore(scan, detectors=dict(first.detectors), probe=Point(40, 40))\nview",
)
#: What of the dragging Python hears.
COUNT = """
changes = {"detectors": 0, "probe": 0}
def note(what):
    def count(*news):
        changes[what] += 1
    return count
view.detectors.on_change(note("detectors"))
view.images["BF"].shapes.on_change(note("probe"))
"""
STORE = "view._board._memory._store"
#: The image with a title: where it is on the page, and what of it is shown, in data pixels.
PLOT = """title => {
  const pads = [...document.querySelectorAll('.udfw-pad')];
  const pad = pads.find(each => each.getAttribute('aria-label') === `Shapes on ${title}`);
  pad.scrollIntoView({block: 'center'});
  const {x, y, width, height} = pad.getBoundingClientRect();
  return [x, y, width, height, ...pad.firstChild.dataset.udfwWindow.split(',').map(Number)];
}"""


def own_memory(pid: int) -> int:
    """Return how many bytes a process has that are in no file."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this system does not say RssAnon: it has to be a Linux")


def rose(size: float) -> Iterator[tuple[float, float]]:
    """Return an endless path around a place, in data pixels, that never comes to an end."""
    step = 0
    while True:
        angle = step * 0.11
        away = size * math.sin(angle * math.sqrt(2))
        yield away * math.cos(angle), away * math.sin(angle)
        step += 1


class Dragging:
    """A hand in the page that takes shapes in turn, and moves each for some seconds."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self.moves = 0

    def drag(
        self, title: str, start: tuple[float, float], path: Iterator[tuple[float, float]]
    ) -> None:
        """Press on a shape at a data pixel, move on and on, bring it back, and let go."""
        left, top, width, height, x0, x1, y0, y1 = self._lab.page.evaluate(PLOT, title)
        mouse, (x, y) = self._lab.page.mouse, start

        def to(dx: float, dy: float) -> tuple[float, float]:
            across, down = (x + dx + 0.5 - x0) / (x1 - x0), (y + dy + 0.5 - y0) / (y1 - y0)
            return left + across * width, top + down * height

        mouse.move(*to(0, 0))
        mouse.down()
        end = time.monotonic() + LOOK
        while time.monotonic() < end:
            mouse.move(*to(*next(path)))
            self.moves += 1
        mouse.move(*to(0, 0))
        mouse.up()


def soak(lab: Lab, minutes: float) -> list[str]:
    """Drag for so many minutes, print what is seen, and return what is wrong."""
    pid = int(lab.execute("os.getpid()"))
    lab.execute("first.wait(); first._board._memory._store.wait(); first.close(); gc.collect()")
    begin = own_memory(pid)
    lab.run_cell(1)
    lab.wait_until("() => document.querySelectorAll('.udfw-drawing[data-udfw-window]').length > 2")
    lab.execute(f"view.wait(); {STORE}.wait()")
    lab.execute(COUNT)
    budget, kept = (int(lab.execute(f"{STORE}.{name}")) for name in ("budget", "nbytes"))
    print(f"begins with {begin / MIB:.0f} MiB; keeps {kept / MIB:.0f}, of {budget / MIB:.0f}")
    hand, seen, end = Dragging(lab), [], time.monotonic() + 60 * minutes
    turns = [
        ("all patterns", (32.0, 32.0), rose(12)),
        ("all patterns", (45.5, 32.0), rose(6)),
        ("BF", (40.0, 40.0), rose(25)),
    ]
    while time.monotonic() < end:
        for turn in turns:
            hand.drag(*turn)
            seen.append(own_memory(pid) - begin)
            print(f"{len(seen) * LOOK:5d} s  {seen[-1] / MIB:6.0f} MiB more, {hand.moves} moves")
    part = max(1, len(seen) // 5)
    early, late = max(seen[:part]), max(seen[-part:])
    print("in the end:", lab.execute("(view.wait(), dict(view.detectors), changes)[1:]"))
    heard = lab.execute("min(changes.values())")
    lab.execute("view.close(); gc.collect()")
    after = own_memory(pid) - begin
    print(f"at most {max(seen) / MIB:.0f} MiB more, early {early / MIB:.0f}, late {late / MIB:.0f}")
    print(f"closed: {after / MIB:.0f} MiB more than before")
    found = {
        f"of {hand.moves} moves Python has heard {heard} of a kind": int(heard) < len(seen),
        f"{max(seen)} bytes are more than the budget of {budget}": max(seen) > budget,
        "it takes more and more": late > early + ALLOWANCE,
        "it is not given back when the view is closed": after > ALLOWANCE,
    }
    return [what for what, is_so in found.items() if is_so]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = demo.make_scan(folder / "data", nav_shape=NAV, formats=["mib"])["mib"]
        cells = [nbformat.v4.new_code_cell(cell.format(path=str(path))) for cell in CELLS]
        kernel = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(
            nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}),
            folder / "soak.ipynb",
        )
        with Lab(folder / "lab") as lab:
            lab.open(folder / "soak.ipynb")
            lab.run_cell(0)
            wrong = soak(lab, minutes)
    for each in wrong:
        print(f"wrong: {each}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
