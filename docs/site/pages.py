"""What mkdocs is told beside mkdocs.yml: pages that are kept elsewhere, and where their links lead.

The Markdown of this repository is written to be read where it lies, so its links are paths in the
repository. Here they become links to pages of the site, or, where there is none, to the repository.
A link to what is not there is left as it is: mkdocs says so, and ends.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nbformat
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from nbconvert import MarkdownExporter

TOP = Path(__file__).parents[2]
DOCS, NOTEBOOKS = TOP / "docs", TOP / "notebooks"
OUTSIDE = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "findings/README.md",
    "benchmarks/README.md",
    "benchmarks/RESULTS.md",
    "benchmarks/results.svg",
)
#: Outputs that are widgets, or pictures of them.
DRAWN = {"application/vnd.jupyter.widget-view+json", "image/png"}
LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)#\s]+)(?=[)#])")


def on_config(config: MkDocsConfig) -> None:
    """Put pages in place of the patterns in the navigation."""
    config.nav = [_expanded(entry) for entry in config.nav or ()]


def _expanded(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    ((title, below),) = entry.items()
    if not isinstance(below, list):
        return entry
    return {title: [one for each in below for one in _pages(each)]}


def _pages(entry: Any) -> Iterable[Any]:
    if not isinstance(entry, str) or "*" not in entry:
        return (_expanded(entry),)
    return [path.relative_to(DOCS).as_posix() for path in sorted(DOCS.glob(entry))]


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add pages from outside of docs/, and notebooks as they are, which are not executed."""
    for name in OUTSIDE:
        files.append(File(name, str(TOP), config.site_dir, config.use_directory_urls))
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        for name, content in _told(path, config):
            files.append(File.generated(config, f"notebooks/{name}", content=content))


def _told(path: Path, config: MkDocsConfig) -> Iterable[tuple[str, str | bytes]]:
    names = {"unique_key": path.stem, "output_files_dir": f"{path.stem}-pictures"}
    text, resources = MarkdownExporter().from_notebook_node(_pictured(path), resources=names)
    origin = f"[{path.name}]({_at_home(path, config)}) in the repository, to be run."
    yield f"{path.stem}.md", f"{text}\n---\n\n{origin}\n"
    yield from resources["outputs"].items()


def _pictured(path: Path) -> nbformat.NotebookNode:
    """Return a notebook with pictures of what a page without a kernel cannot draw."""
    notebook = nbformat.read(path, as_version=4)
    cells = []
    for number, cell in enumerate(notebook.cells):
        cells.append(cell)
        picture = DOCS / "images" / "notebooks" / f"{path.stem}-{number}.png"
        if picture.exists():
            cell.outputs = [out for out in cell.outputs if not DRAWN & out.get("data", {}).keys()]
            link = os.path.relpath(picture, NOTEBOOKS)
            cells.append(nbformat.v4.new_markdown_cell(f"![What it shows at the end]({link})"))
    notebook.cells = cells
    return notebook


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let the links of a page lead to pages of the site, or else to the repository."""
    name = page.file.src_uri
    folder = (DOCS / name if (DOCS / name).exists() else TOP / name).parent
    begin = os.path.dirname(name)

    def link(match: re.Match[str]) -> str:
        path = Path(os.path.normpath(folder / match[1]))
        if not path.exists() or not path.is_relative_to(TOP):
            return match[1]
        on_site = _on_site(path)
        if files.get_file_from_path(on_site) is None:
            return _at_home(path, config)
        return os.path.relpath(on_site, begin or ".").replace(os.sep, "/")

    return LINK.sub(link, markdown)


def _on_site(path: Path) -> str:
    if path.is_dir():
        path /= "README.md"
    if path.parent == NOTEBOOKS:
        path = path.with_suffix(".md")
    return path.relative_to(DOCS if path.is_relative_to(DOCS) else TOP).as_posix()


def _at_home(path: Path, config: MkDocsConfig) -> str:
    kind = "tree" if path.is_dir() else "blob"
    return f"{config.repo_url.rstrip('/')}/{kind}/main/{path.relative_to(TOP).as_posix()}"


def on_page_content(html: str, *, page: Page, **_: Any) -> str:
    """Take off what begins an example in a docstring, which Markdown does not know."""
    if not page.file.src_uri.startswith("api/"):
        return html
    return html.replace("<p>::</p>", "").replace("::</p>", ":</p>")
