"""A few of the damaged files of `make fuzz`; what it has found is tested where it was mended."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import pytest

from tests.fuzz.__main__ import cases, run
from tests.fuzz.batch import outcome
from tests.fuzz.seeds import HDF5, HEADERS, SEEDS

if find_spec("zarr"):
    # Reads stores for comparison, in threads that it keeps.
    from tests.io.zarr.conftest import threads_of_the_package  # noqa: F401

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no count of memory")


@pytest.mark.parametrize("kind", ["hdr", "gzip", "dm4", "blo"])
def test_damaged_files_are_right_or_refused(kind):
    lines, ended = run(kind, 40_000, 40)
    done = [line["outcome"].split()[0] for line in lines if line["stage"] == "done"]
    assert ended == ""
    assert len(done) == 40
    assert {"right", "refused"} <= {*done} <= {"right", "refused", "unchecked"}
    assert max(line["peak"] for line in lines) < 1 << 20


def test_a_batch_that_dies_is_told_of():
    lines, ended = run("no such kind", 0, 1)
    assert lines == []
    assert "KeyError" in ended


@pytest.mark.parametrize("kind", SEEDS)
def test_whole_files_are_right(tmp_path, kind):
    assert outcome(SEEDS[kind](tmp_path), kind, lambda stage: None) == "right"


def test_frames_that_are_wrong_are_told_of(tmp_path, monkeypatch):
    path = SEEDS["npy"](tmp_path)
    monkeypatch.setattr("tests.fuzz.batch.peer", lambda path, kind, frames, name: frames + 1)
    assert outcome(path, "npy", lambda stage: None) == "wrong (15, 16, 16) uint16"


def test_each_kind_has_its_share():
    n_cases = dict.fromkeys(SEEDS, 0)
    for kind, _, n in cases(1.0):
        n_cases[kind] += n
    assert sum(n_cases[kind] for kind in HEADERS) >= 20_000
    assert sum(n_cases[kind] for kind in HDF5) >= 3_000
