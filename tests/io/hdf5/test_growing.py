"""HDF5 files are followed while another process writes them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pytest

from tests.io.contract import Case, DataSetContract
from tests.io.elsewhere import Elsewhere, eventually
from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.base import Scratch, Source
from udfwidgets.io.dataset.hdf5 import arrival
from udfwidgets.io.dataset.hdf5.growing import GrowingH5DataSet
from udfwidgets.io.dataset.hdf5.swmr import open_swmr
from udfwidgets.io.load import load

TRUTH = np.random.default_rng(3).poisson(20, (3, 5, 7, 9)).astype("u2")
STORED: dict[str, dict[str, Any]] = {
    "a frame each": {"chunks": (1, 1, 7, 9)},
    "frames split": {"chunks": (1, 1, 4, 9)},
    "deep": {"chunks": (1, 2, 7, 9), "compression": "gzip", "shuffle": True},
    "over lines": {"chunks": (2, 3, 7, 9), "compression": "gzip"},
    "only for h5py": {"chunks": (1, 2, 7, 9), **hdf5plugin.Blosc2()},
}


class ReadToTheEnd(GrowingH5DataSet):
    """Opens when all frames have been told of, as whoever reads has to wait for."""

    def open(self) -> Source:
        source = super().open()
        eventually(lambda: source.available() == self.shape.nav.size)
        return source


class TestFinished(DataSetContract):
    @pytest.fixture(params=STORED)
    def case(self, request: pytest.FixtureRequest, tmp_path: Path) -> Case:
        path = tmp_path / "scan.h5"
        with h5py.File(path, "w", libver="latest") as file:
            file.create_dataset("scan", data=TRUTH, **STORED[request.param])
        return Case(ReadToTheEnd(path), TRUTH)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "scan.h5"


@pytest.fixture
def writer(path: Path) -> Iterator[Elsewhere]:
    with Elsewhere() as elsewhere:
        elsewhere.run(
            "import h5py, numpy as np, hdf5plugin",
            f"f = h5py.File({str(path)!r}, 'w', libver='latest')",
            "truth = np.random.default_rng(3).poisson(20, (3, 5, 7, 9)).astype('u2')",
        )
        yield elsewhere


def create(writer: Elsewhere, shape: str = "truth.shape", **options: Any) -> None:
    """Make the dataset and begin to write in SWMR mode."""
    writer.run(f"d = f.create_dataset('scan', {shape}, 'u2', **{options!r})", "f.swmr_mode = True")


def write(writer: Elsewhere, start: int, stop: int) -> None:
    """Write frames, one by one, into a dataset of the final size."""
    writer.run(f"for i in range({start}, {stop}): d[divmod(i, 5)] = truth[divmod(i, 5)]")
    writer.run("f.flush()")


def frames(source: Source, stop: int) -> np.ndarray:
    return source.read(0, stop, Scratch())


def stays(source: Source, n_frames: int) -> bool:
    """Look several times."""
    for _ in range(3):
        time.sleep(0.01)
        if source.available() != n_frames:
            return False
    return True


def settled(source: Source) -> int:
    """Look until nothing changes any more."""
    while not stays(source, before := source.available() or 0):
        assert (source.available() or 0) >= before
    return before


@pytest.mark.parametrize("name", STORED)
def test_frames_are_there_when_their_chunks_are_full(
    writer: Elsewhere, path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrival, "_SETTLED", 1e9)
    create(writer, **STORED[name])
    dataset = load("hdf5", path=path, follow=True)
    assert dataset.shape.to_tuple() == TRUTH.shape
    assert dataset.is_growing
    told = []
    with dataset.open() as source:
        assert source.available() == 0
        for stop in range(1, 16):
            write(writer, stop - 1, stop)
            told.append(settled(source))
            np.testing.assert_array_equal(
                frames(source, told[-1]), TRUTH.reshape(-1, 7, 9)[: told[-1]]
            ) if told[-1] else None
        assert (
            told
            == {
                "a frame each": list(range(1, 16)),
                "frames split": list(range(1, 16)),
                "deep": [0, 0, 2, 2, 4, 5, 5, 7, 7, 9, 10, 10, 12, 12, 14],
                "over lines": [0] * 10 + [10, 10, 10, 13, 13],
                "only for h5py": [0, 0, 2, 2, 4, 5, 5, 7, 7, 9, 10, 10, 12, 12, 14],
            }[name]
        )
        writer.run("f.close()")
        eventually(lambda: source.available() == 15)
        assert not dataset.is_growing
        np.testing.assert_array_equal(frames(source, 15), TRUTH.reshape(-1, 7, 9))
        assert source.waiting_for() == ""


def test_the_last_chunk_counts_once_the_file_is_left_alone(
    writer: Elsewhere, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrival, "_SETTLED", 0.2)
    create(writer, chunks=(1, 5, 7, 9))
    with load("hdf5", path=path, follow=True).open() as source:
        write(writer, 0, 11)
        eventually(lambda: source.available() == 10)
        write(writer, 11, 15)
        eventually(lambda: source.available() == 15)


@pytest.mark.parametrize("first", ["the shape", "the frame"])
def test_a_stack_that_grows(writer: Elsewhere, path: Path, first: str) -> None:
    create(writer, "(0, 7, 9)", maxshape=(None, 7, 9), chunks=(1, 7, 9))
    with pytest.raises(DataSetException, match=r"may grow to \(None, 7, 9\).* pass nav_shape="):
        load("hdf5", path=path, follow=True)
    dataset = load("hdf5", path=path, follow=True, nav_shape=(3, 5))
    assert dataset.shape.to_tuple() == TRUTH.shape
    with dataset.open() as source:
        if first == "the shape":
            writer.run("d.resize(100, axis=0)", "f.flush()")
        for i in range(15):
            writer.run(f"d.resize(max({i + 1}, len(d)), axis=0)")
            writer.run(f"d[{i}] = truth[divmod({i}, 5)]", "f.flush()")
            eventually(lambda n=i + 1: source.available() == n)
            assert stays(source, i + 1)
        np.testing.assert_array_equal(frames(source, 15), TRUTH.reshape(-1, 7, 9))


def test_pixels_that_are_masked_are_put_right_while_frames_come(
    writer: Elsewhere, path: Path
) -> None:
    writer.run("f['instrument/merlin/pixel_mask'] = np.eye(7, 9, dtype='u4')")
    writer.run("g = f.create_group('entry'); g['instrument'] = f['instrument']")
    writer.run(
        "d = g.create_dataset('scan', truth.shape, 'u2', chunks=(1, 1, 7, 9))",
        "f.swmr_mode = True",
    )
    dataset = load("hdf5", path=path, follow=True, sig_shape=(63,))
    excluded = dataset.get_correction_data().get_excluded_pixels()
    np.testing.assert_array_equal(excluded, np.eye(7, 9).ravel() != 0)


def test_lines_that_get_their_length_with_the_first_one(writer: Elsewhere, path: Path) -> None:
    create(writer, "(1, 0, 7, 9)", maxshape=(None, None, 7, 9), chunks=(1, 1, 7, 9))
    dataset = load("hdf5", path=path, follow=True, nav_shape=(3, 5))
    with dataset.open() as source:
        for i in range(15):
            line, column = divmod(i, 5)
            writer.run(f"d.resize(({line + 1}, max({column + 1}, d.shape[1]), 7, 9))")
            writer.run(f"d[{line}, {column}] = truth[{line}, {column}]", "f.flush()")
            eventually(lambda n=i + 1: source.available() == n)
        np.testing.assert_array_equal(frames(source, 15), TRUTH.reshape(-1, 7, 9))


def test_the_dataset_that_can_grow_is_found(writer: Elsewhere, path: Path) -> None:
    writer.run("f.create_dataset('dark', data=np.zeros((4, 100, 100)))")
    writer.run("e = f.create_dataset('scan', (0, 7, 9), 'u2', maxshape=(15, 7, 9))")
    writer.run("f.swmr_mode = True")
    dataset = load("auto", path=path, follow=True)
    assert isinstance(dataset, GrowingH5DataSet)
    assert dataset.ds_path == "/scan"
    assert dataset.shape.to_tuple() == (15, 7, 9)


def test_several_sources_follow_one_file(writer: Elsewhere, path: Path) -> None:
    # HDF5 finds only the first chunk of a dataset that is open twice when it is refreshed.
    create(writer, chunks=(1, 1, 7, 9))
    dataset = load("hdf5", path=path, follow=True)
    with dataset.open() as one, dataset.open() as two:
        write(writer, 0, 5)
        eventually(lambda: one.available() == two.available() == 5)
        with load("hdf5", path=path, follow=True, nav_shape=(2, 5)).open() as other:
            write(writer, 5, 10)
            eventually(lambda: one.available() == two.available() == other.available() == 10)
        write(writer, 10, 15)
        eventually(lambda: one.available() == two.available() == 15)
        np.testing.assert_array_equal(frames(two, 15), TRUTH.reshape(-1, 7, 9))


def test_a_file_closed_early_ends_after_what_came(writer: Elsewhere, path: Path) -> None:
    create(writer, chunks=(1, 2, 7, 9))
    write(writer, 0, 8)
    dataset = load("hdf5", path=path, follow=True)
    with dataset.open() as source:
        eventually(lambda: source.available() == 7)
        writer.run("f.close()")
        # The newest chunk is told first, though nobody knows how much of it is data.
        eventually(lambda: source.available() == 9)
        message = r"9 of 15 frames have come.* the file has been closed; .*nav_shape="
        with pytest.raises(DataSetException, match=message):
            eventually(lambda: source.available() != 9)
        np.testing.assert_array_equal(frames(source, 8), TRUTH.reshape(-1, 7, 9)[:8])
    with dataset.open() as late:
        assert late.available() == 9
        with pytest.raises(DataSetException, match="9 of 15"):
            eventually(lambda: late.available() != 9)


def test_a_dead_writer_is_a_stall(writer: Elsewhere, path: Path) -> None:
    create(writer, chunks=(1, 1, 7, 9))
    write(writer, 0, 8)
    with load("hdf5", path=path, follow=True, stall_timeout=0.1).open() as source:
        eventually(lambda: source.available() == 8)
        writer.kill()
        message = r"8 of 15 frames have come.* nothing has come for 0 s; "
        with pytest.raises(DataSetException, match=message):
            eventually(lambda: source.available() != 8)
    # The advice of the message, which works although the file was never closed.
    dataset = load("hdf5", path=path, follow=True, nav_shape=(8,))
    with dataset.open() as source:
        assert source.available() == 8
        np.testing.assert_array_equal(frames(source, 8), TRUTH.reshape(-1, 7, 9)[:8])


def test_without_a_timeout_it_says_since_when_it_waits(
    writer: Elsewhere, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("udfwidgets.io.arriving.growing._QUIET", 0.05)
    create(writer, chunks=(1, 1, 7, 9))
    with load("hdf5", path=path, follow=True).open() as source:
        eventually(lambda: source.available() == 0 and source.waiting_for() != "")
        assert source.waiting_for() == "waiting for the first of 15 frames for 0 s"
        write(writer, 0, 8)
        eventually(lambda: source.available() == 8 and source.waiting_for() != "")
        assert source.waiting_for() == "no new frames for 0 s (8 of 15 are in)"


def test_a_writer_not_in_swmr_mode_is_told_what_to_do(writer: Elsewhere, path: Path) -> None:
    writer.run("d = f.create_dataset('scan', truth.shape, 'u2', chunks=(1, 1, 7, 9))", "f.flush()")
    with pytest.raises(DataSetException, match=r"libver='latest' and to set swmr_mode=True"):
        load("hdf5", path=path, follow=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, r"stored without chunks, which does not show what has come.* without follow=True"),
        ({"chunks": (1, 1, 7, 9)}, "in chunks made before the frames"),
    ],
    ids=["contiguous", "allocated early"],
)
def test_storage_that_does_not_show_what_came(
    path: Path, options: dict[str, Any], message: str
) -> None:
    with h5py.File(path, "w", libver="latest") as file:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        if options:
            plist.set_chunk(options["chunks"])
        space = h5py.h5s.create_simple(TRUTH.shape)
        h5py.h5d.create(file.id, b"scan", h5py.h5t.NATIVE_UINT16, space, plist)
    with pytest.raises(DataSetException, match=message):
        load("hdf5", path=path, follow=True)


def test_arguments_are_checked(path: Path) -> None:
    with h5py.File(path, "w", libver="latest") as file:
        file.create_dataset("scan", data=TRUTH, chunks=(1, 1, 7, 9))
        file.create_dataset("one", (1, 7, 9), "u2", maxshape=(None, 7, 9))
        file.create_dataset("two", (1, 7, 9), "u2", maxshape=(None, 7, 9))
    with pytest.raises(DataSetException, match=r"2 datasets that can grow.* ds_path="):
        GrowingH5DataSet(path)
    with pytest.raises(DataSetException, match=r"'three' is not there, .* /one, /scan, /two"):
        GrowingH5DataSet(path, "three")
    with pytest.raises(DataSetException, match="room for 15 frames, expected 16"):
        GrowingH5DataSet(path, "scan", (4, 4))
    with pytest.raises(DataSetException, match="12 pixels, expected the 63"):
        GrowingH5DataSet(path, "scan", sig_shape=(3, 4))
    with pytest.raises(ValueError, match="stall_timeout=0, expected seconds"):
        GrowingH5DataSet(path, "scan", stall_timeout=0)
    with pytest.raises(DataSetException, match=r"'npy' cannot be followed .*'hdf5', 'mib'"):
        load("npy", path=path, follow=True)


def test_a_writer_that_has_promised_more_than_is_there_gets_a_moment(tmp_path):
    path = tmp_path / "scan.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file.create_dataset("frames", data=np.arange(64.0), maxshape=(None,), chunks=(8,))
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])

    def write_the_rest():
        with path.open("ab") as file:
            file.write(whole[-100:])

    writer = threading.Timer(0.2, write_the_rest)
    writer.start()
    # HDF5 2 opens it at once, HDF5 1.14 when there is what its superblock says.
    with open_swmr(path) as file:
        assert file["frames"].shape == (64,)
    writer.join()
