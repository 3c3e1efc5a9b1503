"""Looking closer at images: by keys, together with others, with a ruler, on the whole screen."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.browser.cards import run_cells, wait_for_python, wait_for_states
from tests.browser.conftest import FAILURES, NotebookMaker
from tests.browser.lab import Lab

pytestmark = pytest.mark.browser

SHOWN = FAILURES.parent / "shown"
SETUP = """
import time
import numpy as np
from udfwidgets import Context, SumSigUDF, SumUDF, load_result
from udfwidgets.calibration import Scale
from udfwidgets.live.closer.ruler import Ruler
ctx = Context()
y, x = np.mgrid[:48, :64]
lattice = 3 + np.cos(2 * np.pi * (x / 8 + y / 6)) + 0.01 * x
data = np.broadcast_to(lattice[:, :, None, None], (48, 64, 16, 16)).astype(np.float32)

def root(sums):
    return np.sqrt(sums)
"""
LIVE = """
live = ctx.live(ctx.load("memory", data=data), [SumSigUDF(), SumUDF()],
                plots=[["intensity", ("intensity", root)], ["intensity"]])
live.images[0].measure_shapes(Scale(0.5, "nm"), Scale(0.5, "nm"))
live
"""
AGAIN = """
live.save("scan.h5", overwrite=True)
load_result("scan.h5")
"""
NAV, OTHER, SIG = 0, 1, 2
WHOLE = (0.0, 64.0, 0.0, 48.0)


# Which of two texts are to be seen in the frames of two turns.
SEEN_TOGETHER = """() => new Promise((resolve) => {
  const isShown = (name) => !document.querySelector(`.udfw-${name}`).hidden;
  const seen = { then: false, now: false, both: false };
  const began = performance.now();
  const look = () => {
    const [then, now] = [isShown('then'), isShown('readout')];
    seen.then ||= then;
    seen.now ||= now;
    seen.both ||= then && now;
    if (performance.now() - began < 2500) requestAnimationFrame(look);
    else resolve(seen);
  };
  look();
})"""


class Card:
    """A finished card of two scan images and a pattern, and hands on it."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.page = lab, lab.page

    def image(self, place: int) -> Any:
        return self.page.locator(".udfw-image").nth(place)

    def press(self, keys: str, place: int = NAV) -> None:
        self.image(place).focus()
        for key in keys.split():
            self.page.keyboard.press(key)

    def python(self, expression: str) -> Any:
        return eval(self.lab.execute(f"print(repr({expression}))"), {"nan": np.nan})

    def window(self, place: int = NAV) -> tuple[float, ...]:
        return tuple(self.python(f"tuple(map(float, live.images[{place}].window))"))

    def plot(self, place: int) -> Any:
        return self.image(place).locator(".udfw-plot").bounding_box()

    def at(self, x: float, y: float, place: int = NAV) -> tuple[float, float]:
        """Return where the centre of a pixel is on the page, when all of it is shown."""
        box = self.plot(place)
        return box["x"] + (x + 0.5) / 64 * box["width"], box["y"] + (y + 0.5) / 48 * box["height"]


@pytest.fixture
def card(lab: Lab, lab_notebook: NotebookMaker) -> Card:
    lab.open(lab_notebook([SETUP, LIVE, "time.sleep(60)", AGAIN]))
    run_cells(lab, [0, 1])
    wait_for_states(lab, "done")
    lab.wait_until("() => document.querySelectorAll('.udfw-image .bqplot').length === 3")
    return Card(lab)


