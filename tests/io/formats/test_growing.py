"""Files of frames at a fixed distance are followed while they grow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.io.contract import Case, DataSetContract
from tests.io.elsewhere import eventually
from tests.io.writers.mrc import write_mrc
from tests.io.writers.seq import write_seq
from tests.io.writers.tvips import write_tvips
from udfwidgets.api import Context
from udfwidgets.errors import AcquisitionEnded, DataSetException
from udfwidgets.io.dataset.base import DataSet
from udfwidgets.io.dataset.growing import GrowingTVIPSDataSet
from udfwidgets.io.load import load
from udfwidgets.io.scratch import Scratch
from udfwidgets.io.source import Source
from udfwidgets.udf.sum import SumUDF
from udfwidgets.udf.sumsigudf import SumSigUDF

FRAMES = np.random.default_rng(5).poisson(20, (15, 6, 8)).astype("u2")
TRUTH = FRAMES.reshape(3, 5, 6, 8)
PIXELS = 2 * 48


def _raw(folder: Path) -> Path:
    path = folder / "scan.raw"
    path.write_bytes(b"\0" * 32 + FRAMES.tobytes())
    return path


# How each is written, what else has to be said, where its first frame begins and how far it is to
# the next one.
KINDS: dict[str, tuple[Callable[[Path], Path], dict[str, Any], int, int]] = {
    "raw": (_raw, {"dtype": "u2", "sig_shape": (6, 8), "offset": 32}, 32, PIXELS),
    "seq": (lambda folder: write_seq(folder / "a.seq", FRAMES), {}, 8192, PIXELS + 32),
    "tvips": (
        lambda folder: write_tvips(folder / "a", FRAMES, header_bytes=64),
        {},
        256 + 64,
        PIXELS + 64,
    ),
}


def follow(kind: str, path: Path, **options: Any) -> DataSet:
    return load(kind, path, follow=True, **{"nav_shape": (3, 5), **KINDS[kind][1], **options})


def check(source: Source, n_frames: int, truth: Any = FRAMES) -> None:
    eventually(lambda: source.available() == n_frames)
    if n_frames:
        np.testing.assert_array_equal(source.read(0, n_frames, Scratch()), truth[:n_frames])


class TestFinished(DataSetContract):
    @pytest.fixture(params=list(KINDS))
    def case(self, request: pytest.FixtureRequest, tmp_path: Path) -> Case:
        return Case(follow(request.param, KINDS[request.param][0](tmp_path)), TRUTH)


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_frame_is_there_with_its_last_byte(tmp_path: Path, kind: str) -> None:
    write, _, first, stride = KINDS[kind]
    path = write(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: first + PIXELS])
    dataset = follow(kind, path)
    assert dataset.shape.to_tuple() == TRUTH.shape
    with dataset.open() as source:
        check(source, 1)
        for n_bytes, n_frames in ((stride + PIXELS - 1, 1), (stride + PIXELS, 2), (8 * stride, 8)):
            path.write_bytes(content[: first + n_bytes])
            check(source, n_frames)
        assert dataset.is_growing
        path.write_bytes(content)
        check(source, 15)
        assert not dataset.is_growing


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_run_waits_for_what_is_still_to_come(tmp_path: Path, kind: str) -> None:
    write, _, first, stride = KINDS[kind]
    path = write(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: first + 4 * stride])
    with Context.make_with("threads") as ctx:
        dataset = follow(kind, path)
        steps = ctx.run_udf_iter(dataset=dataset, udf=[SumUDF(), SumSigUDF()])
        first_step = next(steps)
        assert not first_step.damage.data.all()
        with path.open("ab") as file:
            file.write(content[first + 4 * stride :])
        *_, last = steps
    np.testing.assert_array_equal(last.buffers[0]["intensity"].data, FRAMES.sum(axis=0))
    np.testing.assert_array_equal(last.buffers[1]["intensity"].data, TRUTH.sum(axis=(2, 3)))


def test_raw_pixels_are_waited_for_from_the_first_one_on(tmp_path: Path) -> None:
    (tmp_path / "scan.raw").touch()
    with follow("raw", tmp_path / "scan.raw").open() as source:
        check(source, 0)
        _raw(tmp_path)
        check(source, 15)


def test_frames_before_the_scan_can_be_left_out(tmp_path: Path) -> None:
    path = _raw(tmp_path)
    with follow("raw", path, sync_offset=3, nav_shape=(3, 4)).open() as source:
        check(source, 12, FRAMES[3:])


def test_files_come_one_after_the_other(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    write_tvips(whole / "a", FRAMES, header_bytes=64, cuts=(4, 9))
    parts = [file.read_bytes() for file in sorted(whole.iterdir())]
    path, stride = tmp_path / "a_000.tvips", PIXELS + 64
    path.write_bytes(parts[0][: 256 + 3 * stride])
    with follow("tvips", path).open() as source:
        check(source, 3)
        # Before the last frame of the first one is whole: it is waited for.
        path.write_bytes(parts[0][:-1])
        (tmp_path / "a_001.tvips").write_bytes(parts[1][: 2 * stride])
        eventually(lambda: "a_001.tvips is there, but the last" in source._look().note)
        check(source, 3)
        path.write_bytes(parts[0])
        check(source, 6)
        (tmp_path / "a_001.tvips").write_bytes(parts[1])
        (tmp_path / "a_002.tvips").write_bytes(b"")
        check(source, 9)
        (tmp_path / "a_002.tvips").write_bytes(parts[2])
        check(source, 15)


def test_a_scan_begins_where_its_headers_say(tmp_path: Path) -> None:
    x = np.array([0, 0, 0, 0, *np.tile(np.arange(4), 3)])[:15]
    y = np.array([0, 0, 0, 0, *np.repeat(np.arange(3), 4)])[:15]
    positions = np.stack([x, y], axis=1).astype("f4")
    path = write_tvips(tmp_path / "a", FRAMES, positions=positions)
    content = path.read_bytes()
    path.write_bytes(content[: 256 + 3 * (128 + PIXELS)])
    with pytest.raises(DataSetException, match="no frame tells yet where the scan begins"):
        load("tvips", path, follow=True, nav_shape=(3, 4))
    assert load("tvips", path, follow=True, nav_shape=(3, 4), sync_offset=4).is_growing
    path.write_bytes(content[: 256 + 8 * (128 + PIXELS)])
    dataset = load("auto", path, follow=True, nav_shape=(2, 5))
    assert isinstance(dataset, GrowingTVIPSDataSet)
    with dataset.open() as source:
        check(source, 4, FRAMES[4:])


def test_images_beside_a_sequence_become_corrections(tmp_path: Path) -> None:
    path = write_seq(tmp_path / "a.seq", FRAMES)
    dark = np.full((1, 6, 8), 3, "u2")
    write_mrc(tmp_path / "a.seq.dark.mrc", dark)
    found = follow("seq", path).get_correction_data().get_dark_frame()
    np.testing.assert_array_equal(found, dark[0])


def test_a_file_that_shrinks_is_an_error(tmp_path: Path) -> None:
    path = _raw(tmp_path)
    content = path.read_bytes()
    with follow("raw", path, nav_shape=(4, 5)).open() as source:
        check(source, 15)
        path.write_bytes(content[:-1])
        with pytest.raises(DataSetException, match=r"15 of 20 .* but had 15 frames of 96 before"):
            eventually(lambda: source.available() != 15)


def test_a_stall_ends_it_where_that_is_asked_for(tmp_path: Path) -> None:
    dataset = follow("raw", _raw(tmp_path), nav_shape=(4, 5), stall_timeout=0.05)
    with dataset.open() as source:
        check(source, 15)
        with pytest.raises(AcquisitionEnded, match=r"load it without follow=True"):
            eventually(lambda: source.available() != 15)


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_number_of_frames_has_to_be_said(tmp_path: Path, kind: str) -> None:
    with pytest.raises(DataSetException, match=r"how many frames .* pass nav_shape="):
        follow(kind, KINDS[kind][0](tmp_path), nav_shape=None)
    with pytest.raises(ValueError, match="sync_offset=-1, expected how many"):
        follow(kind, KINDS[kind][0](tmp_path), sync_offset=-1)
    with pytest.raises(ValueError, match="stall_timeout=0"):
        follow(kind, KINDS[kind][0](tmp_path), stall_timeout=0)


@pytest.mark.parametrize("kind", ["raw", "seq"])
def test_the_file_of_the_next_number_is_another_recording(tmp_path: Path, kind: str) -> None:
    begun = KINDS[kind][0](tmp_path)
    path = begun.rename(begun.with_stem("scan_001"))
    path.with_stem("scan_002").write_bytes(path.read_bytes())
    with follow(kind, path, nav_shape=(6, 5)).open() as source:
        check(source, 15)


def test_a_file_that_is_cut_short_is_not_read_as_zeros(tmp_path: Path) -> None:
    path = _raw(tmp_path)
    with follow("raw", path).open() as source:
        check(source, 15)
        path.write_bytes(b"")
        with pytest.raises(DataSetException):
            source.read(0, 15, Scratch())
