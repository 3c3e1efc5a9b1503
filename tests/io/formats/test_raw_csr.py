from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from tests.io.contract import Case, DataSetContract, read_all
from tests.io.writers.raw_csr import write_raw_csr
from udfwidgets.api import Context
from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.raw_csr import RawCSRDataSet
from udfwidgets.io.load import load
from udfwidgets.io.scratch import Scratch
from udfwidgets.udf.sum import SumUDF

pytestmark = pytest.mark.skipif(sys.version_info < (3, 11), reason="no reader of TOML")

TRUTH = np.random.default_rng(3).poisson(0.1, (3, 4, 5, 6)).astype("u2")
TRUTH[1, 1] = 0


class TestRawCSR(DataSetContract):
    @pytest.fixture(params=[("<i4", "<u4", "<u2"), (">i8", ">u2", ">f4"), ("<u8", "<i8", "<c8")])
    def case(self, request: pytest.FixtureRequest, tmp_path: Path) -> Case:
        truth = TRUTH.astype(request.param[2])
        path = write_raw_csr(tmp_path / "scan.toml", truth, *request.param)
        return Case(load("auto", path=path), truth)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_raw_csr(tmp_path / "scan.toml", TRUTH)


def test_runs_see_dense_frames(path: Path) -> None:
    with Context.make_with("inline") as ctx:
        found = ctx.run_udf(dataset=ctx.load("raw_csr", path=path), udf=SumUDF())
    np.testing.assert_array_equal(found["intensity"].data, TRUTH.sum(axis=(0, 1)))


def test_another_shape_and_an_offset_can_be_asked_for(path: Path) -> None:
    dataset = RawCSRDataSet(path, (2, 5), (30,), sync_offset=1)
    np.testing.assert_array_equal(read_all(dataset), TRUTH.reshape(12, 30)[1:11])


def test_a_table_may_be_called_as_the_type_is_written(tmp_path: Path) -> None:
    path = write_raw_csr(tmp_path / "scan.toml", TRUTH, table="RAW_CSR")
    np.testing.assert_array_equal(read_all(RawCSRDataSet(path)), TRUTH.reshape(12, 5, 6))


def test_a_pixel_that_comes_twice_is_added_up(path: Path) -> None:
    raw = np.fromfile(path.with_suffix(".indices"), "u4")
    first = np.fromfile(path.with_suffix(".indptr"), "i4")[1]
    raw[:first] = 7
    raw.tofile(path.with_suffix(".indices"))
    assert read_all(RawCSRDataSet(path))[0].reshape(-1)[7] == TRUTH[0, 0].sum()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('filetype = "raw_csr"', 'filetype = "raw"', r"filetype='raw', expected \[params\]"),
        ("[raw_csr]", "[other]", r"the tables \['params', 'other'\]"),
        ("nav_shape = [3, 4]", "nav_shape = [3, 0]", r"nav_shape = \[3, 0\] in \[params\]"),
        ("sig_shape = [5, 6]", "sig_shape = 30", "sig_shape = 30"),
        ("sig_shape = [5, 6]", "sig_shape = []", r"sig_shape = \[\]"),
        ("sig_shape = [5, 6]", "sig_shape = [5, 99999999]", "at most 16777216 altogether"),
        ("nav_shape = [3, 4]", "nav_shape = [3, 9999999999]", "at most 268435456 altogether"),
        ('"<u4"', '"<f4"', "indices_dtype = '<f4', expected a type of numbers"),
        ('"<u4"', '"many"', "indices_dtype = 'many'"),
        ('"<u2"', '"O"', "data_dtype = 'O'"),
        ('"<i4"', '"<i8"', "bytes, expected whole numbers of 8 bytes"),
        ("indptr_file", "other_file", "has indptr_file = None"),
        ('"scan.data"', '"lost.data"', r"lost\.data does not exist"),
        ("[params]", "[params", "is no TOML file"),
    ],
)
def test_a_description_that_is_wrong_is_refused(
    path: Path, old: str, new: str, message: str
) -> None:
    told = path.read_text()
    assert old in told
    path.write_text(told.replace(old, new))
    with pytest.raises(DataSetException, match=message):
        load("raw_csr", path=path)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("indptr", "ends with .* expected the .* values"),
        ("indices", "expected as many of both"),
        ("data", "expected as many of both"),
    ],
)
def test_a_file_that_is_truncated_is_refused(path: Path, kind: str, message: str) -> None:
    part = path.with_suffix(f".{kind}")
    part.write_bytes(part.read_bytes()[:-4])
    with pytest.raises(DataSetException, match=message):
        load("raw_csr", path=path)


@pytest.mark.parametrize(
    ("kind", "at", "value", "message"),
    [
        ("indptr", 2, -1, "has values .* to -1 for frame 1"),
        ("indptr", 2, 1 << 30, "has values .* for frame 1, expected an ascending part"),
        ("indices", 0, 30, "has pixel 30 at position 0, expected one of the 30"),
        ("indices", 0, 0xFFFFFFFF, "has pixel 4294967295"),
    ],
)
def test_numbers_that_lead_elsewhere_are_found_when_they_are_read(
    path: Path, kind: str, at: int, value: int, message: str
) -> None:
    part = path.with_suffix(f".{kind}")
    raw = np.fromfile(part, "u4").astype("i8")
    raw[at] = value
    raw.astype("u4").tofile(part)
    with RawCSRDataSet(path).open() as source, pytest.raises(DataSetException, match=message):
        source.read(0, 12, Scratch())


def test_numbers_whose_differences_wrap_around_are_found(path: Path) -> None:
    part = path.with_suffix(".indptr")
    raw = np.fromfile(part, "u4").astype("i8")
    raw[1], raw[2] = 1, -1 << 63
    raw.tofile(part)
    path.write_text(path.read_text().replace('indptr_dtype = "<i4"', 'indptr_dtype = "<i8"'))
    with RawCSRDataSet(path).open() as source, pytest.raises(DataSetException, match="frame 1"):
        source.read(1, 2, Scratch())
