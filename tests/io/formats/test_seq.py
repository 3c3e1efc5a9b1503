from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.io.contract import Case, DataSetContract, read_all
from tests.io.writers.mrc import write_mrc
from tests.io.writers.seq import write_celeritas, write_seq
from udfwidgets.api import Context
from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.seq import SEQDataSet
from udfwidgets.io.load import load
from udfwidgets.udf.sum import SumUDF

TRUTH = np.random.default_rng(1).integers(0, 200, (6, 4, 7)).astype("u2")


class TestSEQ(DataSetContract):
    @pytest.fixture(params=[("u1", 5, 3), ("u2", 4, 0), ("u2", 5, 8001), ("u4", 3, 16)])
    def case(self, request: pytest.FixtureRequest, tmp_path: Path) -> Case:
        kind, version, padding = request.param
        truth = TRUTH.astype(kind)
        path = write_seq(tmp_path / "a.seq", truth, version, padding)
        return Case(SEQDataSet(path, (2, 3)), truth.reshape(2, 3, 4, 7))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_seq(tmp_path / "a.seq", TRUTH)


def test_auto_tells_it_by_content(path: Path) -> None:
    renamed = path.rename(path.with_suffix(".dat"))
    np.testing.assert_array_equal(read_all(load("auto", renamed, nav_shape=(6,))), TRUTH)


def test_a_shape_that_nothing_tells_has_to_be_passed(path: Path) -> None:
    with pytest.raises(DataSetException, match="holds 6 frames, which is not a square scan"):
        load("seq", path)


@pytest.mark.parametrize("name", ["a.seq", "a.seq.seq"])
def test_dark_and_gain_are_beside_it(tmp_path: Path, name: str) -> None:
    path = write_seq(tmp_path / name, TRUTH)
    dark, gain = np.full((1, 4, 7), 3, "f4"), np.full((1, 4, 7), 0.5, "f4")
    gain[0, 1, 2] = 2
    write_mrc(tmp_path / "a.seq.dark.mrc", dark)
    write_mrc(tmp_path / "a.seq.gain.mrc", gain)
    with Context.make_with("inline") as ctx:
        found = ctx.run_udf(dataset=load("seq", path, nav_shape=(6,)), udf=SumUDF())
    expected = ((TRUTH - dark) * gain).sum(axis=0)
    np.testing.assert_allclose(found["intensity"].data, expected)


def test_an_image_beside_it_of_another_shape_is_refused(path: Path) -> None:
    write_mrc(path.with_name("a.seq.dark.mrc"), np.zeros((1, 7, 4), "f4"))
    with pytest.raises(DataSetException, match=r"shape \(1, 7, 4\), expected one dark image"):
        load("seq", path, nav_shape=(6,))


def test_the_last_frame_needs_no_time(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-32])
    np.testing.assert_array_equal(read_all(SEQDataSet(path, (6,))), TRUTH)


def test_a_part_of_a_frame_is_told_of(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-33])
    with pytest.warns(UserWarning, match="the last 55 bytes are no whole frame"):
        dataset = SEQDataSet(path, (6,))
    np.testing.assert_array_equal(read_all(dataset)[:5], TRUTH[:5])


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (0, 0xFEEE, "begins with 0xfeee, expected 0xfeed"),
        (548, 0, "4 x 0 pixels"),
        (548, 1 << 31, "pixels, expected a size"),
        (552, 1 << 19, "56 bytes|88 bytes from one frame to the next"),
        (556, 12, "pixels of 12 bits at byte 556"),
        (568, 101, "images of format 101"),
        (580, 55, "55 bytes from one frame to the next at byte 580, expected at least the 56"),
        (580, 0, "0 bytes from one frame"),
        (620, 1, "compression 1"),
    ],
)
def test_a_header_that_lies_is_refused(path: Path, at: int, value: int, message: str) -> None:
    content = bytearray(path.read_bytes())
    content[at : at + 4] = value.to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(DataSetException, match=message):
        SEQDataSet(path, (6,))


@pytest.mark.parametrize("n_bytes", [0, 100, 1023, 8192, 8192 + 55])
def test_a_file_of_a_few_bytes_is_refused(path: Path, n_bytes: int) -> None:
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(DataSetException, match="truncated"):
        load("seq", path)


