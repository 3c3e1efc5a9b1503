"""Shapes on an image: every gesture and key, by what is drawn and by what Python has."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import nbformat
import numpy as np
import pytest

from udfwidgets.geometry import Annulus, Disk
from udfwidgets.live.shapes.holder import COLOURS

from .cards import wait_for_python
from .lab import Lab
from .pointing import SETUP, SIZE, Pointing, edges

pytestmark = pytest.mark.browser

# Until it is told that it has seen enough, or somebody has forgotten to.
BLOCK = """done, last = False, time.monotonic() + 80
while not done and time.monotonic() < last:
    time.sleep(0.05)
"""
AWAIT = "while 'BF' in image.shapes:\n    await asyncio.sleep(0.02)"
CELLS = "() => window.lab.panel().content.widgets.length"


@pytest.fixture(scope="module")
def opened(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One notebook for all of these tests: opening one takes longer than most of them."""
    path = tmp_path_factory.mktemp("pointing") / "pointing.ipynb"
    cells = [nbformat.v4.new_code_cell(source) for source in (SETUP, BLOCK, AWAIT)]
    kernel = {"name": "python3", "display_name": "Python 3"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, path)
    lab.open(path)
    lab.run_cell(0)
    return path


@pytest.fixture
def pointing(lab: Lab, opened: Path) -> Iterator[Pointing]:
    """The image, in sight."""
    lab.page.wait_for_selector(".udfw-pad")
    lab.page.evaluate("() => document.querySelector('.udfw-pad').scrollIntoView({block: 'center'})")
    pointing = Pointing(lab)
    yield pointing
    pointing.mouse.up()
    for key in ("Shift", "Control"):
        pointing.keyboard.up(key)


DRAWN = {
    "point": [(40, 60)],
    "disk": [(60, 60), (60, 80)],
    "annulus": [(60, 60), (90, 60)],
    "sector": [(60, 60), (90, 60)],
    "rectangle": [(20, 30), (60, 90)],
    "ellipse": [(20, 30), (60, 90)],
    "lasso": [(20, 20), (80, 20), (80, 60), (20, 60)],
    "brush": [(20, 20), (80, 20), (80, 60)],
}
NUMBERS = {
    "point": {"cx": 40, "cy": 60},
    "disk": {"cx": 60, "cy": 60, "r": 20},
    "annulus": {"cx": 60, "cy": 60, "ri": 15, "ro": 30},
    "sector": {"cx": 60, "cy": 60, "ri": 15, "ro": 30, "start": 315, "stop": 45},
    "rectangle": {"cx": 40, "cy": 60, "width": 40, "height": 60},
    "ellipse": {"cx": 40, "cy": 60, "rx": 20, "ry": 30, "angle": 0},
    "lasso": {},
    "brush": {"r": 8},
}
#: On the rim of each.
RIM = {
    "point": (38, 60),
    "disk": (40, 60),
    "annulus": (60, 45),
    "sector": (75, 60),
    "rectangle": (20, 60),
    "ellipse": (20, 60),
    "lasso": (50, 20),
    "brush": (50, 28),
}


@pytest.mark.parametrize("kind", DRAWN)
def test_tool_draws(pointing: Pointing, kind: str) -> None:
    pointing.begin()
    pointing.choose(kind)
    pointing.drag(*DRAWN[kind])
    pointing.wait_for(kind, kind.capitalize(), **NUMBERS[kind])
    pointing.wait_until_drawn(*RIM[kind], COLOURS[0], reach=4)
    wait_for_python(pointing.lab, "events[-1][2]")
    pointing.keyboard.press("Control+z")
    wait_for_python(pointing.lab, "len(image.shapes)", 0)


def test_polygon_is_drawn_corner_by_corner(pointing: Pointing) -> None:
    pointing.begin()
    pointing.choose("polygon")
    for corner in ((20, 20), (80, 20), (80, 70), (20, 20)):
        pointing.mouse.click(*pointing.at(*corner))
    rounded = "[[round(n) for n in p] for p in image.shapes['polygon'].points]"
    wait_for_python(pointing.lab, "len(image.shapes)", 1)
    wait_for_python(pointing.lab, rounded, [[20, 20], [80, 20], [80, 70]])
    pointing.wait_until_drawn(50, 45, COLOURS[0])


