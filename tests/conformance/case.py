"""What a case is made of: the clause it proves, data to work on, and what it returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

Function = TypeVar("Function", bound=Callable[..., Any])


def clause(*quotes: str, needs: tuple[str, ...] = ()) -> Callable[[Function], Function]:
    """Mark a function as a case.

    Parameters
    ----------
    *quotes
        The clauses of the contract that it proves, entries of `clauses.CLAUSES`.
    needs
        What our package must have for it, as 'module:attribute' below the package; the case is
        skipped where that is not there yet.
    """

    def mark(function: Function) -> Function:
        function.clauses = quotes
        function.needs = needs
        return function

    return mark


def scan(nav=(4, 5), sig=(6, 7), dtype="u2", seed=0):
    """Return a small scan of random whole numbers."""
    numbers = np.random.default_rng(seed).integers(0, 100, (*nav, *sig))
    return numbers.astype(dtype)


def some_of(nav=(4, 5), seed=1):
    """Return a roi with holes."""
    return np.random.default_rng(seed).random(nav) > 0.5


def error_of(function, *args, **kwargs):
    """Return the name of the type of the exception that a call raises, or None."""
    try:
        function(*args, **kwargs)
    except Exception as error:
        return type(error).__name__
    return None


def plain(value):
    """Return a value in types that both packages share and that can be compared."""
    if isinstance(value, np.ma.MaskedArray):
        return {"mask": np.ma.getmaskarray(value).copy(), "values": plain(value.compressed())}
    if isinstance(value, (np.ndarray, np.generic, str, bytes, bool, int, float, complex)):
        return value
    if value is None:
        return value
    if isinstance(value, np.dtype):
        return str(value)
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, dict):
        return {str(name): plain(entry) for name, entry in value.items()}
    if hasattr(value, "kind") and hasattr(value, "extra_shape"):
        return {"repr": repr(value), "data": plain(value.data), "valid": plain(value.valid_mask)}
    if hasattr(value, "keys"):
        return {str(name): plain(value[name]) for name in value.keys()}  # noqa: SIM118
    if hasattr(value, "__iter__"):
        return [plain(entry) for entry in value]
    raise TypeError(f"a case returns a {type(value).__name__}, expected arrays and plain values")


def difference(ours, theirs, where="result"):
    """Return in words where two plain values differ, or None.

    Whole numbers, flags and strings are compared exactly, the others within what the order of
    single-precision additions can make.
    """
    if isinstance(ours, dict) and isinstance(theirs, dict):
        if set(ours) != set(theirs):
            return f"{where} has {sorted(ours)}, in LiberTEM {sorted(theirs)}"
        pairs = [(f"{where}[{name!r}]", ours[name], theirs[name]) for name in ours]
    elif isinstance(ours, list) and isinstance(theirs, list):
        if len(ours) != len(theirs):
            return f"{where} is {ours}, in LiberTEM {theirs}"
        pairs = [(f"{where}[{i}]", *pair) for i, pair in enumerate(zip(ours, theirs))]  # noqa: B905
    else:
        return None if _same(ours, theirs) else f"{where} is {ours!r}, in LiberTEM {theirs!r}"
    return next(filter(None, (difference(a, b, place) for place, a, b in pairs)), None)


def _same(ours, theirs):
    a, b = np.asarray(ours), np.asarray(theirs)
    if a.shape != b.shape or a.dtype.kind != b.dtype.kind:
        return False
    if isinstance(ours, (np.ndarray, np.generic)) and a.dtype.kind != "U" and a.dtype != b.dtype:
        return False
    if a.dtype.kind in "mM":
        a, b = a.astype(str), b.astype(str)  # NaT is not equal to itself
    if a.dtype.kind in "fc":
        return np.allclose(a, b, rtol=1e-4, atol=1e-5, equal_nan=True)
    return bool(np.all(a == b))
