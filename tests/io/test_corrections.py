"""Corrections against NumPy, on the fly in runs, and declared by a dataset."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from udfwidgets import Context, PickUDF, StdDevUDF, SumSigUDF, SumUDF
from udfwidgets.io.corrections import CorrectionSet
from udfwidgets.io.dataset.memory import MemoryDataSet
from udfwidgets.udf import UDF

RNG = np.random.default_rng(0)
DATA = RNG.integers(0, 1000, (5, 7, 6, 9)).astype("u2")
DARK = RNG.random((6, 9)) * 10
GAIN = RNG.random((6, 9)) + 0.5


def corrected_by_numpy(data, dark=0, gain=1, excluded=None):
    frames = (data.astype(float) - dark) * gain
    if excluded is not None:
        good = frames.copy()
        for y, x in np.argwhere(excluded):
            rows, columns = slice(max(y - 1, 0), y + 2), slice(max(x - 1, 0), x + 2)
            keep = ~excluded[rows, columns]
            frames[..., y, x] = good[..., rows, columns][..., keep].mean(axis=-1)
    return frames


@pytest.fixture(params=["inline", "threads"])
def ctx(request):
    with Context.make_with(request.param) as ctx:
        yield ctx


@pytest.fixture
def excluded():
    mask = np.zeros((6, 9), bool)
    mask[0, 0] = mask[3, 4] = mask[3, 5] = mask[5, 8] = True
    return mask


@pytest.mark.parametrize(
    "parts", [("dark",), ("gain",), ("excluded",), ("dark", "gain", "excluded")]
)
def test_each_correction_and_all_together(ctx, excluded, parts):
    given_parts = {"dark": DARK, "gain": GAIN, "excluded": excluded}
    chosen = {name: given_parts[name] for name in parts}
    expected = corrected_by_numpy(DATA, **chosen)
    renamed = {"excluded_pixels" if k == "excluded" else k: v for k, v in chosen.items()}
    by_pixel, by_frame, deviation, frames = ctx.run_udf(
        dataset=ctx.load("memory", data=DATA),
        udf=[SumUDF(), SumSigUDF(), StdDevUDF(), PickUDF()],
        corrections=CorrectionSet(**renamed),
    )
    np.testing.assert_allclose(by_pixel["intensity"].data, expected.sum((0, 1)), rtol=1e-5)
    np.testing.assert_allclose(by_frame["intensity"].data, expected.sum((2, 3)), rtol=1e-5)
    np.testing.assert_allclose(deviation["std"].data, expected.std((0, 1)), rtol=1e-4)
    assert frames["intensity"].dtype == np.float32
    np.testing.assert_allclose(
        frames["intensity"].data, expected.reshape(-1, 6, 9), rtol=1e-5, atol=1e-3
    )


@given(data=st.data())
def test_patches_come_from_good_neighbours_only(data):
    excluded = np.array(
        data.draw(st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=3, max_size=3))
    )
    corrections = CorrectionSet(excluded_pixels=excluded, allow_empty=True)
    frames = RNG.random((2, 2, 3, 4))
    with Context.make_with("inline") as ctx:
        dataset = ctx.load("memory", data=frames)
        result = ctx.run_udf(dataset=dataset, udf=PickUDF(), corrections=corrections)
    seen = result["intensity"].data.reshape(frames.shape)
    for y, x in np.ndindex(3, 4):
        near = [
            frames[..., v, u]
            for v in range(max(y - 1, 0), min(y + 2, 3))
            for u in range(max(x - 1, 0), min(x + 2, 4))
            if not excluded[v, u]
        ]
        patched = excluded[y, x] and near
        expected = np.mean(near, axis=0) if patched else frames[..., y, x]
        np.testing.assert_allclose(seen[..., y, x], expected)


@pytest.mark.parametrize("convert", [scipy.sparse.csr_matrix, np.asarray, np.ndarray.tolist])
def test_forms_of_excluded_pixels(excluded, convert):
    corrections = CorrectionSet(excluded_pixels=convert(excluded))
    np.testing.assert_array_equal(corrections.get_excluded_pixels(), excluded)


def test_a_dataset_declares_its_own(ctx):
    class Calibrated(MemoryDataSet):
        def get_correction_data(self):
            return CorrectionSet(dark=DARK)

    dataset = Calibrated(DATA)
    own = ctx.run_udf(dataset=dataset, udf=SumSigUDF())["intensity"]
    np.testing.assert_allclose(own.data, (DATA - DARK).sum((2, 3)), rtol=1e-5)
    none = ctx.run_udf(dataset=dataset, udf=SumSigUDF(), corrections=CorrectionSet())["intensity"]
    np.testing.assert_array_equal(none.data, DATA.sum((2, 3)))


def test_a_udf_sees_corrected_data_and_knows_of_them(ctx):
    corrections = CorrectionSet(gain=GAIN)

    class Looks(UDF):
        def get_preferred_input_dtype(self):
            return self.USE_NATIVE_DTYPE

        def get_result_buffers(self):
            assert self.meta.corrections is corrections
            assert self.meta.dataset_dtype == np.uint16
            return {"mean": self.buffer("nav", dtype=self.meta.input_dtype)}

        def process_partition(self, partition):
            self.results.mean[:] = partition.mean(axis=(1, 2))

    dataset = ctx.load("memory", data=DATA)
    result = ctx.run_udf(dataset=dataset, udf=Looks(), corrections=corrections)["mean"]
    assert result.dtype == np.float32
    np.testing.assert_allclose(result.data, (DATA * GAIN).mean((2, 3)), rtol=1e-5)


def test_without_corrections_nothing_is_copied(ctx):
    class IsView(UDF):
        def get_preferred_input_dtype(self):
            return self.USE_NATIVE_DTYPE

        def get_result_buffers(self):
            return {"view": self.buffer("nav", dtype="bool")}

        def process_tile(self, tile):
            self.results.view[:] = np.shares_memory(tile, DATA)

    dataset = ctx.load("memory", data=DATA)
    assert ctx.run_udf(dataset=dataset, udf=IsView())["view"].data.all()


def test_shapes_must_be_equal():
    with pytest.raises(ValueError, match=r"\(6, 9\), \(3, 3\)"):
        CorrectionSet(dark=DARK, gain=np.ones((3, 3)))


def test_shape_must_fit_the_frames(ctx):
    dataset = ctx.load("memory", data=DATA)
    with pytest.raises(ValueError, match=r"\(3, 3\).*\(6, 9\)"):
        ctx.run_udf(dataset=dataset, udf=SumUDF(), corrections=CorrectionSet(dark=np.ones((3, 3))))


def test_a_pixel_without_good_neighbours_is_refused():
    with pytest.raises(ValueError, match=r"\(0, 0\) has no neighbour.*allow_empty=True"):
        CorrectionSet(excluded_pixels=np.ones((2, 2)))


def test_corrections_must_be_a_set(ctx):
    dataset = ctx.load("memory", data=DATA)
    with pytest.raises(TypeError, match="ndarray, expected a CorrectionSet"):
        ctx.run_udf(dataset=dataset, udf=SumUDF(), corrections=DARK)
