"""Merlin files are followed while they grow."""

from __future__ import annotations

import pickle
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.io.contract import Case, DataSetContract
from tests.io.elsewhere import eventually
from tests.io.merlin import write_hdr, write_mib
from udfwidgets.errors import AcquisitionEnded, DataSetException
from udfwidgets.io.dataset.base import Scratch, Source
from udfwidgets.io.dataset.mib.growing import GrowingMIBDataSet
from udfwidgets.io.load import load

# Most scans here are of a square number of frames, and what is guessed is not what is looked at.
pytestmark = pytest.mark.filterwarnings("ignore:.* is a guess:UserWarning")

TRUTH = np.random.default_rng(5).poisson(20, (3, 5, 6, 8)).astype("u2")
FRAMES = TRUTH.reshape(15, 6, 8)
STRIDE = 384 + 2 * 48


class TestFinished(DataSetContract):
    @pytest.fixture(params=["one file", "part files"])
    def case(self, request: pytest.FixtureRequest, tmp_path: Path) -> Case:
        hdr = write_hdr(tmp_path / "scan.hdr", 15, 5)
        ends = [0, 15] if request.param == "one file" else [0, 4, 5, 12, 15]
        for number, (start, stop) in enumerate(pairwise(ends)):
            name = f"scan{'' if len(ends) == 2 else f'_{9 - number}'}.mib"
            write_mib(tmp_path / name, FRAMES[start:stop], "U16", 12, first=start + 1)
        return Case(GrowingMIBDataSet(hdr), TRUTH)


class Recording:
    """A part file whose bytes come bit by bit."""

    def __init__(self, path: Path, start: int, stop: int) -> None:
        self._path = write_mib(path, FRAMES[start:stop], "U16", 12, first=start + 1)
        self._content = path.read_bytes()
        self.grow_to(0)

    def grow_to(self, n_bytes: int) -> None:
        self._path.write_bytes(self._content[:n_bytes])


def check(source: Source, n_frames: int) -> None:
    eventually(lambda: source.available() == n_frames)
    np.testing.assert_array_equal(source.read(0, n_frames, Scratch()), FRAMES[:n_frames])


def test_a_frame_is_there_with_its_last_byte(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "scan.mib", 0, 15)
    hdr = write_hdr(tmp_path / "scan.hdr", 15, 5)
    recording.grow_to(384)
    dataset = load("auto", path=hdr, follow=True)
    assert isinstance(dataset, GrowingMIBDataSet)
    assert dataset.shape.to_tuple() == TRUTH.shape
    with dataset.open() as source:
        for n_bytes in (384, STRIDE - 1):
            recording.grow_to(n_bytes)
            assert source.available() == 0
        for n_bytes, n_frames in ((STRIDE, 1), (2 * STRIDE - 1, 1), (7 * STRIDE + 3, 7)):
            recording.grow_to(n_bytes)
            check(source, n_frames)
        assert dataset.is_growing
        recording.grow_to(15 * STRIDE)
        check(source, 15)
        assert not dataset.is_growing


def test_part_files_come_one_after_the_other(tmp_path: Path) -> None:
    hdr = write_hdr(tmp_path / "scan.hdr", 15, 5)
    first = Recording(tmp_path / "scan_1.mib", 0, 6)
    first.grow_to(STRIDE)
    with load("mib", path=hdr, follow=True).open() as source:
        check(source, 1)
        first.grow_to(6 * STRIDE)
        check(source, 6)
        second = Recording(tmp_path / "scan_2.mib", 6, 12)
        for n_bytes, n_frames in ((100, 6), (STRIDE + 5, 7), (6 * STRIDE, 12)):
            second.grow_to(n_bytes)
            check(source, n_frames)
        Recording(tmp_path / "scan_3.mib", 12, 15).grow_to(3 * STRIDE)
        check(source, 15)