def check_pixels(card: Card, place: int) -> None:
    """Compare the middle of each data pixel on the screen with Python's picture."""
    png = card.python(f"live.images[{place}].png()")
    expected = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
    x0, x1, y0, y1 = card.window(place)
    seen = card.lab.canvas_pixels(".udfw-canvas", place)[..., :3].astype(int)
    height, width = seen.shape[:2]
    xs, ys = np.arange(np.ceil(x0), np.floor(x1)), np.arange(np.ceil(y0), np.floor(y1))
    assert len(xs) > 3
    assert len(ys) > 3
    columns = ((xs + 0.5 - x0) / (x1 - x0) * width).astype(int)
    rows = ((ys + 0.5 - y0) / (y1 - y0) * height).astype(int)
    part = expected[int(ys[0]) : int(ys[-1]) + 1, int(xs[0]) : int(xs[-1]) + 1]
    assert np.abs(seen[rows][:, columns] - part).max() <= 3


def test_images_are_looked_at_closer(card: Card) -> None:
    """All of it on one card: opening a notebook takes longer than most of this."""
    check_images_move_together_by_keys(card)
    check_ruler_tells_length_and_profile(card)
    check_image_fills_the_screen(card)
    check_transform_stands_beside_its_image_while_a_cell_blocks(card)
    check_image_is_copied(card)
    check_what_was_saved_is_shown_again(card)


def check_images_move_together_by_keys(card: Card) -> None:
    cells = card.page.evaluate("() => window.lab.panel().content.widgets.length")
    card.press("+ + + ArrowRight ArrowDown")
    wait_for_python(card.lab, "max(image.window[1] for image in live.images[:2]) < 50")
    near = card.window(NAV)
    assert near == card.window(OTHER)
    assert near[0] > 20
    assert card.window(SIG) == (0, 16, 0, 16)
    for place in (NAV, OTHER):
        check_pixels(card, place)
    # Alone for a while.
    card.press("k -")
    wait_for_python(card.lab, f"live.images[0].linked or live.images[0].window == {near}", False)
    assert card.window(OTHER) == near
    card.press("k")
    wait_for_python(card.lab, "live.images[1].window == live.images[0].window")
    card.press("r", OTHER)
    wait_for_python(card.lab, f"live.images[0].window == live.images[1].window == {WHOLE}")
    # The cursor of one is that of the other, with the value there.
    card.page.mouse.move(*card.at(40, 10))
    readout = card.image(OTHER).locator(".udfw-readout")
    readout.wait_for()
    value = card.python("float(root(lattice[10, 40] * 256))")
    text = readout.text_content()
    assert "10" in text
    assert "40" in text
    assert float(text.split(":")[1]) == pytest.approx(value, rel=1e-3)
    spot = card.image(OTHER).locator(".udfw-spot").bounding_box()
    assert (spot["x"], spot["y"]) == pytest.approx(card.at(40, 10, OTHER), abs=3)
    assert card.image(SIG).locator(".udfw-readout").is_hidden()
    # It rests, and shows another pixel after a key.
    card.press("+")
    wait_for_python(card.lab, "live.images[0].window[0] > 0")
    x0, x1, y0, y1 = card.window(NAV)
    y, x = int(y0 + 10.5 / 48 * (y1 - y0)), int(x0 + 40.5 / 64 * (x1 - x0))
    assert (y, x) != (10, 40)
    text = card.image(NAV).locator(".udfw-readout").text_content()
    assert text.startswith(f"y {y} px = ")
    assert f"x {x} px = " in text
    card.press("r")
    # What JupyterLab would take for new cells and the like.
    card.press("b x Enter ArrowUp")
    assert card.page.evaluate("() => window.lab.panel().content.widgets.length") == cells
    then = card.image(NAV).locator(".udfw-then")
    then.wait_for()
    assert then.text_content().endswith(" % of the scan")
    # Not with the value of now, on which the pointer rests.
    assert card.page.evaluate(SEEN_TOGETHER) == {"then": True, "now": True, "both": False}
    # What is compared with now, from here on, is not to be a picture of then.
    card.page.keyboard.press("Escape")
    assert then.is_hidden()
    card.press("l")
    wait_for_python(card.lab, "live.images[0].log")
    card.press("?")
    listed = card.image(NAV).locator(".udfw-keys")
    assert listed.locator("kbd").all_text_contents() == [
        *"+−←→↑↓RHLAOMTKFBSCN?",
        "Esc",
    ]
    turns = listed.get_by_role("button", name="Then and now by turns")
    assert turns.get_attribute("aria-pressed") == "false"
    card.lab.screenshot(SHOWN / "closer-keys.png")
    card.page.keyboard.press("Escape")
    assert listed.is_hidden()
    card.press("h ?")
    card.page.keyboard.press("l")
    wait_for_python(card.lab, "live.images[0].log", False)
    assert listed.is_hidden()
    panel = card.image(NAV).locator(".udfw-panel")
    assert panel.is_visible()
    for key, is_shown in (("Escape", False), ("h", True), ("h", False)):
        card.page.keyboard.press(key)
        assert panel.is_visible() is is_shown
        # For the next key.
        assert card.image(NAV).evaluate("image => image === document.activeElement")


