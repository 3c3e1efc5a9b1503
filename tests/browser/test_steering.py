"""The buttons of a card and the dashboard, also while a cell keeps the kernel busy."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from .cards import (
    COUNT,
    LIVE,
    SETUP,
    fraction,
    press,
    run_cells,
    show,
    states,
    wait_for_fraction,
    wait_for_python,
    wait_for_states,
)
from .conftest import NotebookMaker
from .lab import Lab

pytestmark = pytest.mark.browser

SLEEP = "time.sleep(5)"
COMPUTE = """
square = np.random.default_rng(0).random((600, 600))
end = time.monotonic() + 5
while time.monotonic() < end:
    square @ square
"""


@pytest.mark.parametrize("blocks", [SLEEP, COMPUTE], ids=["sleeping", "computing"])
def test_pictures_change_while_a_cell_blocks(
    lab: Lab, lab_notebook: NotebookMaker, blocks: str
) -> None:
    lab.open(lab_notebook([SETUP, LIVE, blocks]))
    run_cells(lab, [0, 1])
    wait_for_fraction(lab, 0.02)
    lab.run_cell(2, wait=False)
    lab.wait_until("() => window.lab.kernelIs('busy')")
    show(lab)
    lab.page.evaluate(COUNT, 0)
    lab.wait_for_run()
    changes = lab.page.evaluate("() => window.counted.changes")
    assert changes >= 10, f"the picture changed {changes} times while the cell was running"


def test_buttons_work_while_a_cell_blocks(lab: Lab, lab_notebook: NotebookMaker) -> None:
    lab.open(lab_notebook([SETUP, LIVE, "time.sleep(60)"]))
    run_cells(lab, [0, 1])
    wait_for_states(lab, "running")
    lab.run_cell(2, wait=False)
    lab.wait_until("() => window.lab.kernelIs('busy')")
    show(lab)
    for button, state in [("toggle", "paused"), ("toggle", "running"), ("cancel", "cancelled")]:
        press(lab, button)
        wait_for_states(lab, state)
    press(lab, "restart")
    wait_for_states(lab, "running")
    # The status of the kernel is also that of the thread which serves the buttons.
    assert lab.page.evaluate("() => window.lab.running")
    lab.page.evaluate("() => window.lab.kernel().interrupt()")
    lab.wait_until("() => !window.lab.running && window.lab.kernelIs('idle')")


def test_pause_holds_and_resume_goes_on(lab: Lab, lab_notebook: NotebookMaker) -> None:
    lab.open(lab_notebook([SETUP, LIVE]))
    run_cells(lab, [0, 1])
    wait_for_fraction(lab, 0.02)
    toggle = lab.page.locator(".udfw-toggle")
    assert toggle.get_attribute("aria-label") == "Pause"
    # With the keyboard, and the focus stays where it was.
    toggle.focus()
    lab.page.keyboard.press("Enter")
    wait_for_states(lab, "paused")
    assert toggle.get_attribute("aria-label") == "Resume"
    assert lab.execute("live._run.state.name") == "'PAUSED'"
    lab.page.keyboard.press("Enter")
    wait_for_states(lab, "running")
    held = fraction(lab)
    wait_for_fraction(lab, held + 0.02)
    lab.execute("live.pause()")
    wait_for_states(lab, "paused")
    lab.execute("live.resume()")
    wait_for_states(lab, "running")


def test_restart_keeps_the_last_answer_in_grey(lab: Lab, lab_notebook: NotebookMaker) -> None:
    live = "paced = scan(1e6)\nlive = ctx.live(paced, SumSigUDF(), order='scan')\nlive"
    lab.open(lab_notebook([SETUP, live]))
    run_cells(lab, [0, 1])
    wait_for_states(lab, "done")
    lab.wait_until("() => document.querySelector('.udfw-canvas').dataset.udfwState === 'final'")
    lab.execute("paced._frames_per_second = 100")
    press(lab, "restart")
    lab.wait_until("() => document.querySelector('.udfw-canvas').dataset.udfwGeneration === '1'")
    wait_for_fraction(lab, 0.1)
    pixels = lab.canvas_pixels(".udfw-canvas")[..., :3].astype(int)
    colourful = np.ptp(pixels, axis=-1) > 25
    height = len(pixels)
    assert colourful[: height // 12].mean() > 0.9, "the new answer is in colour"
    rest = slice(3 * height // 4, height - 8)
    assert colourful[rest].mean() < 0.01, "what is not covered yet is grey"
    # The answer before rises with x, and can still be seen.
    columns = pixels[rest].mean(axis=(0, 2))
    assert np.corrcoef(columns, np.arange(len(columns)))[0, 1] > 0.9
    wait_for_python(lab, "live._run.progress.fraction < 1")


FIVE = """
first = ctx.live(scan(1e6), [SumUDF(), SumSigUDF()])
first.result()
shared = scan()
runs = [first] + [ctx.live(shared, SumSigUDF()) for _ in range(4)]
ctx.dashboard()
"""


@pytest.fixture
def tall(lab: Lab) -> Iterator[None]:
    """Make the window so high that all cards are in sight: the others are not kept up to date."""
    before = lab.page.viewport_size
    assert before is not None
    lab.page.set_viewport_size({"width": 1600, "height": 2200})
    yield
    lab.page.set_viewport_size(before)


@pytest.mark.usefixtures("tall")
def test_dashboard_shows_all_and_new_ones(lab: Lab, lab_notebook: NotebookMaker) -> None:
    lab.open(lab_notebook([SETUP, FIVE, "runs.append(ctx.live(shared, SumUDF()))"]))
    run_cells(lab, [0, 1])
    wait_for_states(lab, "done", "running", "running", "running", "running")
    lab.wait_until("() => document.querySelector('.udfw-totals').dataset.udfwRunning === '4'")
    assert lab.page.locator(".udfw-canvas").count() == 6
    for image in range(6):
        wait_for_fraction(lab, 0.01, image)
    press(lab, "cancel", 1)
    wait_for_states(lab, "done", "cancelled", "running", "running", "running")
    # Only one that has ended can be closed.
    assert not lab.page.locator(".udfw-close").nth(2).is_visible()
    press(lab, "close", 0)
    wait_for_states(lab, "cancelled", "running", "running", "running")
    lab.run_cell(2)
    wait_for_states(lab, "cancelled", "running", "running", "running", "running")
    # A run without a view gets a card as well; it has no restart.
    lab.execute("pending = ctx.run_udf(dataset=shared, udf=SumSigUDF(), sync=False)")
    lab.wait_until("() => document.querySelectorAll('.udfw-status').length === 6")
    assert not lab.page.locator(".udfw-restart").nth(5).is_visible()
    lab.execute("ctx.close()")
    lab.wait_until("() => document.querySelector('.udfw-totals').dataset.udfwRunning === '0'")
    assert states(lab) == ["cancelled"] * 6


def test_card_stands_alone_beside_the_notebook(lab: Lab, lab_notebook: NotebookMaker) -> None:
    lab.open(lab_notebook([SETUP, LIVE]))
    run_cells(lab, [0, 1])
    wait_for_states(lab, "running")
    lab.page.evaluate("() => window.lab.run('notebook:create-output-view')")
    wait_for_states(lab, "running", "running")
    press(lab, "cancel", 1)
    wait_for_states(lab, "cancelled", "cancelled")
