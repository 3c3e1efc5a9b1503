"""Every name of LiberTEM is accounted for: it is here, or the tables say what to do instead."""

from __future__ import annotations

import importlib

from udfwidgets.names.modules import known


def _is_here(module: str, name: str) -> bool:
    if name in known(f"udfwidgets.{module}"):
        return True
    try:
        return hasattr(importlib.import_module(f"udfwidgets.{module}"), name)
    except ImportError:
        return False


def test_every_name_of_libertem_is_accounted_for(peer) -> None:
    kind, modules = peer.run("names", "public_names")
    assert kind == "value", modules
    assert len(modules) > 100
    missing = [f"{m}.{n}" for m, names in modules.items() for n in names if not _is_here(m, n)]
    assert missing == []
