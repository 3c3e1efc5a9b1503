from __future__ import annotations

from types import SimpleNamespace

import ipywidgets
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import clear_output, display
from traitlets.config import Config

from udfwidgets.live import outputs as outputs_module
from udfwidgets.live import places as module
from udfwidgets.live import where
from udfwidgets.live.outputs import Outputs
from udfwidgets.live.places import Places


class Publisher:
    """Passes on what is cleared, as that of a kernel does."""

    def __init__(self):
        self.hooks = []
        self.register_hook = self.hooks.append

    def clear_output(self, wait=False):
        message = {"header": {"msg_type": "clear_output"}, "content": {"wait": wait}}
        for hook in self.hooks:
            message = hook(message)


@pytest.fixture
def run(monkeypatch):
    """Return a function that runs code as a cell of a kernel would."""
    shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    shell.kernel = SimpleNamespace(get_parent=lambda: shell.get_parent())
    shell.display_pub.publish = lambda *args, **kwargs: None
    publisher = Publisher()
    for name in ("register_hook", "clear_output"):
        object.__setattr__(shell.display_pub, name, getattr(publisher, name))
    places = Places()
    monkeypatch.setattr(module, "places", places)
    monkeypatch.setattr(outputs_module, "places", places)
    for each in (module, where):
        monkeypatch.setattr(each, "get_ipython", lambda: shell)

    def set_parent(cell, message="a message"):
        metadata = {"cellId": cell} if cell else {}
        shell.get_parent = lambda: {"metadata": metadata, "header": {"msg_id": message}}

    def run(cell, code="pass", **names):
        set_parent(cell, f"of {cell}")
        shell.user_ns.update(names, clear_output=clear_output, w=ipywidgets)
        result = shell.run_cell(code, cell_id=cell)
        set_parent(None)
        result.raise_error()

    set_parent(None)
    shell.set_parent = lambda parent: None
    yield run
    if places._shell is not None:
        shell.events.unregister("pre_run_cell", places._begins)
        shell.events.unregister("post_run_cell", places._ends)
    InteractiveShell.clear_instance()
    ipywidgets.Widget.close_all()


@pytest.fixture
def make():
    """Return a function that makes a widget of which somebody wants to know where it is shown."""

    def make():
        shown = SimpleNamespace(gone=0, widget=ipywidgets.VBox())
        shown.outputs = Outputs(shown.widget, lambda: setattr(shown, "gone", shown.gone + 1))
        return shown

    return make


@pytest.fixture
def shown(make):
    return make()


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


BOXES = ["w.HBox([inside])", "w.Tab([inside])", "w.Accordion([w.VBox([inside])])"]


@pytest.mark.parametrize("box", BOXES)
def test_what_is_in_a_box_is_shown_where_the_box_is(run, make, box):
    first, second = make(), make()
    run("a", box, inside=first.widget)
    assert first.outputs
    run("b", "pass")
    assert first.gone == 0
    run("a", box, inside=second.widget)
    assert (first.gone, first.outputs.are_replaced) == (1, True)
    assert second.outputs


def test_box_that_is_shown_again_keeps_what_is_in_it(run, shown):
    run("a", "box = w.HBox([inside])\nbox", inside=shown.widget)
    run("a", "box")
    run("b", "box")
    run("a")
    assert shown.gone == 0
    run("b")
    assert shown.gone == 1


@pytest.mark.parametrize("end", ["box.children = []", "box.close()"])
def test_box_that_lets_go_of_it_shows_it_no_more(run, shown, end):
    run("a", "box = w.HBox([inside])\nbox", inside=shown.widget)
    run("b", end)
    assert (shown.gone, shown.outputs.are_replaced) == (1, False)


def test_box_that_is_filled_later_shows_it(run, shown):
    run("a", "box = w.HBox()\nbox", inside=shown.widget)
    run("b", "box.children = [inside]")
    run("b", "box.children = []; box.children = [inside]")
    assert (shown.gone, bool(shown.outputs)) == (0, True)
    run("b", "box.children = []")
    assert shown.gone == 1


def test_box_that_was_never_shown_shows_nothing(run, shown):
    run("a", "box = w.HBox([inside])", inside=shown.widget)
    run("a", "box.close()")
    assert (shown.gone, bool(shown.outputs)) == (0, False)


def test_deletion_by_a_person_counts_until_it_is_displayed_again(run, shown):
    run("a", "box = w.HBox([inside])\nbox", inside=shown.widget)
    shown.outputs.deleted()
    assert (shown.gone, bool(shown.outputs)) == (1, False)
    run("b", "pass")
    assert not shown.outputs
    run("b", "box")
    assert shown.outputs


def test_output_widget_is_a_place_of_its_own(run, make):
    first, second = make(), make()
    run("a", "out = w.Output()\nout", first=first.widget, second=second.widget)
    run("b", "with out: display(first)")
    run("b", "pass")
    assert first.gone == 0
    run("c", "with out:\n    clear_output(wait=True)\n    display(second)")
    assert (first.gone, bool(second.outputs)) == (1, True)
    run("c", "out.clear_output()")
    assert second.gone == 1


def test_output_widget_goes_with_the_cell_that_shows_it(run, shown):
    run("a", "out = w.Output()\nwith out: display(inside)\nout", inside=shown.widget)
    assert shown.outputs
    run("a", "pass")
    assert shown.gone == 1


def test_output_widget_that_nobody_has_seen_displayed_keeps_it(run, shown):
    run("a", "out = w.Output()\nwith out: display(inside)", inside=shown.widget)
    run("a", "pass")
    assert (shown.gone, bool(shown.outputs)) == (0, True)
    shown.outputs.deleted()
    assert shown.gone == 1


def test_cell_that_clears_its_output_shows_what_came_after(run, make):
    first, second = make(), make()
    clears = "for each in all_of_them:\n    clear_output(wait=True)\n    display(each)"
    run("a", clears, all_of_them=[first.widget, second.widget])
    assert (first.gone, second.gone, bool(second.outputs)) == (1, 0, True)


def test_quick_slider_leaves_only_the_last(run, make):
    made = []

    def of(value):
        made.append(make())
        display(made[-1].widget)

    run("a", "slider = w.IntSlider()\nw.interactive(of, value=slider)", of=of)
    for value in range(1, 5):
        module.get_ipython().user_ns["slider"].value = value
    assert [each.gone for each in made] == [1, 1, 1, 1, 0]
    run("a", "pass")
    assert [each.gone for each in made] == [1] * 5
