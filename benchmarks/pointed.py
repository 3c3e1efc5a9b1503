"""How soon a picture follows the hand, in a real JupyterLab: moves of a detector in a view.

In a scan made by `banded` the image of a detector shows where the detector is: it lights up where
the bright line of the patterns lies in it. So the page can tell by itself which move a picture
answers.
"""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from playwright.sync_api import CDPSession

from tests.browser.lab import Lab

#: Of the detector that is moved, on patterns of 128 x 128.
RADIUS, FROM, TO = 14, 30, 98
#: Moves per second, and how many of them.
RATE, MOVES = 60, 240
#: An answer that is more moves behind the hand comes late.
LATE = 2
#: Pictures that are waited for one by one.
SINGLE = 9

VIEW = """
from udfwidgets.geometry import Disk, Point
view = ctx.explore({scan}, detectors={{"D": Disk({x}, 64, {r})}}, probe=Point(3, 3))
view
"""

# Images come to a page in any order, and what lies over them after that: both are looked for in
# their places.
IMAGES = "document.querySelectorAll('.udfw-image')"
DETECTOR = f"{IMAGES}[1]?.querySelector('.udfw-canvas')"
PAD = f"{IMAGES}[0]?.querySelector('.udfw-pad')"

# From now on, notes the time and place of each move of the pointer, and of each picture of the
# detector: the time, the generation, and where its light is, from 0 to 1.
WATCH = (
    f"() => {{ const canvas = {DETECTOR};"
    + """
  const seen = window.udfwSeen = {moves: [], paints: []};
  document.addEventListener('pointermove', event => {
    seen.moves.push([performance.now(), event.clientX]);
  }, {capture: true, signal: (window.udfwWatch = new AbortController()).signal});
  const light = () => {
    const {data} = canvas.getContext('2d')
      .getImageData(0, canvas.height >> 1, canvas.width, 1);
    const values = Array.from({length: canvas.width}, (_, x) =>
      data[4 * x] + data[4 * x + 1] + data[4 * x + 2]);
    const least = Math.min(...values);
    let sum = 0, weighted = 0;
    values.forEach((value, x) => {
      sum += value - least;
      weighted += (value - least) * (x + 0.5);
    });
    return sum ? weighted / sum / canvas.width : -1;
  };
  // Posted when it has been painted, heard when that frame is through.
  const frames = new MessageChannel();
  frames.port1.onmessage = ({data: generation}) =>
    seen.paints.push([performance.now(), generation, light()]);
  const looking = new MutationObserver(
    () => frames.port2.postMessage(Number(canvas.dataset.udfwGeneration)));
  looking.observe(canvas, {attributes: true, attributeFilter: ['data-udfw-painted']});
  window.udfwWatch.signal.addEventListener('abort', () => looking.disconnect());
}"""
)
SEEN = "() => { window.udfwWatch.abort(); return [window.udfwSeen.moves, window.udfwSeen.paints]; }"
GENERATION = f"() => Number({DETECTOR}.dataset.udfwGeneration)"
NEWER = f"generation => Number({DETECTOR}.dataset.udfwGeneration) > generation"
HAS_PICTURES = f"() => Number({DETECTOR}?.dataset.udfwFraction) > 0"
# Shapes are drawn by a bundle of their own, which comes after the first pictures.
HAS_SHAPES = f"() => {PAD}?.querySelector('.udfw-drawing[data-udfw-window]')"
TO_THE_MIDDLE = f"() => {PAD}.scrollIntoView({{block: 'center'}})"
# Where the pattern is on the page, and which part of it is shown, in pixels of the data.
PLOT = (
    f"() => {{ const pad = {PAD};"
    + """
  const box = pad.getBoundingClientRect();
  const shown = pad.querySelector('.udfw-drawing').dataset.udfwWindow.split(',').map(Number);
  return [box.x, box.y, box.width, box.height, ...shown];
}"""
)


def banded(frames: Any, count: int) -> None:
    """Add a line to each frame of a row of `count` positions: it says which position that is."""
    x = np.arange(count) * frames.shape[-1] // count
    frames[np.arange(count), :, x] += 64


def at_the_rate(moves: int) -> Iterator[int]:
    """Yield the number of each move when it is due."""
    began = time.perf_counter()
    for number in range(moves):
        time.sleep(max(0.0, began + number / RATE - time.perf_counter()))
        yield number


