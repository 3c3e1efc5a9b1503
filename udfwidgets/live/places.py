"""What the outputs of a notebook show: widgets, those inside of them, and how all of that changes.

A widget is displayed in a *place*: in the output of a cell, or in an `Output` widget. A place loses
what it shows when its cell runs again, or when it is cleared. What lies inside a box, a tab, an
`Output` widget is shown where that is, so it is looked for from the places down, and whenever one
of them changes. IPython tells what is displayed, the boxes say what their children are.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import ipywidgets
from IPython.core.getipython import get_ipython

from udfwidgets.live.where import SOMEWHERE, current_cell, current_place

Displayed = list["weakref.ref[ipywidgets.Widget]"]


class Tracked(Protocol):
    """Who wants to know whether a widget is shown."""

    is_shown: bool

    @property
    def widget(self) -> ipywidgets.Widget | None:
        """The widget, while there is one. What is inside is its own affair."""

    def found(self, *, anew: bool) -> None:
        """Take note that a place shows it; anew: it has just been put there."""

    def missed(self, *, replaced: bool) -> None:
        """Take note that none does, for now; replaced: by what a cell displays in its stead."""

    def settle(self) -> None:
        """Take note that it stays as it is."""


class Places:
    """Finds out, in the kernel that we are in, if we are in one. Safe on any thread."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._tracked: weakref.WeakSet[Any] = weakref.WeakSet()
        self._cells: dict[str, Displayed] = {}
        self._outputs: weakref.WeakKeyDictionary[Any, Displayed] = weakref.WeakKeyDictionary()
        #: `Output` widgets that are known to be, or to have been, shown in a cell.
        self._placed: weakref.WeakSet[Any] = weakref.WeakSet()
        #: Places that are cleared by the next thing that is displayed.
        self._cleared: set[Any] = set()
        self._boxes: weakref.WeakSet[Any] = weakref.WeakSet()
        #: By the cell at whose end they are settled.
        self._undecided: dict[str, list[Tracked]] = {}
        #: What the cell that is running has displayed, and who is told of it at its end.
        self._displayed: Displayed = []
        self._at_ends: dict[object, Callable[[str, Displayed], None]] = {}
        self._shell: Any = None
        self._hooked = threading.local()

    def track(self, tracked: Tracked) -> None:
        """Begin to tell somebody, for as long as he is there."""
        with self._lock:
            self._tracked.add(tracked)
        self._listen()

    def tell_ends(self, whom: object, tell: Callable[[str, Displayed], None]) -> None:
        """Tell somebody, at the end of each cell, its id and what it has displayed."""
        self._at_ends[whom] = tell
        self._listen()

    def note(self, widget: ipywidgets.Widget) -> None:
        """Take note that a widget is displayed now."""
        self._listen()
        place = current_place()
        with self._lock:
            if place in self._cleared:
                self._cleared.discard(place)
                self._empty(place)
            shown = self._shown_in(place)
            shown[:] = [each for each in shown if each() not in (None, widget)]
            shown.append(weakref.ref(widget))
            if isinstance(place, str) and all(each() is not widget for each in self._displayed):
                self._displayed.append(weakref.ref(widget))
        self._review(replaced=True, anew=[widget])

    def held_by(self, output: ipywidgets.Output) -> list[Any]:
        """Return what an `Output` widget shows."""
        with self._lock:
            return widgets_of([each() for each in self._outputs.get(output, ())])

    # What IPython and the boxes tell

    def _listen(self) -> None:
        shell: Any = get_ipython()
        if shell is None:
            return
        with self._lock:
            is_new, self._shell = shell is not self._shell, shell
        if is_new:
            shell.events.register("pre_run_cell", self._begins)
            shell.events.register("post_run_cell", self._ends)
            # Boxes do not say when they are displayed, and all that is displayed passes here.
            bundles = shell.display_formatter.mimebundle_formatter
            bundles.for_type(ipywidgets.Widget, self._bundle)
        publisher: Any = getattr(shell, "display_pub", None)
        if hasattr(publisher, "register_hook") and not hasattr(self._hooked, "yes"):
            self._hooked.yes = True
            publisher.register_hook(self._published)  # each thread has its own

    def _bundle(self, widget: Any) -> Any:
        make = getattr(widget, "_repr_mimebundle_", None)
        if not callable(make):
            return None  # closed
        self.note(widget)
        return make()

    def _published(self, message: dict[str, Any]) -> dict[str, Any]:
        if message["header"]["msg_type"] == "clear_output":
            place = current_place()
            with self._lock:
                if message["content"].get("wait"):
                    self._cleared.add(place)
                else:
                    self._empty(place)
            self._review(replaced=True)
        return message

    def _begins(self, info: Any) -> None:
        cell = getattr(info, "cell_id", None) or SOMEWHERE
        with self._lock:
            self._undecided.setdefault(cell, [])
            self._displayed = []
            self._cleared.discard(cell)
            if cell != SOMEWHERE:
                self._empty(cell)
        self._review(replaced=True)

    def _ends(self, result: Any) -> None:
        self._review(replaced=False)
        cell = getattr(result.info, "cell_id", None) or SOMEWHERE
        with self._lock:
            undecided = self._undecided.pop(cell, [])
            displayed, self._displayed = self._displayed, []
        _settle(undecided)
        for at_end in tuple(self._at_ends.values()):
            at_end(cell, displayed)

    def _changed(self, change: dict[str, Any]) -> None:
        before = list(map(id, widgets_of(change["old"])))
        self._review(
            replaced=False,
            anew=[each for each in widgets_of(change["new"]) if id(each) not in before],
        )

    # What follows from it

    def _review(self, *, replaced: bool, anew: Iterable[Any] = ()) -> None:
        """Look who is shown, and have it settled when whoever runs now is through."""
        with self._lock:
            tracked = {id(each.widget): each for each in self._tracked if each.widget is not None}
            new = set(self._inside(anew, tracked))
            shown = self._from_places_down(tracked)
            missing = [t for key, t in tracked.items() if t.is_shown and key not in shown]
            found = [(t, key in new) for key, t in tracked.items() if key in shown]
        for each, is_anew in found:
            each.found(anew=is_anew)
        for each in missing:
            each.missed(replaced=replaced)
        if missing:
            self._settle_later(missing)

    def _from_places_down(self, tracked: dict[int, Any]) -> set[int]:
        """Return which widgets are shown, of those that are tracked, by their `id`."""
        in_cells = [each() for cell in self._cells.values() for each in cell]
        shown = set(self._inside(in_cells, tracked, self._placed))
        # Whoever fills one before it is displayed, or has displayed it before we looked, wants it.
        loose = [out for out in self._outputs if out not in self._placed]
        return shown | set(self._inside(loose, tracked))

    def _inside(
        self,
        widgets: Iterable[Any],
        tracked: dict[int, Any],
        outputs: weakref.WeakSet[Any] | None = None,
    ) -> Iterator[int]:
        """Walk down, past what is closed; collect the `Output` widgets on the way."""
        waiting, seen = list(widgets), set()
        while waiting:
            widget = waiting.pop()
            if widget is None or id(widget) in seen or widget.comm is None:
                continue
            seen.add(id(widget))
            if id(widget) in tracked:
                yield id(widget)
                continue
            if isinstance(widget, ipywidgets.Output):
                waiting += [each() for each in self._outputs.get(widget, ())]
                if outputs is not None:
                    outputs.add(widget)
            if widget.has_trait("children"):
                waiting += widgets_of(widget.children)
                self._follow(widget)

    def _follow(self, box: Any) -> None:
        if box not in self._boxes:
            self._boxes.add(box)
            box.observe(self._changed, "children")

    def _settle_later(self, missing: list[Tracked]) -> None:
        # A cell, or the handler of a slider, may show again what it has taken away.
        with self._lock:
            undecided = self._undecided.get(current_cell())
            if undecided is not None:
                undecided += missing
                return
        try:
            asyncio.get_running_loop().call_soon(_settle, missing)
        except RuntimeError:
            _settle(missing)

    # Places

    def _shown_in(self, place: Any) -> Displayed:
        by_place: Any = self._cells if isinstance(place, str) else self._outputs
        shown: Displayed = by_place.setdefault(place, [])
        return shown

    def _empty(self, place: Any) -> None:
        if isinstance(place, str):
            self._displayed = []
        self._shown_in(place).clear()


def widgets_of(children: Any) -> list[Any]:
    """Return the widgets of a trait `children`, which not every package gives the same meaning."""
    listed = children if isinstance(children, (list, tuple)) else ()
    return [each for each in listed if isinstance(each, ipywidgets.Widget)]


def _settle(undecided: Iterable[Tracked]) -> None:
    for each in undecided:
        each.settle()


places = Places()
