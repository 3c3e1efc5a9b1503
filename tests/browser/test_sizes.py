"""Sizes: scale bars, places in units, how wide images are, and titles that stay where they are."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from PIL import Image

from .cards import run_cells, show, wait_for_python, wait_for_states
from .conftest import FAILURES, NotebookMaker
from .lab import Lab
from .test_kernel_end import ENDS, SAVE_WIDGETS

pytestmark = pytest.mark.browser

SETUP = """
import numpy as np
from udfwidgets import ApplyMasksUDF, Calibration, Context, SumUDF
from udfwidgets.udf.com import CoMUDF

ctx = Context()
y, x = np.mgrid[:64, :64] - 32
turn = np.arange(32) * 2 * np.pi / 32
down, right = (6 * f(turn[:, None] + turn)[..., None, None] for f in (np.sin, np.cos))
data = (1e5 * np.exp(-((y - down) ** 2 + (x - right) ** 2) / 200)).astype(np.float32)
scan = ctx.load(
    "memory", data=data, calibration=Calibration(sig=(0.4, "mrad"), nav=[(2.5, "nm"), (2.5, "nm")])
)
"""
TWO = """
udfs = [SumUDF(), CoMUDF.with_params(cy=32, cx=32)]
live = ctx.live(scan, udfs, plots=[["intensity"], ["field_x"]], width={width})
live
"""
MANY = """
wide = ctx.live(scan, ApplyMasksUDF({"bright field": x**2 + y**2 < 100, "dark field": x > 20}))
ctx.dashboard()
"""
BARS = """() => [...document.querySelectorAll('.udfw-image')].map(image => {
  const bar = image.querySelector('.udfw-scalebar');
  const plot = image.querySelector('.udfw-plot').clientWidth;
  return {text: bar.innerText.trim(), hidden: bar.hidden, plot,
          width: bar.querySelector('i').getBoundingClientRect().width};
})"""
BOXES = """() => [...document.querySelectorAll('.udfw-image')].map(image => {
  const {width, height, left, right} = image.getBoundingClientRect();
  const card = image.closest('.udfw-pictures').parentElement.getBoundingClientRect();
  return {width, height, left: left - card.left, right: card.right - right, card: card.width};
})"""
# Whether images have kept their sizes for some frames: JupyterLab lays out a page in several goes.
STILL = f"""() => new Promise(resolve => {{
  let before = '', same = 0;
  const look = () => {{
    const now = JSON.stringify(({BOXES})());
    same = now === before ? same + 1 : 0;
    before = now;
    if (same > 5) resolve(true);
    else requestAnimationFrame(look);
  }};
  look();
}})"""
TITLES = """() => [...document.querySelectorAll('.udfw-title')].map(title => {
  const box = title.getBoundingClientRect();
  const parts = [...title.children].map(part => part.getBoundingClientRect());
  const name = title.querySelector('.udfw-title-name');
  return {left: box.left, top: box.top, width: box.width,
          seen: parts.map(p => p.top >= box.top - 1 && p.bottom <= box.bottom + 1),
          isCut: name.scrollWidth > name.clientWidth + 1};
})"""


# Whether the numbers along the lower edge of an image stand at the centres of their pixels.
EDGE = """([image, pixels, size]) => {
  const root = document.querySelectorAll('.udfw-image')[image];
  const plot = root.querySelector('.udfw-plot').getBoundingClientRect();
  const numbers = [...root.querySelectorAll('.udfw-edges text[text-anchor=middle]')];
  return numbers.length > 3 && numbers.every(text => {
    const box = text.getBoundingClientRect();
    const share = ((box.left + box.right) / 2 - plot.left) / plot.width;
    return Math.abs(share - (Number(text.textContent) / size + 0.5) / pixels) < 0.004;
  });
}"""


def check_edge(lab: Lab, image: int, pixels: int, size: float) -> None:
    """A number stands at the centre of its pixel, with its unit in the corner."""
    # Drawn a moment after the image has its size.
    lab.wait_until(EDGE, arg=[image, pixels, size])


def shown(lab: Lab) -> list[dict[str, Any]]:
    return list(lab.page.evaluate(BARS))


def point(lab: Lab, image: int, row: float, column: float) -> str:
    """Put the pointer on a pixel of 64 by 64, or of 32 by 32, and return what is said of it."""
    canvas = lab.page.locator(".udfw-canvas").nth(image)
    box = canvas.bounding_box()
    assert box is not None
    n = (64, 32)[image]
    x, y = (column + 0.5) / n * box["width"], (row + 0.5) / n * box["height"]
    lab.page.mouse.move(box["x"] + x, box["y"] + y)
    text = lab.page.locator(".udfw-readout").nth(image).inner_text()
    return text.replace("\u202f", "").replace("\u2212", "-")


def check_bars(lab: Lab) -> None:
    """A bar is as long as it says, and legible where it lies."""
    pattern, field = shown(lab)
    assert (pattern["text"], pattern["hidden"]) == ("5 mrad", False)
    assert pattern["width"] == pytest.approx(5 / 0.4 / 64 * pattern["plot"], abs=0.6)
    assert field["text"] == "20 nm"
    assert field["width"] == pytest.approx(20 / 2.5 / 32 * field["plot"], abs=0.6)
    for number in range(2):
        box = lab.page.locator(".udfw-scalebar i").nth(number).bounding_box()
        assert box is not None
        picture = picture_of(lab, box["x"] - 4, box["y"], box["width"] + 8, box["height"])
        line, plate = picture[1, 8:-8], picture[1, :3]
        assert line.min() > 235, "the bar is white"
        assert line.mean() - plate.mean() > 80, "and lies on something darker"
    check_edge(lab, 0, 64, 0.4)
    check_edge(lab, 1, 32, 2.5)
    corners = lab.page.locator(".udfw-edges text[text-anchor=end]:last-of-type").all_text_contents()
    assert sorted({*corners}) == ["mrad", "nm"]


def picture_of(lab: Lab, x: float, y: float, width: float, height: float) -> np.ndarray:
    path = FAILURES.parent / "shown" / "part.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    clip: Any = {"x": x, "y": y, "width": width, "height": height}
    path.write_bytes(lab.page.screenshot(clip=clip))
    return np.asarray(Image.open(path).convert("L")).astype(int)


def test_units_are_on_the_images_and_in_the_saved_notebook(
    lab: Lab, lab_notebook: NotebookMaker
) -> None:
    lab.open(lab_notebook([SETUP, TWO.format(width=420)]))
    lab.page.evaluate(SAVE_WIDGETS)
    try:
        run_cells(lab, [0, 1])
        wait_for_states(lab, "done")
        lab.wait_until("() => document.querySelectorAll('.udfw-image .bqplot').length === 2")
        check_bars(lab)
        check_words(lab)
        keep_pictures(lab, "units")
        assert lab.execute("live.wait_saved()") == "True"
        lab.save()
        lab.page.evaluate(ENDS["shut down"])
        lab.restart_page(save=False)
        lab.wait_until("() => document.querySelectorAll('.udfw-plot .udfw-scalebar').length === 2")
        lab.wait_until(f"() => ({BARS})().filter(bar => !bar.hidden).length === 2")
        show(lab)
        check_bars(lab)
        assert point(lab, 0, 10, 20).startswith("y 10 px = 4.00 mrad, x 20 px = 8.00 mrad: ")
    finally:
        lab.page.evaluate(SAVE_WIDGETS)


def check_words(lab: Lab) -> None:
    """What is said of a pixel and of a value, far and near."""
    assert point(lab, 0, 10, 20).startswith("y 10 px = 4.00 mrad, x 20 px = 8.00 mrad: ")
    said = point(lab, 1, 3, 4)
    assert said.startswith("y 3 px = 7.5 nm, x 4 px = 10.0 nm: ")
    number = re.search(r": (-?[\d.]+) px = (-?[\d.]+) mrad$", said)
    assert number is not None, said
    field = float(lab.execute("print(live.result()[1]['field_x'].data[3, 4])"))
    assert float(number[1]) == pytest.approx(field, rel=2e-3)
    assert float(number[2]) == pytest.approx(0.4 * field, rel=2e-3)
    assert lab.page.locator(".udfw-unit-of-values").all_inner_texts() == ["", "px"]
    # Closer: the bar says less, and is still as long as it says.
    lab.execute("live.images[0].window = (24, 32, 24, 32)")
    lab.wait_until(f"() => ({BARS})()[0].text === '1 mrad'")
    close = shown(lab)[0]
    assert close["width"] == pytest.approx(1 / 0.4 / 8 * close["plot"], abs=0.6)
    lab.execute("live.images[0].window = (0, 64, 0, 64)")
    lab.wait_until(f"() => ({BARS})()[0].text === '5 mrad'")
    lab.execute("live.images[0].width = 190; live.images[1].width = 400")
    lab.wait_until(f"() => ({BARS})()[0].hidden && !({BARS})()[1].hidden")
    lab.execute("live.images[0].width = live.images[1].width = 420")
    lab.wait_until(f"() => !({BARS})()[0].hidden")


def test_images_are_as_large_as_there_is_room_and_as_a_hand_wants(
    lab: Lab, lab_notebook: NotebookMaker
) -> None:
    before = lab.page.viewport_size
    assert before is not None
    lab.page.set_viewport_size({"width": 2560, "height": 1440})
    try:
        lab.open(lab_notebook([SETUP, TWO.format(width=None), MANY]))
        run_cells(lab, [0, 1])
        wait_for_states(lab, "done")
        lab.wait_until("() => document.querySelectorAll('.udfw-image .bqplot').length === 2")
        check_room(lab)
        check_titles(lab)
        check_drag(lab)
        run_cells(lab, [2])
        lab.wait_until("() => document.querySelectorAll('.udfw-grid .udfw-image').length === 4")
        check_dashboard(lab)
        keep_pictures(lab, "sizes")
    finally:
        lab.page.set_viewport_size(before)


def check_room(lab: Lab) -> None:
    one, other = lab.page.evaluate(BOXES)
    assert one["width"] == pytest.approx(other["width"], abs=0.5)
    assert one["width"] > 700, "images share the room of a wide screen"
    assert one["height"] < 0.75 * 1440, "but none is higher than it"
    for width in (1500, 1000, 700):
        lab.page.set_viewport_size({"width": width, "height": 1440})
        lab.wait_until(STILL)
        one, other = lab.page.evaluate(BOXES)
        check_edge(lab, 0, 64, 0.4)
        assert one["width"] == pytest.approx(other["width"], abs=0.5)
        beside = 2 if one["card"] > 404 else 1
        assert beside * one["width"] <= one["card"] + 1
        assert beside * one["width"] > 0.95 * min(one["card"], 2 * 760)
        canvas = lab.page.locator(".udfw-plot").first.bounding_box()
        assert canvas is not None
        assert canvas["width"] == pytest.approx(canvas["height"], abs=1.5), "square pixels"


def check_titles(lab: Lab) -> None:
    """On a narrow page: a title is whole, and stays so under the pointer."""
    away = lab.page.evaluate(TITLES)
    assert [title["isCut"] for title in away] == [False, False]
    assert all(title["seen"][-1] or title["seen"][0] for title in away)
    widths = LIMITS
    ramps = lab.page.evaluate(widths)
    lab.page.locator(".udfw-image").first.hover()
    lab.wait_until("() => getComputedStyle(document.querySelector('.udfw-tools')).opacity === '1'")
    assert lab.page.evaluate(TITLES) == away
    lab.execute("live.images[0].limits = (0, 827112)")
    lab.wait_until("() => document.querySelectorAll('.udfw-limit')[1].innerText === '827k'")
    assert lab.page.evaluate(widths)[0] == pytest.approx(ramps[0], abs=0.6)
    lab.execute("live.images[0].limits = (0, 1.1e6)")
    lab.wait_until("() => document.querySelectorAll('.udfw-limit')[1].innerText === '1.1M'")
    assert lab.page.evaluate(widths)[0] == pytest.approx(ramps[0], abs=0.6)
    lab.page.mouse.move(0, 0)


PANEL_IS_AT_ITS_IMAGE = """() => {
  const panel = [...document.querySelectorAll('.udfw-panel')].find((each) => !each.hidden);
  const header = panel.parentElement.getBoundingClientRect();
  return Math.abs(panel.getBoundingClientRect().right - header.right) < 2;
}"""
LIMITS = """() => [...document.querySelectorAll('.udfw-swatch .udfw-ramp')].map(
  ramp => ramp.getBoundingClientRect().left)"""


def check_drag(lab: Lab) -> None:
    """The corner makes images larger and smaller, for Python as well; two clicks undo it."""
    lab.page.set_viewport_size({"width": 1500, "height": 1440})
    lab.wait_until(STILL)
    wide = lab.page.evaluate(BOXES)[0]["width"]
    lab.page.locator(".udfw-image").first.hover()
    corner = lab.page.locator(".udfw-corner").first.bounding_box()
    assert corner is not None
    x, y = corner["x"] + 8, corner["y"] + 8
    lab.page.mouse.move(x, y)
    lab.page.mouse.down()
    lab.page.mouse.move(x - 200, y - 200, steps=5)
    lab.page.mouse.up()
    chosen = round(wide - 200)
    for image in range(2):
        wait_for_python(lab, f"abs(live.images[{image}].width - {chosen}) <= 1")
    assert [box["width"] for box in lab.page.evaluate(BOXES)] == pytest.approx([chosen] * 2, abs=1)
    figure = "document.querySelector('.udfw-image .bqplot > svg').getBoundingClientRect().width"
    lab.wait_until(f"wide => Math.abs({figure} - wide) < 2", arg=chosen)
    lab.page.locator(".udfw-corner").first.focus()
    lab.page.keyboard.press("ArrowRight")
    wait_for_python(lab, f"abs(live.images[1].width - {chosen} - 24) <= 1")
    # What is open at an image goes with it.
    lab.page.locator(".udfw-swatch").first.click()
    lab.execute("for image in live.images: image.width = 300")
    lab.wait_until("() => document.querySelector('.udfw-plot').clientWidth < 300")
    lab.wait_until(PANEL_IS_AT_ITS_IMAGE)
    lab.page.keyboard.press("Escape")
    lab.page.locator(".udfw-corner").first.dblclick()
    wait_for_python(lab, "live.images[0].width is None")
    assert lab.page.evaluate(BOXES)[0]["width"] == pytest.approx(wide, abs=1)


def check_dashboard(lab: Lab) -> None:
    """Images have one size in all cards, and as much room to the left as to the right of it."""
    for width in (1500, 2560):
        lab.page.set_viewport_size({"width": width, "height": 1440})
        lab.wait_until(STILL)
        boxes = lab.page.evaluate(f"() => ({BOXES})().slice(-4)")
        assert np.ptp([box["width"] for box in boxes]) < 1
    sides = lab.page.evaluate("""() => {
      const card = document.querySelector('.udfw-grid > .udfw-analysis').getBoundingClientRect();
      const inside = document.querySelector('.udfw-grid .udfw-bar').getBoundingClientRect();
      return [inside.left - card.left, card.right - inside.right];
    }""")
    assert sides[0] == pytest.approx(sides[1], abs=0.5)
    titles = lab.page.locator(".udfw-grid .udfw-title").all_inner_texts()
    assert titles[-2:] == ["bright field", "dark field"]


def keep_pictures(lab: Lab, name: str) -> None:
    """Keep pictures of the page, for people to look at."""
    folder, before = FAILURES.parent / "shown", lab.page.viewport_size
    assert before is not None
    lab.page.evaluate(
        "() => document.querySelectorAll('.udfw-status').forEach("
        "(s, i, all) => i === all.length - 1 && s.scrollIntoView())"
    )
    lab.screenshot(folder / f"{name}-light-wide.png")
    lab.set_theme("JupyterLab Dark")
    lab.screenshot(folder / f"{name}-dark-wide.png")
    lab.page.set_viewport_size({"width": 700, "height": before["height"]})
    lab.screenshot(folder / f"{name}-dark-narrow.png")
    lab.set_theme("JupyterLab Light")
    lab.screenshot(folder / f"{name}-light-narrow.png")
    lab.page.set_viewport_size(before)
