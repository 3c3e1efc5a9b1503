"""Runs the tests of a package, and examples of UDFs, under LiberTEM or under udfwidgets."""

from __future__ import annotations

import os
import pickle
import runpy
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np

from tests.thirdparty.fetching import WORD, Package

ROOT = Path(__file__).parents[2]
EXAMPLES = Path(__file__).parent / "examples"
#: What keeps LiberTEM away from renamed copies.
BLOCKED = "tests.thirdparty.blocked"


def environment(sources: list[Path]) -> dict[str, str]:
    """Return the variables of a process that finds these sources first."""
    path = os.pathsep.join(str(folder) for source in sources for folder in (source / "src", source))
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((path, str(ROOT))),
        "MPLBACKEND": "agg",
        "OMP_NUM_THREADS": "1",
    }


def passed(package: Package, source: Path, sources: list[Path], here: bool) -> set[str]:
    """Return which tests of a package pass; if none does, it may be tried again."""
    tries = (_passed_once(package, source, sources, here) for _ in range(package.tries))
    return next(filter(None, tries), set())


def _passed_once(package: Package, source: Path, sources: list[Path], here: bool) -> set[str]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        # Their own options ask for plugins, and leave out what is slow.
        command = [sys.executable, "-m", "pytest", "-q", "-o", "addopts=", "-p", "no:cacheprovider"]
        command += ["-p", BLOCKED] if here else []
        command += ["-p", "tests.thirdparty.browser"]
        command += ["-k", package.chosen] if package.chosen else []
        command += [f"--junitxml={report}", "--timeout=600", *package.tests]
        done = subprocess.run(
            command, cwd=source, env=environment(sources), capture_output=True, text=True
        )
        if not report.exists():
            print(done.stdout[-3000:], done.stderr[-3000:])
            return set()
        cases = ElementTree.parse(report).getroot().iter("testcase")
        return {f"{c.get('classname')}::{c.get('name')}" for c in cases if not len(c)}


def results_of(example: Path, sources: list[Path], here: bool) -> dict[str, np.ndarray] | str:
    """Return the results of an example by name, or its error."""
    word = "udfwidgets" if here else "libertem"
    command = [sys.executable, "-W", "ignore", "-m", __name__, str(example), word]
    done = subprocess.run(command, env=environment(sources), cwd=ROOT, capture_output=True)
    if done.returncode:
        return done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    found: dict[str, np.ndarray] = pickle.loads(done.stdout)
    return found


def same(ours: object, theirs: object) -> bool:
    """Return whether two results of an example are alike, but for the order of additions."""
    if not isinstance(ours, dict) or not isinstance(theirs, dict) or set(ours) != set(theirs):
        return False
    return all(
        np.allclose(ours[name], theirs[name], rtol=1e-4, atol=1e-5, equal_nan=True) for name in ours
    )


def _run(path: str, word: str) -> None:
    """Run an example under one of the packages, and write its results to the standard output."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    if word == "udfwidgets":
        __import__(BLOCKED)
    text = WORD.sub(word, Path(path).read_text("utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, Path(path).name)
        script.write_text(text, "utf-8")
        run = runpy.run_path(str(script))["run"]
        found = {name: np.asarray(array) for name, array in run(folder).items()}
    pickle.dump(found, answers)
    answers.flush()


if __name__ == "__main__":
    _run(*sys.argv[1:])
