from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.io.contract import Case, DataSetContract, read_all
from tests.io.writers.mrc import MODES, write_mrc
from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.mrc import MRCDataSet
from udfwidgets.io.load import load

TRUTH = np.random.default_rng(1).integers(-100, 100, (6, 4, 7))


class TestMRC(DataSetContract):
    @pytest.fixture(params=MODES)
    def kind(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture(params=["<", ">"])
    def case(self, request: pytest.FixtureRequest, tmp_path: Path, kind: str) -> Case:
        truth = TRUTH.astype(kind)
        path = write_mrc(tmp_path / "a.mrc", truth, request.param, extended=b"x" * 131)
        return Case(MRCDataSet(path), truth)


class TestVolumes(DataSetContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        truth = TRUTH.astype("u2").reshape(2, 3, 4, 7)
        return Case(MRCDataSet(write_mrc(tmp_path / "a.mrc", truth, volumes=True)), truth)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_mrc(tmp_path / "a.mrc", TRUTH.astype("i2"), pixel_size=0.25)


def test_auto_tells_it_by_content(path: Path) -> None:
    renamed = path.rename(path.with_suffix(".dat"))
    np.testing.assert_array_equal(read_all(load("auto", renamed)), TRUTH)


def test_a_scan_shape_folds_the_stack(path: Path) -> None:
    dataset = load("mrc", path, nav_shape=(2, 3), sig_shape=(28,))
    np.testing.assert_array_equal(read_all(dataset), TRUTH.reshape(6, 28))


def test_it_tells_how_large_a_pixel_is(path: Path) -> None:
    told = MRCDataSet(path).metadata
    assert told["sig_scales"] == pytest.approx((0.25, 0.25))
    assert told["sig_units"] == ("Å", "Å")


def test_a_file_without_a_cell_tells_nothing(tmp_path: Path) -> None:
    assert MRCDataSet(write_mrc(tmp_path / "a.mrc", TRUTH.astype("i2"))).metadata == {}


def test_bytes_of_imod_have_no_sign(tmp_path: Path) -> None:
    truth = TRUTH.astype("u1")
    found = MRCDataSet(write_mrc(tmp_path / "a.mrc", truth, imod=True))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(read_all(found), truth)


def test_a_byte_order_without_a_stamp_is_found(tmp_path: Path) -> None:
    path = write_mrc(tmp_path / "a.mrc", TRUTH.astype("i2"), ">")
    content = bytearray(path.read_bytes())
    content[208:216] = bytes(8)
    path.write_bytes(content)
    np.testing.assert_array_equal(read_all(load("auto", path)), TRUTH)


def test_a_scan_that_was_stopped_lacks_frames(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-57])
    with pytest.warns(UserWarning, match="truncated: it has 4 of 6 frames"):
        dataset = MRCDataSet(path)
    np.testing.assert_array_equal(read_all(dataset)[:4], TRUTH[:4])
    assert dataset.missing is not None
    assert dataset.missing.tolist() == [False] * 4 + [True] * 2


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (0, -3, "expected width, height and number"),
        (8, 0, "expected width, height and number"),
        (12, 3, "pixels of mode 3, expected one of"),
        (12, 101, "pixels of mode 101"),
        (92, -1, "extended header of -1 bytes"),
        (92, 1 << 30, "truncated, or its header is damaged"),
        (0, 1 << 23, "truncated, or its header is damaged"),
    ],
)
def test_a_header_that_lies_is_refused(path: Path, at: int, value: int, message: str) -> None:
    content = bytearray(path.read_bytes())
    content[at : at + 4] = value.to_bytes(4, "little", signed=True)
    path.write_bytes(content)
    with pytest.raises(DataSetException, match=message):
        MRCDataSet(path)


@pytest.mark.parametrize("n_bytes", [0, 100, 1023, 1024, 1079])
def test_a_file_of_a_few_bytes_is_refused(path: Path, n_bytes: int) -> None:
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(DataSetException, match="truncated"):
        load("mrc", path)
