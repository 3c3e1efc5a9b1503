"""Keeps LiberTEM away from a process, so that nothing of it is lent: ``pytest -p ...``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from typing import Any


class _Blocked(MetaPathFinder):
    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> None:
        if name.partition(".")[0] == "libertem":
            raise ModuleNotFoundError(f"No module named {name!r}, it is kept away", name=name)


sys.meta_path.insert(0, _Blocked())
