"""Which outputs of a notebook show a widget, so that it can go when none does any more.

A widget lives in the kernel until it is closed, whatever happens to the outputs it was shown in.
Two sides know of them. The kernel knows which cell is running when a widget is displayed, and when
that cell runs again, which clears its output; a widget that is not displayed anew until the cell is
through has lost that place. The pages know which views a person has deleted; see `flow`. A page
that is reloaded or closed has deleted nothing: the output is in the notebook, and may come back.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any

from IPython.core.getipython import get_ipython

#: Where a front end does not say which cell is running.
SOMEWHERE = ""


class Outputs:
    """The cells in whose outputs a widget was displayed.

    Parameters
    ----------
    on_gone : callable
        Called, on whatever thread, when the last of them is gone.
    """

    def __init__(self, on_gone: Callable[[], None]) -> None:
        self._on_gone = on_gone
        self._cells: set[str] = set()
        self._displayed = False
        self._replaced = False
        #: Lost one to a cell that is still running, and may display it again.
        self._undecided = False

    def __bool__(self) -> bool:
        return bool(self._cells)

    @property
    def are_lost(self) -> bool:
        """Whether there were any and there are none now."""
        return self._displayed and not self._cells and not self._undecided

    @property
    def are_replaced(self) -> bool:
        """Whether they are lost because the last cell that had one ran again."""
        return self.are_lost and self._replaced

    def note(self) -> None:
        """Take note that the widget is displayed by the cell that is running."""
        self._displayed = True
        self._cells.add(_watched.current_cell())
        _watched.add(self)

    def deleted(self) -> None:
        """Take note that no page shows it any more."""
        if not self._undecided:
            self._cells.clear()
            self._on_gone()

    def cell_begins(self, cell: str) -> bool:
        """Take note that a cell runs again; return whether it had displayed the widget."""
        if cell not in self._cells:
            return False
        self._cells.discard(cell)
        self._undecided = True
        return True

    def cell_ends(self) -> None:
        """Take note that the cell is through."""
        self._undecided = False
        if not self._cells:
            self._replaced = True
            self._on_gone()


def current_cell() -> str:
    """Return the id of the cell that is running; empty where nobody says."""
    return _watched.current_cell()


class _Cells:
    """Tells outputs of cells that run, in the kernel that we are in, if we are in one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._outputs: weakref.WeakSet[Outputs] = weakref.WeakSet()
        self._undecided: dict[str, list[Outputs]] = {}
        self._shell: Any = None

    def current_cell(self) -> str:
        """Return the id of the cell that is running."""
        shell: Any = get_ipython()
        if not hasattr(shell, "get_parent"):
            return SOMEWHERE  # no kernel
        try:
            parent = shell.get_parent()
        except LookupError:
            return SOMEWHERE  # a kernel that knows only on its main thread
        return str(parent.get("metadata", {}).get("cellId", SOMEWHERE))

    def add(self, outputs: Outputs) -> None:
        with self._lock:
            self._outputs.add(outputs)
        shell: Any = get_ipython()
        if shell is not None and shell is not self._shell:
            shell.events.register("pre_run_cell", self._begins)
            shell.events.register("post_run_cell", self._ends)
            self._shell = shell

    def _begins(self, info: Any) -> None:
        cell = getattr(info, "cell_id", None)
        if not cell:
            return
        with self._lock:
            outputs = list(self._outputs)
        self._undecided[cell] = [each for each in outputs if each.cell_begins(cell)]

    def _ends(self, result: Any) -> None:
        cell = getattr(result.info, "cell_id", None) or SOMEWHERE
        for outputs in self._undecided.pop(cell, ()):
            outputs.cell_ends()


_watched = _Cells()
