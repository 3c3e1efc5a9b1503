"""Values as they are printed: in a line, and the same in every process."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

#: Characters of one value, and items of one collection, that are printed.
LONGEST, MOST = 60, 4


def printed(value: Any) -> str:
    """Return a value in a line: large ones in words, functions by name, nothing with an address."""
    if isinstance(value, np.ndarray):
        return f"<array {value.dtype} of shape {value.shape}>"
    if type(value) in (list, tuple):
        brackets = "[]" if type(value) is list else "()"
        return _joined(brackets, [printed(each) for each in value[:MOST]], len(value))
    if isinstance(value, Mapping):
        items = [f"{printed(k)}: {printed(v)}" for k, v in list(value.items())[:MOST]]
        return _joined("{}", items, len(value))
    if isinstance(value, partial):
        return f"<partial of {printed(value.func)}>"
    name = getattr(value, "__name__", None)
    if callable(value) and isinstance(name, str):
        return f"<{'class' if isinstance(value, type) else 'function'} {name}>"
    return _short(value)


def called(name: str, parameters: Mapping[str, Any]) -> str:
    """Return the call that makes an object: its name, and its parameters by name."""
    return f"{name}({', '.join(f'{key}={printed(v)}' for key, v in parameters.items())})"


def _joined(brackets: str, items: list[str], count: int) -> str:
    if count > len(items):
        items = [*items, f"... {count} in all"]
    comma = "," if brackets == "()" and count == 1 else ""
    return f"{brackets[0]}{', '.join(items)}{comma}{brackets[1]}"


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except Exception as error:
        return f"<{type(value).__name__} (not printable: {type(error).__name__})>"
    text = re.sub(r" at 0x[0-9a-fA-F]+", "", " ".join(text.split()))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
