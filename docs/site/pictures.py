"""Takes the pictures of the notebooks anew: ``python -m docs.site.pictures`` from the top folder.

With names behind it (``explore``, ``streaming``) it takes those only. Each notebook is executed,
and what its cards look like in the end is kept by the number of the cell, for the site to show.
"""

from __future__ import annotations

import base64
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from PIL import Image

TOP = Path(__file__).parents[2]
PICTURES = TOP / "docs" / "images" / "notebooks"
#: Colours of a picture: more are not seen, and take three times the room.
COLOURS = 128


def take(path: Path) -> None:
    """Execute a notebook and keep the last picture of each cell that has one."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": path.parent}}).execute()
    for old in PICTURES.glob(f"{path.stem}-[0-9]*.png"):
        old.unlink()
    for number, png in _pictures(notebook.cells):
        with Image.open(io.BytesIO(png)) as image:
            few = image.convert("RGB").quantize(COLOURS)
        few.save(PICTURES / f"{path.stem}-{number}.png", optimize=True)


def _pictures(cells: Sequence[Any]) -> Iterator[tuple[int, bytes]]:
    for number, cell in enumerate(cells):
        shown = [out.get("data", {}).get("image/png") for out in cell.get("outputs", ())]
        if any(shown):
            yield number, base64.b64decode([png for png in shown if png][-1])


def main(names: Sequence[str]) -> None:
    """Take the pictures of all notebooks, or of those that are named."""
    PICTURES.mkdir(exist_ok=True)
    there = {path.stem: path for path in sorted((TOP / "notebooks").glob("*.ipynb"))}
    for name in names or there:
        print(name, flush=True)
        take(there[name])


if __name__ == "__main__":
    main(sys.argv[1:])
