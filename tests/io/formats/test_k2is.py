from __future__ import annotations

import struct
import warnings
from pathlib import Path

import numpy as np
import pytest

from tests.io.contract import Case, DataSetContract, read_all
from tests.io.writers.k2is import BLOCK_BYTES, FRAME_BYTES, SIG, write_k2is
from udfwidgets.api import Context
from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.k2is.dataset import K2ISDataSet
from udfwidgets.io.dataset.k2is.source import K2ISSource
from udfwidgets.io.load import load
from udfwidgets.io.scratch import Scratch
from udfwidgets.udf.masks import ApplyMasksUDF
from udfwidgets.udf.stddev import StdDevUDF
from udfwidgets.udf.sum import SumUDF
from udfwidgets.udf.sumsigudf import SumSigUDF

TRUTH = np.random.default_rng(1).integers(0, 4096, (4, *SIG), "u2")


class TestK2IS(DataSetContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        path = write_k2is(tmp_path, TRUTH[:2], (2, 1))
        return Case(K2ISDataSet(path), TRUTH[:2].reshape(2, 1, *SIG))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_k2is(tmp_path, TRUTH, (2, 2))


@pytest.mark.parametrize("name", ["scan_.gtg", "scan_1.bin", "scan_8.bin"])
def test_any_of_the_files_stands_for_all(path: Path, name: str) -> None:
    dataset = load("auto", path.with_name(name))
    assert dataset.shape == (2, 2, *SIG)
    np.testing.assert_array_equal(read_all(dataset), TRUTH)
    with Context.make_with("inline") as ctx:
        found = ctx.run_udf(dataset=dataset, udf=SumSigUDF())["intensity"].data
    expected = TRUTH.sum(axis=(1, 2), dtype="f8").reshape(2, 2)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_sectors_that_begin_at_other_blocks_are_aligned(tmp_path: Path) -> None:
    path = write_k2is(tmp_path, TRUTH, begins=(0, 5, 32, 0, 31, 1, 0, 16))
    dataset = K2ISDataSet(path)
    assert dataset.shape == (3, *SIG)
    np.testing.assert_array_equal(read_all(dataset), TRUTH[1:])


def test_frames_that_lack_blocks_are_missing(tmp_path: Path) -> None:
    lost = {(2, 2, 7), (2, 2, 8), (5, 1, 31)}
    path = write_k2is(tmp_path, TRUTH, (2, 2), without=lost)
    with pytest.warns(UserWarning, match="2 of 4 frames are missing, as frames were lost"):
        dataset = K2ISDataSet(path)
    np.testing.assert_array_equal(dataset.missing, [[False, True], [True, False]])
    np.testing.assert_array_equal(read_all(dataset)[[0, 3]], TRUTH[[0, 3]])


def test_a_scan_begins_before_the_frame_that_says_so(tmp_path: Path) -> None:
    write_k2is(tmp_path, TRUTH, (1, 3), n_closed=2)
    dataset = K2ISDataSet(tmp_path / "scan_3.bin")
    assert dataset.meta.sync_offset == 1
    np.testing.assert_array_equal(read_all(dataset), TRUTH[1:])
    np.testing.assert_array_equal(
        read_all(K2ISDataSet(tmp_path / "scan_3.bin", sync_offset=0)), TRUTH[:3]
    )


@pytest.mark.parametrize("has_gtg", [True, False])
def test_a_series_begins_with_the_frame_that_says_so(tmp_path: Path, has_gtg: bool) -> None:
    gtg = write_k2is(tmp_path, TRUTH, n_closed=2)
    if not has_gtg:
        gtg.unlink()
    dataset = load("auto", tmp_path / "scan_1.bin")
    np.testing.assert_array_equal(read_all(dataset), TRUTH[2:])
    np.testing.assert_array_equal(
        read_all(K2ISDataSet(tmp_path / "scan_1.bin", (2, 2), sync_offset=0)), TRUTH
    )


def test_a_shutter_that_never_opens_is_told_of(tmp_path: Path) -> None:
    path = write_k2is(tmp_path, TRUTH[:1], n_closed=1)
    with pytest.warns(UserWarning, match="no frame says that the shutter was open"):
        assert K2ISDataSet(path).shape == (1, *SIG)


def test_a_file_that_is_still_missing_its_end_has_fewer_frames(path: Path) -> None:
    sector = path.with_name("scan_4.bin")
    sector.write_bytes(sector.read_bytes()[:-1])
    with pytest.warns(UserWarning, match="1 of 4 frames are missing, as there are only 3"):
        np.testing.assert_array_equal(read_all(load("k2is", path))[:3], TRUTH[:3])


def test_a_missing_sector_is_told_of(path: Path) -> None:
    path.with_name("scan_4.bin").unlink()
    with pytest.raises(DataSetException, match=r"belongs to 7 files scan_\*\.bin, expected the 8"):
        load("auto", path)


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (0, b"\0", r"scan_5\.bin has no header of a block of 256 x 1860 pixels at byte 0"),
        (20, b"\0\x80", "no header of a block"),
        (28, b"\1\0", "no header of a block"),
        (31, b"\1", "no header of a block"),
        (36, b"\1", "no header of a block"),
        (
            FRAME_BYTES * 4 - BLOCK_BYTES + 24,
            b"\0\0\0\1",
            "has block .* behind block .* the file is damaged",
        ),
        (FRAME_BYTES * 4 - BLOCK_BYTES, b"\0", "no header of a block"),
    ],
)
def test_a_header_that_lies_is_refused(path: Path, at: int, value: bytes, message: str) -> None:
    sector = path.with_name("scan_5.bin")
    content = bytearray(sector.read_bytes())
    content[at : at + len(value)] = value
    sector.write_bytes(content)
    with pytest.raises(DataSetException, match=message):
        load("k2is", path)


