"""The JavaScript that npm builds from `js/`, with its style sheet in it."""

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
    path = STATIC / "live.js"
    return path.read_text("utf-8") if path.exists() else _MISSING
