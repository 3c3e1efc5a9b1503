"""Warnings that point at the user's line, however deep in the package they come from."""

from __future__ import annotations

import sys
import warnings

_PACKAGE = __name__.partition(".")[0]


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
    while frame.f_back is not None and _is_ours(frame.f_globals.get("__name__", "")):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _is_ours(module: str) -> bool:
    return module == _PACKAGE or module.startswith(f"{_PACKAGE}.")
