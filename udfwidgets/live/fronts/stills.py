"""One picture in the outputs of each cell that stands in for its cards where widgets are not shown.

A notebook is looked at without its kernel, too: on a web page, printed, or next week, when
JupyterLab has not kept the state of widgets. Below a card there is therefore a PNG. It is displayed
when the cell is through, empty if the run has only begun, and replaced when the run has ended, also
after the cell. Pages hide it as long as they draw something beside it (`js/src/page/still.ts`), and
find it by what its first bytes say.

What is published goes out on the kernel's main thread: at the end of a cell, so that tools that
execute notebooks see it, or a moment after the last picture, when the kernel has nothing to do.
"""

from __future__ import annotations

import asyncio
import base64
import io
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import ipywidgets
from IPython.core.getipython import get_ipython
from PIL import Image

from udfwidgets.live.fronts.pictured import Pictured, Seen
from udfwidgets.live.picture.sheet import side_by_side, signed
from udfwidgets.live.places import Displayed, places, widgets_of
from udfwidgets.live.quick import new_name
from udfwidgets.live.where import SOMEWHERE

#: Seconds after a change in which more may come, and between pictures of a run that goes on.
REST, PAUSE = 1.0, 10.0
#: Pictures of a cell at most.
MOST = 24
#: What of a canvas changes the picture; the first is set with the last picture of a run.
LOOKS = ("_saved", "colormap", "log_scale", "gamma", "auto", "limits", "overlay", "title")

#: What shows a widget, where widgets are shown.
VIEW = "application/vnd.jupyter.widget-view+json"
#: JupyterLab says that it has no model where it has not kept the state of a widget; it need not,
#: where there is a picture in its place.
HUSH = """<style class="udfw-hush">
.jp-OutputArea:has(img[src*="{mark}"])
  > .jp-OutputArea-child:has(> .jupyter-widgets):not(:has(> .jupyter-widgets > *)),
.jp-OutputArea-child:has(> .jp-OutputArea-output > style.udfw-hush) {{
  height: 0; min-height: 0; padding: 0; overflow: hidden;
}}
</style>"""


class Still:
    """The picture of one cell.

    Parameters
    ----------
    cell : str
        Its id, where the front end says it.
    displayed : list of weak references
        What the cell has displayed.
    """

    def __init__(self, cell: str, displayed: Displayed) -> None:
        self.cell = cell
        self.displayed = displayed
        #: Under which it is displayed, and replaced.
        self.name = new_name()
        #: What is on the one that was made last, and when that was.
        self.seen: tuple[Seen, ...] = ()
        self.made = float("-inf")
        self.png = ""
        #: Published while no cell was running, when not everybody listens.
        self.is_unheard = False

    @property
    def is_gone(self) -> bool:
        """Whether there is nothing any more that it could follow."""
        return not self.is_unheard and all(each() is None for each in self.displayed)

    def look(self) -> bool:
        """Make the picture, if there is a new one; return whether."""
        images = [each for each in inside(self.displayed) if isinstance(each, Pictured)][:MOST]
        seen = tuple(image.seen() for image in images)
        # What has gone stays as it was.
        is_less = len(seen) < len(self.seen) and set(seen) <= set(self.seen)
        if seen == self.seen or is_less or not any(each.is_there for each in seen):
            return False
        if not all(each.is_over for each in seen) and time.monotonic() - self.made < PAUSE:
            return False
        pngs = [image.png(overview=True) for image in images]
        lines = [(each.caption, each.told) for each in seen]
        self.png = base64.b64encode(side_by_side(pngs, lines)).decode()
        self.seen, self.made = seen, time.monotonic()
        return True

    def publish(self, *, heard: bool, update: bool = True) -> None:
        """Display it, or replace the one that is displayed."""
        self.is_unheard = not heard
        alt = ", ".join(each.caption for each in self.seen)
        _publish(self.name, {"image/png": self.png or _nothing()}, update, alt)
        # Only JupyterLab and its kin say which cell it is, and have something to hush.
        if self.cell != SOMEWHERE:
            hush = {"text/html": _hush()} if self.png else {"image/png": _nothing()}
            _publish(f"{self.name}-hush", hush, update)


