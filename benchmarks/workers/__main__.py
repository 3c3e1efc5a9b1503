"""A contender in a process of its own, which takes orders on stdin and answers on stdout.

One JSON object per line in both directions. An order has an ``op`` (the name of a method of the
contender) and its keyword arguments; an answer has ``result`` or ``error``.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

CONTENDERS = {
    "udfwidgets": ("package", "PackageContender"),
    "unwrapped": ("package", "UnwrappedContender"),
    "libertem": ("package", "PackageContender"),
    "numpy": ("arrays", "NumPyContender"),
    "loops": ("loops", "BareLoopContender"),
    "h5py": ("h5loop", "H5pyContender"),
    "dask": ("lazy", "DaskContender"),
    "hyperspy": ("lazy", "HyperspyContender"),
    "py4DSTEM": ("py4dstem", "Py4DSTEMContender"),
}


def make_contender(name: str, variant: str | None) -> Any:
    module, cls = CONTENDERS[name]
    return getattr(importlib.import_module(f"benchmarks.workers.{module}"), cls)(name, variant)


def find_plugins() -> None:
    """Let HDF5 find its filters, in processes to come as well, without importing anything."""
    found = importlib.util.find_spec("hdf5plugin")
    if found is not None and found.submodule_search_locations:
        folder = Path(found.submodule_search_locations[0]) / "plugins"
        os.environ.setdefault("HDF5_PLUGIN_PATH", str(folder))


def main() -> None:
    # Whatever the contender prints goes to stderr: stdout carries the answers only.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    find_plugins()
    contender = make_contender(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
    for line in sys.stdin:
        order = json.loads(line)
        operation = order.pop("op")
        try:
            answer = {"result": getattr(contender, operation)(**order)}
        except Exception:
            answer = {"error": traceback.format_exc()}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
        if operation == "stop":
            break
    # A thread that a peer left behind must not keep the process.
    if threading.active_count() > 1:
        sys.stderr.flush()
        os._exit(0)


if __name__ == "__main__":
    main()