PULLED = {
    "inside": ("Disk(60, 60, 20)", (65, 62), (75, 72), {"cx": 70, "cy": 70, "r": 20}),
    "inside, 45 degrees": ("Disk(60, 60, 20)", (65, 62), (85, 64), {"cx": 80, "cy": 60}),
    "rim": ("Disk(60, 60, 20)", (60, 40), (60, 30), {"cx": 60, "cy": 60, "r": 30}),
    "inner rim": ("Annulus(60, 60, 10, 30)", (70, 60), (80, 60), {"ri": 20, "ro": 30}),
    "outer rim": ("Annulus(60, 60, 10, 30)", (60, 90), (60, 100), {"ri": 10, "ro": 40}),
    "edge": ("Sector(60, 60, 10, 40, 0, 90)", (60, 85), (35, 60), {"start": 0, "stop": 180}),
    "edge, 45 degrees": ("Sector(60, 60, 10, 40, 0, 90)", (60, 85), (38, 78), {"stop": 135}),
    "side": ("Rectangle(60, 60, 40, 30)", (80, 63), (90, 63), {"cx": 65, "width": 50}),
    "corner, square": (
        "Rectangle(60, 60, 40, 30)", (80, 75), (90, 75), {"width": 50, "height": 50},
    ),
    "axis": ("Ellipse(60, 60, 20, 30)", (80, 60), (90, 60), {"rx": 30, "ry": 30}),
    "axis, circle": ("Ellipse(60, 60, 20, 30)", (80, 60), (95, 60), {"rx": 35, "ry": 35}),
    "brush": ("Brush([(30, 60), (90, 60)], 10)", (60, 70), (60, 75), {"r": 15}),
}  # fmt: skip


@pytest.mark.parametrize("grip", PULLED)
def test_drag(pointing: Pointing, grip: str) -> None:
    code, start, end, numbers = PULLED[grip]
    pointing.begin(S=code)
    # The second drag starts at what has handles by then.
    pointing.mouse.click(*pointing.at(*start))
    pointing.drag(start, end, shift="," in grip)
    pointing.wait_for("S", code.partition("(")[0], **numbers)
    wait_for_python(pointing.lab, "events[-1][2], events[0][2]", (True, False))


def test_handle_of_a_polygon_moves_one_corner(pointing: Pointing) -> None:
    pointing.begin(S="Polygon([(20, 20), (80, 20), (80, 80)])")
    pointing.mouse.click(*pointing.at(70, 40))
    pointing.drag((80, 20), (100, 30))
    rounded = "[[round(n) for n in p] for p in image.shapes['S'].points]"
    wait_for_python(pointing.lab, rounded, [[20, 20], [100, 30], [80, 80]])


def test_keys(pointing: Pointing) -> None:
    pointing.begin(BF="Disk(60, 60, 20)", probe="Point(20, 20)")
    cells = pointing.lab.page.evaluate(CELLS)
    pointing.mouse.click(*pointing.at(62, 62))
    for key, x, y in [
        ("ArrowRight", 61, 60),
        ("ArrowDown", 61, 61),
        ("Shift+ArrowLeft", 51, 61),
        ("Shift+ArrowUp", 51, 51),
    ]:
        pointing.keyboard.press(key)
        pointing.wait_for("BF", "Disk", cx=x, cy=y)
    pointing.wait_until_drawn(51, 71, COLOURS[0])
    assert not pointing.is_drawn(60, 80, COLOURS[0])
    # Of the notebook: new cells, deleted ones, others below, another mode.
    for key in ("x", "d", "d", "j", "c", "v", "Enter", "Shift+Enter", "z"):
        pointing.keyboard.press(key)
    pointing.keyboard.press("Delete")
    wait_for_python(pointing.lab, "list(image.shapes)", ["probe"])
    pointing.keyboard.press("Control+z")
    pointing.wait_for("BF", "Disk", cx=51, cy=51)
    pointing.keyboard.press("Control+z")
    pointing.wait_for("BF", "Disk", cx=51, cy=61)
    pointing.keyboard.press("Control+Shift+z")
    pointing.wait_for("BF", "Disk", cx=51, cy=51)
    pointing.keyboard.press("Backspace")
    wait_for_python(pointing.lab, "list(image.shapes)", ["probe"])
    assert pointing.lab.page.evaluate(CELLS) == cells
    assert "probe" in pointing.lab.execute("list(image.shapes)")


