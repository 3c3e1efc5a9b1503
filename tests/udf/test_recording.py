"""What a run that records leaves in the folder: the whole scan, or all as it was."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from udfwidgets import Context, SumUDF
from udfwidgets.errors import DataSetException, UDFRunCancelled
from udfwidgets.udf.base import UDF
from udfwidgets.udf.record import RecordUDF

DATA = np.random.default_rng(1).integers(0, 4096, (16, 16, 32, 32)).astype("u2")
OLD = b"what somebody has kept"


@pytest.fixture(params=["inline", "threads"])
def ctx(request):
    with Context.make_with(request.param) as ctx:
        yield ctx


@pytest.fixture
def path(tmp_path):
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "scan.npy").write_bytes(OLD)
    return tmp_path / "records" / "scan.npy"


def assert_as_it_was(path):
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert path.read_bytes() == OLD


class Fails(UDF):
    def get_result_buffers(self):
        return {"none": self.buffer("nav")}

    def preprocess(self):
        if self.params.at == "the beginning":
            raise ZeroDivisionError("on purpose")

    def process_frame(self, frame):
        if self.meta.slice.origin[0] == self.params.at:
            raise ZeroDivisionError("on purpose")


class Waits(UDF):
    """Has the last frame wait until something may go on."""

    may_go_on = threading.Event()

    def get_result_buffers(self):
        return {"none": self.buffer("nav")}

    def process_frame(self, frame):
        if self.meta.slice.origin[0] == DATA.shape[0] * DATA.shape[1] - 1:
            assert self.may_go_on.wait(60)


@pytest.mark.parametrize("at", ["the beginning", 0, 200])
def test_a_run_that_fails_leaves_the_older_file(ctx, path, at):
    dataset = ctx.load("memory", data=DATA)
    with pytest.raises(ZeroDivisionError):
        ctx.run_udf(dataset, [RecordUDF(path), Fails(at=at)])
    assert_as_it_was(path)


def test_a_run_that_is_cancelled_leaves_the_older_file(ctx, path):
    dataset = ctx.load("memory", data=DATA)
    Waits.may_go_on.clear()
    steps = ctx.run_udf_iter(dataset, [RecordUDF(path), Waits()])
    next(steps)
    assert len(list(path.parent.iterdir())) == 2
    ctx.analyses[0].cancel()
    Waits.may_go_on.set()
    with pytest.raises(UDFRunCancelled):
        list(steps)
    assert_as_it_was(path)


def test_a_dataset_that_cannot_be_opened_leaves_the_older_file(ctx, path, tmp_path):
    np.save(tmp_path / "source.npy", DATA)
    dataset = ctx.load("npy", tmp_path / "source.npy")
    (tmp_path / "source.npy").unlink()
    with pytest.raises(DataSetException):
        ctx.run_udf(dataset, RecordUDF(path))
    assert_as_it_was(path)


def test_a_folder_that_is_not_there(ctx, tmp_path):
    with pytest.raises(FileNotFoundError):
        ctx.run_udf(ctx.load("memory", data=DATA), RecordUDF(tmp_path / "none" / "scan.npy"))


def test_a_name_that_cannot_be_taken_fails_the_run(ctx, path):
    (path.parent / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        ctx.run_udf(ctx.load("memory", data=DATA), RecordUDF(path.parent / "folder"))
    assert {each.name for each in path.parent.iterdir()} == {"folder", path.name}


def test_runs_that_record_to_one_name_leave_one_of_them_whole(ctx, path):
    scans = [DATA, DATA[::-1] // 2]
    runs = [ctx.run_udf_iter(ctx.load("memory", data=data), RecordUDF(path)) for data in scans]
    for steps in zip(*runs, strict=False):
        assert len(steps) == 2
    for steps in runs:
        list(steps)
    recorded = np.load(path)
    assert any(np.array_equal(recorded, data) for data in scans)
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_second_run_while_one_goes_on(ctx, path):
    dataset = ctx.load("memory", data=DATA)
    steps = ctx.run_udf_iter(dataset, [RecordUDF(path), SumUDF()])
    next(steps)
    ctx.run_udf(dataset, RecordUDF(path))
    np.testing.assert_array_equal(np.load(path), DATA)
    list(steps)
    np.testing.assert_array_equal(np.load(path), DATA)
    assert [each.name for each in path.parent.iterdir()] == [path.name]
