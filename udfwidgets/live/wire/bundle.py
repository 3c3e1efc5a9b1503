"""Brings the JavaScript that npm builds from `js/` to a page, once for all widgets of a kernel.

It is large, and there are many widgets: one `Source` carries it for all of them, and each of them
only what finds it there. What draws shapes has one of its own: most pages do without.
"""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path

import ipywidgets
import traitlets

from udfwidgets.live.quick import Quick

STATIC = Path(__file__).parents[2] / "static"

_MISSING = """
export default {
  render({ el }) {
    el.textContent =
      "udfwidgets was installed without its JavaScript: run npm install, then npm run build";
  },
};
"""


@cache
def loader() -> str:
    """Return the module that each widget carries; without a build, one that says so."""
    return _read("loader.js") or _MISSING


@cache
def _read(name: str) -> str:
    path = STATIC / name
    return path.read_text("utf-8") if path.exists() else ""


class Source(Quick, ipywidgets.Widget):  # type: ignore[misc]
    """Carries a module that draws widgets."""

    source = traitlets.Unicode().tag(sync=True)


class Share:
    """The one `Source` of a module, as long as any widget needs it. Safe on any thread.

    Parameters
    ----------
    module : str
        Name of the file.
    """

    def __init__(self, module: str) -> None:
        self._module = module
        # Reentrant: while a source is made, the collector may close a widget that was forgotten.
        self._lock = threading.RLock()
        self._keys: set[str] = set()
        self._source: Source | None = None

    def join(self, key: str) -> Source:
        """Return the source for the widget with this key, which has to `leave`."""
        with self._lock:
            self._keys.add(key)
            # Somebody may have closed all widgets there are.
            if self._source is None or self._source.comm is None:
                self._source = Source(source=_read(self._module))
            return self._source

    def leave(self, key: str) -> None:
        """Close the source behind the last widget. May be called twice."""
        with self._lock:
            self._keys.discard(key)
            if not self._keys and self._source is not None:
                self._source.close()
                self._source = None


share = Share("live.js")
shapes = Share("shapes.js")
