from __future__ import annotations

from types import SimpleNamespace

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from udfwidgets.live import outputs as module
from udfwidgets.live.outputs import Outputs


@pytest.fixture
def run(monkeypatch):
    """Return a function that runs code as a cell of a kernel would."""
    quiet = Config(HistoryManager={"enabled": False})
    shell = InteractiveShell.instance(config=quiet)
    shell.get_parent = lambda: {"metadata": {"cellId": run.cell} if run.cell else {}}
    monkeypatch.setattr(module, "_watched", module._Cells())
    monkeypatch.setattr(module, "get_ipython", lambda: shell)

    def run(cell, code="pass", **names):
        run.cell = cell
        shell.user_ns.update(names)
        result = shell.run_cell(code, cell_id=cell)
        run.cell = None
        result.raise_error()

    run.cell = None
    yield run
    for name, callback in (("pre_run_cell", "_begins"), ("post_run_cell", "_ends")):
        if module._watched._shell is not None:
            shell.events.unregister(name, getattr(module._watched, callback))
    InteractiveShell.clear_instance()


@pytest.fixture
def shown():
    shown = SimpleNamespace(gone=0)
    shown.outputs = Outputs(lambda: setattr(shown, "gone", shown.gone + 1))
    return shown


def test_cell_that_runs_again_has_lost_its_output(run, shown):
    run("a", "shown.outputs.note()", shown=shown)
    assert (shown.gone, shown.outputs.are_lost) == (0, False)
    run("b")
    assert shown.gone == 0
    run("a")
    assert (shown.gone, shown.outputs.are_replaced) == (1, True)


def test_cell_that_shows_it_again_keeps_it(run, shown):
    for _ in range(2):
        run("a", "shown.outputs.note()", shown=shown)
    assert shown.gone == 0
    assert shown.outputs


def test_deletion_during_the_cell_waits_for_its_end(run, shown):
    run("a", "shown.outputs.note()", shown=shown)
    run("a", "shown.outputs.deleted(); assert not shown.gone; shown.outputs.note()")
    assert shown.gone == 0


def test_cell_that_fails_has_ended_too(run, shown):
    run("a", "shown.outputs.note()", shown=shown)
    with pytest.raises(ZeroDivisionError):
        run("a", "1 / 0")
    assert shown.gone == 1


def test_two_cells_are_two_places(run, shown):
    run("a", "shown.outputs.note()", shown=shown)
    run("b", "shown.outputs.note()")
    run("a")
    assert shown.gone == 0
    run("b")
    assert shown.gone == 1


def test_front_end_that_names_no_cells(run, shown):
    run(None, "shown.outputs.note()", shown=shown)
    run(None)
    assert shown.gone == 0
    shown.outputs.deleted()
    assert (shown.gone, shown.outputs.are_replaced) == (1, False)


def test_what_is_dropped_is_forgotten(run, shown):
    run("a", "shown.outputs.note()", shown=shown)
    del shown.outputs
    run("a")
    assert shown.gone == 0
