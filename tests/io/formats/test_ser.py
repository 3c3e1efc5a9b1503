from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from tests.io.contract import Case, DataSetContract, read_all
from tests.io.writers.ser import TYPES, write_emi, write_ser
from udfwidgets.api import Context
from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.ser.dataset import SERDataSet
from udfwidgets.io.load import load
from udfwidgets.udf.sum import SumUDF

TRUTH = np.random.default_rng(1).integers(0, 100, (3, 5, 4, 7)).astype("u2")
FRAMES = TRUTH.reshape(15, 4, 7)
#: Where the first frame of `path` begins.
FIRST = 366


class TestSER(DataSetContract):
    @pytest.fixture(params=[("u2", 0x220), ("f4", 0x210), ("u1", 0x220), ("i4", 0x210)])
    def case(self, request: pytest.FixtureRequest, tmp_path: Path) -> Case:
        kind, version = request.param
        truth = TRUTH.astype(kind)
        return Case(SERDataSet(write_ser(tmp_path / "a_1.ser", truth, version=version)), truth)


class TestSERWithGap(DataSetContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        return Case(SERDataSet(write_ser(tmp_path / "a_1.ser", TRUTH, gap=(7, 30))), TRUTH)


class TestSpectra(DataSetContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        truth = TRUTH.reshape(3, 5, 28)
        return Case(SERDataSet(write_ser(tmp_path / "a_1.ser", truth)), truth)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_ser(tmp_path / "scan_1.ser", TRUTH)


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_of_pixels(tmp_path: Path, kind: str) -> None:
    truth = TRUTH.astype(kind)
    dataset = load("auto", write_ser(tmp_path / "a_1.ser", truth))
    np.testing.assert_array_equal(read_all(dataset), truth.reshape(15, 4, 7), strict=True)


def test_auto_tells_it_by_content(path: Path) -> None:
    renamed = path.rename(path.with_suffix(".dat"))
    np.testing.assert_array_equal(read_all(load("auto", renamed)), FRAMES)


def test_frames_that_are_folded_are_upright_before(path: Path) -> None:
    dataset = SERDataSet(path, sig_shape=(2, 14))
    np.testing.assert_array_equal(read_all(dataset), TRUTH.reshape(15, 2, 14))


def test_a_udf_sees_them_upright(path: Path) -> None:
    with Context.make_with("inline") as ctx:
        found = ctx.run_udf(dataset=load("ser", path), udf=SumUDF())["intensity"].data
    np.testing.assert_array_equal(found, FRAMES.sum(axis=0))


def test_it_tells_how_large_steps_are(path: Path) -> None:
    told = SERDataSet(path).metadata
    assert told["nav_scales"] == (-2e-9, 3e-9)
    assert told["nav_units"] == ("m", "m")
    assert told["sig_scales"] == (4e7, 4e7)
    assert told["sig_units"] == ("1/m", "1/m")
    imaged = write_ser(path.with_name("b_1.ser"), TRUTH, step=5e-10)
    assert SERDataSet(imaged).metadata["sig_units"] == ("m", "m")


def test_an_emi_stands_for_its_largest_series(path: Path) -> None:
    write_ser(path.with_name("scan_2.ser"), TRUTH.reshape(3, 5, 28))
    write_ser(path.with_name("scan_3.ser"), TRUTH[:1, :1])
    write_ser(path.with_name("scan_b_1.ser"), np.repeat(TRUTH, 2, axis=0))
    path.with_name("scan_4.ser").write_bytes(path.read_bytes()[:18] + bytes(4))
    emi = write_emi(path.with_name("scan.emi"), 3)
    dataset = load("auto", emi)
    np.testing.assert_array_equal(read_all(dataset), FRAMES)
    expected = {"Mode": "STEM nP SA Zoom Diffraction", "High tension": "200 kV"}
    assert dataset.metadata["experiment"] == expected


def test_series_that_are_as_large_have_to_be_named(path: Path) -> None:
    write_ser(path.with_name("scan_2.ser"), TRUTH)
    emi = write_emi(path.with_name("scan.emi"))
    with pytest.raises(DataSetException, match=r"name one of them: .*scan_1\.ser.*scan_2\.ser"):
        load("ser", emi)


def test_an_emi_without_series_is_refused(path: Path) -> None:
    emi = write_emi(path.with_name("other.emi"))
    with pytest.raises(DataSetException, match=r"no \.ser beside it, expected other_1\.ser"):
        load("auto", emi)


def test_declarations_in_an_emi_are_left_alone(path: Path) -> None:
    emi = write_emi(path.with_name("scan.emi"))
    laughs = b'<ObjectInfo><!DOCTYPE a [<!ENTITY b "ha">]><a>&b;</a></ObjectInfo>'
    emi.write_bytes(b"JK\0\x02" + laughs)
    assert load("auto", emi).metadata["experiment"] == {}


def test_a_scan_that_was_stopped_lacks_frames(tmp_path: Path) -> None:
    path = write_ser(tmp_path / "a_1.ser", TRUTH[:2], total=15)
    with pytest.warns(UserWarning, match="5 of 15 frames are missing"):
        dataset = load("auto", path)
    assert dataset.shape == (3, 5, 4, 7)
    np.testing.assert_array_equal(read_all(dataset)[:10], FRAMES[:10])


def test_images_that_are_merely_counted_are_all_there(tmp_path: Path) -> None:
    path = write_ser(tmp_path / "a_1.ser", FRAMES, (("", 1.0),), total=200)
    np.testing.assert_array_equal(read_all(load("auto", path)), FRAMES)


def test_a_truncated_file_lacks_frames(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: -130 * 3 - 30])
    with pytest.warns(UserWarning, match="truncated: it has 11 of 15 frames"):
        dataset = load("auto", path)
    np.testing.assert_array_equal(read_all(dataset)[:11], FRAMES[:11])


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (0, b"II*\0", r"begins with b'II\*'"),
        (4, b"\1\2", "version 0x201, expected"),
        (6, b"\x21", "data of type 0x4121 at byte 6"),
        (14, b"\1\0\0\0", "holds 15 of 1 frames"),
        (18, b"\0\0\0\0", "holds 0 of 15 frames"),
        (14, b"\xff" * 8, "truncated"),
        (22, b"\xff" * 8, "ends before byte 18446744073709551615"),
        (30, b"\xff" * 4, "has 4294967295 scan axes, expected 8"),
        (58, b"\xff\xff\0\0", "damaged|truncated"),
        (FIRST - 240, b"\xff" * 8, "frames at byte 18446744073709551615"),
        (FIRST - 232, struct.pack("<Q", FIRST + 30), r"pixels of type \d+ in frame 1 at byte 396"),
        (FIRST + 40, b"\x0b", "pixels of type 11 in frame 0"),
        (FIRST + 42, b"\xff" * 8, "expected 15 frames of 36893488130239234050 bytes"),
        (FIRST + 42, b"\0" * 4, "expected 15 frames of 0 bytes"),
        (FIRST + 42, b"\3\0\0\0", r"in frame 14 \(4, 7\) pixels of uint16, expected \(4, 3\)"),
    ],
)
def test_a_header_that_lies_is_refused(path: Path, at: int, value: bytes, message: str) -> None:
    content = bytearray(path.read_bytes())
    content[at : at + len(value)] = value
    path.write_bytes(content)
    with pytest.raises(DataSetException, match=message):
        SERDataSet(path)


def test_a_list_of_places_that_is_chaos_is_refused(tmp_path: Path) -> None:
    frames = np.zeros((9000, 1, 1), "u1")
    path = write_ser(tmp_path / "a_1.ser", frames, (("", 1.0),))
    content = bytearray(path.read_bytes())
    at = content.index(struct.pack("<Q", len(content) - 75 * 9000))
    places = np.frombuffer(content, "<u8", 9000, at)
    places[:] = np.random.default_rng(1).permutation(places)
    path.write_bytes(content)
    with pytest.raises(DataSetException, match=r"and \d{4} gaps, expected .* 4096 gaps at most"):
        SERDataSet(path)


@pytest.mark.parametrize("n_bytes", [0, 5, 25, 60, 100, 200, FIRST + 20])
def test_a_file_of_a_few_bytes_is_refused(path: Path, n_bytes: int) -> None:
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(DataSetException, match="truncated"):
        load("ser", path)