@pytest.mark.parametrize("field", [0, 24, 28, 30])
def test_a_block_that_is_another_is_found_when_it_is_read(path: Path, field: int) -> None:
    sector, at = path.with_name("scan_5.bin"), FRAME_BYTES + 5 * BLOCK_BYTES
    content = bytearray(sector.read_bytes())
    content[at + field] ^= 1
    sector.write_bytes(content)
    with K2ISDataSet(path).open() as source:
        np.testing.assert_array_equal(source.read(0, 1, Scratch()), TRUTH[:1])
        with pytest.raises(DataSetException, match=f"another block at byte {at} than frame 8 has"):
            source.read(1, 2, Scratch())


@pytest.mark.parametrize("executor", ["inline", "threads"])
def test_sums_are_those_of_frames_that_are_decoded_in_parts(
    tmp_path: Path, executor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = np.concatenate([TRUTH, TRUTH[::-1], TRUTH])
    path = write_k2is(tmp_path, frames, (2, 5), n_closed=2, without={(3, 5, 4)})
    there = np.delete(frames[1:11], 4, axis=0).astype("f8")

    def read(*_: object) -> None:
        raise AssertionError("a whole frame was read")

    with Context.make_with(executor) as ctx, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one frame is missing
        dataset = ctx.load("k2is", path=path)
        roi = np.ones((2, 5), bool)
        roi[0, 1] = roi[1, 3] = False
        with monkeypatch.context() as patched:
            patched.setattr(K2ISSource, "read", read)
            total, each, spread = ctx.run_udf(dataset, [SumUDF(), SumSigUDF(), StdDevUDF()])
            some = ctx.run_udf(dataset, SumUDF(), roi=roi)["intensity"].data
            *_, last = ctx.run_udf_iter(dataset, SumUDF(), order="progressive")
        masked, summed = ctx.run_udf(dataset, [ApplyMasksUDF(lambda: np.ones(SIG)), SumUDF()])
    np.testing.assert_array_equal(total["intensity"].data, there.sum(axis=0))
    np.testing.assert_array_equal(last.buffers[0]["intensity"].data, there.sum(axis=0))
    np.testing.assert_array_equal(summed["intensity"].data, there.sum(axis=0))
    np.testing.assert_array_equal(some, np.delete(there, (1, 7), axis=0).sum(axis=0))
    by_frame = there.sum(axis=(1, 2)).astype("f4")
    np.testing.assert_array_equal(np.delete(each["intensity"].data, 4), by_frame)
    np.testing.assert_allclose(np.delete(masked["intensity"].data, 4), by_frame, rtol=1e-6)
    np.testing.assert_allclose(spread["std"].data, there.std(axis=0), rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("executor", ["inline", "threads"])
def test_a_block_that_is_another_fails_the_run_that_wants_it(path: Path, executor: str) -> None:
    sector, at = path.with_name("scan_5.bin"), FRAME_BYTES + 5 * BLOCK_BYTES
    content = bytearray(sector.read_bytes())
    content[at + 24] ^= 1
    sector.write_bytes(content)
    with Context.make_with(executor) as ctx:
        dataset = ctx.load("k2is", path=path)
        with pytest.raises(DataSetException, match=f"another block at byte {at} than frame 8 has"):
            ctx.run_udf(dataset, SumUDF())
        roi = np.array([[True, False], [True, True]])
        found = ctx.run_udf(dataset, SumUDF(), roi=roi)["intensity"].data
    np.testing.assert_array_equal(found, TRUTH[[0, 2, 3]].sum(axis=0))


def test_frames_that_no_sectors_share_are_refused(path: Path) -> None:
    other = write_k2is(path.parent, TRUTH[:1], first=900)
    assert other == path
    content = path.with_name("scan_1.bin").read_bytes()
    write_k2is(path.parent, TRUTH[:1], first=20)
    path.with_name("scan_1.bin").write_bytes(content)
    with pytest.raises(DataSetException, match="has no frame that is whole in all of"):
        load("k2is", path)


def test_numbers_in_no_order_are_refused(path: Path) -> None:
    sector = path.with_name("scan_2.bin")
    content = bytearray(sector.read_bytes())
    for block, number in enumerate(np.random.default_rng(1).permutation(128)):
        struct.pack_into(">I", content, block * BLOCK_BYTES + 24, number)
    sector.write_bytes(content)
    with pytest.raises(DataSetException, match="the file is damaged"):
        load("k2is", path)


@pytest.mark.parametrize("n_bytes", [0, 30, BLOCK_BYTES - 1])
def test_a_file_of_a_few_bytes_is_refused(path: Path, n_bytes: int) -> None:
    sector = path.with_name("scan_2.bin")
    sector.write_bytes(sector.read_bytes()[:n_bytes])
    with pytest.raises(DataSetException, match="truncated"):
        load("k2is", path)


@pytest.mark.parametrize("nav", [(0, 3), (3, 1 << 31)])
def test_a_scan_shape_that_cannot_be_is_refused(tmp_path: Path, nav: tuple[int, int]) -> None:
    path = write_k2is(tmp_path, TRUTH[:1], nav)
    with pytest.raises(DataSetException, match="tells a scan of"):
        load("k2is", path)
