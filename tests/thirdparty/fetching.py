"""Gets the sources of published packages from the index, and makes renamed copies of them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

#: The word, but not in the names of packages, such as libertem-live and libertem_live.
WORD = re.compile(r"\blibertem\b(?!-)")


@dataclass(frozen=True)
class Package:
    """A package, and how its tests are run.

    Attributes
    ----------
    name, version : str
        As on the index.
    tests : tuple of str
        Paths in its source; none where it has no tests there.
    at_least : float
        Which part of what passes on LiberTEM has to pass here.
    why : str
        What the rest needs, for the table.
    chosen : str
        Which of the tests, as pytest's ``-k`` takes it; all of them by default.
    tries : int
        How often they are run at most, until one passes.
    """

    name: str
    version: str
    tests: tuple[str, ...] = ()
    at_least: float = 1.0
    why: str = ""
    chosen: str = ""
    tries: int = 1


PACKAGES = (
    Package("libertem-blobfinder", "0.6.1", ("tests",), 0.95),
    Package("libertem-holo", "1.0.0", ("tests",), 0.95),
    # Its test needs a browser that it downloads itself; `trying.py` has it use the machine's.
    # It also waits for a quarter of a second, whatever the machine has to do.
    Package("libertem-ui", "0.0.1", ("tests",), tries=3),
    # Another file of its tests compares with a package for GPUs.
    Package("libertem-parallax", "0.1.2", ("tests/test_udf.py", "tests/test_utils.py")),
    Package(
        "libertem-live",
        "0.3.0",
        ("tests/udf", "tests/detectors/memory", "tests/test_api.py"),
        0.9,
        "start_acquisition(), called from a private method of LiberTEM's Context",
        # Data are NumPy arrays here.
        "not sparse",
    ),
    Package("ptychography40", "0.1.0"),
)


def fetch(package: Package, folder: Path) -> Path:
    """Return the folder of a package's source as it was published."""
    archive = folder / f"{package.name.replace('-', '_')}-{package.version}.tar.gz"
    if not archive.exists():
        pip = (sys.executable, "-m", "pip", "--quiet", "download", "--no-deps", "--dest", folder)
        only = ("--no-binary", package.name, f"{package.name}=={package.version}")
        subprocess.run([*pip, *only], check=True)
    source = folder / "theirs" / archive.name.removesuffix(".tar.gz")
    if not source.exists():
        with tarfile.open(archive) as file:
            file.extractall(source.parent, filter="data")
    return source


def renamed(source: Path) -> Path:
    """Return a copy of a package in which the word is replaced, as a user would."""
    copy = source.parents[1] / "ours" / source.name
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(source, copy)
    for path in copy.rglob("*.py"):
        text = path.read_text("utf-8")
        path.write_text(WORD.sub("udfwidgets", text), "utf-8")
    return copy
