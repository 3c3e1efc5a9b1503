"""How many pictures per second a page paints, beside ImageGL and ipympl.

In a real JupyterLab, in a browser without a graphics card, each widget shows pictures of one size
on as many pixels of the screen, one widget at a time, and is fed as fast as it shows them. The
JupyterLab is that of an environment that has all of them. And how many times per second the
colours are others while a hand drags a limit of the contrast, which only ours has.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import nbformat
from playwright.sync_api import TimeoutError as TooLate

from benchmarks.contenders import OURS
from benchmarks.measure.live import Bench, Values
from benchmarks.pointed import MOVES, at_the_rate, move_held
from benchmarks.workers.pictures import TARGET
from tests.browser.lab import Lab

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-pictures/bin/python"
SIDES = (256, 1024, 4096)
IMAGEGL, IPYMPL = "ImageGL", "ipympl"
#: Pictures that may be under way to those that do not know when they are shown; the best counts.
CREDITS = {OURS: (0,), IMAGEGL: (1, 2, 4), IPYMPL: (1, 2)}
CANVAS = {
    OURS: ".udfw-canvas",
    IMAGEGL: ".bqplot canvas",
    IPYMPL: ".jupyter-matplotlib-canvas-container canvas",
}
SECONDS, ROUNDS, WARM, PATIENCE = 1.5, 3, 3, 20

#: Pixels of the picture on which a limit is dragged; by how many CSS pixels it is with each move,
#: and after how many it turns back.
CONTRAST, STRIDE, TURN = 1024, 3, 25

WATCH = "([selector, target]) => window.painted.watch(selector, target)"
PAINTED = "least => window.painted.count >= least"
NOW = "() => window.painted.now()"
MAKE = """
import json, sys
sys.path.insert(0, {root!r})
from benchmarks.workers.pictures import KINDS, Measured
"""
SHOW = """
fed = KINDS[{name!r}]({side}, {credit})
fed.widget
"""


Turn = tuple[float, float, float]
"""Pictures painted per second, and the kernel's seconds for each: to make and send it, and all."""


def painted(bench: Bench) -> dict[str, Values]:
    """Pictures painted per second, and what each of them takes the kernel."""
    if not PYTHON.exists():
        print(f"    left out: there is no {PYTHON}; make bench sets it up")
        return {}
    return measure(str(PYTHON))


def measure(python: str, sides: Sequence[int] = SIDES, rounds: int = ROUNDS) -> dict[str, Values]:
    """Return the quantities of all sizes, by who was measured."""
    found: dict[str, Values] = {}
    with tempfile.TemporaryDirectory() as folder, Lab(Path(folder), server=python) as lab:
        _open(lab, Path(folder))
        for name, credits in CREDITS.items():
            _fed(lab, name, SIDES[0], credits[0])  # what is compiled or loaded at first
        for side in sides:
            turns: dict[tuple[str, int], list[Turn]] = {}
            # The largest take the others a minute.
            times = range(1 if side == SIDES[-1] else rounds)
            for _, (name, credits) in itertools.product(times, CREDITS.items()):
                for credit in credits:
                    turns.setdefault((name, credit), []).append(_fed(lab, name, side, credit))
            found |= _quantities(side, turns)
        drags = [_contrast(lab, CONTRAST) for _ in range(rounds)]
    found["contrast"], found["contrast-moves"] = (
        {OURS: statistics.median(values)} for values in zip(*drags, strict=True)
    )
    return found


def _quantities(side: int, turns: dict[tuple[str, int], list[Turn]]) -> dict[str, Values]:
    best: dict[str, Turn] = {}
    for (name, _), each in turns.items():
        rate, making, cpu = (statistics.median(values) for values in zip(*each, strict=True))
        if name not in best or rate > best[name][0]:
            best[name] = rate, making, cpu
    found: dict[str, Values] = {}
    for place, quantity in enumerate(("painted", "painted-making", "painted-cpu")):
        found[f"{quantity}-{side}"] = {name: values[place] for name, values in best.items()}
    for peer in (IMAGEGL, IPYMPL):
        if best[peer][0] == 0:
            continue  # it has painted nothing in all the time
        found[f"painted-{side}-{peer.lower()}"] = {OURS: best[OURS][0] / best[peer][0]}
    return found


def _open(lab: Lab, folder: Path) -> None:
    cells = [nbformat.v4.new_code_cell(MAKE.format(root=str(ROOT))), nbformat.v4.new_code_cell()]
    kernel = {"name": "python3", "display_name": "Python 3"}
    path = folder / "pictures.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    lab.page.add_init_script(path=Path(__file__).with_suffix(".js"))
    lab.open(path)
    lab.run_cell(0)


def _wait(lab: Lab, least: int) -> None:
    """Wait until so many are painted; who does not paint them in time has its rate all the same."""
    with contextlib.suppress(TooLate):
        lab.wait_until(PAINTED, timeout=PATIENCE, arg=least)


def _show(lab: Lab, name: str, side: int, credit: int) -> None:
    """Show a widget, and count what it paints."""
    source = SHOW.format(name=name, side=side, credit=credit)
    lab.page.evaluate("text => window.lab.cell(1).model.sharedModel.setSource(text)", source)
    lab.run_cell(1)
    lab.page.locator(CANVAS[name]).first.scroll_into_view_if_needed()
    lab.page.evaluate(WATCH, [CANVAS[name], TARGET if credit else ""])


def _end(lab: Lab, name: str) -> None:
    lab.execute("fed.close()")
    lab.page.evaluate("() => window.lab.run('notebook:clear-all-cell-outputs')")
    lab.wait_until("selector => !document.querySelector(selector)", arg=CANVAS[name])


def _contrast(lab: Lab, side: int) -> tuple[float, float]:
    """Return how often per second another contrast is painted, and what share of all moves."""
    _show(lab, OURS, side, 0)
    lab.execute("fed.hold()")
    lab.wait_until("() => document.querySelector('.udfw-canvas').dataset.udfwState === 'final'")
    lab.page.locator(".udfw-image").first.focus()
    lab.page.keyboard.press("h")
    box = lab.page.locator(".udfw-handle.udfw-high").bounding_box()
    assert box is not None, "the histogram is open"
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    lab.page.mouse.move(x, y)
    lab.page.mouse.down()
    session = lab.page.context.new_cdp_session(lab.page)
    began = lab.page.evaluate(NOW)
    for number in at_the_rate(MOVES):
        # To the left and back, by as much each time that the colours in the middle are others.
        move_held(session, x - STRIDE * (1 + abs((number + TURN) % (2 * TURN) - TURN)), y)
    ended = lab.page.evaluate(NOW)
    lab.page.mouse.up()
    session.detach()
    _end(lab, OURS)
    n_painted = ended[1] - began[1]
    return 1000 * n_painted / (ended[0] - began[0]), n_painted / MOVES


def _fed(lab: Lab, name: str, side: int, credit: int) -> Turn:
    _show(lab, name, side, credit)
    lab.execute("fed.begin()")
    _wait(lab, WARM)
    lab.execute("measured = Measured(fed)")
    began = lab.page.evaluate(NOW)
    time.sleep(SECONDS)
    # Of which there may be less than one in a second.
    _wait(lab, began[1] + WARM)
    ended = lab.page.evaluate(NOW)
    making, cpu = json.loads(lab.execute("print(json.dumps(measured.taken()))"))
    _end(lab, name)
    rate = 1000 * (ended[1] - began[1]) / (ended[0] - began[0])
    return rate, making, cpu
