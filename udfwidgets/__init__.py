"""Live user-defined functions over 4D-STEM scans in JupyterLab."""

from __future__ import annotations

import atexit
import importlib
import pkgutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from udfwidgets.api import Context as Context
    from udfwidgets.udf.base import UDF as UDF
    from udfwidgets.udf.masks import ApplyMasksUDF as ApplyMasksUDF
    from udfwidgets.udf.raw import PickUDF as PickUDF
    from udfwidgets.udf.stddev import StdDevUDF as StdDevUDF
    from udfwidgets.udf.sum import SumUDF as SumUDF
    from udfwidgets.udf.sumsigudf import SumSigUDF as SumSigUDF

__version__ = "0.1.0"

# Looked up when first used: importing the package costs next to nothing.
_HOMES = {
    "ApplyMasksUDF": "udfwidgets.udf.masks",
    "Context": "udfwidgets.api",
    "PickUDF": "udfwidgets.udf.raw",
    "StdDevUDF": "udfwidgets.udf.stddev",
    "SumSigUDF": "udfwidgets.udf.sumsigudf",
    "SumUDF": "udfwidgets.udf.sum",
    "UDF": "udfwidgets.udf.base",
}
_MODULES = ("demo", "live")

__all__ = [*_HOMES, *_MODULES]

# In a notebook, what is not yet compiled gets compiled aside, by a process that does not hold up
# any cell; see `udfwidgets.warm`. A script compiles what it uses when it uses it.
if "ipykernel" in sys.modules and sys.platform != "emscripten":
    _warming = subprocess.Popen(
        [sys.executable, "-m", "udfwidgets.warm"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # an interrupt of the kernel is not meant for it
    )

    @atexit.register
    def _stop_warming() -> None:
        _warming.kill()
        _warming.wait()


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return pkgutil.resolve_name(f"{_HOMES[name]}:{name}")
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
