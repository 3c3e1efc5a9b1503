"""A view in which shapes are moved by hand: what the page shows, and what Python answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    # Until it is told that it has seen enough, or somebody has forgotten to.
    "begun = True\nlast = time.monotonic() + 80\n"
    "while begun and time.monotonic() < last: time.sleep(0.05)",
    """
import asyncio
heard = False
for _ in range(500):
    await asyncio.sleep(0.02)
    heard = view.probe.cx < 10
    if heard:
        break
""",
)
# Where the image with a title is on the page, and which part of it is shown, in data pixels.
PLOT = """title => {
  const pad = [...document.querySelectorAll('.udfw-pad')]
    .find(each => each.getAttribute('aria-label') === `Shapes on ${title}`);
  const box = pad.getBoundingClientRect();
  const shown = pad.querySelector('.udfw-drawing').dataset.udfwWindow.split(',').map(Number);
  return [box.x, box.y, box.width, box.height, ...shown];
}"""
INTO_SIGHT = "() => document.querySelector('.udfw-pad').scrollIntoView({block: 'center'})"
SHOWN = "titles => titles.every(t => document.querySelector(`[aria-label='Shapes on ${t}']`))"
#: What Python says of a detector, and what its answer has to be.
EXACT = (
    "(view.wait(), bool((view.result('D') =="
    " data[..., view.detectors['D'].mask((64, 64))].sum(-1)).all()))[1]"
)


@pytest.fixture(scope="module")
def opened(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> None:
    """One notebook for all of these tests."""
    lab.open(written(tmp_path_factory.mktemp("explore") / "explore.ipynb", CELLS))
    lab.run_cell(0)


def written(path: Path, cells: Sequence[str]) -> Path:
    """Write a notebook."""
    kernel = {"name": "python3", "display_name": "Python 3"}
    made = [nbformat.v4.new_code_cell(source) for source in cells]
    nbformat.write(nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": kernel}), path)
    return path


@pytest.fixture
def view(lab: Lab, opened: None) -> Iterator[Lab]:
    """The view in sight, with a detector in the middle and the probe where nothing is."""
    lab.wait_until(SHOWN, arg=["all patterns", "D"])
    lab.execute(
        "view.detectors['D'] = Rectangle(32, 32, 6, 6); view.probe = Point(18, 18); view.wait()"
    )
    lab.page.evaluate(INTO_SIGHT)
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


def resting_picture_of(lab: Lab, index: int) -> np.ndarray:
    """Return the same when nothing glows any more."""
    lab.wait_until("() => !document.querySelector('.udfw-canvas[data-udfw-fading=true]')")
    newest = picture_of(lab, index)
    while True:
        before = newest
        lab.page.evaluate(FRAMES)
        newest = picture_of(lab, index)
        if np.array_equal(newest, before):
            return newest


# What fades is another one with each of them.
FRAMES = """async () => {
  for (let i = 0; i < 6; i++) await new Promise(requestAnimationFrame);
}"""


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


def test_card_says_what_has_no_answer_and_the_last_one_stays(view: Lab) -> None:
    wait_for_python(view, EXACT, True)
    view.wait_until(
        "() => document.querySelectorAll('.udfw-canvas')[1].dataset.udfwState === 'final'"
    )
    before = resting_picture_of(view, 1)
    fields = view.page.locator(".udfw-bench").first.locator(".udfw-fields")
    view.page.locator(".udfw-bench").first.locator(".udfw-name", has_text="D").click()
    for text in ("NaN", "inf", "1e99", ""):
        fields.get_by_label("cx").fill(text)
        fields.get_by_label("cx").press("Enter")
        assert fields.locator("xpath=..").locator(".udfw-refusal").is_visible()
        fields.get_by_label("cx").press("Escape")
    fields.get_by_label("cx").fill("-80")
    fields.get_by_label("cx").press("Enter")
    view.execute("view.regions['nowhere'] = Disk(-50, -50, 3)")
    view.wait_until(
        "() => ['D: no pixel of the pattern of 64 x 64', 'nowhere: no position of the scan of']"
        ".every(each => document.querySelector('.udfw-message').textContent.includes(each))"
    )
    assert view.execute("view.detectors['D'].cx") == "-80.0"
    np.testing.assert_array_equal(picture_of(view, 1), before)
    view.execute("del view.regions['nowhere']")
    fields.get_by_label("cx").fill("32")
    fields.get_by_label("cx").press("Enter")
    view.wait_until("() => document.querySelector('.udfw-message').hidden")
    wait_for_python(view, EXACT, True)


# From now on, what is hidden that was hidden: each time a page works out its style anew.
WATCH_HIDDEN = """() => {
  const found = window.udfwHiddenTwice = new Set();
  window.udfwWatching = new MutationObserver(records => {
    for (const {target, oldValue} of records)
      if (oldValue !== null && target.hidden) found.add(target.className);
  });
  window.udfwWatching.observe(document.querySelector('.udfw-analysis'), {
    attributes: true, attributeFilter: ['hidden'], attributeOldValue: true, subtree: true,
  });
}"""
HIDDEN_TWICE = "() => { window.udfwWatching.disconnect(); return [...window.udfwHiddenTwice]; }"


def test_pictures_under_the_hand_hide_nothing_twice(view: Lab) -> None:
    view.page.evaluate(WATCH_HIDDEN)
    drag(view, "all patterns", (32, 32), (20, 20), (6, 6))
    wait_for_python(view, EXACT, True)
    view.page.mouse.up()
    assert view.page.evaluate(HIDDEN_TWICE) == []


def test_picture_stays_under_the_hand_whatever_the_card_says(view: Lab) -> None:
    wait_for_python(view, EXACT, True)
    heights = (
        "() => [...document.querySelectorAll('.udfw-pad')].map(e => e.getBoundingClientRect().y)"
    )
    message = view.page.locator(".udfw-message").first
    before = view.page.evaluate(heights)
    drag(view, "all patterns", (32, 32), (30, 30))
    names = [f"region of a long name {i}" for i in range(6)]
    view.execute(f"for name in {names}: view.regions[name] = Disk(-50, -50, 3)")
    view.wait_until(
        "name => document.querySelector('.udfw-message').textContent.includes(name)", arg=names[-1]
    )
    assert view.page.evaluate(heights) == before
    view.page.mouse.up()
    # All of it, once nothing is held.
    assert (message.bounding_box() or {})["height"] > 16 * 3
    view.execute(f"for name in {names}: del view.regions[name]")
    view.wait_until("() => document.querySelector('.udfw-message').hidden")
    assert view.page.evaluate(heights) == before


def test_answers_come_while_a_cell_blocks(view: Lab) -> None:
    view.run_cell(1, wait=False)
    while view.execute("globals().get('begun')", aside=True) != "True":
        pass
    before = picture_of(view, 1)
    drag(view, "all patterns", (32, 32), (20, 20), (6, 6))
    view.wait_until(BRIGHTER, arg=[1, int(before.sum())])
    assert view.page.evaluate("() => window.lab.running"), "the cell was through before"
    view.execute("begun = False", aside=True)
    view.page.mouse.up()
    view.wait_for_run()
    wait_for_python(view, "abs(view.detectors['D'].cx - 6) < 0.5 and " + EXACT, True)


BRIGHTER = """([index, before]) => {
  const canvas = document.querySelectorAll('.udfw-canvas')[index];
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let sum = 0;
  for (let i = 0; i < data.length; i += 4) sum += data[i] + data[i + 1] + data[i + 2];
  return Math.abs(sum - before) > before / 50;
}"""


def test_answers_come_while_a_cell_awaits(view: Lab) -> None:
    wait_for_python(view, EXACT, True)
    before = int(picture_of(view, 1).sum())
    has_subshells = view.page.evaluate("() => !!window.lab.kernel().supportsSubshells")
    view.run_cell(2, wait=False)
    view.wait_until("() => window.lab.running && window.lab.kernelIs('busy')")
    view.page.evaluate(INTO_SIGHT)
    detector = [at(view, "all patterns", x, x) for x in (32, 20, 6)]
    probe = [at(view, "D", x, x) for x in (18, 12, 7)]
    move(view, detector)
    if has_subshells:
        view.wait_until(BRIGHTER, arg=[1, before])
        assert view.page.evaluate("() => window.lab.running"), "the cell was through before"
    move(view, probe)
    view.wait_for_run()
    # A kernel with one thread for all messages hears of them when the cell is through.
    assert view.execute("heard") == str(has_subshells)
    wait_for_python(view, "(round(view.probe.cx), round(view.probe.cy))", (7, 7))
    wait_for_python(view, "abs(view.detectors['D'].cx - 6) < 0.5 and " + EXACT, True)
    view.wait_until(BRIGHTER, arg=[1, before])


def move(lab: Lab, places: Sequence[tuple[float, float]]) -> None:
    """Press at the first place on the page, move through the others, and let go."""
    lab.page.mouse.move(*places[0])
    lab.page.mouse.down()
    for place in places[1:]:
        lab.page.mouse.move(*place, steps=5)
    lab.page.mouse.up()


#: What is to be read of titles: parts that are not shown have no inner text.
TITLES = "() => [...document.querySelectorAll('.udfw-title')].map(each => each.innerText.trim())"


def test_images_say_what_they_are_in_a_narrow_window(view: Lab) -> None:
    size = view.page.viewport_size
    assert size is not None
    view.page.set_viewport_size({"width": 700, "height": 1200})
    view.page.evaluate("() => window.lab.run('application:toggle-left-area')")
    view.wait_until("() => document.querySelector('.udfw-image').clientWidth < 300")
    assert view.page.evaluate(TITLES) == ["all patterns", "D", "pattern at y=18, x=18"]
    view.page.evaluate("() => window.lab.run('application:toggle-left-area')")
    view.page.set_viewport_size(size)


def test_two_windows_show_the_same_answers(view: Lab) -> None:
    wait_for_python(view, EXACT, True)
    before = int(picture_of(view, 1).sum())
    view.save()
    with view.second_window():
        view.wait_until(SHOWN, arg=["all patterns", "D"])
        view.page.evaluate(INTO_SIGHT)
        # As it is now, in a page that has seen nothing of what came before.
        view.wait_until(BRIGHTER, arg=[1, 1])
        there = int(picture_of(view, 1).sum())
        move(view, [at(view, "all patterns", x, x) for x in (32, 20, 6)])
        wait_for_python(view, "abs(view.detectors['D'].cx - 6) < 0.5 and " + EXACT, True)
        view.wait_until(BRIGHTER, arg=[1, there])
        move(view, [at(view, "D", x, x) for x in (18, 12, 7)])
        wait_for_python(view, "(round(view.probe.cx), round(view.probe.cy))", (7, 7))
    # The other window has followed, and its shapes are where they were put.
    view.wait_until(BRIGHTER, arg=[1, before])
    move(view, [at(view, "all patterns", x, x) for x in (6, 20, 32)])
    wait_for_python(view, "abs(view.detectors['D'].cx - 32) < 0.5 and " + EXACT, True)
    move(view, [at(view, "D", x, x) for x in (7, 12, 15)])
    wait_for_python(view, "(round(view.probe.cx), round(view.probe.cy))", (15, 15))


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


BEAM = """
import numpy as np
from udfwidgets import Context
from udfwidgets.geometry import *

