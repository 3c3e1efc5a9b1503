"""What the end of a kernel leaves on the page, in all windows, however it came about."""

from __future__ import annotations

import pytest

from .cards import (
    SETUP,
    fraction,
    run_cells,
    show,
    wait_for_fraction,
    wait_for_states,
)
from .conftest import NotebookMaker
from .lab import Lab

pytestmark = pytest.mark.browser

SESSION = "window.lab.panel().context.sessionContext"
#: How a person ends a kernel.
ENDS = {
    "shut down": f"() => {SESSION}.shutdown()",
    "restarted": f"() => {SESSION}.restartKernel()",
}
BUTTONS = ".udfw-status button:visible"
#: Three minutes.
LONG = "live = ctx.live(scan(20), SumSigUDF())\nlive"


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