class Stills:
    """The pictures of all cells of the kernel that we are in, if we are in one."""

    def __init__(self) -> None:
        self._stills: list[Still] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        #: Whether there is going to be a look, and when there was something new.
        self._is_due = False
        self._changed_at = 0.0

    def watch(self, canvas: ipywidgets.Widget) -> None:
        """Have the picture of whatever cell shows a canvas follow it."""
        if is_displaying():
            canvas.observe(self._changed, LOOKS)
            places.tell_ends(Stills, self.through)

    def through(self, cell: str, displayed: Displayed) -> None:
        """Publish what there is at the end of a cell."""
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None
        if cell != SOMEWHERE:
            self._stills = [each for each in self._stills if each.cell != cell]
        self._look(heard=True)
        if any(getattr(each, "_is_pictured", False) for each in inside(displayed)):
            still = Still(cell, displayed)
            self._stills.append(still)
            still.look()
            still.publish(heard=True, update=False)

    def _changed(self, change: object) -> None:
        """Take note, on any thread, that there is something new on a picture."""
        self._changed_at = time.monotonic()
        loop = self._loop
        if self._is_due or loop is None or not self._stills:
            return
        self._is_due = True
        try:
            loop.call_soon_threadsafe(self._look_later)
        except RuntimeError:
            self._is_due = False  # the kernel ends

    def _look_later(self) -> None:
        rest = self._changed_at + REST - time.monotonic()
        if rest > 0:
            asyncio.get_running_loop().call_later(rest, self._look_later)
        elif self._is_due:
            self._look(heard=False)

    def _look(self, *, heard: bool) -> None:
        """Publish all pictures on which there is something new, on the main thread."""
        self._is_due = False
        for still in self._stills:
            if still.look() or (heard and still.is_unheard):
                still.publish(heard=heard)
        self._stills = [each for each in self._stills if not each.is_gone]


def inside(displayed: Displayed) -> Iterator[Any]:
    """Return what was displayed and what is inside of it, also where that is closed."""
    waiting, seen = [each() for each in reversed(displayed)], set()
    while waiting:
        widget = waiting.pop()
        if widget is None or id(widget) in seen:
            continue
        seen.add(id(widget))
        yield widget
        if isinstance(widget, ipywidgets.Output):
            waiting += reversed(places.held_by(widget))
        if widget.has_trait("children") and not isinstance(widget, Pictured):
            waiting += reversed(widgets_of(widget.children))


def complete(mime: dict[str, Any], text: str, png: Callable[[], bytes | None]) -> dict[str, Any]:
    """Return what is displayed of a widget, with a picture where no still is.

    Parameters
    ----------
    mime : dict
        What is displayed so far, by MIME type; empty for a widget that is closed.
    text : str
        In the place of the widget, where there is nothing else.
    png : callable
        Makes the picture, or returns None.
    """
    mime["text/plain"] = text
    picture = None if VIEW in mime and is_displaying() else png()
    if picture is not None:
        mime["image/png"] = base64.b64encode(picture).decode()
    return mime


def is_displaying() -> bool:
    """Whether there is a kernel whose front end shows pictures below cards, and can hide them."""
    shell: Any = get_ipython()
    # VS Code shows pictures where pages cannot reach them.
    return hasattr(shell, "kernel") and "__vsc_ipynb_file__" not in shell.user_ns


def _publish(name: str, data: dict[str, str], update: bool, alt: str = "") -> None:
    shell: Any = get_ipython()
    # Where nbconvert looks for what it says to those who do not see the picture.
    told = {"image/png": {"alt": alt}} if alt else {}
    shell.display_pub.publish(data, told, transient={"display_id": name}, update=update)


@cache
def _nothing() -> str:
    """Return a picture of one transparent pixel, in the place of one that is to come."""
    file = io.BytesIO()
    Image.new("RGBA", (1, 1), (0, 0, 0, 0)).save(file, "PNG", pnginfo=signed())
    return base64.b64encode(file.getvalue()).decode()


def mark() -> str:
    """Return what all our pictures have in common, as they stand in a notebook."""
    # Eight bytes of signature and 25 of the header come before, which is a multiple of three.
    return _nothing()[44:80]


@cache
def _hush() -> str:
    return HUSH.format(mark=mark())


stills = Stills()
