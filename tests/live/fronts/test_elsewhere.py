"""A card in the side panel where there is none; `make frontends` shows those that are elsewhere."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from udfwidgets import Context, SumSigUDF


def test_without_a_side_panel_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sidecar", None)  # as if it were not installed
    with Context() as ctx:
        live = ctx.live(ctx.load("memory", data=np.ones((4, 4, 2, 2), np.uint8)), SumSigUDF())
        with pytest.raises(RuntimeError, match=r"pip install 'udfwidgets\[beside\]'"):
            live.beside()
        live.close()
