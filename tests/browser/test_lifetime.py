"""What docs/lifetime.md promises, where it takes a browser to see it."""

from __future__ import annotations

import pytest

from .cards import (
    LIVE,
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
from .lab import Lab, LabError

pytestmark = pytest.mark.browser

#: What the page keeps of widgets, and the kernel of their feeds.
HELD_BY_PAGE = "() => window[Symbol.for('udfwidgets.lives')].size"
HELD_BY_KERNEL = "len(hub()._feeds)"


def started(lab: Lab, make: NotebookMaker, *more: str) -> None:
    """Open a notebook with a live analysis, and wait until it draws."""
    lab.open(make([SETUP, LIVE, *more]))
    run_cells(lab, [0, 1])
    wait_for_fraction(lab, 0.01)
    lab.execute("first = live")


def wait_until_gone(lab: Lab, name: str = "first") -> None:
    """Wait until an analysis is cancelled and closed."""
    wait_for_python(lab, f"({name}.done, {name}.comm)", (True, None))


def assert_alive(lab: Lab) -> None:
    """Check that the first analysis goes on, in the kernel and on the page."""
    before = fraction(lab)
    wait_for_fraction(lab, before + 0.01)
    assert lab.execute("(first.done, first.comm is None)") == "(False, False)"


def test_cell_that_runs_again_replaces_its_analysis(lab: Lab, lab_notebook: NotebookMaker) -> None:
    started(lab, lab_notebook)
    feeds, models = lab.execute(HELD_BY_KERNEL), lab.page.evaluate(HELD_BY_PAGE)
    for _ in range(3):
        lab.run_cell(1)
    wait_until_gone(lab)
    show(lab)
    wait_for_states(lab, "running")
    # A read that is under way is waited for, and this source takes its time.
    wait_for_python(lab, "len(ctx.analyses)", 1)
    wait_for_python(lab, HELD_BY_KERNEL, int(feeds))
    lab.wait_until(f"models => ({HELD_BY_PAGE})() === models", arg=models)


def test_cell_that_shows_the_same_analysis_again_keeps_it(
    lab: Lab, lab_notebook: NotebookMaker
) -> None:
    # The page has long said that the view is gone when the cell brings it back.
    started(lab, lab_notebook, "time.sleep(2)\nlive")
    lab.execute("live.status.title = 'kept'")
    lab.run_cell(2)
    lab.run_cell(2)
    wait_for_states(lab, "running", "running")
    assert_alive(lab)


def test_deleted_output_ends_its_analysis(lab: Lab, lab_notebook: NotebookMaker) -> None:
    started(lab, lab_notebook)
    lab.page.evaluate("() => window.lab.run('notebook:clear-all-cell-outputs')")
    wait_until_gone(lab)
    assert lab.execute(HELD_BY_KERNEL) == "0"
    lab.wait_until(f"() => ({HELD_BY_PAGE})() === 0")
    assert lab.execute("first.snapshot().damage.data.any()") in ("True", "np.True_")


def test_deleted_tab_ends_the_analysis_in_it(lab: Lab, lab_notebook: NotebookMaker) -> None:
    in_a_tab = "import ipywidgets\nipywidgets.Tab([ipywidgets.HBox([live])])"
    lab.open(lab_notebook([SETUP, LIVE.replace("\nlive", "\n" + in_a_tab)]))
    run_cells(lab, [0, 1])
    wait_for_fraction(lab, 0.01)
    lab.execute("first = live")
    lab.page.evaluate("() => window.lab.run('notebook:clear-all-cell-outputs')")
    wait_until_gone(lab)
    assert lab.execute(HELD_BY_KERNEL) == "0"


def test_deleted_output_does_not_end_what_is_waited_for(
    lab: Lab, lab_notebook: NotebookMaker
) -> None:
    started(lab, lab_notebook)
    lab.execute("import asyncio\nasync def wait(): return await live")
    lab.execute("task = asyncio.ensure_future(wait())")
    wait_for_python(lab, "len(live.keepers.waiters)", 1)
    lab.page.evaluate("() => window.lab.run('notebook:clear-all-cell-outputs')")
    wait_for_python(lab, "live.keepers.outputs.are_lost")
    assert lab.execute("live.done") == "False"
    lab.execute("task.cancel()")
    wait_until_gone(lab)


def test_deleted_output_leaves_what_is_on_a_dashboard(
    lab: Lab, lab_notebook: NotebookMaker
) -> None:
    started(lab, lab_notebook, "board = ctx.dashboard()\nboard")
    lab.run_cell(2)
    wait_for_states(lab, "running", "running")
    lab.page.evaluate("() => window.lab.cell(1).model.outputs.clear()")
    wait_for_states(lab, "running")
    show(lab)
    assert_alive(lab)
    lab.page.evaluate("() => window.lab.cell(2).model.outputs.clear()")
    wait_for_python(lab, "board.comm is None")
    wait_until_gone(lab)
    assert lab.execute(HELD_BY_KERNEL) == "0"
    assert lab.execute("len(ctx.registry._watchers)") == "0"


def test_dashboard_that_goes_leaves_what_was_never_shown(
    lab: Lab, lab_notebook: NotebookMaker
) -> None:
    make = "live = ctx.live(scan(), SumSigUDF())"
    lab.open(lab_notebook([SETUP, make, "board = ctx.dashboard()\nboard"]))
    run_cells(lab, [0, 1, 2])
    wait_for_fraction(lab, 0.01)
    lab.execute("old = board")
    lab.run_cell(2)
    wait_for_python(lab, "(old.comm, board.comm is None)", (None, False))
    wait_for_states(lab, "running")
    lab.page.evaluate("() => window.lab.run('notebook:clear-all-cell-outputs')")
    wait_for_python(lab, "board.comm is None")
    assert lab.execute("(live.done, live.comm is None)") == "(False, False)"


def test_moved_cell_keeps_its_analysis(lab: Lab, lab_notebook: NotebookMaker) -> None:
    started(lab, lab_notebook, "1 + 1")
    lab.page.evaluate("() => { window.lab.panel().content.activeCellIndex = 1; }")
    lab.page.evaluate("() => window.lab.run('notebook:move-cell-down')")
    lab.wait_until("() => window.lab.cell(2).node.querySelector('.udfw-status')")
    show(lab)
    assert_alive(lab)


def test_reloaded_page_goes_on(lab: Lab, lab_notebook: NotebookMaker) -> None:
    started(lab, lab_notebook)
    lab.restart_page()
    show(lab)
    assert_alive(lab)
    press(lab, "cancel")
    wait_for_states(lab, "cancelled")


def test_notebook_that_is_opened_again_goes_on(lab: Lab, lab_notebook: NotebookMaker) -> None:
    lab.open(path := lab_notebook([SETUP, LIVE]))
    run_cells(lab, [0, 1])
    wait_for_fraction(lab, 0.01)
    lab.execute("first = live")
    lab.close_notebook()
    lab.reopen(path)
    show(lab)
    assert_alive(lab)
    press(lab, "cancel")
    wait_for_states(lab, "cancelled")


def test_two_windows_show_the_same(lab: Lab, lab_notebook: NotebookMaker) -> None:
    started(lab, lab_notebook)
    lab.save()
    with lab.second_window():
        show(lab)
        assert_alive(lab)
        press(lab, "toggle")
        wait_for_states(lab, "paused")
    wait_for_states(lab, "paused")
    press(lab, "toggle")
    assert_alive(lab)


def test_output_is_gone_when_no_window_shows_it(lab: Lab, lab_notebook: NotebookMaker) -> None:
    started(lab, lab_notebook)
    lab.save()
    with lab.second_window():
        show(lab)
        assert_alive(lab)
        lab.page.evaluate("() => window.lab.cell(1).model.outputs.clear()")
        views = "[p.sights[live.status._key].view for p in hub().flow.pages.values()]"
        wait_for_python(lab, f"{views}.count('none')", 1)
        assert lab.execute("live.done") == "False"
    lab.page.evaluate("() => window.lab.cell(1).model.outputs.clear()")
    wait_until_gone(lab)


def test_interrupted_cell_leaves_the_analysis_alone(lab: Lab, lab_notebook: NotebookMaker) -> None:
    started(lab, lab_notebook, "live.result()")
    lab.run_cell(2, wait=False)
    lab.wait_until("() => window.lab.kernelIs('busy')")
    lab.page.evaluate("() => window.lab.run('notebook:interrupt-kernel')")
    with pytest.raises(LabError, match="KeyboardInterrupt"):
        lab.wait_for_run()
    show(lab)
    assert_alive(lab)


def test_closed_context_is_said_on_the_card(lab: Lab, lab_notebook: NotebookMaker) -> None:
    started(lab, lab_notebook)
    lab.execute("ctx.close()")
    wait_for_states(lab, "cancelled")
    lab.wait_until("() => document.querySelector('.udfw-status .udfw-restart').hidden")
    assert lab.page.locator(".udfw-status button:not(.udfw-history):visible").count() == 0
