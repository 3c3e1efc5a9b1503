from __future__ import annotations

import inspect
import logging
import re

import h5py
import numpy as np
import pytest

from udfwidgets.api import Context
from udfwidgets.errors import ExecutorSpecException
from udfwidgets.io.arguments import WITHOUT_EFFECT
from udfwidgets.io.dataset.memory import MemoryDataSet
from udfwidgets.io.dataset.raw import RawFileDataSet

DATA = np.arange(4 * 5 * 6 * 7, dtype="f4").reshape(4, 5, 6, 7)


@pytest.fixture
def ctx():
    with Context.make_with("inline") as ctx:
        yield ctx


@pytest.fixture(params=["memory", "raw", "npy", "hdf5"])
def given(request, tmp_path):
    """The type of a dataset, and what it needs."""
    path = tmp_path / f"scan.{request.param}"
    if request.param == "memory":
        return "memory", {"data": DATA}
    if request.param == "raw":
        DATA.tofile(path)
        return "raw", {"path": path, "dtype": "f4", "nav_shape": (4, 5), "sig_shape": (6, 7)}
    if request.param == "npy":
        with path.open("wb") as file:
            np.save(file, DATA)
        return "npy", {"path": path}
    with h5py.File(path, "w") as file:
        file["scan"] = DATA
    return "hdf5", {"path": path}


@pytest.mark.parametrize("name", [*WITHOUT_EFFECT, "datashape"])
def test_arguments_of_libertem_are_taken(ctx, given, name: str, caplog) -> None:
    filetype, kwargs = given
    value = {"sig_dims": 2, "num_partitions": 2}.get(name, (4, 5, 6, 7))
    with caplog.at_level(logging.DEBUG, "udfwidgets.io.arguments"):
        dataset = ctx.load(filetype, **kwargs, **{name: value})
    assert dataset.shape == (4, 5, 6, 7)
    own = name in inspect.signature(type(dataset)).parameters
    assert [name in message for message in caplog.messages] == [True] * (not own)


def test_older_names_mean_the_same(ctx, tmp_path) -> None:
    path = tmp_path / "scan.raw"
    DATA.tofile(path)
    raw = {"path": path, "dtype": "f4"}
    dataset = ctx.load("raw", **raw, scan_size=(20,), detector_size=(42,))
    assert dataset.shape == (20, 42)


def test_a_shape_alone_is_an_empty_scan(ctx) -> None:
    dataset = ctx.load("memory", datashape=(4, 5, 6, 7))
    assert dataset.shape == (4, 5, 6, 7)
    assert not dataset.data.any()


def test_a_wrong_argument_is_answered_with_the_right_ones(given, ctx) -> None:
    filetype, kwargs = given
    with pytest.raises(TypeError, match=r"'nav_shap'.*sig_shape.*did you mean nav_shape=\?"):
        ctx.load(filetype, **kwargs, nav_shap=(4, 5))


def test_signatures_are_those_of_the_datasets() -> None:
    assert list(inspect.signature(RawFileDataSet).parameters)[:2] == ["path", "dtype"]
    assert next(iter(inspect.signature(MemoryDataSet).parameters)) == "data"


def test_a_dataset_tells_of_itself(ctx, given) -> None:
    filetype, kwargs = given
    dataset = ctx.load(filetype, **kwargs)
    meta = dataset.meta
    assert (meta.shape.nav.size, meta.raw_dtype, meta.image_count) == (20, np.float32, 20)
    assert meta.sync_offset == 0
    assert np.argwhere(dataset.roi[1, 2:4]).tolist() == [[1, 2], [1, 3]]
    parts = list(dataset.get_partitions())
    assert len(parts) == dataset.get_num_partitions()
    assert sum(part.get_frame_count() for part in parts) == 20
    assert sum(part.shape.size for part in parts) == DATA.size


def test_partitions_to_look_at_cover_a_large_scan() -> None:
    large = np.broadcast_to(np.uint8(1), (3000, 1024, 1024))
    dataset = MemoryDataSet(DATA)
    dataset._shape = dataset.shape.__class__(large.shape, 2)
    parts = list(dataset.get_partitions())
    assert len(parts) == dataset.get_num_partitions() > 1
    ends = [part.slice.origin[0] + part.get_frame_count() for part in parts]
    assert [part.slice.origin[0] for part in parts] == [0, *ends[:-1]]
    assert ends[-1] == 3000


