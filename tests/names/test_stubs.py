from __future__ import annotations

import ast
import importlib.util
import pkgutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from udfwidgets.names.modules import known, lookup
from udfwidgets.names.stubs import stubs

ROOT = Path(__file__).parents[2]
STUBS = {path: text for path, text in stubs().items() if path.endswith(".pyi")}


def module_of(path: str) -> str:
    parts = path.replace("udfwidgets-stubs", "udfwidgets").removesuffix(".pyi")
    return parts.removesuffix("/__init__").replace("/", ".")


def imported(text: str) -> dict[str, str]:
    """Return what a stub imports at its end, by the names under which it does."""
    found = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.ImportFrom):
            found |= {a.asname: f"{node.module}:{a.name}" for a in node.names if a.asname}
    return found


@pytest.mark.parametrize("path", STUBS)
def test_a_stub_says_what_the_tables_say(path: str) -> None:
    module, tree, imports = module_of(path), ast.parse(STUBS[path]), imported(STUBS[path])
    assigned = {
        target.id: getattr(node.value, "id", "")
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    classes = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    names = known(module) if "deprecated" in STUBS[path] else {}
    for name, (kind, _) in names.items():
        if kind != "home":
            assert name in classes
            continue
        other = assigned.get(name, name)
        where = imports.get(other, f"{module}:{other}")
        assert pkgutil.resolve_name(where) is lookup(module, name)


def test_every_name_has_a_stub() -> None:
    seen = {module_of(path) for path in STUBS}
    # Their names are of no use to code outside, and are not looked up while a program runs either.
    without = {f"udfwidgets.io.dataset.{name}" for name in ("hdf5", "memory", "mib", "npy", "raw")}
    without |= {f"udfwidgets.analysis.{name}" for name in ("disk", "point", "ring")}
    assert {"udfwidgets.executor.inline", "udfwidgets.udf.base", "udfwidgets.viz"} <= seen
    for path, text in STUBS.items():
        real = ROOT / path.replace("-stubs", "").replace(".pyi", ".py")
        assert not real.exists() or text.startswith(real.read_text("utf-8"))
    named = {f"udfwidgets.{m}" for m in (*pkgutil.resolve_name("udfwidgets.names.homes:homes")(),)}
    assert named - seen - without == set()


RIGHT = """
from udfwidgets.common.shape import Shape
from udfwidgets.executor.inline import InlineJobExecutor
from udfwidgets.io.dataset.npy import NPYDataSet
from udfwidgets.udf.base import UDF, UDFBase, UDFFrameMixin

n: int = Shape((4, 4, 8, 8), sig_dims=2).nav.size + InlineJobExecutor().workers


class Mine(UDFFrameMixin, UDF):
    def process_frame(self, frame: object) -> None: ...


udfs: list[UDFBase] = [Mine()]
shape: Shape = NPYDataSet("scan.npy").shape
"""
WRONG = """
from udfwidgets.common.shape import Shap
from udfwidgets.executor.inlin import InlineJobExecutor
from udfwidgets.udf.base import UDFFrameMixins
from udfwidgets.executor.delayed import DelayedJobExecutor
from udfwidgets.common.shape import Shape
DelayedJobExecutor.connect
text: str = Shape((4, 4), sig_dims=2).size
"""


# What other packages have does not matter here, and takes long to read.
QUICK = """
[mypy]
follow_imports = skip
[mypy-udfwidgets.*]
follow_imports = normal
"""


def test_mypy_sees_the_names(tmp_path: Path) -> None:
    if not importlib.util.find_spec("mypy"):
        pytest.skip("mypy is not installed")
    place = tmp_path / "venv"
    command = [sys.executable, "-m", "venv", "--without-pip", str(place)]
    subprocess.run(command, check=True)
    scheme = {"base": str(place), "platbase": str(place)}
    site = Path(sysconfig.get_path("purelib", "venv", scheme))
    for path, text in stubs().items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text, "utf-8")
    (site / "others.pth").write_text(f"{ROOT}\n{sysconfig.get_path('purelib')}\n", "utf-8")
    (tmp_path / "mypy.ini").write_text(QUICK, "utf-8")
    (tmp_path / "right.py").write_text(RIGHT, "utf-8")
    (tmp_path / "wrong.py").write_text(WRONG, "utf-8")
    python = Path(sysconfig.get_path("scripts", "venv", scheme)) / "python"
    command = [sys.executable, "-m", "mypy", "--no-error-summary", f"--python-executable={python}"]
    told = subprocess.run(
        [*command, "right.py", "wrong.py"], cwd=tmp_path, capture_output=True, text=True
    )
    errors = [line for line in told.stdout.splitlines() if ": error: " in line]
    assert [line.partition(": error")[0] for line in errors] == [
        f"wrong.py:{line}" for line in (2, 3, 4, 7, 8)
    ], told.stdout + told.stderr
