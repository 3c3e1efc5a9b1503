"""What hands do on a card: quick clicks, keys, and limits that are typed."""

from __future__ import annotations

import pytest

from .cards import SETUP, press, run_cells, states, wait_for_states
from .conftest import NotebookMaker
from .lab import Lab

pytestmark = pytest.mark.browser

CELLS = "() => window.lab.panel().content.widgets.length"
LIVE = "live = ctx.live(scan(), [SumSigUDF(), SumUDF()])\n"


def opened(lab: Lab, make: NotebookMaker, last: str = "live") -> None:
    lab.open(make([SETUP, LIVE + last]))
    run_cells(lab, [0, 1])
    wait_for_states(lab, "running")


def test_two_quick_clicks_on_cancel_leave_the_card(lab: Lab, lab_notebook: NotebookMaker) -> None:
    opened(lab, lab_notebook, "ctx.dashboard()")
    cancel = lab.page.locator(".udfw-cancel").first
    box = cancel.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    press(lab, "cancel")
    wait_for_states(lab, "cancelled")
    others = lab.page.locator(".udfw-commands button:visible").all()
    assert others
    for other in others:
        place = other.bounding_box()
        assert place is not None
        assert not (place["x"] <= x < place["x"] + place["width"])
    lab.page.mouse.click(x, y)
    assert states(lab) == ["cancelled"]
    lab.page.locator(".udfw-status .udfw-close").click()
    wait_for_states(lab)


@pytest.mark.parametrize("button", ["log", "swatch", "save", "cancel"])
def test_keys_on_buttons_do_not_reach_the_notebook(
    lab: Lab, lab_notebook: NotebookMaker, button: str
) -> None:
    opened(lab, lab_notebook)
    before = lab.page.evaluate(CELLS)
    lab.page.locator(f".udfw-{button}").first.focus()
    for key in ("a", "b", "x"):
        lab.page.keyboard.press(key)
    # Shortcuts are answered in their order: once this one is, those before it were.
    assert lab.page.evaluate(CELLS) == before


def test_panel_closes_when_it_is_tabbed_out_of(lab: Lab, lab_notebook: NotebookMaker) -> None:
    opened(lab, lab_notebook)
    lab.page.locator(".udfw-swatch").first.click()
    panel = lab.page.locator(".udfw-panel").first
    panel.locator("input").last.focus()
    assert panel.is_visible()
    lab.page.keyboard.press("Tab")
    lab.wait_until("() => document.querySelector('.udfw-panel').hidden")


def test_limits_that_are_refused_say_why(lab: Lab, lab_notebook: NotebookMaker) -> None:
    opened(lab, lab_notebook)
    lab.page.locator(".udfw-swatch").first.click()
    panel = lab.page.locator(".udfw-panel").first
    panel.locator("input").first.fill("5")
    panel.locator("input").last.fill("2")
    panel.locator("input").last.press("Enter")
    assert panel.locator(".udfw-refusal").text_content() == "From (5) has to be less than To (2)"
    panel.locator("input").last.fill("7")
    panel.locator("input").last.press("Enter")
    assert not panel.locator(".udfw-refusal").is_visible()


def test_scale_is_labelled(lab: Lab, lab_notebook: NotebookMaker) -> None:
    opened(lab, lab_notebook)
    nav, sig = (lab.page.locator(".udfw-scale").nth(i) for i in (0, 1))
    lab.wait_until("() => document.querySelectorAll('.udfw-scale')[1].textContent !== ''")
    assert nav.text_content() == ""
    assert sig.text_content() in ("log", "symlog")
    lab.page.locator(".udfw-image").first.hover()
    lab.page.locator(".udfw-log").first.click()
    lab.wait_until("() => document.querySelector('.udfw-scale').textContent === 'log'")