def test_executors_are_asked_for_as_in_libertem() -> None:
    with Context.make_with(
        executor_spec="threads", cpus=range(3), gpus=0, snooze_timeout=60
    ) as ctx:
        assert ctx.executor.workers == 3
    for spec in ("concurrent", "pipelined"):
        with Context.make_with(spec, cpus=2, gpus=[]) as ctx:
            assert ctx.executor.workers == 2
    for spec in ("delayed", "dask-integration"):
        with pytest.raises(ExecutorSpecException, match=rf"{spec} executor.*'threads'"):
            Context.make_with(spec)
    for kwargs in ({"gpus": range(1)}, {"gpus": 1}, {"main_process_gpu": 0}):
        with pytest.raises(ExecutorSpecException, match="processors"):
            Context.make_with("threads", **kwargs)


def test_a_dataset_is_ready_when_it_is_made(given, ctx, caplog) -> None:
    filetype, kwargs = given
    dataset = ctx.load(filetype, **kwargs)
    assert dataset.initialize(ctx.executor) is dataset
    assert dataset.check_valid()
    assert dataset.supports_correction()
    with caplog.at_level(logging.DEBUG, "udfwidgets.io.described"):
        dataset.set_num_cores(3)
    assert "set_num_cores(3)" in caplog.text


def test_partitions_count_the_frames_of_a_roi(ctx) -> None:
    dataset = ctx.load("memory", data=np.zeros((5, 4, 1, 1), "f4"))
    dataset._frames_per_partition = lambda: 7
    roi = np.random.default_rng(3).random((5, 4)) < 0.5
    counts = [p.get_frame_count(roi) for p in dataset.get_partitions()]
    assert counts == [roi.ravel()[start : start + 7].sum() for start in (0, 7, 14)]
    assert [p.get_frame_count() for p in dataset.get_partitions()] == [7, 7, 6]


def test_a_dataset_of_a_users_own_hands_arguments_on(caplog) -> None:
    class Acquired(MemoryDataSet):
        def __init__(self, connection, **options):
            super().__init__(connection, array_backends=("numpy",), **options)

    with caplog.at_level("DEBUG"):
        dataset = Acquired(np.ones((2, 3, 4, 5)), sync_offset=1)
    assert dataset.shape == (2, 3, 4, 5)
    assert "MemoryDataSet takes array_backends without effect" in caplog.text
    with pytest.raises(TypeError, match=r"takes no argument 'syncoffset'.*sync_offset"):
        Acquired(np.ones((2, 3, 4, 5)), syncoffset=1)


def test_what_is_missing_is_named(ctx, tmp_path) -> None:
    path = tmp_path / "scan.raw"
    DATA.tofile(path)
    with pytest.raises(TypeError, match=r"RawFileDataSet needs dtype= as well; it takes path, dty"):
        ctx.load("raw", path=path)
    with pytest.raises(TypeError, match=r"needs path= and dtype= as well"):
        ctx.load("raw")
    with pytest.raises(TypeError, match="dtype='uint61' is not known, expected such as 'uint16'"):
        ctx.load("raw", path=path, dtype="uint61", nav_shape=(4, 5), sig_shape=(6, 7))


@pytest.mark.parametrize(("dtype", "n_frames"), [("f8", 10), ("f2", 40)])
def test_another_dtype_than_that_of_the_file_is_thought_of(
    ctx, tmp_path, dtype: str, n_frames: int
) -> None:
    path = tmp_path / "scan.raw"
    DATA.tofile(path)
    told = rf"3360 bytes are {n_frames} frames of \(6, 7\) .* takes 20: are dtype, sig_shape and"
    with pytest.warns(UserWarning, match=told):
        dataset = ctx.load("raw", path=path, dtype=dtype, nav_shape=(4, 5), sig_shape=(6, 7))
    # As the card of an analysis says it.
    assert any(re.search(told, note) for note in dataset.notes)
