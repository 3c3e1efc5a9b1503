"""Masked arrays of NumPy: what they leave out is left out, or they are refused in words."""

from __future__ import annotations

import numpy as np
import pytest

from udfwidgets import ApplyMasksUDF, Context, SumSigUDF, SumUDF
from udfwidgets.io.corrections import CorrectionSet
from udfwidgets.udf import UDF
from udfwidgets.udf.auto import AutoUDF


@pytest.fixture
def ctx():
    with Context.make_with("inline") as ctx:
        yield ctx


def masked(shape, *place):
    array = np.ma.masked_array(np.ones(shape), np.zeros(shape, bool))
    array[place] = np.ma.masked
    return array


def test_data_with_masked_values_are_refused(ctx):
    with pytest.raises(ValueError, match="data is a masked array, with 1 of 96 values masked"):
        ctx.load("memory", data=masked((2, 3, 4, 4), 0, 0, 1, 1))


def test_data_of_which_nothing_is_masked_are_taken(ctx):
    dataset = ctx.load("memory", data=np.ma.masked_array(np.ones((2, 3, 4, 4))))
    assert (ctx.run_udf(dataset=dataset, udf=SumUDF())["intensity"].data == 6).all()


def test_masked_positions_of_a_roi_are_not_selected(ctx):
    roi = masked((2, 3), 1, 2).astype(bool)
    dataset = ctx.load("memory", data=np.ones((2, 3, 4, 4)))
    result = ctx.run_udf(dataset=dataset, udf=SumSigUDF(), roi=roi)["intensity"]
    assert result.raw_data.shape == (5,)
    assert np.isnan(result.data[1, 2])


@pytest.mark.parametrize("stacked", [False, True])
def test_masked_pixels_of_a_mask_are_left_out(ctx, stacked):
    data = np.ones((2, 3, 4, 4))
    data[..., 1, 1] = np.nan
    shape, place = ((2, 4, 4), (slice(None), 1, 1)) if stacked else ((4, 4), (1, 1))
    udf = ApplyMasksUDF(lambda: masked(shape, *place))
    result = ctx.run_udf(dataset=ctx.load("memory", data=data), udf=udf)["intensity"]
    assert (result.data == 15).all()


@pytest.mark.parametrize("name", ["dark", "gain", "excluded_pixels"])
def test_corrections_with_masked_values_are_refused(name):
    with pytest.raises(ValueError, match="masked array, with 1 of 16 values masked"):
        CorrectionSet(**{name: masked((4, 4), 0, 0)})


def test_auxiliary_data_with_masked_values_are_refused():
    with pytest.raises(ValueError, match="aux_data is a masked array"):
        UDF.aux_data(masked((2, 3), 0, 0), kind="nav")


def test_a_function_that_returns_masked_values_is_refused(ctx):
    dataset = ctx.load("memory", data=np.zeros((2, 3, 4, 4)))
    udf = AutoUDF(lambda frame: np.ma.masked_equal(frame, 0).mean())
    with pytest.raises(ValueError, match="what the function returns is a masked array"):
        ctx.run_udf(dataset=dataset, udf=udf)


@pytest.mark.parametrize("roi", [np.s_[0:3, 2:4], "all", [None, None]], ids=repr)
def test_a_roi_that_holds_no_numbers_is_refused(ctx, roi):
    dataset = ctx.load("memory", data=np.ones((2, 4, 4)))
    with pytest.raises(ValueError, match="expected an array of bool of nav shape"):
        ctx.run_udf(dataset=dataset, udf=SumUDF(), roi=roi)
