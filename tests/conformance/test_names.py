"""The record of LiberTEM's names is what LiberTEM has, and a newer one is accounted for, too."""

from __future__ import annotations

import importlib
from pathlib import Path

from tests.conformance.peer import find_python

DOCS = Path(__file__).parents[2] / "docs"


def test_the_record_is_what_libertem_has(peer, monkeypatch) -> None:
    monkeypatch.syspath_prepend(DOCS)
    names = importlib.import_module("names")
    recorded = names.recorded(str(find_python()))
    assert len(recorded.splitlines()) > 1000
    assert names.Comparison(recorded, names.DIFFERENCES.read_text("utf-8")).faults == []
    kept = names.RECORD.read_text("utf-8")
    if recorded.splitlines()[0] == kept.splitlines()[0]:
        assert recorded == kept, "record it anew: python docs/names.py --record PYTHON"
