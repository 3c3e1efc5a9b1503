"""Write `js/src/picture/colormaps.json` from the cmap package: python js/tools/colormaps.py."""

from __future__ import annotations

import json
from pathlib import Path

from udfwidgets.live.picture.colour import COLORMAPS, table

TARGET = Path(__file__).parent.parent / "src" / "picture" / "colormaps.json"


def as_json() -> str:
    """Return every table as one string of hexadecimal RGB."""
    return json.dumps({name: table(name).tobytes().hex() for name in COLORMAPS}, indent=1) + "\n"


if __name__ == "__main__":
    TARGET.write_text(as_json(), "utf-8")
