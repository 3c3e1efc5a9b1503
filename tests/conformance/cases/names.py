"""What LiberTEM has: its modules, and the names that are at home in them or exported from them."""

from __future__ import annotations

import importlib
import pkgutil
import warnings

from libertem import __path__ as path

# Programs, a server, and what a build leaves: nobody imports from them.
PROGRAMS = ("_", "web", "preload", "cli", "win")


def public_names(ctx):
    found = {}
    warnings.simplefilter("ignore")
    for module in pkgutil.walk_packages(path, "libertem."):
        short = module.name.partition(".")[2]
        if short.startswith(PROGRAMS):
            continue
        try:
            imported = importlib.import_module(module.name)
        except ImportError:
            continue
        own = [n for n, v in vars(imported).items() if getattr(v, "__module__", "") == module.name]
        names = {*own, *getattr(imported, "__all__", ())}
        found[short] = sorted(n for n in names if not n.startswith("_") and n not in ("T", "V"))
    return found
