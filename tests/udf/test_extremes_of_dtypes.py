"""Every built-in UDF, on every dtype and its extremes, against exact arithmetic.

What is expected comes from Python's integers, or from NumPy's long doubles for floats, over the
frames that are selected and there: some scans were stopped early, or begin late.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from udfwidgets import Context
from udfwidgets.io.corrections import CorrectionSet
from udfwidgets.io.dataset.memory import MemoryDataSet
from udfwidgets.udf.auto import AutoUDF
from udfwidgets.udf.com import CoMUDF
from udfwidgets.udf.crystallinity import CrystallinityUDF
from udfwidgets.udf.FEM import FEMUDF
from udfwidgets.udf.logsum import LogsumUDF
from udfwidgets.udf.masks import ApplyMasksUDF
from udfwidgets.udf.raw import PickUDF
from udfwidgets.udf.stddev import StdDevUDF
from udfwidgets.udf.sum import SumUDF
from udfwidgets.udf.sumsigudf import SumSigUDF

INTEGERS = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", ">u2", ">i4", ">u8", "<i8"]
FLOATS = ["f2", "f4", "f8", ">f4", ">f8", "g"]
NAV = (3, 4)


@pytest.fixture(scope="module")
def ctx():
    with Context.make_with("inline") as ctx:
        yield ctx


@dataclass(frozen=True)
class Scan:
    """Frames in full shape, and which of them count.

    Of those from `end` on, and of as many at the start as a negative `sync_offset` says, none was
    stored. With a positive one, so many were stored before the first that are no part of the scan.
    """

    data: np.ndarray
    roi: np.ndarray | None = None
    sync_offset: int = 0
    end: int | None = None

    @property
    def selected(self):
        return np.ones(self.data.shape[:2], bool) if self.roi is None else self.roi

    @property
    def there(self):
        there = np.zeros(self.data.shape[:2], bool)
        there.reshape(-1)[max(-self.sync_offset, 0) : self.end] = True
        return there

    @property
    def frames(self):
        return self.data[self.selected & self.there]

    def load(self):
        flat = self.data.reshape(-1, *self.data.shape[2:])
        before = flat[: max(self.sync_offset, 0)]
        stored = np.concatenate([before, flat[max(-self.sync_offset, 0) : self.end]])
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*frames are missing")
            return MemoryDataSet(
                stored, nav_shape=self.data.shape[:2], sync_offset=self.sync_offset
            )

    def run(self, ctx, udf):
        """Return the results, those per frame without the rows of frames that are missing."""
        results, raw = ctx.run_udf(dataset=self.load(), udf=udf, roi=self.roi), {}
        there = self.there[self.selected]
        for name, result in results.items():
            per_frame = result.kind == "nav" or isinstance(udf, PickUDF)
            valid = result.raw_valid_mask.reshape(len(result.raw_data), -1)
            assert (valid == (there[:, np.newaxis] if per_frame else True)).all(), name
            if result.kind == "nav":
                valid = result.valid_mask.reshape(*self.there.shape, -1)
                assert (valid == (self.selected & self.there)[..., np.newaxis]).all(), name
            if per_frame and name != "raw_com":  # which is the centre where nothing was counted
                assert not result.raw_data[~there].any(), name
            raw[name] = result.raw_data[there] if per_frame else result.raw_data
        return raw


def some_values(dtype, rng, shape):
    """Return ordinary values, with extremes of the dtype among them."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) < 0.5
    if dtype.kind in "ui":
        info = np.iinfo(dtype)
        extremes = [info.max, info.max - 1, info.min, info.min + 1, info.max // 2 + 1, 0]
        ordinary = rng.integers(0, 100, shape)
    else:
        # Of one sign and far enough from the end for sums and squares that can be represented.
        # Those of half and single floats are calculated in 64 bits, so they go to the end.
        info = np.finfo(np.float64 if dtype == np.longdouble else dtype)
        end = float(info.max) if dtype.itemsize <= 4 else math.sqrt(float(info.max)) / 1e6
        extremes = [end, end / 2, float(info.tiny), 0.0]
        ordinary = rng.random(shape) * 100
    exact = [int(e) if dtype.kind in "ui" else e for e in extremes]
    picked = np.array(exact, dtype)[rng.integers(0, len(exact), shape)]
    return np.where(rng.random(shape) < 0.3, picked, ordinary.astype(dtype)).astype(dtype)


@st.composite
def scans(draw, dtypes, sig=None):
    dtype = draw(st.sampled_from(dtypes))
    sig = sig or draw(st.sampled_from([(1, 1), (5, 7), (8, 33)]))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    data = some_values(dtype, rng, (*NAV, *sig)).astype(dtype)
    roi = rng.random(NAV) < 0.5 if draw(st.booleans()) else None
    if roi is not None:
        roi[1, 2] = True  # which is there in all of these scans
    sync_offset, end = draw(st.sampled_from([0, 0, -1, -6, 1, 5])), None
    if draw(st.booleans()):
        end = draw(st.integers(7, math.prod(NAV) - 1))
    return Scan(data, roi, sync_offset, end)


def exactly(array, axis):
    """Return sums as Python's integers."""
    return np.asarray(array.astype(object).sum(axis=axis))


def as_floats(sums, dtype=np.float64):
    return np.array([float(one) for one in sums.reshape(-1)]).reshape(sums.shape).astype(dtype)


@settings(max_examples=60)
@given(scan=scans(["?", *INTEGERS]))
def test_sums_of_integers_are_exact(ctx, scan):
    for udf, axis in ((SumUDF(), 0), (SumSigUDF(), (1, 2))):
        got = scan.run(ctx, udf)["intensity"]
        np.testing.assert_array_equal(got, as_floats(exactly(scan.frames, axis), got.dtype))


@settings(max_examples=40)
@given(scan=scans(FLOATS))
def test_sums_of_floats_are_those_of_64_bits(ctx, scan):
    wide = scan.frames.astype("g")
    for udf, axis in ((SumUDF(), 0), (SumSigUDF(), (1, 2))):
        got = scan.run(ctx, udf)["intensity"]
        with np.errstate(over="ignore"):
            expected = wide.sum(axis=axis).astype(got.dtype)
        np.testing.assert_allclose(got, expected, rtol=1e-6 if got.dtype == "f4" else 1e-13)


@settings(max_examples=40)
@given(scan=scans(["?", *INTEGERS, *FLOATS]))
def test_mean_and_variance(ctx, scan):
    result = scan.run(ctx, StdDevUDF())
    wide, count = scan.frames.astype("g"), len(scan.frames)
    # Numbers of more bits are rounded to 53 first.
    slack = np.abs(wide).max(axis=0) * 2.0**-50
    np.testing.assert_allclose(
        result["sum"], wide.sum(axis=0), rtol=1e-13, atol=slack.max() * count
    )
    mean = wide.sum(axis=0) / count
    np.testing.assert_allclose(result["mean"], mean, rtol=1e-13, atol=slack.max())
    spread = ((wide - mean) ** 2).sum(axis=0)
    off = np.abs(result["varsum"] - spread) - 1e-12 * spread
    # Squares of the smallest numbers are zero in 64 bits.
    smallest = np.finfo(np.float64).tiny
    assert (off <= slack * np.sqrt(spread) * 4 + slack**2 * count + smallest).all()
    np.testing.assert_allclose(result["std"], np.sqrt(result["varsum"] / count))
    assert result["num_frames"][0] == count


def moments(frames, ring):
    """Return the centre of mass as fractions, and how much it can be off, relatively."""
    y, x = np.indices(frames.shape[1:])
    exact = np.array([Fraction(0)])
    for frame in frames:
        values = [
            Fraction(v) if isinstance(v, int) else Fraction(float(v)) for v in frame[ring].tolist()
        ]
        total, rows, columns = sum(values, start=exact[0]), y[ring].tolist(), x[ring].tolist()
        if total == 0:
            yield None
            continue
        weight = sum((abs(v) for v in values), start=Fraction(0)) / abs(total)
        of = [
            sum((v * w for v, w in zip(values, at, strict=True)), start=Fraction(0))
            for at in (rows, columns)
        ]
        yield [float(one / total) for one in of], float(weight)


@settings(max_examples=40)
@given(scan=scans(["?", *INTEGERS, *FLOATS], sig=(5, 7)), radius=st.sampled_from([2.0, math.inf]))
def test_centre_of_mass(ctx, scan, radius):
    got = scan.run(ctx, CoMUDF.with_params(cy=2, cx=3, r=radius))["raw_com"]
    y, x = np.indices((5, 7))
    ring = (y - 2) ** 2 + (x - 3) ** 2 <= radius**2
    for one, expected in zip(got, moments(scan.frames, ring), strict=True):
        if expected is None:
            assert one.tolist() == [2, 3]
            continue
        if expected[1] > 1e9:
            continue  # it is what floats leave of a difference
        rounding = 1e-6 if got.dtype == "f4" else 1e-13
        np.testing.assert_allclose(
            one, expected[0], rtol=0, atol=10 * rounding * max(expected[1], 1)
        )


FORMS = {
    "dense": lambda masks: [lambda m=m: m for m in masks],
    "stack": lambda masks: lambda: masks,
    "csr": lambda masks: [lambda m=m: scipy.sparse.csr_matrix(m) for m in masks],
    "pydata": lambda masks: [lambda m=m: pydata(m) for m in masks],
    "masked": lambda masks: [
        lambda m=m: np.ma.masked_array(np.where(m == 0, 9, m), m == 0) for m in masks
    ],
}


def pydata(mask):
    sparse = pytest.importorskip("sparse")
    return sparse.COO.from_numpy(mask)


@settings(max_examples=80)
@given(
    scan=scans(["?", *INTEGERS, *FLOATS, "c8", "c16"], sig=(8, 33)),
    form=st.sampled_from(sorted(FORMS)),
    count=st.integers(1, 7),
    share=st.sampled_from([0.1, 0.9]),
    kind=st.sampled_from(["?", "i2", "f4", "f8", "c8"]),
    shifted=st.booleans(),
    bad=st.sampled_from([None, np.nan, np.inf, -np.inf]),
    seed=st.integers(0, 99),
)
def test_masks(ctx, scan, form, count, share, kind, shifted, bad, seed):
    rng = np.random.default_rng(seed)
    masks = (rng.integers(1, 5, (count, 8, 33)) * (rng.random((count, 8, 33)) < share)).astype(kind)
    masks[:, 3:5, 9:12] = 0  # dead
    frames = scan.data.copy()
    if bad is not None and frames.dtype.kind in "fc":
        frames[..., 3:5, 9:12] = bad
    shifts = (0, 0) if shifted else None
    got = replace(scan, data=frames).run(ctx, ApplyMasksUDF(FORMS[form](masks), shifts=shifts))[
        "intensity"
    ]
    kept = np.where((masks != 0).any(axis=0), frames[scan.selected & scan.there], 0)
    products = masks[None].astype("G" if kind == "c8" else "g") * kept[:, None].astype(
        np.result_type(kept, "g")
    )
    expected, size = products.sum(axis=(2, 3)), np.abs(products).sum(axis=(2, 3))
    small = max(np.finfo(got.dtype).eps, 2.0**-52) * 4 + 2e-5 * (
        frames.dtype.kind in "fc" and kind == "f4"
    )
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = expected.astype(got.dtype)
        same = (got == rounded) | (np.abs(got - expected) <= size * small)
    assert same.all(), (got, expected)


@settings(max_examples=40)
@given(scan=scans(["?", *INTEGERS, *FLOATS]))
def test_logarithms(ctx, scan):
    got = scan.run(ctx, LogsumUDF())["logsum"]
    values: Any = scan.frames.astype("g" if scan.data.dtype.kind == "f" else object)
    heights = values - values.min(axis=(1, 2), keepdims=True)
    logs = np.log1p(heights.astype("f8")).sum(axis=0)
    # Of a height that is added to one first, 53 bits of the sum are left.
    np.testing.assert_allclose(got, logs, rtol=1e-6, atol=len(values) * 2.0**-52)


@settings(max_examples=30)
@given(scan=scans(["?", *INTEGERS, *FLOATS], sig=(8, 33)))
def test_what_looks_at_whole_frames(ctx, scan):
    got = scan.run(ctx, FEMUDF((4, 16), 1, 4))["intensity"]
    y, x = np.indices((8, 33))
    distance = (y - 4) ** 2 + (x - 16) ** 2
    pixels = scan.frames[:, (distance <= 16) & (distance > 1)].astype("g")
    with np.errstate(over="ignore"):
        slack = np.abs(pixels).max(axis=1).astype("f8") * 2.0**-50
        expected = pixels.std(axis=1).astype("f8")
        off = np.abs(got.astype("f8") - expected)
        fits = (got == expected.astype("f4")) | (off <= 1e-6 * expected + slack)
    assert fits.all()
    np.testing.assert_array_equal(scan.run(ctx, PickUDF())["intensity"], scan.frames)
    picked = scan.run(ctx, AutoUDF(lambda frame: frame[3, 5]))["result"].reshape(-1)
    np.testing.assert_array_equal(picked, scan.frames[:, 3, 5].astype(picked.dtype))


@pytest.mark.parametrize("dtype", ["?", *INTEGERS, *FLOATS])
def test_crystallinity_of_a_spoilt_beam(ctx, dtype):
    data = some_values("?", np.random.default_rng(0), (*NAV, 8, 8)).astype(dtype)
    udf = CrystallinityUDF(1, 4, real_center=(4, 4), real_rad=1)
    expected = Scan(data).run(ctx, udf)["intensity"]
    if data.dtype.kind == "f":
        data[..., 4, 4] = np.nan
    np.testing.assert_array_equal(Scan(data).run(ctx, udf)["intensity"], expected)
    assert (expected > 0).all()


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "g", ">f8"])
@pytest.mark.parametrize("place", [(0, 0), (1, 2), (2, 3)])
def test_infinite_in_one_frame(ctx, dtype, place):
    data = np.ones((*NAV, 2, 2), dtype)
    data[place][0, 0], data[place][0, 1], data[place][1, 0] = np.inf, -np.inf, np.nan
    result = Scan(data).run(ctx, StdDevUDF())
    for name in ("sum", "mean"):
        whole = 12 if name == "sum" else 1
        np.testing.assert_array_equal(result[name], [[np.inf, -np.inf], [np.nan, whole]])
    np.testing.assert_array_equal(result["var"], [[np.nan, np.nan], [np.nan, 0]])