ctx = Context()
data = np.full((16, 16, 64, 64), 2, np.uint16)
data[..., Disk({cx}, 33, 6).mask((64, 64))] += {counts}
view = ctx.explore(ctx.load("memory", data=data), detectors={{}})
view
"""
SUMMED = (
    "(view.wait(), all((view.result(n) == data[..., s.mask((64, 64))].sum(-1)).all()"
    " for n, s in view.detectors.items()))[1]"
)
REFUSAL = ".udfw-bench >> nth=0 >> > .udfw-refusal"


def beam(lab: Lab, folder: Path, **values: float) -> None:
    """Show a scan with a central disk, and no detectors."""
    lab.open(written(folder / "beam.ipynb", [BEAM.format(**values)]))
    lab.run_cell(0)
    lab.page.wait_for_selector(".udfw-preset")
    lab.page.evaluate(INTO_SIGHT)
    wait_for_python(lab, "(view.wait(), len(view.detectors))[1]", 0)


def press(lab: Lab, name: str) -> None:
    """Press a button that puts a detector at the central disk."""
    lab.page.get_by_role("button", name=name, exact=True).first.click()


def test_presets_are_there_at_one_press(lab: Lab, tmp_path: Path) -> None:
    beam(lab, tmp_path, cx=30.5, counts=500)
    refusal = lab.page.locator(REFUSAL)
    for name in ("HAADF", "ABF", "ADF", "BF"):
        press(lab, name)
        lab.wait_until(SHOWN, arg=[name])
    wait_for_python(lab, "dict(view.detectors) == view.presets()", True)
    wait_for_python(lab, SUMMED, True)
    # BF is chosen by now.
    lab.page.get_by_label("Number of sectors").first.fill("3")
    press(lab, "sectors")
    lab.wait_until(SHOWN, arg=["BF1", "BF2", "BF3"])
    wait_for_python(lab, SUMMED, True)
    wait_for_python(
        lab, "[view.detectors[f'BF{k + 1}'] for k in range(3)] == list(sectors("
        "Annulus(view.detectors['BF'].cx, view.detectors['BF'].cy, 0, view.detectors['BF'].r), 3))",
        True,
    )  # fmt: skip
    lab.page.keyboard.press("Control+z")
    wait_for_python(lab, "len(view.detectors)", 4)
    lab.page.get_by_label("Number of sectors").first.fill("99")
    press(lab, "sectors")
    assert refusal.text_content() == "99 sectors: choose 2 to 16"
    assert lab.execute("len(view.detectors)") == "4"


def test_preset_that_would_cover_nothing_is_refused(lab: Lab, tmp_path: Path) -> None:
    beam(lab, tmp_path, cx=30.5, counts=500)
    # As of a camera on which a disk nearly fills the pattern.
    lab.execute("view.images['all patterns'].offer_shapes({'HAADF': Annulus(32, 32, 60, 99)})")
    lab.wait_until("() => document.querySelectorAll('.udfw-preset').length === 2")
    press(lab, "HAADF")
    refusal = lab.page.locator(REFUSAL)
    assert (refusal.text_content() or "").startswith("HAADF would cover no pixel")
    assert lab.execute("len(view.detectors)") == "0"


def test_press_without_a_disk_says_why(lab: Lab, tmp_path: Path) -> None:
    beam(lab, tmp_path, cx=30.5, counts=0)
    press(lab, "ADF")
    refusal = lab.page.locator(REFUSAL)
    assert (refusal.text_content() or "").startswith("ADF: the central disk was not found (")
    press(lab, "sectors")
    assert (refusal.text_content() or "").startswith("choose a disk or a ring to be cut: the ")
    assert lab.execute("len(view.detectors)") == "0"
    # What is drawn by hand can be cut.
    lab.execute("view.detectors['mine'] = Annulus(32, 32, 5, 15)")
    lab.page.locator(".udfw-name").first.click()
    assert not refusal.is_visible()
    press(lab, "sectors")
    lab.wait_until(SHOWN, arg=["mine1", "mine4"])
    wait_for_python(lab, SUMMED, True)


def test_shapes_get_other_names_by_hand(lab: Lab, tmp_path: Path) -> None:
    beam(lab, tmp_path, cx=30.5, counts=500)
    for name in ("BF", "ADF"):
        press(lab, name)
    lab.wait_until(SHOWN, arg=["BF", "ADF"])
    lab.execute("view.formulas['ratio'] = 'ADF / BF'; view.wait(); image = view.images['ADF']")
    bench = lab.page.locator(".udfw-bench").first
    bench.locator(".udfw-name", has_text="ADF").dblclick()
    field = bench.locator(".udfw-rename")
    refusal = lab.page.locator(REFUSAL)
    for text, why in [
        ("BF", 'there is a shape "BF" already: choose another name'),
        ("  ", "a name has at least one character"),
    ]:
        field.fill(text)
        field.press("Enter")
        assert refusal.text_content() == why
    field.fill("x")
    field.press("Escape")
    assert not refusal.is_visible()
    bench.locator(".udfw-name", has_text="ADF").click()
    lab.page.keyboard.press("F2")
    field.fill("dark")
    field.press("Enter")
    wait_for_python(lab, "list(view.detectors), view.formulas['ratio']", (
        ["BF", "dark"], "dark / BF",
    ))  # fmt: skip
    wait_for_python(lab, "view.images['dark'] is image", True)
    wait_for_python(lab, SUMMED, True)
    # Keys go to the shape again, and the name can be undone.
    lab.page.keyboard.press("ArrowRight")
    wait_for_python(lab, "view.detectors['dark'].cx == view.detectors['BF'].cx + 1", True)
    lab.page.keyboard.press("Control+z")
    lab.page.keyboard.press("Control+z")
    wait_for_python(lab, "list(view.detectors), view.formulas['ratio']", (
        ["BF", "ADF"], "ADF / BF",
    ))  # fmt: skip


RECORDING = """
import tempfile, time
from pathlib import Path
import numpy as np
from udfwidgets import Context, demo
from udfwidgets.geometry import *

