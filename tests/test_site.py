"""The documentation site: its navigation is whole, and its names are there.

Whether its links lead anywhere is found out by `make docs`, which builds it.
"""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

TOP = Path(__file__).parents[1]
DOCS = TOP / "docs"
NAMES = re.findall(r"^::: (\S+)$", "\n".join(p.read_text() for p in DOCS.glob("api/*.md")), re.M)


def leaves(entry: Any) -> Iterator[str]:
    """Go through the pages and patterns of a navigation."""
    if isinstance(entry, str):
        yield entry
        return
    for below in entry.values() if isinstance(entry, dict) else entry:
        yield from leaves(below)


def files_of(entry: str) -> list[Path]:
    """Return what stands behind an entry: Markdown of docs/ or of the repository, or a notebook."""
    notebook = (TOP / entry).with_suffix(".ipynb")
    return sorted(DOCS.glob(entry)) or [p for p in (TOP / entry, notebook) if p.is_file()]


@pytest.fixture(scope="module")
def navigation() -> list[str]:
    return list(leaves(yaml.safe_load((TOP / "mkdocs.yml").read_text())["nav"]))


def test_what_the_navigation_names_is_there(navigation):
    assert [entry for entry in navigation if not files_of(entry)] == []


def test_every_page_and_notebook_is_in_the_navigation_once(navigation):
    named = [path for entry in navigation for path in files_of(entry)]
    there = {*DOCS.rglob("*.md"), *(TOP / "notebooks").glob("*.ipynb")}
    assert there - set(named) == set()
    assert len(named) == len(set(named))


@pytest.mark.parametrize("name", NAMES)
def test_what_the_api_pages_describe_is_there_and_says_what_it_is(name):
    assert pkgutil.resolve_name(name).__doc__