def test_moments_of_a_large_detector_of_32_bits(ctx):
    data = np.full((1, 2, 2048, 4096), np.iinfo("i4").max, "i4")
    com = Scan(data).run(ctx, CoMUDF())["raw_com"]
    np.testing.assert_allclose(com, [[1023.5, 2047.5]] * 2)


@pytest.mark.parametrize("dtype", ["u1", "i8", "u8"])
def test_a_sum_that_does_not_fit_into_the_dtype_asked_for(ctx, dtype):
    data = np.full((*NAV, 2, 2), np.iinfo(dtype).max, dtype)
    scan = Scan(data)
    with pytest.raises(OverflowError, match=f"does not fit into {np.dtype(dtype)}"):
        scan.run(ctx, SumUDF(dtype=dtype))
    small = Scan(data // 16).run(ctx, SumUDF(dtype=dtype))["intensity"]
    assert small.dtype == dtype
    np.testing.assert_array_equal(small, np.full((2, 2), int(data[0, 0, 0, 0]) // 16 * 12, dtype))


@pytest.mark.skipif(np.finfo("g").max == np.finfo("f8").max, reason="long doubles are doubles")
@pytest.mark.parametrize("udf", [SumUDF, SumSigUDF, StdDevUDF, CoMUDF, LogsumUDF])
def test_long_doubles_beyond_64_bits_are_refused(ctx, udf):
    data = np.ones((*NAV, 4, 4), "g")
    data[1, 1, 2, 2] = np.longdouble("1e4000")
    with pytest.raises(OverflowError, match="scale the data"):
        Scan(data).run(ctx, udf())


@pytest.mark.parametrize("dtype", ["f2", "f4", "g"])
@pytest.mark.parametrize("base", [SumUDF, SumSigUDF, StdDevUDF, ApplyMasksUDF])
def test_subclasses_take_every_float(ctx, base, dtype):
    data = np.ones((*NAV, 4, 4), dtype)
    subclass = type("Mine", (base,), {"takes_any_frames": True})
    udf = subclass(lambda: np.ones((4, 4))) if base is ApplyMasksUDF else subclass()
    result = Scan(data).run(ctx, udf)
    expected = {SumUDF: 12, StdDevUDF: 12}.get(base, 16)
    assert (result.get("intensity", result.get("sum")) == expected).all()


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "g"])
def test_corrections_of_every_float(ctx, dtype):
    data = np.ones((*NAV, 4, 4), dtype)
    data[..., 1, 2] = np.nan
    dataset, dead = ctx.load("memory", data=data, sig_dims=2), np.zeros((4, 4), bool)
    dead[1, 2] = True
    result = ctx.run_udf(
        dataset=dataset, udf=SumUDF(), corrections=CorrectionSet(excluded_pixels=dead)
    )
    assert (result["intensity"].data == 12).all()