NAV, SIG = (32, 32), (64, 64)
ctx = Context()
data = demo.SimulatedDetector(NAV, SIG).expose(0, 1024).reshape(NAV + SIG)
folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "scan.hdr"
recording = demo.acquire(path, NAV, SIG, frames_per_second=60)
while path.with_suffix(".mib").stat().st_size < 120 * SIG[0] * SIG[1] * 2:
    time.sleep(0.01)
recording.pause()
view = ctx.explore(
    ctx.load("auto", path=path, follow=True),
    detectors={"D": Rectangle(32, 32, 6, 6)}, probe=Point(3, 2),
)
view
"""
#: Of what is in by now: how many positions, and whether they are right.
PART = (
    "(lambda p, s: p and (bool(100 < p.coverage.sum() < 1024),"
    " bool((p.values == data[..., s.mask(SIG)].sum(-1))[p.coverage].all())))"
    "(view._board._panels['detector', 'D'].picture(), view.detectors['D'])"
)


GENERATION = "() => +document.querySelectorAll('.udfw-canvas')[1].dataset.udfwGeneration"


def test_detector_follows_the_hand_while_the_scan_is_recorded(lab: Lab, tmp_path: Path) -> None:
    lab.open(written(tmp_path / "recording.ipynb", [RECORDING]))
    lab.run_cell(0)
    lab.wait_until(SHOWN, arg=["all patterns", "D"])
    lab.page.evaluate(INTO_SIGHT)
    wait_for_python(lab, PART, (True, True))
    lab.wait_until("() => +document.querySelectorAll('.udfw-canvas')[1].dataset.udfwFraction > 0.1")
    before, generation = picture_of(lab, 1), lab.page.evaluate(GENERATION)
    move(lab, [at(lab, "all patterns", x, x) for x in (32, 24, 16)])
    wait_for_python(
        lab,
        "[abs(c - 16) < 0.5 for c in (view.detectors['D'].cx, view.detectors['D'].cy)]",
        [True, True],
    )
    wait_for_python(lab, PART, (True, True))
    lab.wait_until(f"before => ({GENERATION})() > before", arg=generation)
    # Of the picture a part is there; most of its positions have other values than before.
    changed = np.abs(picture_of(lab, 1) - before).sum(axis=-1) > 60
    part = float(
        lab.page.evaluate("() => document.querySelectorAll('.udfw-canvas')[1].dataset.udfwFraction")
    )
    assert 0.1 < part < 1
    assert part / 2 < changed.mean() < part + 0.1
    assert lab.execute("recording.is_running") == "True"
    lab.execute("recording.resume()")
    wait_for_python(lab, EXACT, True)
    lab.wait_until(
        "() => document.querySelectorAll('.udfw-canvas')[1].dataset.udfwFraction === '1'"
    )
    lab.execute("recording.stop(); view.close(); folder.cleanup()")


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
