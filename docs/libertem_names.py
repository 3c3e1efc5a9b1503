"""Prints what LiberTEM has, a line for each name and member: run it where LiberTEM is installed.

``docs/libertem_names.txt`` is made of what it prints: names, the names of parameters, ``=`` behind
those that have a default, and ``:`` behind those that are given by keyword only.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import warnings
from collections.abc import Iterator
from enum import Enum
from types import ModuleType
from typing import Any

import attributes
import libertem
import libertem.__version__

# Programs, a server, and what a build leaves: nobody imports from them.
PROGRAMS = ("_", "web", "preload", "cli", "win")
# What modules keep for themselves.
OWN_USE = {"T", "V", "log", "logger", "tracer"}


def modules() -> Iterator[tuple[str, ModuleType]]:
    """Import all modules that can be imported, by their names without ``libertem.``."""
    for found in pkgutil.walk_packages(libertem.__path__, "libertem."):
        short = found.name.partition(".")[2]
        if short.startswith(PROGRAMS):
            continue
        try:
            yield short, importlib.import_module(found.name)
        except ImportError:
            continue


def public(module: ModuleType) -> list[str]:
    """Return the names that are at home in a module, or that it exports."""
    own = {n for n, v in vars(module).items() if getattr(v, "__module__", "") == module.__name__}
    assigned = attributes.assigned(module.__name__) & {*vars(module)}
    names = own | assigned | {*getattr(module, "__all__", ())}
    return sorted(n for n in names if not n.startswith("_") and n not in OWN_USE)


def members(cls: type, recorded: set[type]) -> dict[str, Any]:
    """Return the public members that a class adds to those of other classes in the record."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if base.__module__.startswith("libertem") and (base is cls or base not in recorded):
            found |= dict.fromkeys(attributes.attributes(base)) | vars(base)
    return {n: v for n, v in sorted(found.items()) if not n.startswith("_")}


def signature(thing: Any, *, of_class: bool = False) -> str:
    """Return the parameters in parentheses, or nothing for what is not called."""
    if isinstance(thing, (staticmethod, classmethod)):
        of_class, thing = isinstance(thing, classmethod), thing.__func__
    if not inspect.isroutine(thing) and not (isinstance(thing, type) and _is_made(thing)):
        return ""
    try:
        parameters = list(inspect.signature(thing).parameters.values())
    except (TypeError, ValueError):
        return ""
    shown = [_shown(p) for p in parameters[of_class:] if not p.name.startswith("_")]
    return f"({', '.join(shown)})"


def _is_made(cls: type) -> bool:
    """Return whether a class is called to make an instance, by parameters of its own."""
    if issubclass(cls, BaseException) and not inspect.isfunction(cls.__init__):
        return False
    return not issubclass(cls, Enum) and not getattr(cls, "_is_protocol", False)


def _shown(parameter: inspect.Parameter) -> str:
    stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    only = ":" if parameter.kind is parameter.KEYWORD_ONLY else ""
    given = "" if parameter.default is parameter.empty else "="
    return f"{stars}{parameter.name}{only}{given}"


def record() -> Iterator[str]:
    """Yield the version, and a line for each name: its parameters, or where it is at home."""
    yield f"LiberTEM {libertem.__version__}"
    found = {f"{m}.{n}": vars(module).get(n) for m, module in modules() for n in public(module)}
    classes = {value for value in found.values() if isinstance(value, type)}
    for path, value in sorted(found.items()):
        parts = getattr(value, "__module__", "") or "", getattr(value, "__qualname__", "") or ""
        home = ".".join(parts).removeprefix("libertem.")
        if home in found and home != path:
            yield f"{path} = {home}"
            continue
        yield path + signature(value)
        if isinstance(value, type):
            for name, member in members(value, classes).items():
                is_class = isinstance(member, type)
                yield f"{path}.{name}" + ("" if is_class else signature(member, of_class=True))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print("\n".join(record()))
