"""What `make lab` serves: the notebooks, and all that they link to."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

REPOSITORY = Path(__file__).parents[2]
#: Files of the repository, as a notebook refers to them.
LINK = re.compile(r"\]\((?!https?:|#|attachment:)([^)#]+)\)")


def links():
    """Return what the notebooks link to, from the root of the repository."""
    found = set()
    for notebook in (REPOSITORY / "notebooks").glob("*.ipynb"):
        cells = json.loads(notebook.read_text("utf-8"))["cells"]
        text = "".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
        for link in LINK.findall(text):
            found.add(os.path.relpath(notebook.parent / link, REPOSITORY))
    return sorted(found)


@pytest.fixture
def server(tmp_path):
    """Start what `make lab` starts, without a browser; return its address and the page it opens."""
    recipe = subprocess.run(
        ["make", "-n", "lab"], cwd=REPOSITORY, text=True, capture_output=True, check=True
    )
    (command,) = [line for line in recipe.stdout.splitlines() if "/jupyter lab" in line]
    private = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    log = tmp_path / "log"
    with log.open("wb") as sink:
        running = subprocess.Popen(
            [
                sys.executable, "-m", "jupyterlab", *shlex.split(command)[2:],
                "--no-browser", "--ServerApp.port=0", "--IdentityProvider.token=",
            ],
            cwd=REPOSITORY, stdout=sink, stderr=sink,
            env={**os.environ, **{f"JUPYTER_{name}": str(tmp_path / name) for name in private}},
        )  # fmt: skip
    try:
        # What a browser is shown first, which sends it on; it is written before anybody answers.
        while not (
            (found := re.search(r'href="(http://[^/"]+)([^"]*)"', _first_page(tmp_path)))
            and _answers(found[1])
        ):
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.wait(0.1)
            assert running.poll() is None, log.read_text()
        assert f"{found[1]}/lab/tree/notebooks/live-plotting.ipynb" in log.read_text()
        yield found[1], found[2]
    finally:
        running.terminate()
        running.wait()


def _answers(address):
    try:
        with urlopen(f"{address}/api"):
            return True
    except URLError:
        return False


def _first_page(folder):
    pages = (folder / "RUNTIME_DIR").glob("jpserver-*-open.html")
    return "".join(page.read_text() for page in pages)


@pytest.mark.skipif(shutil.which("make") is None, reason="no make")
def test_make_lab_serves_what_notebooks_link_to(server):
    address, opened = server
    assert opened.startswith("/lab/tree/notebooks/live-plotting.ipynb")
    assert "docs/lifetime.md" in links()
    for link in links():
        try:
            with urlopen(f"{address}/api/contents/{link}?content=0") as answer:
                assert json.load(answer)["path"] == link
        except URLError as error:
            pytest.fail(f"{link} is not served: {error}")