def test_escape_gives_up_what_is_under_way(pointing: Pointing) -> None:
    pointing.begin(BF="Disk(60, 60, 20)")
    pointing.drag((62, 62), (82, 62), lift=False)
    pointing.wait_for("BF", "Disk", cx=80)
    wait_for_python(pointing.lab, "image.shapes.is_resting('BF')", False)
    pointing.keyboard.press("Escape")
    pointing.wait_for("BF", "Disk", cx=60)
    pointing.mouse.up()
    wait_for_python(pointing.lab, "image.shapes.is_resting('BF')", True)
    pointing.choose("annulus")
    pointing.keyboard.press("Escape")
    assert pointing.lab.page.locator(".udfw-kinds [aria-pressed=true]").count() == 0
    pointing.keyboard.press("Escape")
    assert pointing.lab.page.locator(".udfw-name[aria-pressed=true]").count() == 0
    assert pointing.lab.execute("len(image.shapes)") == "1"


def test_finger_and_pen_move_shapes(pointing: Pointing) -> None:
    pointing.begin(BF="Disk(60, 60, 20)")
    pointing.touch("Start", pointing.at(60, 60))
    for x in (70, 80):
        pointing.touch("Move", pointing.at(x, 60))
    pointing.touch("End")
    pointing.wait_for("BF", "Disk", cx=80, cy=60)
    pointing.pen("Pressed", pointing.at(80, 60))
    for y in (70, 75):
        pointing.pen("Moved", pointing.at(80, y))
    pointing.pen("Released", pointing.at(80, 75))
    pointing.wait_for("BF", "Disk", cx=80, cy=75)


def test_two_fingers_zoom_the_picture_and_leave_the_shape(pointing: Pointing) -> None:
    pointing.begin(BF="Disk(60, 60, 20)")
    left, top = pointing.at(60, 60)
    pointing.touch("Start", (left - 20, top))
    pointing.touch("Start", (left - 20, top), (left + 20, top))
    for apart in (30, 40):
        pointing.touch("Move", (left - apart, top), (left + apart, top))
    pointing.touch("End")
    wait_for_python(pointing.lab, "image.figure.scale_x.max - image.figure.scale_x.min < 70")
    assert pointing.lab.execute("image.shapes['BF']") == repr(Disk(60, 60, 20))
    (x0, x1), (y0, y1) = pointing.window()
    assert x1 - x0 == pytest.approx(SIZE / 2, rel=0.02)
    assert y1 - y0 == pytest.approx(SIZE / 2, rel=0.02)
    # What was between the fingers still is.
    assert pointing.at(60, 60) == pytest.approx((left, top), abs=2)
    show_all(pointing)


def show_all(pointing: Pointing) -> None:
    (left, _), (top, _) = pointing.window()
    pointing.mouse.dblclick(*pointing.at(left + 1, top + 1))
    wait_for_python(pointing.lab, "image.figure.scale_x.max - image.figure.scale_x.min", SIZE + 0.0)


def test_zoomed_in_the_pixels_that_belong_are_outlined(pointing: Pointing) -> None:
    pointing.begin(BF="Disk(60.3, 60, 5.2)")
    pointing.mouse.move(*pointing.at(60, 60))
    pointing.mouse.wheel(0, -1100)
    wait_for_python(pointing.lab, "image.figure.scale_x.max - image.figure.scale_x.min < 30")
    pointing.wait_until_drawn(65.5, 60, COLOURS[0])
    mask = Disk(60.3, 60, 5.2).mask((SIZE, SIZE))
    near = [(x, y, parts) for x, y, parts in edges(mask) if abs(x - 60) < 4 and abs(y - 60) < 5]
    assert sum(parts for *_, parts in near) >= 4
    for x, y, parts in near:
        # Inside, and away from the smooth rim, nothing is drawn.
        is_deep = np.hypot(x - 60.3, y - 60) < 3.5
        if parts:
            assert pointing.is_drawn(x, y, COLOURS[0], reach=1), f"no line at {x, y}"
        elif is_deep:
            assert not pointing.is_drawn(x, y, COLOURS[0], reach=1), f"a line at {x, y}"
    pointing.drag((60, 60), (62, 61))
    pointing.wait_for("BF", "Disk", cx=62.3, cy=61)
    show_all(pointing)


STRETCH = """() => {
  const image = document.querySelector('.udfw-image');
  image.parentElement.classList.add('udfw-analysis');
  image.style.height = '900px';
  const places = ['.udfw-plot', '.udfw-pad'].map(name =>
    JSON.stringify(image.querySelector(name).getBoundingClientRect()));
  image.parentElement.classList.remove('udfw-analysis');
  image.style.height = '';
  return places;
}"""


