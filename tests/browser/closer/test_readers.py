"""Cards for everybody: read out, without motion, in the system's colours, by axe's rules."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import playwright.sync_api
import pytest

from tests.browser.cards import run_cells, wait_for_states
from tests.browser.conftest import FAILURES, NotebookMaker
from tests.browser.lab import Lab

pytestmark = pytest.mark.browser

SHOWN = FAILURES.parent / "shown"
AXE = Path(__file__).parents[3] / "node_modules" / "axe-core" / "axe.min.js"
SETUP = """
import numpy as np
from udfwidgets import Context, SumSigUDF, SumUDF, demo
from udfwidgets.geometry import Annulus, Disk
ctx = Context()
data = np.random.default_rng(0).random((64, 64, 32, 32), np.float32)
data += np.arange(64, dtype=np.float32)[:, None, None]

def paced(rate):
    return demo.PacedDataSet(ctx.load("memory", data=data), rate)
"""
LISTEN = """() => {
  window.heard = [];
  new MutationObserver((changes) => {
    for (const {target} of changes) {
      const region = target.parentElement?.closest('.udfw-told > *') ?? target;
      if (region.matches?.('.udfw-told > *') && region.textContent)
        window.heard.push([region.getAttribute('role'), region.textContent]);
    }
  }).observe(document.body, {childList: true, characterData: true, subtree: true});
}"""


def test_progress_and_the_end_are_read_out(lab: Lab, lab_notebook: NotebookMaker) -> None:
    first = "live = ctx.live(paced(1000), SumSigUDF())\nlive.pause()\nlive"
    lab.open(lab_notebook([SETUP, first]))
    run_cells(lab, [0, 1])
    wait_for_states(lab, "paused")
    lab.page.evaluate(LISTEN)
    lab.execute("live.resume()")
    wait_for_states(lab, "done")
    heard = lab.page.evaluate("() => window.heard")
    assert {role for role, _ in heard} == {"status"}
    texts = [text for _, text in heard]
    assert (texts[0], texts[-1]) == ("SumSigUDF: goes on", "SumSigUDF: done, 4096 frames")
    # A page that is busy may be told of two of them at once.
    quarters = [f"SumSigUDF: {n} %" for n in (25, 50, 75)]
    assert len(texts) > 3
    assert texts[1:-1] == [each for each in quarters if each in texts]


CARD = """
live = ctx.live(ctx.load("memory", data=data), [SumSigUDF(), SumUDF()])
live
"""
EXPLORE = """
view = ctx.explore(ctx.load("memory", data=data), detectors={"BF": Disk(16, 16, 4),
                   "ADF": Annulus(16, 16, 6, 12)})
