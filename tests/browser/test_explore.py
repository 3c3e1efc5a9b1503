"""A view in which shapes are moved by hand: what the page shows, and what Python answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
import numpy as np
import pytest

from udfwidgets import demo

from .cards import wait_for_python
from .lab import Lab
from .test_stories import NOTEBOOKS, REPOSITORY, check_picture

pytestmark = pytest.mark.browser

CELLS = (
    """
import time
import numpy as np
from udfwidgets import Context
from udfwidgets.geometry import *

ctx = Context()
data = np.zeros((24, 24, 64, 64), np.uint16)
data[..., 20:44, 20:44] = 7
data[4:12, 4:12, 2:10, 2:10] = 90
dataset = ctx.load("memory", data=data)
view = ctx.explore(dataset, detectors={"D": Rectangle(32, 32, 6, 6)}, probe=Point(18, 18))
view
""",
    "begun = True\ntime.sleep(5)\nbegun = False",
)
# Where the image with a title is on the page, and which part of it is shown, in data pixels.
PLOT = """title => {
  const pad = [...document.querySelectorAll('.udfw-pad')]
    .find(each => each.getAttribute('aria-label') === `Shapes on ${title}`);
  const box = pad.getBoundingClientRect();
  const shown = pad.querySelector('.udfw-drawing').dataset.udfwWindow.split(',').map(Number);
  return [box.x, box.y, box.width, box.height, ...shown];
}"""
SHOWN = "titles => titles.every(t => document.querySelector(`[aria-label='Shapes on ${t}']`))"
#: What Python says of a detector, and what its answer has to be.
EXACT = (
    "(view.wait(), bool((view.result('D') =="
    " data[..., view.detectors['D'].mask((64, 64))].sum(-1)).all()))[1]"
)


@pytest.fixture(scope="module")
def opened(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> None:
    """One notebook for all of these tests."""
    path: Path = tmp_path_factory.mktemp("explore") / "explore.ipynb"
    kernel = {"name": "python3", "display_name": "Python 3"}
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    lab.open(path)
    lab.run_cell(0)


@pytest.fixture
def view(lab: Lab, opened: None) -> Iterator[Lab]:
    """The view in sight, with a detector in the middle and the probe where nothing is."""
    lab.wait_until(SHOWN, arg=["all patterns", "D"])
    lab.execute(
        "view.detectors['D'] = Rectangle(32, 32, 6, 6); view.probe = Point(18, 18); view.wait()"
    )
    lab.page.evaluate("() => document.querySelector('.udfw-pad').scrollIntoView({block: 'center'})")
    yield lab
    lab.page.mouse.up()


def at(lab: Lab, title: str, x: float, y: float) -> tuple[float, float]:
    """Return where a data pixel of an image is on the page."""
    left, top, width, height, x0, x1, y0, y1 = lab.page.evaluate(PLOT, title)
    return left + (x + 0.5 - x0) / (x1 - x0) * width, top + (y + 0.5 - y0) / (y1 - y0) * height


def drag(lab: Lab, title: str, start: tuple[float, float], *path: tuple[float, float]) -> None:
    """Press on an image, and move through positions; the button stays down."""
    lab.page.mouse.move(*at(lab, title, *start))
    lab.page.mouse.down()
    for position in path:
        lab.page.mouse.move(*at(lab, title, *position), steps=5)


def picture_of(lab: Lab, index: int) -> np.ndarray:
    """Return the colours of an image as it is on the page."""
    return lab.canvas_pixels(".udfw-canvas", index)[..., :3].astype(int)


def test_detector_follows_the_hand_and_the_answer_the_detector(view: Lab) -> None:
    before = picture_of(view, 1)
    drag(view, "all patterns", (32, 32), (20, 20), (6, 6))
    # The button is still down.
    wait_for_python(view, "view.detectors.is_resting('D')", False)
    wait_for_python(view, "abs(view.detectors['D'].cx - 6) < 0.5", True)
    wait_for_python(view, EXACT, True)
    view.page.mouse.up()
    wait_for_python(view, "view.detectors.is_resting('D')", True)
    wait_for_python(view, EXACT, True)
    after = picture_of(view, 1)
    assert (np.abs(after - before).sum(axis=-1) > 60).mean() > 0.05


def test_pattern_follows_the_probe(view: Lab) -> None:
    drag(view, "D", (18, 18), (12, 12), (7, 7))
    view.page.mouse.up()
    wait_for_python(view, "(round(view.probe.cx), round(view.probe.cy))", (7, 7))
    wait_for_python(
        view, "bool((view.result('probe') == data[7, 7]).all()) and list(view.images)[-1]",
        "pattern at y=7, x=7",
    )  # fmt: skip


def test_answers_come_while_a_cell_blocks(view: Lab) -> None:
    view.run_cell(1, wait=False)
    while view.execute("globals().get('begun')", aside=True) != "True":
        pass
    before = picture_of(view, 1)
    drag(view, "all patterns", (32, 32), (20, 20), (6, 6))
    view.wait_until(
        """before => {
          const canvas = document.querySelectorAll('.udfw-canvas')[1];
          const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          let sum = 0;
          for (let i = 0; i < data.length; i += 4) sum += data[i] + data[i + 1] + data[i + 2];
          return Math.abs(sum - before) > before / 50;
        }""",
        arg=int(before.sum()),
    )
    assert view.execute("begun", aside=True) == "True", "the cell was through before"
    view.page.mouse.up()
    view.wait_for_run()
    wait_for_python(view, "abs(view.detectors['D'].cx - 6) < 0.5 and " + EXACT, True)


def test_detector_is_drawn_and_deleted_by_hand(view: Lab) -> None:
    view.page.locator(".udfw-bench").first.locator(".udfw-disk").click()
    drag(view, "all patterns", (50, 50), (56, 50))
    view.page.mouse.up()
    wait_for_python(view, "len(view.detectors)", 2)
    view.wait_until(SHOWN, arg=["disk"])
    wait_for_python(
        view, "bool((view.result('disk') =="
        " data[..., view.detectors['disk'].mask((64, 64))].sum(-1)).all())", True,
    )  # fmt: skip
    view.page.keyboard.press("Delete")
    wait_for_python(view, "list(view.detectors), 'disk' in view.images", (["D"], False))


@pytest.mark.timeout(240)
def test_story_runs_and_shows_pictures(lab: Lab) -> None:
    demo.make_scan(REPOSITORY / "demo-data", formats=["mib"])
    link = lab.folder / "demo-data"
    if not link.exists():
        link.symlink_to(REPOSITORY / "demo-data", target_is_directory=True)
    lab.open(NOTEBOOKS / "explore.ipynb")
    lab.run_all(wait=False)
    lab.wait_for_run(timeout=200)
    pictures = lab.page.locator(".udfw-canvas").count()
    assert pictures == 9  # the pattern, four detectors, two formulas, probe and region
    for index in range(pictures):
        check_picture(lab, index)