CELERITAS = np.random.default_rng(2).integers(0, 200, (12, 6, 5)).astype("u2")
BOTTOM, SETTINGS = "a_Bottom_14-04-59.396.seq", "a.seq.Config.Metadata.xml"


class TestCeleritas(DataSetContract):
    @pytest.fixture(params=[1, 4, 12])
    def case(self, request: pytest.FixtureRequest, tmp_path: Path) -> Case:
        path = write_celeritas(tmp_path, CELERITAS, request.param)
        return Case(SEQDataSet(path, (3, 4)), CELERITAS.reshape(3, 4, 6, 5))


@pytest.fixture
def top(tmp_path: Path) -> Path:
    return write_celeritas(tmp_path, CELERITAS, 4)


def test_either_half_stands_for_both(top: Path) -> None:
    for path in (top, top.with_name(BOTTOM)):
        np.testing.assert_array_equal(read_all(load("auto", path, nav_shape=(12,))), CELERITAS)


def test_without_settings_the_size_of_a_frame_tells(tmp_path: Path) -> None:
    path = write_celeritas(tmp_path, CELERITAS, 4, has_settings=False)
    with pytest.raises(DataSetException, match=r"12 x 5 pixels; pass sig_shape=\(rows, 5\)"):
        load("seq", path, nav_shape=(12,))
    with pytest.raises(DataSetException, match="5 frames in buffers of 12 rows"):
        load("seq", path, nav_shape=(12,), sig_shape=(4, 5 + 1))
    dataset = load("seq", path, nav_shape=(12,), sig_shape=(6, 5))
    np.testing.assert_array_equal(read_all(dataset), CELERITAS)


def test_dark_and_gain_are_those_of_whole_frames(top: Path) -> None:
    write_mrc(top.with_name("a.seq.dark.mrc"), CELERITAS[:1].astype("f4"))
    dataset = load("seq", top, nav_shape=(12,))
    dark = dataset.get_correction_data().get_dark_frame()
    np.testing.assert_array_equal(dark, CELERITAS[0])


def test_a_half_that_was_cut_short_counts(top: Path) -> None:
    bottom = top.with_name(BOTTOM)
    bottom.write_bytes(bottom.read_bytes()[:-100])
    with pytest.warns(UserWarning, match="the halves have 3 and 2 buffers"):
        dataset = load("seq", top, nav_shape=(8,))
    np.testing.assert_array_equal(read_all(dataset), CELERITAS[:8])
    assert dataset.files == (top, bottom)


def test_half_of_a_scan_is_read_by_itself(top: Path) -> None:
    top.with_name(BOTTOM).unlink()
    with pytest.warns(UserWarning, match=r"there is no a_Bottom\*\.seq beside it"):
        dataset = load("seq", top, nav_shape=(3,))
    assert dataset.shape.sig.to_tuple() == (12, 5)


def test_halves_that_do_not_belong_together_are_told_of(top: Path) -> None:
    other = write_seq(top.with_name("a_Bottom_2.seq"), TRUTH)
    with pytest.raises(DataSetException, match=r"its other half: a_Bottom_14.*, a_Bottom_2"):
        load("seq", top, nav_shape=(12,))
    top.with_name(BOTTOM).unlink()
    with pytest.raises(DataSetException, match="have the width 5 and 7, expected the same"):
        load("seq", other, nav_shape=(12,))


@pytest.mark.parametrize("settings", ["", "<a", "<a/>", "<SegmentPreBuffer Value='0'/>"])
def test_settings_that_tell_nothing_are_named(top: Path, settings: str) -> None:
    top.with_name(SETTINGS).write_text(settings)
    with pytest.raises(DataSetException, match=r"Metadata\.xml (is no XML|has '0?' as)"):
        load("seq", top, nav_shape=(12,))


def test_more_frames_than_rows_are_refused(top: Path) -> None:
    top.with_name(SETTINGS).write_text("<SegmentPreBuffer>13</SegmentPreBuffer>")
    with pytest.raises(DataSetException, match="13 frames in buffers of 12 rows"):
        load("seq", top, nav_shape=(12,))


def test_halves_cannot_be_followed(top: Path) -> None:
    with pytest.raises(DataSetException, match="are halves of the same frames"):
        load("seq", top, nav_shape=(12,), follow=True)
