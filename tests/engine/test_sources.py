"""Open sources are shared, rest for a while, and never show an older state of a file."""

from __future__ import annotations

import os

import h5py
import numpy as np
import pytest

from tests.io.contract import open_files_below
from udfwidgets import Context, SumSigUDF
from udfwidgets.engine.sources import MOST_RESTING, Sources
from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.memory import MemoryDataSet
from udfwidgets.io.dataset.raw import RawFileDataSet

ONES = np.ones((4, 4, 8, 8), "u2")


@pytest.fixture
def path(tmp_path):
    ONES.tofile(tmp_path / "scan.raw")
    return tmp_path / "scan.raw"


@pytest.fixture
def dataset(path):
    return RawFileDataSet(path, "u2", (4, 4), (8, 8))


@pytest.fixture
def sources():
    sources = Sources(may_rest=True)
    yield sources
    sources.close_resting()


def used(sources, dataset):
    """Open and close a dataset, and return the source."""
    source = sources.open(dataset)
    sources.close(dataset)
    return source


def test_the_next_run_gets_the_same_source(sources, dataset):
    first = used(sources, dataset)
    assert used(sources, dataset) is first


def test_runs_at_the_same_time_share_it(sources, dataset):
    first, second = sources.open(dataset), sources.open(dataset)
    assert first is second
    sources.close(dataset)
    sources.tidy()
    sources.tidy()
    assert sources.open(dataset) is first
    sources.close(dataset)
    sources.close(dataset)


def test_it_is_closed_when_nobody_has_used_it_between_two_calls(sources, dataset, tmp_path):
    used(sources, dataset)
    sources.tidy()
    used(sources, dataset)
    sources.tidy()
    assert open_files_below(tmp_path)
    sources.tidy()
    assert not open_files_below(tmp_path)


def test_one_that_is_used_again_stays_open_for_its_reader(sources, dataset, tmp_path):
    used(sources, dataset)
    sources.tidy()
    sources.open(dataset)
    sources.tidy()
    assert open_files_below(tmp_path)
    sources.close(dataset)
    sources.tidy()
    sources.tidy()
    assert not open_files_below(tmp_path)


@pytest.mark.parametrize("forget", [Sources.tidy, Sources.close_resting])
def test_one_that_cannot_be_closed_harms_no_other(sources, dataset, path, tmp_path, caplog, forget):
    def fail():
        close()
        raise OSError("the drive is gone")

    source = used(sources, dataset)
    close, source.close = source.close, fail
    used(sources, RawFileDataSet(path, "u2", (4, 4), (8, 8)))
    sources.tidy()
    forget(sources)
    assert not open_files_below(tmp_path)
    assert "could not be closed" in caplog.text


def test_only_a_few_rest(sources, dataset, path, tmp_path):
    used(sources, dataset)
    others = [RawFileDataSet(path, "u2", (4, 4), (8, 8)) for _ in range(2 * MOST_RESTING)]
    held = sources.open(others[0])
    for other in others[1:]:
        used(sources, other)
    assert len(sources._leases) == MOST_RESTING + 1
    assert sources.open(others[0]) is held
    # The one that has rested longest is used again, and is not the next to go.
    longest = used(sources, others[-MOST_RESTING])
    used(sources, dataset)
    assert used(sources, others[-MOST_RESTING]) is longest
    for _ in range(2):
        sources.close(others[0])


def test_without_rest_it_is_closed_at_once(dataset, tmp_path):
    used(Sources(), dataset)
    assert not open_files_below(tmp_path)


def test_one_that_is_held_at_the_end_is_closed_by_its_holder(sources, dataset, tmp_path):
    sources.open(dataset)
    sources.close_resting()
    assert open_files_below(tmp_path)
    sources.close(dataset)
    assert not open_files_below(tmp_path)


def test_what_is_in_memory_is_not_kept(sources):
    dataset = MemoryDataSet(ONES)
    assert used(sources, dataset) is not used(sources, dataset)


@pytest.mark.parametrize("how", ["written anew", "replaced"])
def test_a_file_that_has_changed_is_opened_anew(sources, dataset, path, how):
    first = used(sources, dataset)
    if how == "replaced":
        (2 * ONES).tofile(path.with_suffix(".new"))
        os.replace(path.with_suffix(".new"), path)
    else:
        (2 * ONES).tofile(path)
        os.utime(path, ns=(0, 0))
    assert used(sources, dataset) is not first


@pytest.mark.parametrize("what", ["gone", "shorter"])
def test_a_file_that_cannot_be_read_any_more_is_told_of(sources, dataset, path, what):
    used(sources, dataset)
    if what == "gone":
        path.unlink()
    else:
        os.truncate(path, 100)
    with pytest.raises(DataSetException, match=r"cannot be read|has 100 bytes"):
        sources.open(dataset)


def write_raw(path, frames):
    frames.tofile(path)


def write_npy(path, frames):
    np.save(path, frames)


def write_hdf5(path, frames):
    with h5py.File(path, "w") as file:
        file["scan"] = frames


def write_chunked(path, frames):
    with h5py.File(path, "w") as file:
        file.create_dataset("scan", data=frames, chunks=(1, 2, 8, 8), compression="gzip")


@pytest.mark.parametrize(
    ("name", "write"),
    [("a.raw", write_raw), ("a.npy", write_npy), ("a.h5", write_hdf5), ("b.h5", write_chunked)],
)
def test_a_run_sees_the_file_as_it_is_now(tmp_path, name, write):
    path = tmp_path / name
    write(path, ONES)
    options = (
        {"dtype": "u2", "nav_shape": (4, 4), "sig_shape": (8, 8)} if write is write_raw else {}
    )
    with Context() as ctx:
        dataset = ctx.load("auto" if not options else "raw", path=path, **options)

        def total():
            return ctx.run_udf(dataset, SumSigUDF())["intensity"].data.sum()

        assert total() == ONES.sum()
        assert open_files_below(tmp_path)
        write(tmp_path / "new", 3 * ONES)
        os.replace(next(tmp_path.glob("new*")), path)
        assert total() == 3 * ONES.sum()
    assert not open_files_below(tmp_path)
