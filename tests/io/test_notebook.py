"""The live-plotting notebook runs as it is on files of other formats than the one it names."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import nbformat
import numpy as np
import pytest

from tests.io.writers.blo import write_blo
from tests.io.writers.dm import write_dm
from udfwidgets.api import Context

NOTEBOOK = Path(__file__).parents[2] / "notebooks/live-plotting.ipynb"
SCAN = np.random.default_rng(6).poisson(20, (20, 32, 64, 64)).astype("u1")
# In a process of its own: what a client keeps open ends with it.
RUN = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=120, resources={"metadata": {"path": sys.argv[2]}}).execute()
print(notebook.cells[-1].outputs[0].data["text/plain"])
"""


def write_zarr(path: Path) -> None:
    with Context.make_with("inline") as ctx:
        ctx.export_dataset(ctx.load("memory", data=SCAN, sig_dims=2), path.with_suffix(".zarr"))
    path.with_suffix(".zarr").rename(path)


WRITERS: dict[str, Callable[[Path], object]] = {
    "DM4": lambda path: write_dm(path, SCAN, 4),
    "BLO": lambda path: write_blo(path, SCAN),
    **({"Zarr": write_zarr} if find_spec("zarr") else {}),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_live_plotting_runs_unchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    # What is in a file counts, and not what it is called.
    path = tmp_path / "20200518 165148/default.hdr"
    path.parent.mkdir()
    WRITERS[kind](path)
    monkeypatch.setenv("TESTDATA_BASE_PATH", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    total = "float(total['intensity'].data.sum(dtype='f8'))"
    said = f"ds.missing, ds.dtype.str, ds.shape.to_tuple(), {total}"
    notebook.cells.append(nbformat.v4.new_code_cell(said))
    nbformat.write(notebook, tmp_path / "live.ipynb")
    call = [sys.executable, "-c", RUN, str(tmp_path / "live.ipynb"), str(NOTEBOOK.parent)]
    done = subprocess.run(call, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == f"(None, '|u1', {SCAN.shape}, {float(SCAN.sum())})"