def check_ruler_tells_length_and_profile(card: Card) -> None:
    card.press("m")
    middle = "Ruler(15.5, 23.5, 47.5, 23.5)"
    wait_for_python(card.lab, f"live.images[0].ruler == {middle}")
    handle = card.image(NAV).locator("button[aria-label='End of the ruler']")
    card.page.keyboard.press("Shift+ArrowRight")
    wait_for_python(card.lab, "live.images[0].ruler.x1", 57.5)
    box = handle.bounding_box()
    card.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    card.page.mouse.down()
    card.page.mouse.move(*card.at(39.5, 5.5), steps=4)
    card.page.mouse.up()
    wait_for_python(card.lab, "abs(live.images[0].ruler.x1 - 39.5) < 0.3")
    card.image(NAV).locator(".udfw-measured input").fill("5")
    wait_for_python(card.lab, "live.images[0].ruler.width", 5.0)
    ruler = card.python("(live.images[0].ruler.length, live.images[0].ruler.angle)")
    shown = card.image(NAV).locator(".udfw-length").text_content()
    assert shown == f"{ruler[0]:.4g} px = {ruler[0] / 2:.4g} nm, {ruler[1]:.1f}°"
    check_profile(card, NAV)
    card.page.mouse.move(0, 0)
    card.lab.screenshot(SHOWN / "closer-ruler.png")
    card.press("m")
    wait_for_python(card.lab, "live.images[0].ruler is None")
    assert card.image(NAV).locator(".udfw-profile").is_hidden()
    # Of a ruler that goes the focus does not go to nothing.
    card.press("m m")
    assert card.image(NAV).evaluate("image => image === document.activeElement")
    wait_for_python(card.lab, "live.images[0].ruler is None")


def check_profile(card: Card, place: int) -> None:
    """Compare what the page has drawn with the profile that Python computes."""
    profile = card.python(f"live.images[{place}].profile().values.tolist()")
    chart = card.image(place).locator(".udfw-profile canvas")
    assert int(chart.get_attribute("data-udfw-points")) == np.isfinite(profile).sum()
    places = card.page.locator(".udfw-image").evaluate_all(
        "(all, i) => all.slice(0, i).filter(e => e.querySelector('.udfw-profile canvas')).length",
        place,
    )
    seen = card.lab.canvas_pixels(".udfw-profile canvas", places).astype(int)
    accent = np.abs(seen[..., :3] - [25, 118, 210]).max(axis=2) < 60
    line = accent & (seen[..., 3] > 128)
    columns = np.flatnonzero(line.any(axis=0))
    # From the highest to the lowest value the line takes the height there is.
    rows = np.array([np.flatnonzero(line[:, c]).mean() for c in columns])
    share = (columns - columns[0]) / (columns[-1] - columns[0])
    values = np.interp(share, np.linspace(0, 1, len(profile)), profile)
    high, low = np.nanmax(profile), np.nanmin(profile)
    expected = 6 + (high - values) / (high - low) * (96 - 22)
    assert np.abs(rows - expected).mean() < 3


