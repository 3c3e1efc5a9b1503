"""Stores that are damaged, cut short or lie: a clear error, or what was written."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.io.contract import read_all
from tests.io.zarr.writing import OURS, THEIRS, TRUTH, write
from udfwidgets.errors import DataSetException
from udfwidgets.io.load import load

KINDS = {**OURS, **THEIRS}


def chunk_files(path: Path) -> list[Path]:
    """All files that are no metadata."""
    files = (each for each in path.rglob("*") if each.is_file())
    return sorted(f for f in files if f.name != "zarr.json" and not f.name.startswith("."))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "zip" not in kind])
def test_a_chunk_that_is_cut_short_is_named(tmp_path: Path, kind: str) -> None:
    path = KINDS[kind](tmp_path, TRUTH)
    dataset = load("auto", path)
    chunk = chunk_files(path)[1]
    whole = chunk.read_bytes()
    # The package does not mind that the end of a frame of Zstd is missing.
    for left in (0, 3, -1) if kind in OURS else (0, 3):
        chunk.write_bytes(whole[:left])
        with pytest.raises(DataSetException, match=str(chunk) if kind in OURS else "package zarr"):
            read_all(dataset)


@pytest.mark.parametrize("kind", ["3 turned, checked", "3 shards, checked"])
def test_a_checksum_finds_every_byte_that_is_wrong(tmp_path: Path, kind: str) -> None:
    path = KINDS[kind](tmp_path, TRUTH)
    dataset = load("auto", path)
    chunk = chunk_files(path)[0]
    whole = chunk.read_bytes()
    for at in range(0, len(whole), 7):
        wrong = bytearray(whole)
        wrong[at] ^= 0x10
        chunk.write_bytes(wrong)
        with pytest.raises(DataSetException, match="damaged"):
            read_all(dataset)


@pytest.mark.parametrize(
    "kind", [kind for kind in OURS if "plain" not in kind and "keys" not in kind]
)
def test_wrong_bytes_crash_nothing(tmp_path: Path, kind: str) -> None:
    path = KINDS[kind](tmp_path, TRUTH)
    dataset = load("auto", path)
    chunk = chunk_files(path)[0] if path.is_dir() else path
    whole, rng = chunk.read_bytes(), np.random.default_rng(2)
    n_found = 0
    for _ in range(40):
        wrong = np.frombuffer(whole, np.uint8).copy()
        at = rng.integers(0, len(wrong), 3)
        wrong[at] = rng.integers(0, 256, 3)
        chunk.write_bytes(wrong.tobytes())
        try:
            assert read_all(dataset).shape == (15, 6, 8)
        except DataSetException:
            n_found += 1
    assert n_found


@pytest.mark.parametrize("left", [0, 10, 200, -1, -30])
def test_a_zip_that_is_cut_short_is_refused(tmp_path: Path, left: int) -> None:
    path = write(tmp_path / "a.zip")
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(DataSetException, match="no complete zip"):
        load("zarr", path)


NASTY = (None, -1, 0, 1 << 40, 1.5, "", "x", [], [0], [1 << 62] * 4, {}, {"name": "x"}, True)


def changed(document: Any) -> Iterator[Any]:
    """Put each nasty value into each place of a document, and leave each place out."""

    def places(node: Any, at: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield (*at, key)
            if isinstance(value, (dict, list)):
                yield from places(value, (*at, key))

    for place in places(document, ()):
        for value in (*NASTY, places):
            other = copy.deepcopy(document)
            inside = other
            for key in place[:-1]:
                inside = inside[key]
            if value is places:
                del inside[place[-1]]
            else:
                inside[place[-1]] = value
            yield other


@pytest.mark.parametrize("kind", ["2 blosc, cut, F", "3 shards, checked"])
def test_metadata_that_lie_are_refused_or_read_as_they_say(tmp_path: Path, kind: str) -> None:
    path = KINDS[kind](tmp_path, TRUTH)
    name = "scan/.zarray" if kind.startswith("2") else "scan/zarr.json"
    whole = json.loads((path / name).read_text())
    n_refused = n_all = 0
    for document in changed(whole):
        (path / name).write_text(json.dumps(document))
        n_all += 1
        try:
            dataset = load("auto", path / "scan")
            # Others have the shape that they tell, and are not read to their end.
            if dataset.shape.to_tuple() == TRUTH.shape:
                read_all(dataset)
        except DataSetException:
            n_refused += 1
    assert n_refused > n_all / 2


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"[" * 100_000])
def test_metadata_that_are_no_metadata(tmp_path: Path, content: bytes) -> None:
    path = write(tmp_path / "a.zarr")
    (path / "scan" / "zarr.json").write_bytes(content)
    with pytest.raises(DataSetException, match=r"scan/zarr\.json"):
        load("auto", path)


def test_a_promise_of_petabytes_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zarr")
    document = json.loads((path / "scan" / "zarr.json").read_text())
    for shape, chunk in (([1 << 20] * 4, [1, 2, 6, 8]), ([9, 9, 1 << 20, 1 << 20], [1, 1, 1, 1])):
        document["shape"], document["chunk_grid"]["configuration"]["chunk_shape"] = shape, chunk
        (path / "scan" / "zarr.json").write_text(json.dumps(document))
        with pytest.raises(DataSetException, match="all that is stored are"):
            load("auto", path)
