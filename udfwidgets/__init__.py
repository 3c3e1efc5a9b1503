"""Live user-defined functions over 4D-STEM scans in JupyterLab.

```
ready       gets a notebook ready for its first run | warm   compiles ahead
server      has what a kernel says go out at once
live/       what a person sees                      | demo/  a scan that never was
                                                    | convert  from one format to another
api         the Context
context/    what it does below what a user sees of it
analysis/   a UDF and names for its results
engine/     who does what
io/         files                                   | udf/   functions over frames
geometry/   shapes on an image                      | keeping/  results as files
buffers     results                                 | compiling, masks
origin      where a result comes from
shapes      axes of nav and sig                     | brief, closing, masked, replacing, ...
names/      where LiberTEM's names are at home
errors      the exception tree
```

Imports go down only; what is above is looked up by its name when it is first used.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from udfwidgets.api import Context as Context
    from udfwidgets.calibration import Calibration as Calibration
    from udfwidgets.keeping.loading import load_result as load_result
    from udfwidgets.udf.base import UDF as UDF
    from udfwidgets.udf.compiled.frames import jit_frame as jit_frame
    from udfwidgets.udf.masks import ApplyMasksUDF as ApplyMasksUDF
    from udfwidgets.udf.raw import PickUDF as PickUDF
    from udfwidgets.udf.stddev import StdDevUDF as StdDevUDF
    from udfwidgets.udf.sum import SumUDF as SumUDF
    from udfwidgets.udf.sumsigudf import SumSigUDF as SumSigUDF

__version__ = "0.1.0"

# Looked up when first used: importing the package costs next to nothing.
_HOMES = {
    "ApplyMasksUDF": "udfwidgets.udf.masks",
    "Calibration": "udfwidgets.calibration",
    "Context": "udfwidgets.api",
    "PickUDF": "udfwidgets.udf.raw",
    "StdDevUDF": "udfwidgets.udf.stddev",
    "SumSigUDF": "udfwidgets.udf.sumsigudf",
    "SumUDF": "udfwidgets.udf.sum",
    "UDF": "udfwidgets.udf.base",
    "jit_frame": "udfwidgets.udf.compiled.frames",
    "load_result": "udfwidgets.keeping.loading",
}
_MODULES = ("demo", "live")

__all__ = [*_HOMES, *_MODULES]


class _LastFinder:
    """Stands last in `sys.meta_path`, for modules that LiberTEM has and that have no file here."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> Any:
        """Look a module up in the tables of `udfwidgets.names`."""
        if not name.startswith("udfwidgets."):
            return None
        return pkgutil.resolve_name("udfwidgets.names.modules:find_spec")(name)


if not any(getattr(finder, "__name__", "") == "_LastFinder" for finder in sys.meta_path):
    sys.meta_path.append(_LastFinder)

# A notebook is made ready between its cells; a script loads what it uses when it uses it.
if "ipykernel" in sys.modules and sys.platform != "emscripten":
    from IPython import get_ipython

    if (_shell := get_ipython()) is not None:
        from udfwidgets.ready import Helper

        _helper = Helper()
        _helper.load_after_cell(_shell)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return pkgutil.resolve_name(f"{_HOMES[name]}:{name}")
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    pythons = (name for name in globals() if name.startswith("__"))
    return sorted(
        {*pythons, *__all__, "analysis", "api", "errors", "geometry", "io", "masks", "udf"}
    )
