"""Each built-in UDF against one line of NumPy, over awkward shapes and all dtypes."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

from tests.engine.pacing import iterate
from udfwidgets import ApplyMasksUDF, Context, PickUDF, StdDevUDF, SumSigUDF, SumUDF
from udfwidgets.udf.base import NoOpUDF

SHAPES = {
    "odd": (5, 7, 11, 13),
    "one wide sig": (6, 5, 9, 1),
    "one pixel": (9, 4, 1, 1),
    "one frame": (1, 1, 8, 8),
    "line scan": (17, 6, 6),
    "3-D sig": (4, 5, 3, 4, 5),
    "strip and a bit": (3, 3, 33, 32),
}
DTYPES = ["bool", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", "c8", "c16"]


def make_data(shape, dtype="u2", seed=0):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 100, shape)
    if np.dtype(dtype).kind in "if":
        values = values - 50
    if np.dtype(dtype).kind == "c":
        values = values + 1j * rng.integers(0, 100, shape)
    return values.astype(dtype)


@pytest.fixture(params=SHAPES.values(), ids=SHAPES.keys())
def shape(request):
    return request.param


@pytest.fixture(params=["inline", "threads"])
def ctx(request):
    with Context.make_with(request.param) as ctx:
        yield ctx


def load(ctx, data):
    sig_dims = 3 if data.ndim == 5 else 2
    dataset = ctx.load("memory", data=data, sig_dims=sig_dims)
    nav = tuple(range(data.ndim - sig_dims))
    sig = tuple(range(data.ndim - sig_dims, data.ndim))
    return dataset, nav, sig


@pytest.mark.parametrize("dtype", ["u2", "f4"])
def test_stddev_in_progressive_order(ctx, dtype):
    data = make_data((24, 24, 3, 5), dtype)
    dataset, *_ = load(ctx, data)
    *_, last = iterate(ctx.executor, dataset, [StdDevUDF()], size=50, order="progressive")
    result = last.buffers[0]
    assert result["num_frames"].data == 24 * 24
    np.testing.assert_allclose(result["std"].data, data.std(axis=(0, 1), dtype="f8"), rtol=1e-6)


def test_sum(ctx, shape):
    data = make_data(shape)
    dataset, nav, _ = load(ctx, data)
    result = ctx.run_udf(dataset=dataset, udf=SumUDF())["intensity"]
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result.data, data.sum(axis=nav).astype("f4"))


def test_sumsig(ctx, shape):
    data = make_data(shape)
    dataset, _, sig = load(ctx, data)
    result = ctx.run_udf(dataset=dataset, udf=SumSigUDF())["intensity"]
    np.testing.assert_array_equal(result.data, data.sum(axis=sig).astype("f4"))


@pytest.mark.parametrize("dtype", DTYPES)
def test_sums_of_all_dtypes(ctx, dtype):
    data = make_data((4, 5, 6, 7), dtype)
    dataset, nav, sig = load(ctx, data)
    by_pixel, by_frame = ctx.run_udf(dataset=dataset, udf=[SumUDF(), SumSigUDF()])
    wide = np.result_type(data, "f8")
    assert by_pixel["intensity"].dtype == np.result_type(data, "f4")
    np.testing.assert_allclose(by_pixel["intensity"].data, data.sum(axis=nav, dtype=wide))
    np.testing.assert_allclose(by_frame["intensity"].data, data.sum(axis=sig, dtype=wide))


def test_sum_of_large_counts_is_exact_and_rounded_once(ctx):
    data = np.full((8, 8, 4, 4), 65535, "u2")
    data[0, 0] = 1
    dataset, nav, _ = load(ctx, data)
    result = ctx.run_udf(dataset=dataset, udf=SumUDF())["intensity"]
    np.testing.assert_array_equal(result.data, data.sum(axis=nav, dtype="u8").astype("f4"))


def test_wide_sum_dtype(ctx):
    data = np.full((300, 300, 2, 2), 65535, "u2")
    dataset, nav, _ = load(ctx, data)
    result = ctx.run_udf(dataset=dataset, udf=SumUDF(dtype="float64"))["intensity"]
    np.testing.assert_array_equal(result.data, data.sum(axis=nav, dtype="f8"))


def test_stddev(ctx, shape):
    data = make_data(shape)
    dataset, nav, _ = load(ctx, data)
    result = ctx.run_udf(dataset=dataset, udf=StdDevUDF())
    n_frames = data[..., 0, 0].size if data.ndim < 5 else data[..., 0, 0, 0].size
    assert result["num_frames"].data.tolist() == [n_frames]
    expected = {
        "sum": data.sum(axis=nav),
        "mean": data.mean(axis=nav),
        "var": data.var(axis=nav),
        "std": data.std(axis=nav),
        "varsum": data.var(axis=nav) * n_frames,
    }
    for name, value in expected.items():
        np.testing.assert_allclose(result[name].data, value, rtol=1e-6, err_msg=name)


def test_stddev_is_stable_for_large_means(ctx):
    data = 1e9 + np.random.default_rng(0).standard_normal((20, 20, 4, 4))
    dataset, nav, _ = load(ctx, data)
    result = ctx.run_udf(dataset=dataset, udf=StdDevUDF(dtype="float64"))
    np.testing.assert_allclose(result["std"].data, data.std(axis=nav), rtol=1e-6)


def test_stddev_refuses_complex_data(ctx):
    dataset, _, _ = load(ctx, make_data((2, 2, 3, 3), "c8"))
    with pytest.raises(TypeError, match="takes real data"):
        ctx.run_udf(dataset=dataset, udf=StdDevUDF())


@pytest.mark.parametrize("n_masks", [1, 3, 20])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("mask_dtype", ["bool", "f4", "c8"])
def test_masks(ctx, n_masks, sparse, mask_dtype):
    data = make_data((4, 5, 6, 7))
    masks = make_data((n_masks, 6, 7), "f4", seed=1) % 3
    masks = masks.astype(mask_dtype) * (1j if mask_dtype == "c8" else True)
    dataset, _, _ = load(ctx, data)
    factories = [lambda mask=mask: mask for mask in masks]
    result = ctx.run_udf(dataset=dataset, udf=ApplyMasksUDF(factories, use_sparse=sparse))
    expected = np.einsum("abyx,myx->abm", data.astype("f8"), masks)
    assert result["intensity"].data.shape == (4, 5, n_masks)
    np.testing.assert_allclose(result["intensity"].data, expected, rtol=1e-5)


def test_masks_from_one_factory(ctx):
    data, stack = make_data((4, 5, 6, 7)), make_data((2, 6, 7), "f4", seed=1)
    dataset, _, _ = load(ctx, data)
    one = ctx.run_udf(dataset=dataset, udf=ApplyMasksUDF(lambda: stack[0]))["intensity"]
    two = ctx.run_udf(dataset=dataset, udf=ApplyMasksUDF(lambda: stack, mask_count=2))["intensity"]
    assert one.extra_shape == (1,)
    np.testing.assert_allclose(two.data, np.einsum("abyx,myx->abm", data, stack), rtol=1e-5)
    np.testing.assert_array_equal(one.data[..., 0], two.data[..., 0])


def test_sparse_masks_stay_sparse(ctx):
    data, mask = make_data((4, 5, 6, 7)), scipy.sparse.eye(6, 7, format="csr")
    dataset, _, _ = load(ctx, data)
    result = ctx.run_udf(dataset=dataset, udf=ApplyMasksUDF([lambda: mask]))["intensity"]
    np.testing.assert_allclose(result.data[..., 0], np.einsum("abii->ab", data[..., :6]))


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("mask_dtype", ["bool", "u1", "i2", "f4"])
@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_masks_do_not_overflow(ctx, sparse, mask_dtype, dtype):
    data = np.full((2, 3, 64, 64), np.iinfo(dtype).max, dtype)
    dataset, _, _ = load(ctx, data)
    udf = ApplyMasksUDF(lambda: np.ones((64, 64), mask_dtype), use_sparse=sparse)
    result = ctx.run_udf(dataset=dataset, udf=udf)["intensity"]
    np.testing.assert_array_equal(result.data, float(data[0, 0].sum(dtype="u8")))


def test_an_instance_is_good_for_datasets_of_any_shape(ctx):
    side = 8
    udf = ApplyMasksUDF(lambda: np.ones((side, side)))
    for side in (8, 64, 16):
        dataset, _, _ = load(ctx, np.ones((2, 3, side, side), "u2"))
        assert (ctx.run_udf(dataset=dataset, udf=udf)["intensity"].data == side**2).all()


def test_factories_are_called_once_per_run(ctx):
    calls = []

    def factory():
        calls.append(1)
        return np.ones((6, 7))

    dataset, _, _ = load(ctx, make_data((64, 64, 6, 7)))
    ctx.run_udf(dataset=dataset, udf=ApplyMasksUDF(factory))
    assert len(calls) == 1


def test_mask_of_wrong_shape_names_both(ctx):
    dataset, _, _ = load(ctx, make_data((4, 5, 6, 7)))
    with pytest.raises(ValueError, match=r"\(7, 6\).*\(6, 7\)"):
        ctx.run_udf(dataset=dataset, udf=ApplyMasksUDF(lambda: np.ones((7, 6))))


def test_pick(ctx, shape):
    data = make_data(shape)
    dataset, nav, _ = load(ctx, data)
    roi = np.zeros(data.shape[: len(nav)], bool)
    roi.reshape(-1)[::2] = True
    result = ctx.run_udf(dataset=dataset, udf=PickUDF(), roi=roi)["intensity"]
    assert result.kind == "single"
    assert result.dtype == data.dtype
    np.testing.assert_array_equal(result.data, data[roi])


def test_noop(ctx):
    dataset, _, _ = load(ctx, make_data((4, 5, 6, 7)))
    assert ctx.run_udf(dataset=dataset, udf=NoOpUDF()) == {}