def test_shapes_lie_on_the_pixels_beside_a_taller_image(pointing: Pointing) -> None:
    pixels, shapes = pointing.lab.page.evaluate(STRETCH)
    assert pixels == shapes


def test_fields_take_numbers_and_refuse_others_in_words(pointing: Pointing) -> None:
    pointing.begin(ADF="Annulus(60, 60, 10, 30)")
    pointing.lab.page.locator(".udfw-name").click()
    fields = pointing.lab.page.locator(".udfw-fields")
    count = pointing.lab.page.locator(".udfw-count")
    refusal = pointing.lab.page.locator(".udfw-numbers .udfw-refusal")
    for name, text in [("cx", "50.5"), ("ro", "40"), ("ri", "20")]:
        fields.get_by_label(name).fill(text)
        fields.get_by_label(name).press("Enter")
        pointing.wait_for("ADF", "Annulus", **{name: float(text)})
    for name, text, why in [
        ("ri", "41", "ri (41) has to be no larger than ro (40)"),
        ("ro", "-1", "ro (-1) has to be 0 or more"),
        ("cy", "NaN", "cy is no number: type one, such as 12.5"),
    ]:
        fields.get_by_label(name).fill(text)
        fields.get_by_label(name).press("Enter")
        assert refusal.text_content() == why
        fields.get_by_label(name).press("Escape")
        assert not refusal.is_visible()
    assert fields.get_by_label("cy").input_value() == "60"
    assert (
        pointing.lab.execute("image.shapes['ADF']") == "Annulus(cx=50.5, cy=60.0, ri=20.0, ro=40.0)"
    )
    pixels = Annulus(50.5, 60, 20, 40).mask((SIZE, SIZE)).sum()
    assert count.text_content() == f"{pixels:,} px"
    fields.get_by_label("cx").fill("900")
    fields.get_by_label("cx").press("Enter")
    pointing.wait_for("ADF", "Annulus", cx=900)
    assert count.text_content() == "covers no pixel"


def test_fields_are_in_units_where_pixels_have_a_size(pointing: Pointing) -> None:
    pointing.begin(ADF="Annulus(60, 60, 10, 30)")
    pointing.lab.execute(
        "from udfwidgets.calibration import Scale\n"
        "image.measure_shapes(Scale(0.5, 'mrad'), Scale(0.5, 'mrad'))"
    )
    pointing.lab.page.locator(".udfw-name").click()
    fields = pointing.lab.page.locator(".udfw-fields")
    refusal = pointing.lab.page.locator(".udfw-numbers .udfw-refusal")
    unit = fields.locator(".udfw-unit")
    assert [unit.text_content(), fields.get_by_label("ro").input_value()] == ["mrad", "15"]
    fields.get_by_label("ro").fill("20")
    fields.get_by_label("ro").press("Enter")
    pointing.wait_for("ADF", "Annulus", ri=10, ro=40)
    fields.get_by_label("ri").fill("20.5")
    fields.get_by_label("ri").press("Enter")
    assert refusal.text_content() == "ri (20.5) has to be no larger than ro (20)"
    fields.get_by_label("ri").press("Escape")
    fields.get_by_label("cx").press("ArrowUp")  # by a pixel
    pointing.wait_for("ADF", "Annulus", cx=61)
    unit.click()
    assert [unit.text_content(), fields.get_by_label("cx").input_value()] == ["px", "61"]
    unit.click()
    assert fields.get_by_label("cx").input_value() == "30.5"
    pointing.lab.execute("image.measure_shapes(None, None)")
    unit.wait_for(state="detached")
    assert fields.get_by_label("cx").input_value() == "61"


def test_python_moves_shapes_from_any_thread(pointing: Pointing) -> None:
    pointing.begin(BF="Disk(60, 60, 20)")
    pointing.lab.execute(
        "import threading\n"
        "move = lambda: image.shapes.update(BF=Disk(30, 30, 10), ADF=Annulus(90, 90, 5, 20))\n"
        "thread = threading.Thread(target=move); thread.start(); thread.join()"
    )
    pointing.wait_until_drawn(40, 30, COLOURS[0])
    pointing.wait_until_drawn(110, 90, COLOURS[1])
    assert not pointing.is_drawn(40, 60, COLOURS[0])


