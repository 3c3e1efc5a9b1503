"""A store keeps to its budget, in coarser pixels where it must, and gives back what others need."""

from __future__ import annotations

import gc
import os
import threading
import weakref

import numpy as np
import pytest

from tests.store.test_store import built, check, expected, make_data
from udfwidgets import Context
from udfwidgets.io.corrections import CorrectionSet
from udfwidgets.io.dataset.memory import ArraySource, MemoryDataSet
from udfwidgets.store import PixelStore, StoreGone, memory, watch
from udfwidgets.store.binning import Grid

DTYPES = ["bool", "u1", "i1", "u2", "i4", "u8", "f2", "f4", "c8"]
NAV, SIG = (5, 64), (11, 14)


@pytest.fixture
def ctx():
    with Context.make_with("threads", cpus=2) as context:
        yield context


def blocks(data, binning):
    """Return sums over blocks of the detector."""
    ny, nx = data.shape[-2:]
    wide = {"b": "u8", "u": "u8", "i": "i8"}.get(data.dtype.kind, data.dtype)
    if data.dtype.itemsize == 8 and data.dtype.kind in "ui":
        wide = "f8"
    rows = np.add.reduceat(data, np.arange(0, ny, binning), axis=-2, dtype=wide)
    return np.add.reduceat(rows, np.arange(0, nx, binning), axis=-1, dtype=wide)


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_does_not_fit_is_binned(ctx, dtype):
    data = make_data(NAV + SIG, dtype)
    # Less than the lowest bytes of all pixels, and enough for all bytes of the blocks.
    per_pixel = data.dtype.itemsize if data.dtype.kind in "fc" else 1
    budget = data.size * max(2, per_pixel) - 1 if data.dtype.kind in "fc" else data.size - 1
    whole = np.ones(SIG, bool)
    some = np.zeros(SIG, bool)
    some[2:6, 4:10] = True
    with built(ctx, data, budget=budget) as store:
        data = data.astype("f4") if dtype == "f2" else data
        assert not store.is_exact
        assert store.nbytes <= budget
        right = blocks(data, store.binning)
        for mask in (whole, some):
            weights = blocks(mask.astype("f8"), store.binning)
            weights /= blocks(np.ones(SIG), store.binning)
            found = store.image(mask)
            assert found.dtype == (np.complex128 if data.dtype.kind == "c" else np.float64)
            expect = np.tensordot(right.astype(found.dtype), weights, 2)
            np.testing.assert_allclose(found, expect, rtol=1e-5, atol=1e-2)
        # Of whole blocks it is what the data say.
        assert store.binning in (2, 4)
        if store.binning == 2:
            np.testing.assert_allclose(found, expected(data, some), rtol=1e-5, atol=1e-2)


def test_a_binned_detector_may_move(ctx):
    data = make_data(NAV + SIG, "u1")
    with built(ctx, data, budget=data.size - 1) as store:
        moving, mask = store.moving(), np.zeros(SIG, bool)
        for x in range(0, 8, 2):
            mask[:] = False
            mask[2:6, x : x + 6] = True
            np.testing.assert_allclose(moving.moved(mask), expected(data, mask), rtol=1e-9)


def test_corrected_data_are_binned_as_well(ctx):
    data = make_data(NAV + SIG, "u1")
    dark = np.random.default_rng(1).random(SIG)
    right = data.astype("f4") - dark.astype("f4")
    corrections = CorrectionSet(dark=dark)
    with built(ctx, data, corrections=corrections, budget=2 * data.size) as store:
        assert store.binning == 2
        whole = np.ones(SIG, bool)
        np.testing.assert_allclose(store.image(whole), expected(right, whole), rtol=1e-5)


