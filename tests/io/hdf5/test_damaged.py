"""Files of which a number was changed: what they say is looked at before it is used."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tests.io.contract import read_all
from udfwidgets.errors import DataSetException
from udfwidgets.io.codecs.filters import Filter
from udfwidgets.io.dataset.hdf5.dataset import H5DataSet
from udfwidgets.io.dataset.hdf5.texts import text_of_attribute, text_of_dataset

TRUTH = np.random.default_rng(3).poisson(20, (4, 5, 8, 8)).astype("u2")


def replace(path: Path, old: bytes, new: bytes) -> None:
    content = path.read_bytes()
    assert content.count(old) == 1
    path.write_bytes(content.replace(old, new))


def chunked(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        file.create_dataset("scan", data=TRUTH, chunks=(2, 5, 8, 8))
    return path


def key_of_second_chunk(*begin: int) -> bytes:
    """Return how the tree of chunks says where one begins, and that no filter was skipped."""
    return struct.pack("<II5Q", 2 * 5 * 8 * 8 * 2, 0, *begin, 0)


@pytest.mark.parametrize(
    ("begin", "message"),
    [
        ((0, 0, 0, 0), r"chunk \(0, 0, 0, 0\) is there twice"),
        ((4, 0, 0, 0), r"said to begin at \(4, 0, 0, 0\), expected steps of \(2, 5, 8, 8\)"),
        ((2, 2**40 * 5, 0, 0), "said to begin at"),
        ((2, 0, 0, 2**63), "said to begin at"),
        ((2**64 - 2, 0, 0, 0), "said to begin at"),
    ],
    ids=repr,
)
def test_chunks_where_none_can_be(tmp_path: Path, begin: tuple[int, ...], message: str) -> None:
    path = chunked(tmp_path / "scan.h5")
    replace(path, key_of_second_chunk(2, 0, 0, 0), key_of_second_chunk(*begin))
    with pytest.raises(DataSetException, match=message):
        H5DataSet(path)


def with_signal(path: Path, **options: Any) -> Path:
    """Write a file with two scans, and say in a text of variable length which one is meant."""
    with h5py.File(path, "w", **options) as file:
        file["first"], file["second"] = TRUTH, TRUTH + 1
        file.attrs["signal"] = "second"
    return path


@pytest.mark.parametrize(
    "record",
    [(2**31 - 1, None, 1), (7, None, 1), (6, 2**40, 1), (6, 2**63, 1), (6, 8, 1), (6, None, 77)],
    ids=repr,
)
def test_a_text_that_is_not_where_it_is_said_to_be(
    tmp_path: Path, record: tuple[int, int | None, int]
) -> None:
    path = with_signal(tmp_path / "scan.h5")
    heap = path.read_bytes().find(b"GCOL")
    length, addr, number = record
    right = struct.pack("<IQI", 6, heap, 1)
    replace(path, right, struct.pack("<IQI", length, heap if addr is None else addr, number))
    with pytest.raises(DataSetException, match=f"'signal' of / is a text of {length} bytes, which"):
        H5DataSet(path)


@pytest.mark.parametrize("libver", [None, "latest"])
@pytest.mark.parametrize("userblock", [0, 512])
@pytest.mark.parametrize("n_others", [0, 40])
def test_texts_are_found(tmp_path: Path, libver: str | None, userblock: int, n_others: int) -> None:
    options = {"libver": libver, "userblock_size": userblock}
    with h5py.File(tmp_path / "scan.h5", "w", **options) as file:
        group = file.create_group("a/b")
        for number in range(n_others):
            group.attrs[f"other {number}"] = "x" * 30 * number
        group.attrs["variable"] = "größe"
        group.attrs["fixed"] = np.bytes_("fest")
        group.attrs["of one"] = np.array(["one"], h5py.string_dtype())
        group.attrs["of two"] = ["a", "b"]
        group.attrs["empty"] = ""
        group.attrs["number"] = 3
        group.attrs["none"] = h5py.Empty(h5py.string_dtype())
        group["plain"] = "some text"
        group.create_dataset("chunk", data=["in a chunk"], dtype=h5py.string_dtype(), chunks=(1,))
        group.create_dataset("old", data=np.bytes_("of one length"))
    with h5py.File(tmp_path / "scan.h5") as file:
        group = file["a/b"]
        names = ("variable", "fixed", "of one", "of two", "empty", "number", "none", "absent")
        found = [text_of_attribute(group, name) for name in names]
        assert found == ["größe", "fest", "one", "", "", "3", "", ""]
        assert text_of_dataset(group["plain"]) == "some text"
        assert text_of_dataset(group["chunk"]) == "in a chunk"
        assert text_of_dataset(group["old"]) == "of one length"
        if n_others:
            assert text_of_attribute(group, "other 39") == "x" * 30 * 39


def test_names_that_are_no_utf8_are_passed_over(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "scan.h5", "w") as file:
        file.create_group("größe".encode("latin-1"))["scan"] = TRUTH
        file["scan"] = TRUTH
    assert H5DataSet(tmp_path / "scan.h5").ds_path == "/scan"


def test_a_text_that_is_no_utf8_names_no_dataset(tmp_path: Path) -> None:
    path = with_signal(tmp_path / "scan.h5")
    heap = path.read_bytes().find(b"GCOL")
    content = bytearray(path.read_bytes())
    at = content.find(b"second", heap)
    content[at : at + 1] = b"\xe9"
    path.write_bytes(content)
    with pytest.raises(DataSetException, match="2 datasets that could be the scan"):
        H5DataSet(path)


def test_parameters_that_no_writer_gives_a_filter() -> None:
    assert Filter(32008, (0, 4)).is_broken
    assert Filter(32008, (0, 4, 0, 0, 2)).is_broken
    assert not Filter(32008, (0, 4, 2, 0, 2)).is_broken


@pytest.mark.parametrize("n_files", [1, 2])
@pytest.mark.parametrize("missing", [0, 1, 900])
def test_external_raw_files_that_are_short(tmp_path: Path, n_files: int, missing: int) -> None:
    n_bytes = TRUTH.nbytes // n_files
    files = [tmp_path / f"{number}.raw" for number in range(n_files)]
    for number, file_path in enumerate(files):
        file_path.write_bytes(bytes(7) + TRUTH.tobytes()[number * n_bytes :][:n_bytes])
    with h5py.File(tmp_path / "scan.h5", "w") as file:
        external = [(str(file_path), 7, n_bytes) for file_path in files]
        file.create_dataset("scan", TRUTH.shape, "u2", external=external)
    with files[-1].open("r+b") as raw:
        raw.truncate(7 + n_bytes - missing)
    if missing:
        with pytest.raises(DataSetException, match=f"ends at byte {7 + n_bytes - missing}; that"):
            H5DataSet(tmp_path / "scan.h5")
    else:
        np.testing.assert_array_equal(
            read_all(H5DataSet(tmp_path / "scan.h5")), TRUTH.reshape(20, 8, 8)
        )


@pytest.mark.parametrize("depth", [1, 2])
def test_a_source_of_a_virtual_dataset_that_promises_much(tmp_path: Path, depth: int) -> None:
    shape = (20_000, 20_000, 8, 8)
    with h5py.File(tmp_path / "0.h5", "w") as file:
        file.create_dataset("scan", shape, "u2", chunks=(1, 1, 8, 8))
    for level in range(depth):
        layout = h5py.VirtualLayout((4, 5, 8, 8), "u2")
        source = h5py.VirtualSource(
            tmp_path / f"{level}.h5", "scan", shape if not level else (4, 5, 8, 8)
        )
        layout[...] = source[:4, :5]
        with h5py.File(tmp_path / f"{level + 1}.h5", "w") as file:
            file.create_virtual_dataset("scan", layout)
    with pytest.raises(
        DataSetException, match=r"0\.h5:/scan: promises 400000000 chunks, but 0 were"
    ):
        H5DataSet(tmp_path / f"{depth}.h5")
