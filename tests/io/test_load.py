from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tests.io.contract import Case, DataSetContract
from tests.io.merlin import write_hdr, write_mib
from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.hdf5.dataset import H5DataSet
from udfwidgets.io.dataset.memory import MemoryDataSet
from udfwidgets.io.dataset.mib.dataset import MIBDataSet
from udfwidgets.io.dataset.npy import NPYDataSet
from udfwidgets.io.dataset.raw import RawFileDataSet
from udfwidgets.io.load import load

# Most scans here are of a square number of frames, and what is guessed is not what is looked at.
pytestmark = pytest.mark.filterwarnings("ignore:.* is a guess:UserWarning")

DATA = np.arange(2 * 3 * 4 * 8, dtype="u2").reshape(2, 3, 4, 8)


class TestMemory(DataSetContract):
    @pytest.fixture(params=["u2", ">u2", "c8", "bool"])
    def case(self, request: pytest.FixtureRequest) -> Case:
        truth = DATA.astype(request.param)
        return Case(load("memory", data=truth), truth)


def _npy(path: Path) -> Path:
    with path.open("wb") as file:  # np.save would put .npy at the end
        np.save(file, DATA)
    return path


def _hdf5(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        file["scan"] = DATA
    return path


def _hdf5_after_user_block(path: Path) -> Path:
    with h5py.File(path, "w", userblock_size=2048) as file:
        file["scan"] = DATA
    return path


def _mib(path: Path) -> Path:
    return write_mib(path, DATA.reshape(6, 4, 8)[:4], "U16", 12)


def _hdr(path: Path) -> Path:
    _mib(path.with_suffix(".mib"))
    return write_hdr(path.with_suffix(".hdr"), 4, 2)


@pytest.mark.parametrize("extension", ["npy", "h5", "mib", "dat"])
@pytest.mark.parametrize(
    ("make", "expected"),
    [(_npy, NPYDataSet), (_hdf5, H5DataSet), (_hdf5_after_user_block, H5DataSet)],
)
def test_auto_goes_by_content(
    tmp_path: Path, extension: str, make: Callable[[Path], Path], expected: type
) -> None:
    path = make(tmp_path / f"scan.{extension}")
    assert type(load("auto", path=path)) is expected
    assert type(load("auto", str(path))) is expected


@pytest.mark.parametrize("make", [_mib, _hdr])
def test_auto_knows_merlin_files(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    assert type(load("auto", path=make(tmp_path / "scan.mib"))) is MIBDataSet


@pytest.mark.parametrize(
    ("filetype", "expected"),
    [("npy", NPYDataSet), ("NPY", NPYDataSet), ("memory", MemoryDataSet)],
)
def test_the_name_chooses_the_type(tmp_path: Path, filetype: str, expected: type) -> None:
    if expected is MemoryDataSet:
        dataset = load(filetype, data=DATA, sig_dims=2)
    else:
        dataset = load(filetype, path=_npy(tmp_path / "a.npy"))
    assert type(dataset) is expected
    assert dataset.shape == DATA.shape


def test_raw_by_keywords(tmp_path: Path) -> None:
    DATA.tofile(tmp_path / "a.raw")
    dataset = load(
        "raw", path=tmp_path / "a.raw", dtype="uint16", nav_shape=(2, 3), sig_shape=(4, 8)
    )
    assert type(dataset) is RawFileDataSet


def test_an_unknown_type_lists_the_known_ones() -> None:
    known = r"'hdf'.*'hdf5', 'k2is', 'memory'.*did you mean 'hdf5'"
    with pytest.raises(DataSetException, match=known):
        load("hdf", path="x")


def test_an_unknown_file_is_named_with_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "a.xyz").write_bytes(b"something else")
    with pytest.raises(DataSetException, match=r"a\.xyz begins with b'somethin'.*load\('raw'"):
        load("auto", path=tmp_path / "a.xyz")


def test_a_wrong_extension_is_told_by_the_reader(tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_bytes(b"something else")
    with pytest.raises(DataSetException, match=r"a\.h5 is not a complete HDF5 file"):
        load("auto", path=tmp_path / "a.h5")


@pytest.mark.parametrize("filetype", ["auto", "npy", "hdf5", "mib"])
def test_a_missing_file_is_named(filetype: str) -> None:
    with pytest.raises(DataSetException, match=r"/nowhere/a\.mib does not exist"):
        load(filetype, path="/nowhere/a.mib")


def test_a_missing_file_is_told_with_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "demo-data").mkdir()
    (tmp_path / "demo-data" / "default.hdr").touch()
    monkeypatch.chdir(tmp_path)
    begins = f"was looked for from {tmp_path}, where Python runs$"
    for path, told in (
        (
            "demo-data/defualt.hdr",
            rf"/demo-data has no 'defualt.hdr'; did you mean 'default.hdr'\?; .*{begins}",
        ),
        (
            "demodata/default.hdr",
            rf"{tmp_path} has no 'demodata'; did you mean 'demo-data'\?; .*{begins}",
        ),
        ("default.hdr", f"{tmp_path} has no 'default.hdr'; 'default.hdr' {begins}"),
        (tmp_path / "else" / "default.hdr", f"{tmp_path} has no 'else'$"),
        ("demo-data/default.hdr/scan", f"{tmp_path}/demo-data/default.hdr is a file$"),
    ):
        with pytest.raises(DataSetException, match=told):
            load("auto", path=path)


def test_auto_needs_a_path() -> None:
    with pytest.raises(TypeError, match="needs path="):
        load("auto", data=DATA)
    with pytest.raises(TypeError, match="needs path="):
        load("auto")


def test_an_array_instead_of_a_path_is_described_and_not_printed() -> None:
    message = (
        r"^load\('auto', \.\.\.\) needs path=, got ndarray of shape \(2, 3, 4, 8\) and dtype "
        r"uint16; for an array use load\('memory', data=\.\.\.\)$"
    )
    with pytest.raises(TypeError, match=message):
        load("auto", DATA)


@pytest.mark.parametrize("filetype", ["npy", "hdf5", "mib"])
def test_a_reader_given_an_array_does_not_print_it(filetype: str) -> None:
    message = r"^path is of type ndarray, expected a str .* use load\('memory', data=\.\.\.\)$"
    with pytest.raises(TypeError, match=message):
        load(filetype, DATA)


@pytest.mark.parametrize(
    "given", ["/data/scan.hdr", "scan.hdr", "folder/scan", Path("scan.hdr")], ids=str
)
def test_a_path_instead_of_a_type_is_told_where_it_belongs(given: str | Path) -> None:
    with pytest.raises(DataSetException, match=rf"use load\('auto', path='{given}'\)$"):
        load(given)  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [DATA, DATA.tolist(), None])
