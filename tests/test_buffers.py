"""BufferWrappers restore the axes, mark what is valid, and show a stable repr."""

from __future__ import annotations

import numpy as np
import pytest

from udfwidgets import Context, SumSigUDF, SumUDF
from udfwidgets.udf.base import UDF


@pytest.fixture
def ctx():
    with Context.make_with("inline") as ctx:
        yield ctx


@pytest.fixture
def data():
    return np.arange(3 * 4 * 5 * 6, dtype="u2").reshape(3, 4, 5, 6)


@pytest.fixture
def roi():
    roi = np.zeros((3, 4), bool)
    roi[0, 1] = roi[2, 3] = True
    return roi


def test_reprs(ctx, data):
    result = ctx.run_udf(ctx.load("memory", data=data), [SumUDF(), SumSigUDF()])
    assert repr(result) == (
        "({'intensity': <BufferWrapper kind=sig dtype=float32 extra_shape=()>}, "
        "{'intensity': <BufferWrapper kind=nav dtype=float32 extra_shape=()>})"
    )


def test_without_a_roi_all_is_valid(ctx, data):
    result = ctx.run_udf(ctx.load("memory", data=data), SumSigUDF())["intensity"]
    assert result.data.shape == (3, 4)
    assert result.shape == result.raw_data.shape == (12,)
    assert result.valid_mask.all()
    assert result.roi is None
    assert not result.roi_is_zero
    np.testing.assert_array_equal(np.asarray(result), data.sum((2, 3)))
    np.testing.assert_array_equal(np.array(result, dtype="i8"), data.sum((2, 3)))


def test_a_roi_leaves_nan_elsewhere(ctx, data, roi):
    result = ctx.run_udf(ctx.load("memory", data=data), SumSigUDF(), roi=roi)["intensity"]
    np.testing.assert_array_equal(result.raw_data, data.sum((2, 3))[roi])
    np.testing.assert_array_equal(result.data[roi], data.sum((2, 3))[roi])
    assert np.isnan(result.data[~roi]).all()
    np.testing.assert_array_equal(result.valid_mask, roi)
    np.testing.assert_array_equal(result.masked_data.mask, ~roi)
    assert result.raw_masked_data.count() == 2


def test_a_roi_leaves_zero_in_integers(ctx, data, roi):
    class Count(UDF):
        def get_result_buffers(self):
            return {"count": self.buffer("nav", (2,), "int32")}

        def process_frame(self, frame):
            self.results.count[:] = frame.size

    result = ctx.run_udf(ctx.load("memory", data=data), Count(), roi=roi)["count"]
    assert result.data.shape == (3, 4, 2)
    assert (result.data[roi] == 30).all()
    assert (result.data[~roi] == 0).all()


@pytest.mark.filterwarnings("ignore:roi selects none")
def test_a_roi_that_selects_nothing(ctx, data):
    nothing = np.zeros((3, 4), bool)
    dataset = ctx.load("memory", data=data)
    by_pixel, by_frame = ctx.run_udf(dataset, [SumUDF(), SumSigUDF()], roi=nothing)
    assert (by_pixel["intensity"].data == 0).all()
    assert not by_pixel["intensity"].valid_mask.any()
    assert by_frame["intensity"].roi_is_zero
    assert by_frame["intensity"].raw_data.shape == (0,)
    (step,) = ctx.run_udf_iter(dataset, SumUDF(), roi=nothing)
    assert not step.damage.data.any()
