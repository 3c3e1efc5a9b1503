from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.io.contract import Case, DataSetContract, read_all
from tests.io.writers.frms6 import write_frms6
from udfwidgets.api import Context
from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.frms6.dataset import FRMS6DataSet
from udfwidgets.io.load import load
from udfwidgets.udf.sum import SumUDF

TRUTH = np.random.default_rng(1).integers(0, 60000, (15, 8, 7)).astype("u2")
DARK = np.random.default_rng(2).integers(0, 300, (5, 8, 7)).astype("u2")


class TestFRMS6(DataSetContract):
    @pytest.fixture(params=[(1, (), True), (2, (4,), False), (4, (4, 9), True)])
    def case(self, request: pytest.FixtureRequest, tmp_path: Path) -> Case:
        binning, cuts, is_counted = request.param
        truth = TRUTH[:, ::binning].repeat(binning, axis=1)
        path = write_frms6(tmp_path, truth, DARK, (3, 5), binning, cuts, is_counted)
        return Case(FRMS6DataSet(path), truth.reshape(3, 5, 8, 7))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_frms6(tmp_path, TRUTH, DARK, (3, 5), cuts=(6, 12))


@pytest.mark.parametrize("name", ["scan.hdr", "scan_000.frms6", "scan_003.frms6"])
def test_any_of_the_files_stands_for_all(path: Path, name: str) -> None:
    dataset = load("auto", path.with_name(name))
    assert dataset.shape == (3, 5, 8, 7)
    np.testing.assert_array_equal(read_all(dataset), TRUTH)


def test_other_scans_are_left_alone(path: Path) -> None:
    path.with_name("scan_b_004.frms6").write_bytes(b"")
    path.with_name("scans_004.frms6").write_bytes(b"")
    np.testing.assert_array_equal(read_all(load("auto", path)), TRUTH)


def test_frames_without_beam_are_subtracted(path: Path) -> None:
    with Context.make_with("inline") as ctx:
        found = ctx.run_udf(dataset=load("frms6", path), udf=SumUDF())["intensity"].data
        plain = load("frms6", path, enable_offset_correction=False)
        without = ctx.run_udf(dataset=plain, udf=SumUDF())["intensity"].data
    np.testing.assert_allclose(found, TRUTH.sum(axis=0) - 15 * DARK.mean(axis=0), rtol=1e-6)
    np.testing.assert_array_equal(without, TRUTH.sum(axis=0))


def test_frames_without_beam_are_binned_and_folded_as_others(tmp_path: Path) -> None:
    dark = np.concatenate([DARK[:, ::2].repeat(2, axis=1)] * 20)
    path = write_frms6(tmp_path, TRUTH, dark, (3, 5), 2)
    dataset = FRMS6DataSet(path, sig_shape=(4, 14))
    found = dataset.get_correction_data().get_dark_frame()
    np.testing.assert_allclose(found, dark.mean(axis=0).reshape(4, 14))


def test_what_the_hdr_tells_is_there(path: Path) -> None:
    assert FRMS6DataSet(path).metadata["dwelltimemicroseconds"] == "1000"


def test_a_scan_that_was_stopped_lacks_frames(path: Path) -> None:
    last = path.with_name("scan_003.frms6")
    last.write_bytes(last.read_bytes()[:-1])
    with pytest.warns(UserWarning, match="1 of 15 frames are missing"):
        dataset = load("auto", path)
    np.testing.assert_array_equal(read_all(dataset)[:14], TRUTH[:14])


def test_a_file_that_is_truncated_before_another_is_refused(path: Path) -> None:
    middle = path.with_name("scan_001.frms6")
    middle.write_bytes(middle.read_bytes()[:-1])
    with pytest.raises(DataSetException, match=r"scan_001\.frms6: .*5 of 6 frames, and another"):
        load("auto", path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("scan_002.frms6", r"number 002 is missing: expected scan_002\.frms6"),
        ("scan.hdr", r"expected the \.hdr beside the \.frms6"),
    ],
)
def test_a_missing_file_is_named(path: Path, name: str, message: str) -> None:
    path.with_name(name).unlink()
    with pytest.raises(DataSetException, match=message):
        load("frms6", path.with_name("scan_001.frms6"))


def test_a_scan_of_nothing_but_frames_without_beam_is_refused(path: Path) -> None:
    for number in (1, 2, 3):
        path.with_name(f"scan_00{number}.frms6").unlink()
    with pytest.raises(DataSetException, match=r"belongs to 1 files scan_\*\.frms6, expected one"):
        load("auto", path)


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (0, b"\1", "headers of 1025 and 64 bytes and version 6"),
        (7, b"\5", "version 5, expected 1024, 64 and 6"),
        (88, b"\x0d", "rows of 13 pixels, 4 of them"),
        (88, b"\0", "rows of 0 pixels"),
        (90, b"\0", "rows of 14 pixels, 0 of them"),
        (90, b"\3", r"frames of \(3, 14\) pixels, expected \(4, 14\) as in scan_000\.frms6"),
        (1020, b"\x07", "it has 6 of 7 frames, and another file follows"),
    ],
)
def test_a_header_that_lies_is_refused(path: Path, at: int, value: bytes, message: str) -> None:
    part = path.with_name("scan_001.frms6")
    content = bytearray(part.read_bytes())
    content[at : at + len(value)] = value
    part.write_bytes(content)
    with pytest.raises(DataSetException, match=message):
        FRMS6DataSet(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[measurementInfo]", "[other]", r"has no section \[measurementInfo\]"),
        ("[measurementInfo]", "", "has no section"),
        ("gain = 1", "gain", "has no section"),
        ("3 x 5", "3 times 5", "has STEMimagesize='3 times 5', expected 256x256"),
        ("3 x 5", "0 x 5", "has STEMimagesize='0 x 5'"),
        ("3 x 5", "999999 x 999999", "frames are missing; pass the nav_shape="),
        ("bin: 1", "bin: 3", "expected bin: 1, 2 or 4"),
        ("readoutMode", "mode", "has readoutMode=None"),
    ],
)
def test_a_hdr_that_tells_something_else_is_refused(
    path: Path, old: str, new: str, message: str
) -> None:
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(DataSetException, match=message):
        load("frms6", path)


@pytest.mark.parametrize("n_bytes", [0, 7, 1023, 1100])
def test_a_file_of_a_few_bytes_is_refused(path: Path, n_bytes: int) -> None:
    part = path.with_name("scan_003.frms6")
    part.write_bytes(part.read_bytes()[:n_bytes])
    with pytest.raises(DataSetException, match="truncated"):
        load("frms6", path)
