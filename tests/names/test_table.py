"""The table of LiberTEM's names: nothing is left out of it, and it says what is so."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(DOCS)
    return importlib.import_module("names")


@pytest.fixture
def record(names) -> str:
    return names.RECORD.read_text("utf-8")


@pytest.fixture
def differences(names) -> str:
    return names.DIFFERENCES.read_text("utf-8")


def test_every_name_and_parameter_is_accounted_for(names, record, differences) -> None:
    comparison = names.Comparison(record, differences)
    assert comparison.faults == []
    page = names.page(comparison, record.partition("\n")[0])
    assert names.GUIDE.read_text("utf-8") == page, "write it anew: python docs/names.py"
    shown = {*re.findall(r"[`.](\w+)[`(]", page)}
    assert {row.name.path.rpartition(".")[2] for row in comparison.rows} <= shown


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("api.Nothing(x)", "api.Nothing is not here"),
        ("nowhere.Nothing", "nowhere.Nothing is not here"),
        ("udf.sum.SumUDF.polish()", "udf.sum.SumUDF.polish is not here"),
        ("udf.sum.SumUDF.copy(deep=)", "udf.sum.SumUDF.copy(deep) is not taken here"),
        ("udf.sum.SumUDF.copy(*args)", "udf.sum.SumUDF.copy(args) is not taken here"),
        ("udf.raw.PickUDF.merge(dest)", "udf.raw.PickUDF.merge(src) is needed here"),
        ("udf.raw.PickUDF.merge(dest, src=)", "udf.raw.PickUDF.merge(src) is needed here"),
        ("udf.SumUDF = udf.sum.SumUDF", "udf.SumUDF is not here"),
        ("udf.UDF = udf.sum.SumUDF", "udf.UDF is not the same as udf.sum.SumUDF"),
        ("api.Context ...", "api.Context is here: record its members, too"),
    ],
)
def test_what_is_not_accounted_for_is_found(names, record, differences, line, fault) -> None:
    faults = names.Comparison(record + line + "\n", differences).faults
    assert any(found.startswith(fault) for found in faults)


@pytest.mark.parametrize(
    "line",
    [
        "not here: no\n    api.Context: run_udf",
        "not here: no\n    api.Context.run_udf(roi)",
        "not here: no\n    api.Context.run_udf(nothing)",
        "without effect: no\n    api.Context.run_udf(nothing)",
        "by position\n    api.Context.run_udf(udf)",
    ],
)
def test_what_is_written_down_and_not_so_is_found(names, record, differences, line) -> None:
    faults = names.Comparison(record, f"{differences}{line}\n").faults
    assert [fault.partition(": ")[2] for fault in faults] == ["not so, or not asked"]


def test_parameters_are_told_by_their_places(names, record, differences) -> None:
    rows = {row.name.path: row for row in names.Comparison(record, differences).rows}
    said = {name: status for name, status, _ in rows["udf.masks.ApplyMasksUDF"].parameters}
    assert said["mask_factories"] == names.SAME
    assert said["use_sparse"] == names.BY_NAME
    assert said["use_torch"] == names.WITHOUT_EFFECT
    said = {name: status for name, status, _ in rows["io.dataset.npy.NPYDataSet"].parameters}
    assert (said["path"], said["num_partitions"]) == (names.SAME, names.WITHOUT_EFFECT)


@pytest.mark.parametrize("line", ["", "api.Nothing(x)\n"], ids=["all", "one more"])
def test_the_script_fails_where_something_is_left_out(
    names, record, line, monkeypatch, tmp_path, capsys
) -> None:
    for name, text in (("RECORD", record + line), ("GUIDE", "")):
        (tmp_path / name).write_text(text, "utf-8")
        monkeypatch.setattr(names, name, tmp_path / name)
    monkeypatch.setattr(sys, "argv", ["names.py"])
    assert names.main() == bool(line)
    assert "## `api`" in (tmp_path / "GUIDE").read_text("utf-8")
    assert ("api.Nothing" in capsys.readouterr().err) == bool(line)
