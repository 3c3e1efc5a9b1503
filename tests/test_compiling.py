"""What is compiled is kept on disk; where that goes wrong, all still runs, after one warning."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import udfwidgets

JOB = """
import numpy as np
from udfwidgets import Context, SumUDF, SumSigUDF
with Context.make_with("inline") as ctx:
    scan = ctx.load("memory", data=np.ones((4, 4, 8, 8), "u2"))
    both = ctx.run_udf(scan, [SumUDF(), SumSigUDF()])
print(int(both[0]["intensity"].data.sum()), int(both[1]["intensity"].data.sum()))
"""
NO_ROOM = """
import resource, tempfile
tempfile.gettempdir()  # found by writing to it
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
"""


def run(code, **environment):
    """Return what a process of its own says, and what it warns of."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", code],
        capture_output=True,
        text=True,
        cwd=os.sep,  # not where the package lies
        check=True,
        env=clean | {"PYTHONPATH": str(Path(udfwidgets.__file__).parents[1])} | environment,
    )
    warnings = [line for line in done.stderr.splitlines() if "RuntimeWarning" in line]
    return done.stdout.strip(), warnings


@pytest.fixture
def nowhere(tmp_path):
    """The environment of an installation and a home in which nothing can be written."""
    package = tmp_path / "site" / "udfwidgets"
    ignored = shutil.ignore_patterns("static", "__pycache__")
    shutil.copytree(Path(udfwidgets.__file__).parent, package, ignore=ignored)
    for folder in (package, *(path for path in package.rglob("*") if path.is_dir())):
        (folder / "__pycache__").write_text("")  # in the way, also for an administrator
    return {"PYTHONPATH": str(package.parent), "HOME": os.devnull, "NUMBA_CACHE_DIR": ""}


def test_an_installation_and_a_home_that_cannot_be_written(nowhere):
    said, warnings = run(JOB, **nowhere)
    assert said == "1024 1024"
    assert len(warnings) == 1
    assert warnings[0].startswith("<string>:"), "it points at the line of the user"
    assert "cannot be kept" in warnings[0]


def test_nothing_is_compiled_ahead_where_it_cannot_be_kept(nowhere):
    said, _ = run("from udfwidgets import warm; warm.main([])", **nowhere)
    assert said == ""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_a_disk_without_room(tmp_path):
    said, warnings = run(NO_ROOM + JOB, NUMBA_CACHE_DIR=str(tmp_path))
    assert said == "1024 1024"
    assert len(warnings) == 1
    assert "cannot be kept" in warnings[0]
    assert not list(tmp_path.rglob("*.nbc"))


@pytest.mark.parametrize("kind", ["nbi", "nbc"])
@pytest.mark.parametrize("left", [0, 0.5])
def test_files_that_were_cut_short_are_kept_anew(tmp_path, kind, left):
    whole = run(JOB, NUMBA_CACHE_DIR=str(tmp_path))
    files = list(tmp_path.rglob(f"*.{kind}"))
    for file in files:
        os.truncate(file, int(file.stat().st_size * left))
    torn, warnings = run(JOB, NUMBA_CACHE_DIR=str(tmp_path))
    assert files
    assert whole == ("1024 1024", [])
    assert torn == "1024 1024"
    assert len(warnings) == 1
    assert "cannot be read" in warnings[0]
    assert run(JOB, NUMBA_CACHE_DIR=str(tmp_path)) == whole
