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


class MaskedResults(UDF):
    def get_result_buffers(self):
        return {
            "nav": self.buffer("nav", dtype="f8", extra_shape=2),
            "sig": self.buffer("sig", dtype="i8"),
            "single": self.buffer("single", dtype="f4"),
        }

    def process_frame(self, frame):
        self.results.nav[:] = frame.sum()
        self.results.sig[:] += frame.astype("i8")

    def merge(self, dest, src):
        dest.nav[:] = src.nav
        dest.sig[:] += src.sig

    def get_results(self):
        nav = np.ma.masked_array(self.results.nav, np.zeros(self.results.nav.shape, bool))
        nav[0, 1] = np.ma.masked
        sig = np.ma.masked_array(self.results.sig, np.eye(4, dtype=bool))
        if self.params.wrapped:
            return {"nav": self.with_mask(nav, True), "sig": self.with_mask(sig, sig.data == 6)}
        return {"nav": nav, "sig": sig, "single": np.ma.masked_array([1.0], [True])}


@pytest.mark.parametrize("wrapped", [False, True])
def test_what_is_masked_in_a_result_is_not_valid(ctx, wrapped):
    dataset = ctx.load("memory", data=np.ones((2, 3, 4, 4)))
    results = ctx.run_udf(dataset=dataset, udf=MaskedResults(wrapped=wrapped))
    nav, sig = results["nav"], results["sig"]
    assert np.argwhere(~nav.valid_mask).tolist() == [[0, 0, 1]]
    assert np.argwhere(np.isnan(nav.data)).tolist() == [[0, 0, 1]]
    np.testing.assert_array_equal(sig.valid_mask, ~np.eye(4, dtype=bool))
    assert (sig.masked_data.compressed() == 6).all()
    assert wrapped or not results["single"].valid_mask.any()


def test_a_masked_result_is_not_valid_where_nothing_was_merged(ctx):
    dataset = ctx.load("memory", data=np.ones((2, 3, 4, 4)))
    roi = np.array([[True, False, True], [True, False, False]])
    nav = ctx.run_udf(dataset=dataset, udf=MaskedResults(wrapped=False), roi=roi)["nav"]
    expected = np.stack([roi, roi], axis=-1)
    expected[0, 0, 1] = False
    np.testing.assert_array_equal(nav.valid_mask, expected)
