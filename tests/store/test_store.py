"""Sums over moved masks out of a store are those that NumPy makes of the corrected data."""

from __future__ import annotations

import os
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udfwidgets import Context
from udfwidgets.engine.executors import InlineExecutor
from udfwidgets.errors import DataSetException
from udfwidgets.io.corrections import CorrectionSet
from udfwidgets.store import PixelStore, StoreGone

DTYPES = ["bool", "u1", "i1", "u2", "i2", "u4", "i4", "f2", "f4", "f8", "c8", "c16"]
SHAPES = {
    "odd": (5, 7, 11, 13),
    "one pixel": (9, 4, 1, 1),
    "one frame": (1, 1, 8, 8),
    "line scan": (117, 6, 6),
    "3-D sig": (4, 5, 3, 4, 5),
    "more than a chunk": (19, 61, 5, 7),
    "whole tiles": (3, 200, 9, 10),
}
# More pixels than are narrowed together, and no multiple of eight.
LARGE = (3, 30, 37, 41)


@pytest.fixture
def ctx():
    with Context.make_with("threads", cpus=2) as context:
        yield context


def make_data(shape, dtype, seed=0):
    """Return values over the whole range, most of them small."""
    rng = np.random.default_rng(seed)
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) > 0.5
    if dtype.kind in "ui":
        info = np.iinfo(dtype)
        few = rng.integers(0, 100, shape).astype(dtype)
        many = rng.integers(info.min, info.max, shape, dtype, endpoint=True)
        return np.where(rng.random(shape) < 0.1, many, few)
    data = rng.normal(0, 100, shape)
    if dtype.kind == "c":
        data = data + 1j * rng.normal(0, 100, shape)
    return data.astype(dtype)


def built(ctx, data, sig_dims=2, **options):
    dataset = ctx.load("memory", data=data, sig_dims=sig_dims)
    store = PixelStore(ctx.executor, dataset, **options)
    store.wait()
    return store


def expected(data, mask):
    """Return what NumPy makes of it, exact for integers and in 64 bits for floats."""
    wide = {"b": "u8", "u": "u8", "i": "i8", "f": "f8", "c": "c16"}[data.dtype.kind]
    return data[..., mask].sum(axis=-1, dtype=wide)


