"""Which analyses a Context has started: those under way, and who wants to know of new ones."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass

from udfwidgets.engine.ends.view import View
from udfwidgets.engine.run import Run


@dataclass(frozen=True, eq=False)
class Entry:
    """An analysis.

    Attributes
    ----------
    run : Run
        Under way, or ended.
    view : View or None
        What shows it, where it was started with a view.
    """

    run: Run
    view: View | None = None


class Registry:
    """Remembers the analyses of a Context for as long as they are under way, or are shown.

    It does not keep them alive.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: dict[int, tuple[weakref.ref[Run], weakref.ref[View] | None]] = {}
        self._watchers: tuple[Callable[[Entry], None], ...] = ()

    def entries(self) -> tuple[Entry, ...]:
        """Return the analyses, in the order in which they were started."""
        with self._lock:
            held = tuple(self._runs.values())
        found = ((run(), None if view is None else view()) for run, view in held)
        return tuple(Entry(run, view) for run, view in found if run is not None)

    def watch(self, callback: Callable[[Entry], None]) -> Callable[[], None]:
        """Call back with each analysis that starts from now on, on the thread that starts it.

        Returns
        -------
        callable
            Ends the watch.
        """
        with self._lock:
            self._watchers = (*self._watchers, callback)

        def unwatch() -> None:
            with self._lock:
                self._watchers = tuple(c for c in self._watchers if c is not callback)

        return unwatch

    def add(self, run: Run, view: View | None = None) -> None:
        """Take note of a run that is about to start, and of what shows it."""
        key = id(run)
        reference = weakref.ref(run, lambda _: self._runs.pop(key, None))
        with self._lock:
            self._runs[key] = reference, None if view is None else weakref.ref(view)
            watchers = self._watchers
        entry = Entry(run, view)
        for callback in watchers:
            callback(entry)
