"""The driver itself: what it starts, runs, reads and notices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from .conftest import NotebookMaker
from .lab import Lab, LabError

pytestmark = pytest.mark.browser

SLIDER = """
import ipywidgets
slider = ipywidgets.IntSlider(value=7, description="frames")
slider
"""

CANVAS = """
from IPython.display import HTML
HTML('<canvas id="probe" width="3" height="2"></canvas>')
"""

PAINT = """() => {
  const context = document.querySelector('#probe').getContext('2d');
  context.fillStyle = 'rgb(255, 0, 0)'; context.fillRect(0, 0, 3, 2);
  context.fillStyle = 'rgb(0, 0, 255)'; context.fillRect(2, 1, 1, 1);
}"""


def test_runs_a_notebook_and_sees_its_output(lab: Lab, lab_notebook: NotebookMaker) -> None:
    lab.open(lab_notebook([SLIDER, "print('value', slider.value)"]))
    lab.run_all()
    lab.page.wait_for_selector(".jp-OutputArea .widget-slider")
    assert lab.output(1) == "value 7"
    lab.execute("slider.value = 11")
    lab.wait_until("() => document.querySelector('.widget-readout')?.textContent === '11'")
    lab.run_cell(-1)
    assert lab.output(-1) == "value 11"


def test_themes_apply(lab: Lab, lab_notebook: NotebookMaker, tmp_path: Path) -> None:
    lab.open(lab_notebook(["1 + 1"]))
    background = "() => getComputedStyle(document.querySelector('.jp-Notebook')).backgroundColor"
    lab.set_theme("JupyterLab Dark")
    dark = lab.page.evaluate(background)
    assert lab.screenshot(tmp_path / "dark.png").read_bytes().startswith(b"\x89PNG")
    lab.set_theme("JupyterLab Light")
    assert lab.page.evaluate(background) != dark


def test_reads_canvas_pixels(lab: Lab, lab_notebook: NotebookMaker) -> None:
    lab.open(lab_notebook([CANVAS]))
    lab.run_all()
    lab.page.wait_for_selector("#probe")
    lab.page.evaluate(PAINT)
    expected = np.full((2, 3, 4), (255, 0, 0, 255), np.uint8)
    expected[1, 2] = (0, 0, 255, 255)
    np.testing.assert_array_equal(lab.canvas_pixels("#probe"), expected)


def test_execute_answers_while_a_cell_runs(lab: Lab, lab_notebook: NotebookMaker) -> None:
    lab.open(lab_notebook(["import threading; go_on = threading.Event()", "go_on.wait(60)"]))
    lab.run_all(wait=False)
    lab.wait_until("() => window.lab.kernelIs('busy')")
    while lab.execute("'go_on' in globals()", aside=True) == "False":
        pass  # the first cell has not run yet
    lab.execute("go_on.set()", aside=True)
    lab.wait_for_run()
    assert lab.output(1) == "True"


def test_failing_code_is_reported(lab: Lab, lab_notebook: NotebookMaker) -> None:
    lab.open(lab_notebook(["1 / 0"]))
    with pytest.raises(LabError, match="cell 0: ZeroDivisionError"):
        lab.run_all()
    with pytest.raises(LabError, match="NameError"):
        lab.execute("not_there")


def test_reloaded_page_finds_its_kernel(lab: Lab, lab_notebook: NotebookMaker) -> None:
    lab.open(lab_notebook(["kept = 42; print('kept')"]))
    lab.run_all()
    lab.restart_page()
    assert lab.execute("kept") == "42"
    assert lab.output(0) == "kept"


def test_page_errors_are_collected(lab: Lab, lab_notebook: NotebookMaker) -> None:
    lab.open(lab_notebook(["1 + 1"]))
    with lab.page.expect_event("pageerror"):
        lab.page.evaluate("() => { setTimeout(() => { throw new Error('on purpose'); }); }")
    assert any("on purpose" in text for text in lab.page_errors)
    lab.console.clear()