def move_held(session: CDPSession, x: float, y: float) -> None:
    """Move the pointer with the button held.

    Playwright's own moves take three frames each meanwhile: it looks out for drags that the browser
    begins.
    """
    move = {"type": "mouseMoved", "x": x, "y": y, "button": "left", "buttons": 1}
    session.send("Input.dispatchMouseEvent", move)


@dataclass(frozen=True)
class Dragged:
    """What was seen of a drag.

    Attributes
    ----------
    rate : float
        Different answers that were painted per second.
    ages : list of int
        By how many moves each of them was behind the hand, in order.
    """

    rate: float
    ages: list[int]


def all_of(drags: Sequence[Dragged]) -> str:
    """Return what is to be said of several drags."""
    rate = statistics.median(drag.rate for drag in drags)
    ages = Counter(age for drag in drags for age in drag.ages)
    late = sum(count for age, count in ages.items() if age > LATE)
    good = sum(drag.ages[-1] <= LATE for drag in drags)
    return (
        f"{rate:.0f} answers per second, {late} of {ages.total()} more than {LATE} moves behind "
        f"the hand, none of them in {good} of {len(drags)} drags ("
        + ", ".join(f"{age}: {ages[age]}" for age in sorted(ages))
        + ")"
    )


class Hand:
    """A hand on the detector of the view that a page shows.

    Parameters
    ----------
    lab : Lab
        Where.
    """

    def __init__(self, lab: Lab) -> None:
        self._lab, self._mouse = lab, lab.page.mouse
        self._session = lab.page.context.new_cdp_session(lab.page)
        lab.wait_until(HAS_PICTURES)
        lab.wait_until(HAS_SHAPES)

    def _to(self, x: float) -> None:
        across, down = self._at(x)
        move_held(self._session, across, down)

    def _at(self, x: float) -> tuple[float, float]:
        left, top, width, height, x0, x1, y0, y1 = self._plot
        return left + (x + 0.5 - x0) / (x1 - x0) * width, top + (64.5 - y0) / (y1 - y0) * height

    def _grip(self, x: float) -> None:
        self._lab.page.evaluate(TO_THE_MIDDLE)
        self._plot = self._lab.page.evaluate(PLOT)
        self._mouse.move(*self._at(x))
        self._mouse.down()

    def singly(self) -> list[float]:
        """Return milliseconds from moves, one at a time, to the first picture of each."""
        found = []
        self._grip(FROM)
        for number in range(SINGLE):
            before = self._lab.page.evaluate(GENERATION)
            self._lab.page.evaluate(WATCH)
            self._to(FROM + 6 * (number + 1))
            self._lab.wait_until(NEWER, arg=before)
            time.sleep(0.5)  # so that what a moment ago was asked is not what is answered next
            moves, paints = self._lab.page.evaluate(SEEN)
            painted = next(at for at, generation, _ in paints if generation > before)
            found.append(painted - moves[0][0])
        for number in reversed(range(SINGLE)):
            self._to(FROM + 6 * number)
        self._mouse.up()
        return found

    def drag(self) -> Dragged:
        """Move to and fro, and return what was painted meanwhile."""
        self._grip(FROM)
        places = [
            FROM + abs((i + TO - FROM) % (2 * (TO - FROM)) - (TO - FROM)) for i in range(MOVES)
        ]
        self._lab.page.evaluate(WATCH)
        for number in at_the_rate(MOVES):
            self._to(places[number])
        moves, paints = self._lab.page.evaluate(SEEN)
        self._to(FROM)
        self._mouse.up()
        return self._seen(moves, paints)

    def _seen(self, moves: list[Any], paints: list[Any]) -> Dragged:
        left, _, width, _, x0, x1, _, _ = self._plot
        at = np.array([x0 + (x - left) / width * (x1 - x0) - 0.5 for _, x in moves])
        times = np.array([when for when, _ in moves])
        ages, known = [], set()
        for when, generation, light in paints:
            by_then = np.searchsorted(times, when)
            # The newest move to where the picture says that the detector is.
            same = np.flatnonzero(np.abs(at[:by_then] - (light * (x1 - x0) - 0.5)) < 0.75)
            if light >= 0 and len(same) and generation not in known:
                known.add(generation)
                ages.append(int(by_then - 1 - same[-1]))
        return Dragged(1000 * len(ages) / (times[-1] - times[0]), sorted(ages))
