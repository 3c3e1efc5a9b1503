"""A notebook compiles and loads by itself what its first run needs, between its cells."""

from __future__ import annotations

import subprocess
import sys

import nbformat

from udfwidgets.ready import Helper

IS_READY = """
import sys, time
def is_ready():
    fused = sys.modules.get("udfwidgets.udf.fused")
    return "udfwidgets.live" in sys.modules and len(getattr(fused, "_kept", ())) >= 6
"""
FIRST = """
import udfwidgets
time.sleep(1)
print("udfwidgets.live" in sys.modules, is_ready())
"""
SECOND = """
deadline = time.monotonic() + 60
while not is_ready() and time.monotonic() < deadline:
    time.sleep(0.05)
print("udfwidgets.live" in sys.modules, is_ready())
"""


def printed(folder, *cells):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbformat.write(notebook, folder / "notebook.ipynb")
    command = "nbconvert --to notebook --execute --stdout notebook.ipynb"
    done = subprocess.run(
        [sys.executable, "-m", *command.split()], cwd=folder, capture_output=True, check=True
    )
    executed = nbformat.reads(done.stdout.decode(), as_version=4)
    return ["".join(out.get("text", "") for out in cell.outputs) for cell in executed.cells]


def test_a_notebook_loads_after_its_first_cell(tmp_path):
    first, second = printed(tmp_path, IS_READY + FIRST, SECOND)
    assert first.split() == ["False", "False"]
    assert second.split() == ["True", "True"]


def test_a_script_does_not():
    show = "import udfwidgets; print(hasattr(udfwidgets, '_helper'))"
    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_loading_ends_with_the_process():
    helper = Helper()
    helper.stop()
    helper.load()
    assert helper.process.returncode is not None
    assert helper.process.stdout.closed