def test_a_part_that_overtakes_waits_for_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("udfwidgets.io.arriving.growing._QUIET", 0.0)
    hdr = write_hdr(tmp_path / "scan.hdr", 15, 5)
    first = Recording(tmp_path / "scan_1.mib", 0, 12)
    first.grow_to(10 * STRIDE + 7)
    Recording(tmp_path / "scan_2.mib", 12, 15).grow_to(2 * STRIDE)
    with load("mib", path=hdr, follow=True).open() as source:
        check(source, 10)
        message = "(10 of 15 are in): scan_2.mib begins with frame 13, but frame 11 has not come"
        assert source.waiting_for().endswith(message)
        first.grow_to(12 * STRIDE)
        check(source, 14)
    first.grow_to(11 * STRIDE)
    with load("mib", path=hdr, follow=True, stall_timeout=0.05).open() as source:
        check(source, 11)
        with pytest.raises(DataSetException, match=r"11 of 15 .*\(scan_2.mib begins with frame 13"):
            eventually(lambda: source.available() != 11)


def test_what_does_not_belong_there_is_an_error(tmp_path: Path) -> None:
    hdr = write_hdr(tmp_path / "scan.hdr", 15, 5)
    write_mib(tmp_path / "scan_1.mib", FRAMES[:9], "U16", 12)
    write_mib(tmp_path / "scan_2.mib", FRAMES[5:9], "U16", 12, first=6)
    with pytest.raises(DataSetException, match=r"begins with frame 6, expected 10 .* same frames"):
        load("mib", path=hdr, follow=True)
    (tmp_path / "scan_2.mib").unlink()
    with load("mib", path=hdr, follow=True).open() as source:
        check(source, 9)
        write_mib(tmp_path / "scan_2.mib", FRAMES[9:, :, :4], "U16", 12, first=10)
        with pytest.raises(DataSetException, match=r"9 of 15 .* has another layout than"):
            eventually(lambda: source.available() != 9)


def test_a_file_that_shrinks_is_an_error(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "scan.mib", 0, 15)
    recording.grow_to(9 * STRIDE)
    dataset = load("mib", path=tmp_path / "scan.mib", follow=True, nav_shape=(3, 5))
    with dataset.open() as source:
        check(source, 9)
        recording.grow_to(8 * STRIDE)
        with pytest.raises(DataSetException, match=rf"9 of 15 .* {8 * STRIDE} bytes, but had"):
            eventually(lambda: source.available() != 9)


def test_a_stall_ends_it_where_that_is_asked_for(tmp_path: Path) -> None:
    write_mib(tmp_path / "scan.mib", FRAMES[:9], "U16", 12)
    hdr = write_hdr(tmp_path / "scan.hdr", 15, 5)
    with load("mib", path=hdr, follow=True).open() as source:
        check(source, 9)
        time.sleep(0.05)
        check(source, 9)
    with load("mib", path=hdr, follow=True, stall_timeout=0.05).open() as source:
        check(source, 9)
        with pytest.raises(DataSetException, match=r"9 of 15 .* nothing has come .* nav_shape="):
            eventually(lambda: source.available() != 9)
        # It stays so, and what has come can still be read.
        with pytest.raises(AcquisitionEnded, match="9 of 15") as caught:
            source.available()
        assert pickle.loads(pickle.dumps(caught.value)).n_frames == 9
        np.testing.assert_array_equal(source.read(0, 9, Scratch()), FRAMES[:9])
    with load("mib", path=hdr, follow=True, nav_shape=(9,)).open() as source:
        check(source, 9)


def test_frames_beyond_the_scan_do_not_count(tmp_path: Path) -> None:
    write_mib(tmp_path / "scan.mib", FRAMES, "U16", 12)
    dataset = load("mib", path=tmp_path / "scan.mib", follow=True, nav_shape=(2, 4))
    with dataset.open() as source:
        check(source, 8)


def test_what_is_missing_to_begin_with(tmp_path: Path) -> None:
    mib = tmp_path / "scan.mib"
    mib.write_bytes(b"")
    with pytest.raises(DataSetException, match="load it again when the acquisition has begun"):
        load("mib", path=mib, follow=True)
    write_mib(mib, FRAMES[:4], "U16", 12)
    with pytest.raises(DataSetException, match=r"nothing says how many frames .* pass nav_shape="):
        load("mib", path=mib, follow=True)
    hdr = write_hdr(tmp_path / "scan.hdr", 16, 1)
    assert load("mib", path=hdr, follow=True).shape.nav.to_tuple() == (4, 4)
    with pytest.raises(DataSetException, match="12 pixels, expected the 48"):
        load("mib", path=hdr, follow=True, sig_shape=(3, 4))
    with pytest.raises(ValueError, match="stall_timeout=-1, expected seconds"):
        load("mib", path=hdr, follow=True, stall_timeout=-1)
