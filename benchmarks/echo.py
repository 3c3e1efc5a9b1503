"""How far behind a hand the barest answer of a kernel is: a widget that says each move back.

Nothing is computed, and a canvas is filled with one colour. What this cannot do, no picture that a
kernel makes can do on the same machine.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.pointed import MOVES, Dragged, at_the_rate, move_held
from tests.browser.lab import Lab

#: The page says the newest move in each of its frames, unless two are under way, as the shapes of a
#: view do.
ECHO = '''
import anywidget

class Echo(anywidget.AnyWidget):
    _esm = """
    export default {
      render({ model, el }) {
        const canvas = document.createElement("canvas");
        canvas.className = "echo";
        canvas.width = canvas.height = 256;
        canvas.style.cssText = "display: block; width: 512px; height: 512px";
        el.append(canvas);
        const context = canvas.getContext("2d");
        const seen = (window.echoSeen = { isOn: false, moves: [], paints: [] });
        let number = -1, said = -1, underWay = 0, hasSaid = false, heard = null;
        const say = () => {
          if (hasSaid || said === number || underWay === 2) return;
          model.send({ number });
          said = number;
          underWay += 1;
          hasSaid = true;
          requestAnimationFrame(() => { hasSaid = false; say(); });
        };
        document.addEventListener("pointermove", () => {
          if (!seen.isOn) return;
          number = seen.moves.push(performance.now()) - 1;
          say();
        }, true);
        const frames = new MessageChannel();
        frames.port1.onmessage = ({ data }) => seen.paints.push([performance.now(), data]);
        model.on("msg:custom", (content) => {
          underWay -= 1;
          say();
          const isFirst = heard === null;
          heard = content.number;
          if (isFirst) requestAnimationFrame(() => {
            context.fillStyle = `rgb(${heard % 256}, 0, 0)`;
            context.fillRect(0, 0, canvas.width, canvas.height);
            frames.port2.postMessage(heard);
            heard = null;
          });
        });
        seen.begin = () => {
          Object.assign(seen, { isOn: true, moves: [], paints: [] });
          number = said = -1;
        };
      },
    };
    """

    def __init__(self):
        super().__init__()
        self.on_msg(lambda _, content, __: self.send(content))

echo = Echo()
echo
'''

CANVAS = "document.querySelector('canvas.echo')"
HAS_ECHO = f"() => {CANVAS} !== null"
PLACE = (
    f"() => {{ const canvas = {CANVAS}; canvas.scrollIntoView({{block: 'center'}});"
    "  const box = canvas.getBoundingClientRect(); return [box.x, box.y, box.width, box.height]; }"
)
BEGIN = "() => window.echoSeen.begin()"
SEEN = (
    "() => { const seen = window.echoSeen; seen.isOn = false; return [seen.moves, seen.paints]; }"
)


class EchoHand:
    """A hand on the echo that a page shows.

    Parameters
    ----------
    lab : Lab
        Where.
    """

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._session = lab.page.context.new_cdp_session(lab.page)
        lab.wait_until(HAS_ECHO)

    def drag(self) -> Dragged:
        """Move to and fro as often as on a view, and return what was said back meanwhile."""
        left, top, width, height = self._lab.page.evaluate(PLACE)
        y = top + height / 2
        mouse = self._lab.page.mouse
        mouse.move(left + 8, y)
        mouse.down()
        self._lab.page.evaluate(BEGIN)
        for number in at_the_rate(MOVES):
            move_held(self._session, left + 8 + (number * 3) % (width - 16), y)
        moves, paints = self._lab.page.evaluate(SEEN)
        mouse.up()
        return _seen(moves, paints)


def _seen(moves: list[float], paints: list[Any]) -> Dragged:
    by_then = np.searchsorted(moves, [when for when, _ in paints])
    ages = by_then - 1 - np.array([number for _, number in paints])
    return Dragged(1000 * len(paints) / (moves[-1] - moves[0]), sorted(ages.tolist()))
