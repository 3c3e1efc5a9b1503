"""UDFs that return what they were to write into their results: told once per run.

Nobody takes what a `process_*` method returns, so the results of such a UDF stay zero.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from udfwidgets.engine.plan.partitions import Plan
from udfwidgets.udf.base import UDF
from udfwidgets.warned import warn

# A run keeps its plan, whatever parameters its UDFs get meanwhile.
_told: WeakKeyDictionary[Plan, set[type]] = WeakKeyDictionary()
_lock = threading.Lock()


def tell_of_returned(udf: UDF, plan: Plan) -> None:
    """Warn, once per run and class of UDF, that what it returns is dropped."""
    with _lock:
        told = _told.setdefault(plan, set())
        if type(udf) in told:
            return
        told.add(type(udf))
    method = f"process_{udf.get_method().value}"
    stored = [name for name, declaration in udf.declarations.items() if declaration.stored]
    name = stored[0] if stored else "name"
    _warn_at(
        getattr(udf, method),
        f"{type(udf).__name__}.{method} returns a value, which is dropped: write it into the "
        f"results, as in self.results.{name}[:] = ..., and return nothing",
    )


def _warn_at(method: Callable[..., Any], message: str) -> None:
    """Warn at the line where a method is defined: a worker has no line of the user's above it."""
    code = getattr(method, "__code__", None)
    if code is None:  # compiled, or wrapped
        warn(message)
    else:
        warnings.warn_explicit(message, UserWarning, code.co_filename, code.co_firstlineno)
