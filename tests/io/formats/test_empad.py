from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.io.contract import Case, DataSetContract, read_all
from tests.io.writers.empad import write_empad, write_empad_raw
from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.empad import EMPADDataSet
from udfwidgets.io.load import load

# Where a square is guessed, what is guessed is not what is looked at.
pytestmark = pytest.mark.filterwarnings("ignore:.* is a guess:UserWarning")

TRUTH = np.random.default_rng(1).random((2, 3, 128, 128)).astype("f4")
FRAMES = TRUTH.reshape(-1, 128, 128)


class TestEMPAD(DataSetContract):
    @pytest.fixture(params=["xml", "raw", "series"])
    def case(self, request: pytest.FixtureRequest, tmp_path: Path) -> Case:
        if request.param == "raw":
            path = write_empad_raw(tmp_path / "scan_x3_y2.raw", TRUTH)
            return Case(EMPADDataSet(path), TRUTH)
        truth = TRUTH if request.param == "xml" else FRAMES
        return Case(EMPADDataSet(write_empad(tmp_path / "scan.xml", truth)), truth)


@pytest.mark.parametrize("name", ["scan.xml", "scan_x3_y2.raw"])
def test_auto_knows_both_files(tmp_path: Path, name: str) -> None:
    path = write_empad(tmp_path / "scan_x3_y2.xml", TRUTH)
    (tmp_path / "scan.xml").write_bytes(path.read_bytes())
    np.testing.assert_array_equal(read_all(load("auto", tmp_path / name)), FRAMES)


def test_a_raw_of_another_size_is_no_scan_of_that_name(tmp_path: Path) -> None:
    write_empad_raw(tmp_path / "scan_x3_y3.raw", TRUTH)
    with pytest.raises(DataSetException, match=r"name its type instead of 'auto'"):
        load("auto", tmp_path / "scan_x3_y3.raw")


def test_the_shape_that_fits_is_taken_of_those_that_are_told(tmp_path: Path) -> None:
    # As where more was recorded than the image that the .xml acquires.
    path = write_empad(tmp_path / "scan_x3_y2.xml", TRUTH, scan=(9, 9))
    assert EMPADDataSet(path).shape.nav == (2, 3)


def test_it_tells_how_large_a_step_is(tmp_path: Path) -> None:
    told = EMPADDataSet(write_empad(tmp_path / "scan.xml", TRUTH)).metadata
    assert told["nav_scales"] == pytest.approx((2e-7 / 3, 2e-7 / 3))
    assert told["nav_units"] == ("m", "m")


def test_a_shape_that_does_not_fit_is_told_of(tmp_path: Path) -> None:
    path = write_empad(tmp_path / "scan.xml", TRUTH, scan=(2, 4))
    with pytest.warns(UserWarning, match=r"told to be \(2, 4\), the file has 6 frames"):
        dataset = EMPADDataSet(path)
    np.testing.assert_array_equal(read_all(dataset)[:6], FRAMES)
    assert dataset.missing is not None
    assert dataset.missing.sum() == 2


def test_a_raw_that_tells_nothing_needs_a_shape(tmp_path: Path) -> None:
    path = write_empad_raw(tmp_path / "a.raw", TRUTH)
    with pytest.raises(DataSetException, match="not a square scan; pass nav_shape="):
        EMPADDataSet(path)
    np.testing.assert_array_equal(read_all(EMPADDataSet(path, (3, 2))), FRAMES)


def test_a_part_of_a_frame_is_refused(tmp_path: Path) -> None:
    path = write_empad_raw(tmp_path / "scan_x3_y2.raw", TRUTH)
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(DataSetException, match="66556 bytes are left"):
        EMPADDataSet(path)
    with pytest.warns(UserWarning, match="the last 66556 bytes are no whole frame"):
        dataset = EMPADDataSet(path, (2, 3))
    np.testing.assert_array_equal(read_all(dataset)[:5], FRAMES[:5])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<raw_file", "<other_file", "names no raw_file"),
        ("filename=", "file=", "names no raw_file"),
        ("scan.raw", "gone.raw", r"gone\.raw does not exist"),
        ("</root>", "", "cannot be parsed"),
        ("<root>", "<!DOCTYPE r [<!ENTITY a 'aaaa'>]><root>", "declares entities"),
        ("UTF-8", "nonsense", "cannot be parsed"),
    ],
)
def test_an_xml_that_lies_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = write_empad(tmp_path / "scan.xml", TRUTH)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(DataSetException, match=message):
        EMPADDataSet(path)


@pytest.mark.parametrize("folder", ["C:\\data\\", "/data/old/", "../"])
def test_a_raw_that_was_moved_is_beside_it(tmp_path: Path, folder: str) -> None:
    path = write_empad(tmp_path / "scan.xml", TRUTH)
    path.write_text(path.read_text().replace('filename="', f'filename="{folder}'))
    np.testing.assert_array_equal(read_all(EMPADDataSet(path)), FRAMES)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_do_not_grow(tmp_path: Path, encoding: str) -> None:
    path = write_empad(tmp_path / "scan.xml", TRUTH)
    laughs = "".join(f"<!ENTITY a{n + 1} '{f'&a{n};' * 10}'>" for n in range(9))
    text = path.read_text().replace("<root>", f"<!DOCTYPE r [<!ENTITY a0 'ha'>{laughs}]><root>&a9;")
    path.write_bytes(text.replace("UTF-8", encoding).encode(encoding))
    with pytest.raises(DataSetException, match="declares entities"):
        EMPADDataSet(path)