def check_transform_stands_beside_its_image_while_a_cell_blocks(card: Card) -> None:
    card.lab.run_cell(2, wait=False)
    card.lab.wait_until("() => window.lab.kernelIs('busy')")
    card.press("t")
    card.lab.wait_until(
        "() => document.querySelectorAll('.udfw-canvas').length === 4"
        " && document.querySelectorAll('.udfw-canvas')[1].dataset.udfwState === 'final'"
    )
    assert card.page.evaluate("() => window.lab.running")
    seen = card.lab.canvas_pixels(".udfw-canvas", 1)[..., :3].astype(int).sum(axis=2)
    card.lab.screenshot(SHOWN / "closer-fft.png")
    card.page.evaluate("() => window.lab.run('notebook:interrupt-kernel')")
    card.lab.wait_until("() => !window.lab.running")
    # Eight fringes along x and eight along y: two spots around the centre, the brightest there are.
    height, width = seen.shape
    bright = np.argwhere(seen > 0.9 * seen.max())
    at = {(int((y + 0.5) * 48 / height), int((x + 0.5) * 64 / width)) for y, x in bright}
    # The ramp lies along x.
    assert {(y, x) for y, x in at if y != 24} == {(24 - 8, 32 - 8), (24 + 8, 32 + 8)}


# Whether figure, canvas and axes are where the pixels are shown.
ALIGNED = """() => {
  const plot = document.querySelector('.udfw-plot').getBoundingClientRect();
  const canvas = document.querySelector('.udfw-canvas');
  const box = (selector) => document.querySelector(selector).getBoundingClientRect();
  return Math.abs(canvas.height - plot.height) < 2
    && Math.abs(box('.udfw-edges path').bottom - plot.bottom - 4) < 2
    && Math.abs(box('.udfw-image .plotarea_background').height - plot.height) < 2;
}"""


def check_image_fills_the_screen(card: Card) -> None:
    before = card.plot(NAV)
    card.press("f")
    card.lab.wait_until("() => document.fullscreenElement?.classList.contains('udfw-image')")
    size = card.page.viewport_size
    card.lab.wait_until(
        "least => document.querySelector('.udfw-canvas').width > least", arg=2 * before["width"]
    )
    box = card.plot(NAV)
    assert box["height"] / box["width"] == pytest.approx(48 / 64, rel=0.01)
    assert box["y"] + box["height"] < size["height"]
    # Axes and figure are where the pixels are, also with a profile below.
    card.lab.wait_until(ALIGNED)
    card.page.keyboard.press("m")
    card.image(NAV).locator(".udfw-profile").wait_for()
    card.lab.wait_until(
        "most => document.querySelector('.udfw-plot').clientHeight < most", arg=box["height"] - 50
    )
    card.lab.wait_until(ALIGNED)
    profile = card.image(NAV).locator(".udfw-profile").bounding_box()
    assert profile["y"] + profile["height"] <= size["height"] + 1
    card.lab.screenshot(SHOWN / "closer-full.png")
    card.page.keyboard.press("m")
    card.press("f")
    card.lab.wait_until("() => document.fullscreenElement === null")
    card.lab.wait_until(
        "most => document.querySelector('.udfw-canvas').width < most", arg=1.1 * before["width"]
    )


PACED = """
from udfwidgets import demo
paced = demo.PacedDataSet(ctx.load("memory", data=data), 1000)
live = ctx.live(paced, SumSigUDF())
live.images[0].ruler = Ruler(0, 25, 63, 25)  # of what comes last
live
"""


COPIED = """async () => {
  const [item] = await navigator.clipboard.read();
  const [type] = item.types;
  const blob = await item.getType(type);
  if (type !== 'image/png') return blob.text();
  const {width, height} = await createImageBitmap(blob);
  return [type, width, height];
}"""


