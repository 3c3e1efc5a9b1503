"""Runs the text of a case under one package or the other."""

from __future__ import annotations

import functools
import importlib
import sys
import traceback
import types
import warnings
from pathlib import Path

from tests.conformance.case import plain

CASES = Path(__file__).parent / "cases"
PEER, OURS = "libertem", "udfwidgets"


@functools.cache
def load(module, package):
    """Return a file of cases as a module, with the word replaced as a user would replace it."""
    path = CASES / f"{module}.py"
    text = path.read_text("utf-8").replace(PEER, package)
    # Registered by name: pickle looks classes up there.
    loaded = sys.modules[f"{package}_{module}"] = types.ModuleType(f"{package}_{module}")
    exec(compile(text, str(path), "exec"), loaded.__dict__)
    return loaded


def cases_of(module):
    """Return the functions of a file that are cases, by name."""
    return {
        name: function
        for name, function in vars(load(module, OURS)).items()
        if hasattr(function, "clauses")
    }


def run(module, name, package, executor):
    """Return what a case returns, as a pair: 'value' and it, or 'error' and its traceback."""
    try:
        case = getattr(load(module, package), name)
        with (
            warnings.catch_warnings(),
            importlib.import_module(f"{package}.api").Context.make_with(executor) as ctx,
        ):
            # LiberTEM says nothing here.
            warnings.filterwarnings("ignore", "roi selects none of the scan positions")
            return "value", plain(case(ctx))
    except Exception:
        return "error", traceback.format_exc()