def test_it_begins_again_where_higher_bytes_take_too_much(ctx, monkeypatch):
    monkeypatch.setattr("udfwidgets.store.building.LOOK", -1)
    data = np.full(NAV + SIG, 1000, "u2")
    mask = np.zeros(SIG, bool)
    mask[2:6, 4:10] = True
    with built(ctx, data, budget=data.size * 3 // 2) as store:
        assert store.binning == 2
        assert store.is_complete
        assert store.nbytes <= store.budget
        check(store.image(mask), expected(data, mask).astype("f8"))


def test_a_budget_for_nothing_is_refused(ctx):
    dataset = ctx.load("memory", data=make_data(NAV + SIG, "u2"))
    with pytest.raises(StoreGone, match="does not fit into 10 bytes, however coarse"):
        PixelStore(ctx.executor, dataset, budget=10)


def test_it_is_dropped_when_no_binning_is_coarse_enough(ctx, monkeypatch):
    monkeypatch.setattr("udfwidgets.store.building.LOOK", -1)
    dataset = ctx.load("memory", data=np.full((4, 64, 1, 1), 1000, "u2"))
    with PixelStore(ctx.executor, dataset, budget=256) as store:
        with pytest.raises(StoreGone, match="does not fit into 256 bytes"):
            store.wait()
        assert not store.is_valid()
        assert store.nbytes == 0


@pytest.mark.parametrize("sig", [(7,), (3, 5), (2, 3, 4)])
def test_blocks_of_any_detector(sig):
    dataset = MemoryDataSet(np.zeros((2, 2, *sig)), sig_dims=len(sig))
    grid = Grid.of(dataset.shape.sig)
    assert grid.size == np.prod(sig)
    frames = np.random.default_rng(0).integers(0, 9, (3, grid.size)).astype("u2")
    while grid.size > 1:
        grid = grid.coarser()
        np.testing.assert_array_equal(grid.binned(frames).sum(axis=1), frames.sum(axis=1))
        np.testing.assert_allclose(grid.weights(np.ones(frames.shape[1], bool)), 1)


def test_the_default_budget_is_a_quarter_of_what_is_free(ctx, monkeypatch, tmp_path):
    monkeypatch.setattr("udfwidgets.store.store.free_memory", lambda: 4 * 10**6)
    dataset = ctx.load("memory", data=make_data((3, 4, 5, 6), "u2"))
    with PixelStore(ctx.executor, dataset) as store:
        assert store.budget == 10**6
    monkeypatch.setattr("udfwidgets.store.store.free_space", lambda folder: 8 * 10**6)
    with PixelStore(ctx.executor, dataset, scratch=tmp_path) as store:
        assert store.budget == 2 * 10**6


def test_the_limit_of_a_container_counts(monkeypatch, tmp_path):
    limit, usage = tmp_path / "memory.max", tmp_path / "memory.current"
    monkeypatch.setattr(memory, "_LIMITS", ((limit, usage),))
    at_least = memory.free_memory()
    assert at_least > 10**6
    limit.write_text("1000000\n")
    usage.write_text("900000\n")
    assert memory.free_memory() == 100_000
    assert not memory.is_short()
    (tmp_path / "memory.stat").write_text("anon 5\ninactive_file 300000\n")
    assert memory.free_memory() == 400_000
    usage.write_text("1290000\n")
    assert memory.is_short()
    limit.write_text("max\n")
    assert memory.free_memory() > 10**6


def test_memory_is_given_back_when_others_need_it(ctx, monkeypatch):
    monkeypatch.setattr(watch, "PERIOD", 0.01)
    short = threading.Event()
    monkeypatch.setattr(memory, "is_short", short.is_set)
    with built(ctx, make_data((3, 4, 5, 6), "u2")) as store:
        planes = weakref.ref(store._build.planes)
        assert store.nbytes
        short.set()
        store._watch.thread.join(10)
        assert not store.is_valid()
        assert "little memory" in store.why_not
        assert store.nbytes == 0
        gc.collect()
        assert planes() is None
        with pytest.raises(StoreGone, match="little memory"):
            store.image(np.ones((5, 6), bool))


def test_it_may_be_given_back_while_it_is_built():
    data, kept = make_data((64, 64, 16, 16), "u2"), []
    with Context.make_with("threads", cpus=2) as ctx:
        for _ in range(5):
            store = PixelStore(ctx.executor, ctx.load("memory", data=data))
            kept.append((store.run, weakref.ref(store._build.planes)))
            store.close()
    gc.collect()
    for run, planes in kept:
        assert run.error is None
        assert planes() is None


def test_one_that_nobody_holds_goes(ctx, monkeypatch):
    monkeypatch.setattr(watch, "PERIOD", 0.01)
    store = built(ctx, make_data((3, 4, 5, 6), "u2"))
    planes, thread = weakref.ref(store._build.planes), store._watch.thread
    del store
    gc.collect()
    assert planes() is None
    thread.join(10)
    assert not thread.is_alive()


def test_a_scratch_file_takes_the_place_of_memory(ctx, tmp_path):
    data = make_data((19, 61, 5, 7), "u2")
    mask = np.eye(5, 7, dtype=bool)
    with built(ctx, data, scratch=tmp_path) as store:
        assert store.is_exact
        assert store.nbytes >= data.nbytes
        check(store.image(mask), expected(data, mask))
        if os.name == "posix":
            assert not list(tmp_path.iterdir())  # it has no name


def test_no_room_for_a_scratch_file(ctx, tmp_path):
    dataset = ctx.load("memory", data=make_data((3, 4, 5, 6), "u2"))
    with pytest.raises(OSError, match="missing"):
        PixelStore(ctx.executor, dataset, scratch=tmp_path / "missing", budget=10**6)


def test_a_source_that_fails_is_told_of(ctx):
    class Broken(MemoryDataSet):
        def open(self):
            class Source(ArraySource):
                stretches = None

                def read(self, start, stop, scratch):
                    raise ZeroDivisionError("in the source")

            return Source(self._frames)

    with PixelStore(ctx.executor, Broken(make_data((3, 4, 5, 6), "u2"))) as store:
        with pytest.raises(StoreGone, match="ZeroDivisionError: in the source"):
            store.wait()
        assert "in the source" in store.why_not
        assert store.nbytes == 0