def check_image_is_copied(card: Card) -> None:
    context = card.page.context
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    said = card.image(NAV).locator(".udfw-said")
    try:
        card.press("n")
        said.get_by_text("Copied 48 × 64 numbers").wait_for()
        rows = [line.split("\t") for line in card.page.evaluate(COPIED).splitlines()]
        expected = card.python("(lattice * 256).tolist()")
        np.testing.assert_allclose(np.array(rows, float), expected, rtol=1e-3)
        card.image(NAV).hover()
        card.image(NAV).locator(".udfw-copy").click()
        said.get_by_text("Copied the picture").wait_for()
        kind, width, height = card.page.evaluate(COPIED)
        box = card.image(NAV).bounding_box()
        assert kind == "image/png"
        # With a colour bar beside it, twice as fine as the screen.
        assert width > 2 * box["width"]
        assert height == pytest.approx(2 * box["height"], abs=2)
        # As on a page that came without encryption from another computer.
        card.page.evaluate(
            "() => Object.defineProperty(navigator, 'clipboard',"
            " {value: undefined, configurable: true})"
        )
        card.press("c")
        said.get_by_text("The browser does not allow copying here: save it (S)").wait_for()
        card.lab.screenshot(SHOWN / "closer-refused.png")
    finally:
        card.page.evaluate("() => { delete navigator.clipboard; }")
        context.clear_permissions()


# How many cards of saved results there are.
CARDS = (
    "sum(type(w).__name__ == 'SavedCard' for w in"
    " __import__('ipywidgets').widgets.widget._instances.values())"
)


def at_centres(picture: np.ndarray) -> np.ndarray:
    """Return the colours of 48 by 64 pixels."""
    rows, columns = (
        ((np.arange(n) + 0.5) * length / n).astype(int)
        for n, length in zip((48, 64), picture.shape[:2], strict=True)
    )
    return picture[rows][:, columns].astype(int)


def check_what_was_saved_is_shown_again(card: Card) -> None:
    """See it as it was, look closer, and see the card go with its output."""
    card.lab.execute("live.images[0].log = False")
    # The cell that was interrupted.
    card.page.evaluate("() => window.lab.cell(2).outputArea.model.clear()")
    for _ in range(2):
        card.lab.run_cell(3)
        card.lab.wait_until(
            "() => { const all = [...document.querySelectorAll('.udfw-canvas')].slice(-2);"
            " return all.every(each => each.dataset.udfwState === 'final'); }"
        )
    assert card.python(CARDS) == 1
    nth = card.page.locator(".udfw-image").count() - 2
    card.image(nth).scroll_into_view_if_needed()
    texts = card.page.locator(".udfw-status").last.inner_text()
    assert "scan.h5" in texts
    assert "SumSigUDF()" in texts
    assert card.image(nth).locator(".udfw-title").get_attribute("title") == "SumSigUDF: intensity"
    seen = card.lab.canvas_pixels(".udfw-canvas", nth)[..., :3]
    expected = card.lab.canvas_pixels(".udfw-canvas", NAV)[..., :3]
    # At the centre of each pixel: the two are of different sizes.
    seen, expected = map(at_centres, (seen, expected))
    assert np.ptp(seen) > 100
    assert (np.abs(seen - expected) <= 3).all()
    card.press("m", nth)
    card.image(nth).locator(".udfw-profile").wait_for()
    card.lab.screenshot(SHOWN / "closer-saved.png")
    card.page.evaluate("() => window.lab.cell(3).outputArea.model.clear()")
    wait_for_python(card.lab, CARDS, 0)


def test_profile_follows_the_run(lab: Lab, lab_notebook: NotebookMaker) -> None:
    lab.open(lab_notebook([SETUP, PACED]))
    lab.run_cell(0)
    lab.run_cell(1, wait=False)
    points = "+document.querySelector('.udfw-profile canvas')?.dataset.udfwPoints"
    lab.wait_until(f"() => {points} > 0 && {points} < 64")
    lab.wait_until(f"() => {points} === 64")
    wait_for_states(lab, "done")
    check_profile(Card(lab), NAV)
