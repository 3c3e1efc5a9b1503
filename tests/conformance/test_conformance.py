"""The same UDFs give the same results here and in LiberTEM."""

from __future__ import annotations

import pkgutil
from pathlib import Path

import pytest

from tests.conformance import test_differences
from tests.conformance.case import difference
from tests.conformance.clauses import CLAUSES
from tests.conformance.running import CASES, OURS, cases_of, run

MODULES = sorted(path.stem for path in Path(CASES).glob("[!_]*.py") if path.stem != "differences")
ALL = {(module, name): case for module in MODULES for name, case in cases_of(module).items()}


def look_up(needs: tuple[str, ...]) -> None:
    for name in needs:
        pkgutil.resolve_name(f"{OURS}.{name}")


@pytest.mark.parametrize("executor", ["inline", "threads"])
@pytest.mark.parametrize(("module", "name"), ALL, ids=[f"{m}-{n}" for m, n in ALL])
def test_case(peer, module: str, name: str, executor: str) -> None:
    look_up(ALL[module, name].needs)
    outcome, theirs = peer.run(module, name)
    assert outcome == "value", f"LiberTEM: {theirs}"
    outcome, ours = run(module, name, OURS, executor)
    assert outcome == "value", ours
    assert difference(ours, theirs) is None


def test_every_clause_is_proved() -> None:
    marked = [*ALL.values(), *vars(test_differences).values()]
    proved = {quote for case in marked for quote in getattr(case, "clauses", ())}
    assert proved - set(CLAUSES) == set(), "not clauses of the contract"
    assert set(CLAUSES) - proved == set(), "clauses that nothing proves"
