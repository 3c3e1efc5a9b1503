"""Fixtures of the browser tests: one JupyterLab for all of them, and notebooks made from cells."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import nbformat
import pytest

from .lab import Lab

FAILURES = Path(__file__).parents[2] / ".cache" / "browser"
"""Where the last page of a failed test is kept as a picture."""

NotebookMaker = Callable[[Sequence[str]], Path]


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Start JupyterLab and a browser once; each test opens the notebook it needs."""
    if shutil.which("chromium") is None and not os.environ.get("CI"):
        pytest.skip("no chromium on PATH")  # on CI its absence is an error, which Lab raises
    # `make kernels` names others.
    kernel = os.environ.get("KERNEL_PYTHON", "")
    with Lab(tmp_path_factory.mktemp("lab"), kernel=kernel) as running:
        yield running


@pytest.fixture(autouse=True)
def quiet_page(request: pytest.FixtureRequest, lab: Lab) -> Iterator[None]:
    """Fail a test during which a script on the page threw, and keep a picture of failed tests."""
    lab.console.clear()
    failures_before = request.session.testsfailed
    yield
    failed = request.session.testsfailed > failures_before
    if failed or lab.page_errors:
        name = re.sub(r"\W+", "-", request.node.name)
        lab.screenshot(FAILURES / f"{name}.png")
    if not failed and lab.page_errors:
        pytest.fail("uncaught on the page: " + "\n".join(lab.page_errors), pytrace=False)


@pytest.fixture
def lab_notebook(request: pytest.FixtureRequest, tmp_path: Path) -> NotebookMaker:
    """Return a function that writes a notebook of the given code cells and returns its path."""

    def make(cells: Sequence[str]) -> Path:
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        path = tmp_path / (re.sub(r"\W+", "-", request.node.name) + ".ipynb")
        nbformat.write(notebook, path)
        return path

    return make
