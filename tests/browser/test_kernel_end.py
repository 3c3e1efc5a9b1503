"""What the end of a kernel leaves on the page, in all windows, however it came about."""

from __future__ import annotations

import pytest

from .cards import (
    SETUP,
    fraction,
    press,
    run_cells,
    show,
    wait_for_fraction,
    wait_for_python,
    wait_for_states,
)
from .conftest import NotebookMaker
from .lab import Lab

pytestmark = pytest.mark.browser

SESSION = "window.lab.panel().context.sessionContext"
#: How a person ends a kernel, and how it ends by itself.
ENDS = {
    "shut down": f"() => {SESSION}.shutdown()",
    "restarted": f"() => {SESSION}.restartKernel()",
    "killed": f"""() => {{
      {SESSION}.session.kernel.requestExecute({{code: "import os; os.kill(os.getpid(), 9)"}});
    }}""",
}
#: Those that need a kernel: what the pictures were is in the page.
BUTTONS = ".udfw-status button:not(.udfw-history):visible"
#: Three minutes, and three seconds.
LONG = "live = ctx.live(scan(20), SumSigUDF())\nlive"
SHORT = "live = ctx.live(scan(1500), SumSigUDF())\nlive"
#: Ticks "Save Widget State Automatically", or unticks it.
SAVE_WIDGETS = "() => window.lab.run('@jupyter-widgets/jupyterlab-manager:saveWidgetState')"


def check_lost(lab: Lab) -> None:
    """Wait until the card says that there is no kernel; it keeps its picture, and no buttons."""
    wait_for_states(lab, "lost")
    assert lab.page.locator(".udfw-state").text_content() == "No kernel"
    assert lab.page.locator(BUTTONS).count() == 0
    assert fraction(lab) > 0.01


@pytest.mark.parametrize("how", ENDS)
def test_end_of_a_kernel_is_said_in_all_windows(
    lab: Lab, lab_notebook: NotebookMaker, how: str
) -> None:
    lab.open(lab_notebook([SETUP, LONG]))
    run_cells(lab, [0, 1])
    wait_for_fraction(lab, 0.01)
    lab.save()
    first = lab.page
    with lab.second_window():
        show(lab)
        wait_for_fraction(lab, 0.01)
        assert lab.page.locator(BUTTONS).count() == 3
        first.evaluate(ENDS[how])
        check_lost(lab)
    check_lost(lab)


def test_card_in_a_new_kernel_is_heard_during_a_cell(lab: Lab, lab_notebook: NotebookMaker) -> None:
    lab.open(lab_notebook([SETUP, LONG, "time.sleep(60)"]))
    run_cells(lab, [0, 1])
    wait_for_fraction(lab, 0.01)
    lab.page.evaluate(ENDS["restarted"])
    check_lost(lab)
    lab.wait_until("() => window.lab.kernelIs('idle')")
    run_cells(lab, [0, 1])
    wait_for_states(lab, "running")
    lab.run_cell(2, wait=False)
    lab.wait_until("() => window.lab.kernelIs('busy')")
    press(lab, "cancel")
    wait_for_states(lab, "cancelled")
    assert lab.page.evaluate("() => window.lab.running")
    lab.page.evaluate("() => window.lab.run('notebook:interrupt-kernel')")
    lab.wait_until("() => !window.lab.running")


def test_end_that_was_out_of_sight_is_shown_without_a_kernel(
    lab: Lab, lab_notebook: NotebookMaker
) -> None:
    lab.open(lab_notebook([SETUP, SHORT, "\n" * 200]))
    run_cells(lab, [0, 1])
    wait_for_fraction(lab, 0.01)
    lab.execute("live.pause()")
    lab.page.evaluate("() => window.lab.cell(2).node.scrollIntoView({block: 'end'})")
    sights = "{p.sights[live.status._key].view for p in hub().flow.pages.values()}"
    wait_for_python(lab, sights, {"hidden"})
    lab.execute("live.resume()")
    assert lab.execute("live.result() is not None and live.wait_saved()") == "True"
    lab.page.evaluate(ENDS["shut down"])
    wait_for_states(lab, "done")
    show(lab)
    lab.wait_until("() => document.querySelector('.udfw-canvas').dataset.udfwState === 'final'")
    assert fraction(lab) == 1
    assert lab.page.locator(BUTTONS).count() == 0


def test_saved_card_has_no_buttons_in_another_kernel(lab: Lab, lab_notebook: NotebookMaker) -> None:
    lab.open(lab_notebook([SETUP, SHORT]))
    lab.page.evaluate(SAVE_WIDGETS)
    try:
        run_cells(lab, [0, 1])
        wait_for_states(lab, "done")
        assert lab.page.locator(BUTTONS).count() == 1
        lab.execute("live.wait_saved()")
        lab.save()
        lab.page.evaluate(ENDS["shut down"])
        lab.restart_page(save=False)
        wait_for_states(lab, "done")
        show(lab)
        lab.wait_until("() => document.querySelector('.udfw-canvas').dataset.udfwState === 'final'")
        assert lab.page.locator(BUTTONS).count() == 0
    finally:
        lab.page.evaluate(SAVE_WIDGETS)
