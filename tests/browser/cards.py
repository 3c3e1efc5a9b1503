"""Notebooks of live analyses that take their time, and what the page shows of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from .lab import Lab, LabError

#: 4096 frames, a hundred per second: enough time to do something with it on any machine.
SETUP = """
import time
import numpy as np
from udfwidgets import Context, SumSigUDF, SumUDF, demo
from udfwidgets.live.wire.hub import hub

ctx = Context()
# Frames so large that few of them make a merge step.
data = np.random.default_rng(0).random((64, 64, 64, 64), np.float32)
data += np.arange(64)[:, None, None]

def scan(rate=100):
    return demo.PacedDataSet(ctx.load("memory", data=data), rate)
"""
LIVE = "live = ctx.live(scan(), SumSigUDF())\nlive"

#: Seconds that the kernel may take for anything.
PATIENCE = 60

STATES = "[...document.querySelectorAll('.udfw-status')].map(card => card.dataset.udfwState)"

# Counts, while the kernel is busy, how often the pixels of an image change.
COUNT = """index => {
  const canvas = document.querySelectorAll('.udfw-canvas')[index];
  const counted = window.counted = { changes: 0, busy: 0 };
  let last = 0;
  const look = () => {
    if (window.counted !== counted) return;
    if (window.lab.kernelIs('busy')) {
      counted.busy += 1;
      const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      const digest = new Uint32Array(pixels.data.buffer).reduce((a, b) => (a * 31 + b) | 0, 7);
      if (digest !== last) { last = digest; counted.changes += 1; }
    }
    requestAnimationFrame(look);
  };
  look();
}"""


def run_cells(lab: Lab, cells: Sequence[int]) -> None:
    """Run cells and bring the last one's output into sight."""
    for cell in cells:
        lab.run_cell(cell)
    show(lab)


def show(lab: Lab) -> None:
    """Bring the first card into sight."""
    lab.page.wait_for_selector(".udfw-status")
    lab.page.evaluate(
        "() => document.querySelector('.udfw-status').scrollIntoView({block: 'center'})"
    )


def states(lab: Lab) -> list[str]:
    """Return the states of all cards on the page."""
    return list(lab.page.evaluate(f"() => {STATES}"))


def wait_for_states(lab: Lab, *wanted: str) -> None:
    """Wait until there are as many cards, in these states."""
    lab.wait_until(f"wanted => {STATES}.join() === wanted", arg=",".join(wanted))


def press(lab: Lab, button: str, card: int = 0) -> None:
    """Click a button of a card."""
    lab.page.locator(".udfw-status").nth(card).locator(f".udfw-{button}").click()


def wait_for_python(lab: Lab, expression: str, value: Any = True) -> None:
    """Wait until an expression has a value in the kernel, also where it raises until then."""
    deadline = time.monotonic() + PATIENCE
    while (found := _found(lab, expression)) != repr(value):
        assert time.monotonic() < deadline, f"{expression} is {found}, expected {value!r}"
        lab.page.wait_for_timeout(50)


def _found(lab: Lab, expression: str) -> str:
    # The first of something may not be there yet.
    try:
        return lab.execute(expression).strip()
    except LabError as error:
        return str(error)


def fraction(lab: Lab, image: int = 0) -> float:
    """Return how much of the scan is in the picture on the screen."""
    return float(
        lab.page.evaluate(
            "i => +document.querySelectorAll('.udfw-canvas')[i].dataset.udfwFraction", image
        )
    )


def wait_for_fraction(lab: Lab, least: float, image: int = 0) -> None:
    """Wait until so much is in."""
    lab.wait_until(
        "([i, least]) => +(document.querySelectorAll('.udfw-canvas')[i]"
        "?.dataset.udfwFraction ?? 0) > least",
        arg=[image, least],
    )