view
"""
BOARD = "other = ctx.live(ctx.load('memory', data=data), SumSigUDF())\nctx.dashboard()"
# Of what is on a page, even if something cuts it off: what reaches beyond its output, or its row.
BEYOND = """() => [...document.querySelectorAll('.udfw-analysis')].flatMap(card => {
  const {left, right} = card.closest('.jp-OutputArea-output').getBoundingClientRect();
  // bqplot hears of another size late, and what it has besides marks is transparent.
  const isSeen = (each) => each.getClientRects().length > 0
    && !each.closest('.udfw-told, .bqplot > :not(:has(.mark *))');
  const beyond = [...card.querySelectorAll('*')].filter(isSeen).filter(each => {
    const box = each.getBoundingClientRect();
    return box.left < left - 1 || box.right > right + 1;
  });
  const high = [...card.querySelectorAll('.udfw-status-head')]
    .filter(head => head.scrollHeight > head.clientHeight);
  return [...beyond, ...high].map(each => each.outerHTML.slice(0, 80));
})"""
AUDIT = """async () => {
  const rules = {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']};
  const cards = document.querySelectorAll('.udfw-dashboard, .udfw-analysis');
  const {violations, passes} = await axe.run(cards, rules);
  return [passes.length, violations.filter(v => ['serious', 'critical'].includes(v.impact))
    .map(v => `${v.id}: ${v.nodes.map(n => n.html.slice(0, 120) + ' ' + n.failureSummary)
    .join('; ')}`)];
}"""


@pytest.fixture
def finished(lab: Lab, lab_notebook: NotebookMaker) -> Lab:
    """A card, a view, and a dashboard, each in a cell of its own."""
    lab.open(lab_notebook([SETUP, CARD, EXPLORE, BOARD]))
    return lab


def audit(lab: Lab) -> None:
    passed, failed = lab.page.evaluate(AUDIT)
    assert passed > 5
    assert failed == []


def open_all(lab: Lab) -> None:
    """Show what is there only on request: the tools, the ruler, colours."""
    lab.page.locator(".udfw-image").first.focus()
    for key in ("m", "h"):
        lab.page.keyboard.press(key)
    lab.page.locator(".udfw-panel").first.wait_for()


@pytest.mark.skipif(not AXE.exists() and not os.environ.get("CI"), reason="npm ci has not run")
def test_axe_finds_nothing_serious(finished: Lab) -> None:
    lab = finished
    lab.page.evaluate(AXE.read_text())
    lab.run_cell(0)
    for cell, name in ((1, "card"), (2, "view"), (3, "board")):
        run_cells(lab, [cell])
        lab.wait_until(
            "() => [...document.querySelectorAll('.udfw-status')].length > 0 &&"
            " [...document.querySelectorAll('.udfw-status')].every("
            "card => card.dataset.udfwState === 'done')"
        )
        open_all(lab)
        for theme in ("Light", "Dark"):
            lab.set_theme(f"JupyterLab {theme}")
            lab.screenshot(SHOWN / f"readers-{name}-{theme.lower()}.png")
            audit(lab)
        check_reflow(lab, name)
        lab.page.locator(".udfw-image").first.focus()
        lab.page.keyboard.press("?")
        lab.page.locator(".udfw-keys[open]").wait_for()
        audit(lab)
        lab.set_theme("JupyterLab Light")
        lab.page.keyboard.press("Escape")
        lab.page.evaluate(
            "cell => window.lab.panel().content.widgets[cell].outputArea.model.clear()", cell
        )


def check_reflow(lab: Lab, name: str) -> None:
    """See a narrow page, as on a small screen or at 200 %: the file browser takes most of it."""
    before = lab.page.viewport_size
    assert before is not None
    lab.page.evaluate("() => window.jupyterapp.shell.expandLeft()")
    lab.page.locator(".udfw-history").first.click()
    try:
        for width in (640, 560):
            lab.page.set_viewport_size({"width": width, "height": 1200})
            narrow = "most => document.querySelector('.udfw-status').offsetWidth < most"
            lab.wait_until(narrow, arg=width - 350)
            # Some things hear of it a frame later.
            with contextlib.suppress(playwright.sync_api.TimeoutError):
                lab.wait_until(f"() => ({BEYOND})().length === 0", timeout=10)
            lab.screenshot(SHOWN / f"reflow-{name}-{width}.png")
            assert lab.page.evaluate(BEYOND) == []
    finally:
        lab.page.set_viewport_size(before)


def test_nothing_moves_and_colours_are_the_systems(lab: Lab, lab_notebook: NotebookMaker) -> None:
    lab.open(lab_notebook([SETUP, "live = ctx.live(paced(3000), SumSigUDF())\nlive", CARD]))
    try:
        check_motion(lab)
        lab.run_cell(2)
        wait_for_states(lab, "done", "done")
        check_colours(lab)
    finally:
        lab.page.emulate_media(reduced_motion="no-preference", forced_colors="none")


# The digest of the picture when the last frame is painted, and when all glow has faded.
FADING = """async () => {
  const canvas = document.querySelector('.udfw-canvas');
  const digest = () => new Uint32Array(canvas.getContext('2d')
    .getImageData(0, 0, canvas.width, canvas.height).data.buffer)
    .reduce((a, b) => (a * 31 + b) | 0, 7);
  const frame = () => new Promise(requestAnimationFrame);
  while (canvas.dataset.udfwState !== 'final') await frame();
  await frame();
  const first = digest();
  const began = performance.now();
  while (performance.now() - began < 700) await frame();
  return first === digest();
}"""


def check_motion(lab: Lab) -> None:
    """See what has come last light up, unless nothing is to move."""
    lab.run_cell(0)
    stays: dict[Any, bool] = {}
    for wish in ("no-preference", "reduce"):
        lab.page.emulate_media(reduced_motion=wish)
        lab.run_cell(1, wait=False)
        lab.page.wait_for_selector(".udfw-canvas[data-udfw-state=live]")
        stays[wish] = lab.page.evaluate(FADING)
        lab.wait_for_run()
    assert stays == {"no-preference": False, "reduce": True}


def check_colours(lab: Lab) -> None:
    """See that what is known by its colour still is."""
    lab.page.emulate_media(forced_colors="active")
    lab.page.locator(".udfw-image").last.focus()
    lab.screenshot(SHOWN / "readers-forced.png")
    found = lab.page.evaluate(
        """() => {
          const colour = (selector, name) =>
            getComputedStyle([...document.querySelectorAll(selector)].at(-1))[name];
          const probe = document.body.appendChild(document.createElement('i'));
          const system = (name) => {
            probe.style.color = name;
            return getComputedStyle(probe).color;
          };
          const [highlight, text] = [system('Highlight'), system('CanvasText')];
          probe.remove();
          return {
            fill: colour('.udfw-fill', 'backgroundColor') === highlight,
            pressed: colour('.udfw-auto[aria-pressed=true]', 'backgroundColor') === highlight,
            state: colour('.udfw-state', 'borderTopColor') === text,
            ramp: colour('.udfw-swatch .udfw-ramp', 'backgroundImage').includes('gradient'),
          };
        }"""
    )
    assert found == dict.fromkeys(("fill", "pressed", "state", "ramp"), True)
    pixels = lab.canvas_pixels(".udfw-canvas", 2)[..., :3]
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 20
    lab.page.emulate_media(forced_colors="none")