def check(found, right):
    assert found.shape == right.shape
    assert found.dtype == right.dtype
    if found.dtype.kind in "ui":
        assert (found == right).all()
    else:
        np.testing.assert_allclose(found, right, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_sums_are_those_of_numpy(ctx, dtype, shape):
    sig_dims = 3 if len(shape) == 5 else 2
    data = make_data(shape, dtype)
    mask = np.random.default_rng(1).random(shape[-sig_dims:]) > 0.5
    with built(ctx, data, sig_dims) as store:
        check(store.image(mask), expected(data, mask))
        assert store.is_complete
        assert store.is_exact


@pytest.mark.parametrize("dtype", DTYPES)
def test_frames_of_many_pixels(ctx, dtype):
    data = make_data(LARGE, dtype)
    mask = np.random.default_rng(1).random(LARGE[-2:]) > 0.3
    with built(ctx, data) as store:
        check(store.image(mask), expected(data, mask))


@settings(max_examples=60)
@given(
    dtype=st.sampled_from(DTYPES),
    seed=st.integers(0, 1000),
    moves=st.lists(
        st.tuples(st.sampled_from(["move", "jump", "toggle", "empty"]), st.integers(0, 99)),
        min_size=1,
        max_size=12,
    ),
)
def test_walks(dtype, seed, moves):
    data = make_data((7, 9, 6, 5), dtype, seed)
    mask = np.zeros((6, 5), bool)
    with Context.make_with("inline") as ctx, built(ctx, data) as store:
        moving = store.moving()
        for how, number in moves:
            rng = np.random.default_rng(number)
            mask = mask.copy()
            if how == "move":
                mask = np.roll(mask, (number % 3 - 1, number // 3 % 3 - 1), (0, 1))
            elif how == "jump":
                mask = rng.random(mask.shape) > 0.5
            elif how == "toggle":
                mask.flat[number % mask.size] ^= True
            else:
                mask[:] = False
            check(moving.moved(mask), expected(data, mask))


@settings(max_examples=40)
@given(
    dtype=st.sampled_from([*DTYPES, "u8", "i8"]),
    weights=st.sampled_from(["i2", "f4", "f8", "c16"]),
    seed=st.integers(0, 1000),
)
def test_walks_of_weights(dtype, weights, seed):
    data = make_data((7, 9, 6, 5), dtype, seed)
    rng = np.random.default_rng(seed)
    with Context.make_with("inline") as ctx, built(ctx, data) as store:
        moving = store.moving()
        mask = np.zeros((6, 5), weights)
        for _ in range(5):
            mask = mask.copy()
            some = rng.random(mask.shape) > 0.6
            mask[some] = rng.integers(-3, 4, int(some.sum()))
            wide = np.result_type(mask, data, np.float64)
            right = np.tensordot(data.astype(wide), mask.astype(wide), 2)
            check(moving.moved(mask), right)


@pytest.mark.parametrize("dtype", ["u8", "i8"])
def test_integers_of_64_bits_are_exact_or_refused(ctx, dtype):
    data = make_data((3, 50, 4, 4), dtype)
    data[0, 0] = np.iinfo(dtype).max
    one = np.zeros((4, 4), bool)
    one[1, 2] = True
    with built(ctx, data) as store:
        moving = store.moving()
        assert (moving.moved(one) == data[..., 1, 2]).all()
        one[1, 3] = True
        with pytest.raises(OverflowError, match="does not fit"):
            moving.moved(one)
        one[1, 2] = False
        assert (moving.moved(one) == data[..., 1, 3]).all()


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_leaves_the_mask_leaves_nothing_behind(ctx, dtype, bad):
    data = make_data((30, 40, 4, 4), dtype)
    data[3, 4, 1, 1] = bad
    data[20, 20, 1, 1] = np.finfo(dtype).max
    mask = np.ones((4, 4), bool)
    with built(ctx, data) as store:
        moving = store.moving()
        with np.errstate(invalid="ignore"):
            check(moving.moved(mask), expected(data, mask))
        mask[1, 1] = False
        check(moving.moved(mask), expected(data, mask))
        assert np.isfinite(store.image(mask)).all()


def test_sums_of_floats_do_not_drift(ctx):
    data = (make_data((6, 10, 8, 8), "f4") * 10.0 ** np.arange(8)).astype("f4")
    rng = np.random.default_rng(5)
    with built(ctx, data) as store:
        moving = store.moving()
        for _ in range(300):
            mask = rng.random((8, 8)) > 0.5
            found = moving.moved(mask)
        right = expected(data, mask)
        np.testing.assert_allclose(found, right, rtol=1e-10)


@pytest.mark.parametrize("dtype", ["u1", "u2", "i4", "f4"])
def test_corrected_data(ctx, dtype):
    data = make_data((5, 30, 6, 7), "u1").astype(dtype)
    rng = np.random.default_rng(2)
    excluded = np.zeros((6, 7), bool)
    excluded[2, 3] = True
    data[..., 2, 3] = 255
    corrections = CorrectionSet(rng.random((6, 7)), 1 + rng.random((6, 7)), excluded)
    dtype = np.result_type("f4", dtype)
    dark, gain = corrections.get_dark_frame(), corrections.get_gain_map()
    right = (data.astype(dtype) - dark.astype(dtype)) * gain.astype(dtype)
    around = right[..., 1:4, 2:5].sum(axis=(-2, -1)) - right[..., 2, 3]
    right[..., 2, 3] = around / 8
    mask = rng.random((6, 7)) > 0.3
    mask[2, 3] = True
    with built(ctx, data, corrections=corrections) as store:
        np.testing.assert_allclose(store.image(mask), expected(right, mask), rtol=1e-6)
        mask[2, 3] = False
        check(store.image(mask), expected(right, mask))


def test_positions_without_a_frame_are_not_valid(ctx):
    data = make_data((30, 4, 4), "u2")
    with pytest.warns(UserWarning, match="6 of 36 frames are missing"):
        dataset = ctx.load("memory", data=data, nav_shape=(6, 6), sync_offset=-2)
    mask = np.eye(4, dtype=bool)
    with PixelStore(ctx.executor, dataset) as store:
        store.wait()
        assert (store.valid == ~dataset.missing).all()
        assert store.is_complete
        check(store.image(mask), expected(dataset.data, mask))


def test_a_coarse_scan_fills_it_as_well():
    data = make_data((40, 50, 5, 5), "u2")
    mask = np.eye(5, dtype=bool)
    with Context.make_with("threads", cpus=2) as ctx:
        dataset = ctx.load("memory", data=data)
        with PixelStore(ctx.executor, dataset, order="progressive") as store:
            store.wait()
            check(store.image(mask), expected(data, mask))


def test_what_is_in_is_right_at_any_time():
    data = make_data((128, 128, 32, 32), "u2")
    mask = np.eye(32, dtype=bool)
    with Context.make_with("inline") as ctx:
        dataset = ctx.load("memory", data=data)
        right = expected(data, mask)
        with PixelStore(ctx.executor, dataset) as store:
            moving, counts = store.moving(), set()
            for _ in range(1000):
                found, valid = moving.moved(mask), store.valid
                assert (found[valid] == right[valid]).all()
                assert not found[~valid].any()
                counts.add(np.count_nonzero(valid))
                if store.is_complete:
                    break
                ctx.executor.advance(store.run)
            assert store.is_complete
            assert len(counts) > 2


def test_what_is_in_is_right_while_threads_build_it(ctx):
    data = make_data((128, 128, 16, 16), "u2")
    mask = np.eye(16, dtype=bool)
    for _ in range(5):
        with PixelStore(ctx.executor, ctx.load("memory", data=data)) as store:
            moving, is_all = store.moving(), False
            while not is_all:
                mask = np.roll(mask, 1, 0)
                found, right = moving.moved(mask), expected(data, mask)
                assert (found[moving.valid] == right[moving.valid]).all()
                assert not found[~moving.valid].any()
                is_all = moving.valid.all()


@pytest.mark.parametrize("dtype", ["u1", "u2", "f8"])
def test_a_detector_that_is_looked_at_in_a_part_of_the_scan(ctx, dtype):
    data = make_data((40, 61, 5, 7), dtype)
    rng = np.random.default_rng(1)
    only = np.zeros((40, 61), bool)
    only[12:20, 30:40] = True
    with built(ctx, data) as store:
        moving, masks = store.moving(only), [rng.random((5, 7)) > 0.5 for _ in range(4)]
        for mask in [*masks, np.zeros((5, 7), bool), masks[0]]:
            found = moving.moved(mask)
            assert moving.valid[only].all()
            # Chunks are of 64 positions, about a row.
            assert 0.2 < moving.valid.mean() < 0.6
            there = moving.valid
            np.testing.assert_allclose(found[there], expected(data, mask)[there])
            assert not found[~there].any()
        # What others ask of the same store is all of it.
        check(store.image(masks[0]), expected(data, masks[0]))


def test_a_mask_that_does_not_fit(ctx):
    with built(ctx, make_data((3, 4, 5, 6), "u2")) as store:
        with pytest.raises(
            ValueError, match=r"mask is of shape \(6, 5\), the detector of \(5, 6\)"
        ):
            store.image(np.ones((6, 5), bool))
        with pytest.raises(ValueError, match="dtype object"):
            store.image(np.full((5, 6), None))


def test_a_closed_store_says_so(ctx):
    store = built(ctx, make_data((3, 4, 5, 6), "u2"))
    moving = store.moving()
    store.close()
    store.close()
    with pytest.raises(StoreGone, match="closed"):
        moving.moved(np.ones((5, 6), bool))
    assert not store.is_valid()
    assert store.nbytes == 0
    assert not store.valid.any()


def test_a_cancelled_store_keeps_what_it_has():
    data = make_data((128, 128, 32, 32), "u2")
    mask = np.eye(32, dtype=bool)
    with Context.make_with("inline") as ctx:
        store = PixelStore(ctx.executor, ctx.load("memory", data=data))
        ctx.executor.advance(store.run)
        store.cancel()
        store.wait()
        found, valid = store.image(mask), store.valid
        assert 0 < np.count_nonzero(valid) < valid.size
        assert (found[valid] == expected(data, mask)[valid]).all()
        assert not store.is_complete
        store.close()


def test_a_file_that_changes_drops_its_store(ctx, tmp_path):
    data = make_data((6, 7, 5, 5), "u2")
    path = tmp_path / "scan.npy"
    np.save(path, data)
    with PixelStore(ctx.executor, ctx.load("npy", path)) as store:
        store.wait()
        mask = np.ones((5, 5), bool)
        check(store.image(mask), expected(data, mask))
        assert store.is_valid()
        stat = path.stat()
        np.save(path, data + 1)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 10**9))
        assert not store.is_valid()
        assert "changed" in store.why_not
        assert store.nbytes == 0
        with pytest.raises(StoreGone, match="have changed"):
            store.image(mask)


def test_a_file_that_cannot_be_read(ctx, tmp_path):
    path = tmp_path / "scan.npy"
    np.save(path, make_data((6, 7, 5, 5), "u2"))
    dataset = ctx.load("npy", path)
    path.unlink()
    with pytest.raises(DataSetException):
        PixelStore(ctx.executor, dataset)


def test_values_take_as_few_bytes_as_they_can(ctx):
    data = np.ones((16, 64, 8, 8), "u4")
    with built(ctx, data) as small:
        assert small.nbytes == data.size
    data[..., 3, 3] = 300
    with built(ctx, data) as wider:
        # A page for each 512 positions: what is not written to takes no memory.
        assert wider.nbytes == data.size + 2 * 4096


def test_it_is_in_the_memory_of_its_own_process(ctx):
    with built(ctx, make_data((3, 4, 5, 6), "u2")) as store:
        (udf,) = store.run.udfs
        with pytest.raises(TypeError, match="in the memory of its own process"):
            pickle.dumps(udf.params.target)


def test_inline_executor_builds_while_it_is_waited_for():
    executor = InlineExecutor()
    with Context(executor) as ctx:
        data = make_data((5, 6, 4, 4), "u2")
        with built(ctx, data) as store:
            check(store.image(np.eye(4, dtype=bool)), expected(data, np.eye(4, dtype=bool)))
