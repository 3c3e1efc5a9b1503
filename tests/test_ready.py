"""A notebook compiles and loads by itself what its first run needs, between its cells."""

from __future__ import annotations

import subprocess
import sys

import nbformat

from udfwidgets.ready import Helper

FIRST = """
import sys, threading
import udfwidgets

def loading():
    return [each for each in threading.enumerate() if each.name == "udfwidgets-ready"]

print(len(loading()), "udfwidgets.live" in sys.modules)
"""
SECOND = """
print(len(loading()))
for thread in loading():
    thread.join()
fused = sys.modules["udfwidgets.udf.compiled.fused"]
print("udfwidgets.live" in sys.modules, len(fused._kept) >= 6)
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
    first, second = printed(tmp_path, FIRST, SECOND)
    assert first.split() == ["0", "False"]
    assert second.split() == ["1", "True", "True"]


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
