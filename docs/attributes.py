"""Which attributes the instances of a class have, by the text of its module."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any


def assigned(module: str) -> set[str]:
    """Return the names that are assigned to at the outermost level of a module."""
    return {*_targets(_parsed(module))}


@cache
def attributes(cls: type) -> frozenset[str]:
    """Return what a class annotates or assigns to, and what its methods set on self."""
    node: Any = _parsed(cls.__module__)
    for name in cls.__qualname__.split("."):
        found = [n for n in node.body if isinstance(n, ast.ClassDef) and n.name == name]
        if not found:
            return frozenset()
        node = found[0]
    return frozenset({*_targets(node), *_set_on_self(node)})


@cache
def _parsed(module: str) -> ast.Module:
    return ast.parse(Path(str(importlib.import_module(module).__file__)).read_text("utf-8"))


def _targets(node: Any) -> Iterator[str]:
    for each in node.body:
        for target in getattr(each, "targets", [getattr(each, "target", None)]):
            if isinstance(target, ast.Name):
                yield target.id


def _set_on_self(node: ast.AST) -> Iterator[str]:
    for each in ast.iter_child_nodes(node):
        is_set = isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store)
        if is_set and getattr(each.value, "id", "") == "self":
            yield each.attr
        elif not isinstance(each, ast.ClassDef):
            yield from _set_on_self(each)
