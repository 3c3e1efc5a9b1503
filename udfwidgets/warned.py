"""Warnings that point at the user's line, however deep in the package they come from."""

from __future__ import annotations

import sys
import warnings

# numba calls the package back when it has compiled, and an import goes through Python's own.
_INSIDE = (__name__.partition(".")[0], "numba", "importlib", "pkgutil", "contextlib")


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn whoever called into the package from outside.

    Parameters
    ----------
    message : str
        What came, what is done about it, and what to write instead.
    category : type of Warning
        Of the warning.
    """
    # As many frames as stand between here and the caller: Python 3.12 would leave them out itself.
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and _is_inside(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
        # Python does not count the frames of an import.
        level += not frame.f_globals.get("__name__", "").startswith("importlib._")
    warnings.warn(message, category, stacklevel=level)


def _is_inside(module: str) -> bool:
    return module.partition(".")[0] in _INSIDE
