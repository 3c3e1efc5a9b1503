"""The JavaScript and CSS that npm builds from `js/`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

STATIC = Path(__file__).parent.parent / "static"

_MISSING = """
export default {
  render({ el }) {
    el.textContent =
      "udfwidgets was installed without its JavaScript: run npm install, then npm run build";
  },
};
"""


@cache
def esm() -> str:
    """Return the module that draws all widgets; without a build, one that says so."""
    return _read("live.js") or _MISSING


@cache
def css() -> str:
    """Return the style sheet of all widgets."""
    return _read("live.css")


def _read(name: str) -> str:
    path = STATIC / name
    return path.read_text("utf-8") if path.exists() else ""