def test_data_instead_of_a_type_are_not_printed(given: Any) -> None:
    message = r"^the file type is .{4,60}, expected 'auto' or .* use load\('memory', data=\.\.\.\)$"
    with pytest.raises(TypeError, match=message):
        load(given)


def test_a_directory_is_told_of_with_what_is_in_it(tmp_path: Path) -> None:
    with pytest.raises(DataSetException, match="is a directory, and nothing in it is known"):
        load("auto", tmp_path)
    for name in ("a.dat", "b.dat"):
        _npy(tmp_path / name)
    (tmp_path / "notes.txt").write_text("none of them")
    with pytest.raises(DataSetException, match=r"name one of those in it: a\.dat, b\.dat$"):
        load("auto", tmp_path)
    for number in range(9):
        _npy(tmp_path / f"c{number}.npy")
    with pytest.raises(DataSetException, match=r"c5\.npy and 3 more$"):
        load("auto", tmp_path)


def test_a_part_of_a_store_says_which_one_it_is(tmp_path: Path) -> None:
    part = tmp_path / "scan.zarr/data/c/0"
    part.mkdir(parents=True)
    document = tmp_path / "scan.zarr/zarr.json"
    document.write_text("{}")
    for inside in (part, document):
        with pytest.raises(DataSetException, match=r"a part of the Zarr store .*scan\.zarr: load"):
            load("auto", inside)


def test_frames_of_an_empad_are_told_by_their_size(tmp_path: Path) -> None:
    path = tmp_path / "scan.raw"
    path.write_bytes(bytes(2 * 130 * 128 * 4))
    with pytest.raises(DataSetException, match=r"load\('empad', .*these are 2 frames of one"):
        load("auto", path)


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.dm4")
    with pytest.raises(DataSetException, match="is neither a file nor a directory"):
        load("auto", tmp_path / "pipe.dm4")
