"""Hands on the shapes of an image: where they press, and what is drawn there."""

from __future__ import annotations

from typing import Any

import numpy as np

from .cards import wait_for_python
from .lab import Lab

Position = tuple[float, float]

#: Pixels of the image, which are square.
SIZE = 128
SETUP = f"""
import asyncio, time
import numpy as np
from udfwidgets.geometry import *
from udfwidgets.live import LiveImage, Picture

events = []
pattern = np.add.outer(np.arange({SIZE}.0), np.arange({SIZE}.0))
image = LiveImage(({SIZE}, {SIZE}), kind="sig", title="sum", colormap="magma")
image.tools = ("point", "disk", "annulus", "sector", "rectangle", "ellipse", "polygon", "lasso",
               "brush")
image.shapes.on_change(lambda *news: events.append(news))
image.offer(lambda: Picture(pattern, fraction=1.0, final=True), final=True)
image
"""

# Where the image is, and which part of it is shown, in data pixels.
PLOT = """() => {
  const box = document.querySelector('.udfw-pad').getBoundingClientRect();
  const shown = document.querySelector('.udfw-drawing').dataset.udfwWindow.split(',').map(Number);
  return [box.x, box.y, box.width, box.height, ...shown];
}"""
# Whether these are the names of the shapes there are.
NAMED = (
    "names => [...document.querySelectorAll('.udfw-name')].map(e => e.textContent).join() === names"
)
# Whether a colour was drawn within some CSS pixels of a position.
DRAWN = """([x, y, colour, reach]) => {
  const canvas = document.querySelector('.udfw-drawing');
  if (!canvas) return false;
  const wanted = [1, 3, 5].map(i => parseInt(colour.slice(i, i + 2), 16));
  const left = Math.max(0, Math.round(x - reach)), top = Math.max(0, Math.round(y - reach));
  const {data} = canvas.getContext('2d').getImageData(left, top, 2 * reach + 1, 2 * reach + 1);
  for (let i = 0; i < data.length; i += 4)
    if (data[i + 3] > 200 && wanted.every((n, j) => Math.abs(data[i + j] - n) < 40)) return true;
  return false;
}"""


class Pointing:
    """The image of `SETUP` in a page, and hands on it; positions are indices of data pixels."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.mouse, self.keyboard = lab.page.mouse, lab.page.keyboard
        #: One for all that a finger does: it has to be told of the end by whom it began.
        self._session = lab.page.context.new_cdp_session(lab.page)

    def begin(self, **shapes: str) -> None:
        """Have these shapes and no others, each given as Python, and nothing chosen."""
        self.leave()
        # By themselves: those before may have the same names.
        self.lab.execute("image.shapes.clear()")
        self.lab.wait_until(NAMED, arg="")
        pairs = ", ".join(f"{name!r}: {code}" for name, code in shapes.items())
        self.lab.execute(f"image.shapes.update({{{pairs}}}); events.clear()")
        self.lab.wait_until(NAMED, arg=",".join(shapes))

    def leave(self) -> None:
        """Choose nothing, and put the tool away."""
        self.lab.page.locator(".udfw-pad").focus()
        for _ in range(3):
            self.keyboard.press("Escape")

    def at(self, x: float, y: float) -> Position:
        """Return where a data pixel is on the page."""
        left, top, width, height, x0, x1, y0, y1 = self.lab.page.evaluate(PLOT)
        return left + (x + 0.5 - x0) / (x1 - x0) * width, top + (y + 0.5 - y0) / (y1 - y0) * height

    def window(self) -> tuple[Position, Position]:
        """Return what is shown along x and along y."""
        *_, x0, x1, y0, y1 = self.lab.page.evaluate(PLOT)
        return (x0, x1), (y0, y1)

    def drag(self, *path: Position, shift: bool = False, lift: bool = True) -> None:
        """Press at the first position, and move through the others."""
        places = [self.at(*position) for position in path]
        if shift:
            self.keyboard.down("Shift")
        self.mouse.move(*places[0])
        self.mouse.down()
        for place in places[1:]:
            self.mouse.move(*place, steps=4)
        if lift:
            self.mouse.up()
        if shift:
            self.keyboard.up("Shift")

    def choose(self, tool: str) -> None:
        """Take a tool."""
        self.lab.page.locator(f".udfw-kinds .udfw-{tool}").click()

    def wait_for(self, name: str, kind: str, **numbers: float) -> None:
        """Wait until a shape in Python is of a kind, with these numbers to a third of a pixel."""
        near = " and ".join(f"abs(s.{field} - {n}) < 0.34" for field, n in numbers.items())
        condition = f"type(s).__name__ == {kind!r} and {near or True}"
        wait_for_python(self.lab, f"bool([s for s in [image.shapes.get({name!r})] if {condition}])")

    def wait_until_drawn(self, x: float, y: float, colour: str, reach: int = 2) -> None:
        """Wait until a colour is drawn at a position."""
        left, top, *_ = self.lab.page.evaluate(PLOT)
        to_x, to_y = self.at(x, y)
        self.lab.wait_until(DRAWN, arg=[to_x - left, to_y - top, colour, reach])

    def is_drawn(self, x: float, y: float, colour: str, reach: int = 2) -> bool:
        """Return whether a colour is drawn at a position."""
        left, top, *_ = self.lab.page.evaluate(PLOT)
        to_x, to_y = self.at(x, y)
        return bool(self.lab.page.evaluate(DRAWN, [to_x - left, to_y - top, colour, reach]))

    def touch(self, kind: str, *places: Position) -> None:
        """Have fingers touch the page at positions on it, as the browser's protocol says it."""
        points: list[dict[str, Any]] = [
            {"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)
        ]
        event = {"type": f"touch{kind}", "touchPoints": points}
        self._session.send("Input.dispatchTouchEvent", event)

    def pen(self, kind: str, place: Position) -> None:
        """Have a pen at a position on the page."""
        event = {"x": place[0], "y": place[1], "button": "left", "pointerType": "pen"}
        more = {"buttons": 0 if kind == "Released" else 1, "clickCount": 1}
        message = {"type": f"mouse{kind}", **event, **more}
        self._session.send("Input.dispatchMouseEvent", message)


def edges(mask: np.ndarray) -> list[tuple[float, float, bool]]:
    """Return the middles of the sides between pixels of a row, and whether they part the mask."""
    found = []
    for y, row in enumerate(mask):
        for x in range(len(row) - 1):
            found.append((x + 0.5, float(y), bool(row[x] != row[x + 1])))
    return found