def test_drag_reaches_python_while_a_cell_blocks(pointing: Pointing) -> None:
    pointing.begin(BF="Disk(60, 60, 20)")
    lab = pointing.lab
    places = [pointing.at(x, 60) for x in (60, 70, 80)]
    lab.run_cell(1, wait=False)
    lab.wait_until("() => window.lab.kernelIs('busy')")
    lab.page.evaluate("() => document.querySelector('.udfw-pad').scrollIntoView({block: 'center'})")
    pointing.mouse.move(*places[0])
    pointing.mouse.down()
    for place in places[1:]:
        pointing.mouse.move(*place, steps=4)
    pointing.mouse.up()
    lab.wait_until("() => document.querySelector('.udfw-drawing').dataset.udfwUnheard === '0'")
    seen = lab.execute("(round(image.shapes['BF'].cx), events[-1][2], done)", aside=True)
    assert seen == "(80, True, False)"
    lab.execute("done = True", aside=True)
    lab.wait_for_run()


def test_drags_reach_python_while_a_cell_awaits(pointing: Pointing) -> None:
    pointing.begin(BF="Disk(60, 60, 20)")
    lab = pointing.lab
    places = [pointing.at(x, 60) for x in range(60, 90, 10)]
    lab.run_cell(2, wait=False)
    lab.wait_until("() => window.lab.kernelIs('busy')")
    lab.page.evaluate("() => document.querySelector('.udfw-pad').scrollIntoView({block: 'center'})")
    # One after the other: a model that changed once falls silent here.
    for start, end in itertools.pairwise(places):
        pointing.mouse.move(*start)
        pointing.mouse.down()
        pointing.mouse.move(*end, steps=4)
        pointing.mouse.up()
        lab.wait_until("() => document.querySelector('.udfw-drawing').dataset.udfwUnheard === '0'")
    assert lab.execute("round(image.shapes['BF'].cx)", aside=True) == "80"
    pointing.keyboard.press("Delete")  # for which the cell waits
    lab.wait_for_run()
    assert lab.execute("len(image.shapes)") == "0"


def test_two_windows_see_what_the_other_does(pointing: Pointing) -> None:
    pointing.begin(BF="Disk(60, 60, 20)")
    lab = pointing.lab
    lab.save()
    with lab.second_window():
        lab.page.wait_for_selector(".udfw-pad")
        there = Pointing(lab)
        there.wait_until_drawn(80, 60, COLOURS[0])
        there.drag((60, 60), (90, 60))
        there.wait_for("BF", "Disk", cx=90)
        lab.execute("image.shapes['probe'] = Point(20, 20)")
        there.wait_until_drawn(18, 20, COLOURS[1], reach=4)
    pointing.wait_until_drawn(110, 60, COLOURS[0])
    pointing.wait_until_drawn(18, 20, COLOURS[1], reach=4)
    pointing.drag((90, 60), (40, 60))
    pointing.wait_for("BF", "Disk", cx=40)


def test_page_that_is_loaded_again_shows_the_shapes(pointing: Pointing) -> None:
    pointing.begin(BF="Disk(60, 60, 20)")
    pointing.drag((60, 60), (90, 60))
    pointing.wait_for("BF", "Disk", cx=90)
    pointing.lab.restart_page()
    pointing.lab.page.wait_for_selector(".udfw-pad")
    again = Pointing(pointing.lab)
    again.wait_until_drawn(110, 60, COLOURS[0])
    again.drag((90, 60), (60, 60))
    again.wait_for("BF", "Disk", cx=60)


SAVE_STATE = "@jupyter-widgets/jupyterlab-manager:saveWidgetState"


def test_saved_notebook_shows_the_last_shapes_without_its_kernel(
    pointing: Pointing, opened: Path
) -> None:
    pointing.begin(BF="Disk(60, 60, 20)")
    pointing.drag((60, 60), (90, 60))
    pointing.wait_for("BF", "Disk", cx=90)
    lab = pointing.lab
    saved = "[w._saved['shapes'][0][1]['cx'] for w in image.children if hasattr(w, 'tools')]"
    wait_for_python(lab, f"[round(x) for x in {saved}]", [90])
    lab.page.evaluate("name => window.lab.run(name, {})", SAVE_STATE)
    lab.save()
    state = nbformat.read(lab.root / opened.name, as_version=4).metadata["widgets"]
    assert '"disk"' in json.dumps(state)
    lab.open(lab.root / opened.name)
    lab.page.wait_for_selector(".udfw-drawing[data-udfw-window]")
    Pointing(lab).wait_until_drawn(110, 60, COLOURS[0])
    # Others find the setting as it was.
    lab.page.evaluate("name => window.lab.run(name, {})", SAVE_STATE)
