"""Makes modules of LiberTEM's names when they are first imported."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from udfwidgets.names.absent import absent
from udfwidgets.names.elsewhere import elsewhere
from udfwidgets.names.homes import homes

_PACKAGE = "udfwidgets."


@cache
def known(module: str) -> dict[str, Any]:
    """Return the names of a module: each with its home, or with what to do instead.

    Parameters
    ----------
    module : str
        Full name, such as ``udfwidgets.common.shape``.

    Returns
    -------
    dict of str to (str, str)
        ``'home'`` and ``module:name``, or ``'not here'`` and an advice.
    """
    short = module.removeprefix(_PACKAGE)
    names = {name: ("not here", advice) for name, advice in elsewhere().get(short, {}).items()}
    return names | {name: ("home", home) for name, home in homes().get(short, {}).items()}


@cache
def modules() -> frozenset[str]:
    """Return the full names of all modules in the tables, and of the packages they are in."""
    named = {*homes(), *elsewhere()}
    parts = [name.split(".") for name in named]
    within = {".".join(part[:n]) for part in parts for n in range(1, len(part) + 1)}
    return frozenset(_PACKAGE + name for name in within)


def lookup(module: str, name: str) -> Any:
    """Return what a module of the tables has under a name.

    Raises
    ------
    AttributeError
        If there is no such name.
    """
    kind, where = known(module).get(name, ("", ""))
    if not kind:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    return pkgutil.resolve_name(where) if kind == "home" else absent(module, name, where)


class Loader:
    """Makes modules without a file, whose names are looked up when they are first used."""

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave it to the import system."""

    def exec_module(self, module: ModuleType) -> None:
        """Give the module its names."""
        name = module.__name__

        def get(attribute: str) -> Any:
            found = lookup(name, attribute)
            setattr(module, attribute, found)
            return found

        module.__doc__ = "Names of LiberTEM that are at home elsewhere; see docs/migrating.md."
        module.__getattr__ = get  # type: ignore[method-assign]
        module.__dict__["__all__"] = sorted(known(name))
        module.__dict__["__dir__"] = lambda: sorted({*vars(module), *known(name)})


def find_spec(name: str) -> ModuleSpec | None:
    """Return how to make a module, if it is one of the tables."""
    if name not in modules():
        return None
    return ModuleSpec(name, Loader(), is_package=True)  # type: ignore[arg-type]
