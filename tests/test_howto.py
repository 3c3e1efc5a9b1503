"""Runs the examples of docs/howto as they stand there, each page by itself."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from udfwidgets import Context, demo
from udfwidgets.live import LiveAnalysis

PAGES = sorted((Path(__file__).parents[1] / "docs" / "howto").glob("*.md"))
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)


@pytest.fixture(scope="module")
def scan(tmp_path_factory) -> Path:
    """A folder with the scan of which the examples speak, in small."""
    folder = tmp_path_factory.mktemp("scan")
    demo.make_scan(folder, sig_shape=(16, 16))
    return folder


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_examples_of_a_page_run_one_after_another(page, scan, tmp_path, monkeypatch):
    for path in scan.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    known: dict[str, Any] = {"__name__": page.stem}
    with ExitStack() as stack:
        for block in BLOCK.findall(page.read_text()):
            exec(compile(block, str(page), "exec"), known)
            for value in known.values():
                if isinstance(value, Context | LiveAnalysis):
                    stack.callback(value.close)
