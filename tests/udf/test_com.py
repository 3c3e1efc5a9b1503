"""The centre of mass against NumPy, its corrections against fields that are known."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engine.pacing import iterate
from tests.udf.test_builtin import DTYPES, make_data
from udfwidgets import Context, masks
from udfwidgets.engine.executors import InlineExecutor
from udfwidgets.udf.com import (
    CoMParams,
    CoMUDF,
    RegressionOptions,
    apply_correction,
    center_shifts,
    com_masks_factory,
    coordinate_check,
    curl_2d,
    divergence,
    guess_corrections,
    magnitude,
)
from udfwidgets.udf.compiled.columns import FEW, MOST
from udfwidgets.udf.compiled.kernels import exact_dtype
from udfwidgets.udf.compiled.moments import (
    MOMENT_STRIP,
    add_moments,
    add_moments_of_integers,
    moment_ramp,
)
from udfwidgets.udf.compiled.spans import runs

SHAPES = {
    "odd": (5, 7, 11, 13),
    "one wide sig": (6, 5, 9, 1),
    "one pixel": (9, 4, 1, 1),
    "one frame": (1, 1, 8, 8),
    "one row": (1, 6, 5, 4),
    "wide sig": (2, 2, 3, 2 * MOMENT_STRIP + 3),
}
ROI = np.random.default_rng(3).random((5, 7)) > 0.4


@pytest.fixture(params=["inline", "threads"])
def ctx(request):
    with Context.make_with(request.param) as ctx:
        yield ctx


def center_of_mass(data, mask=1):
    data = data * np.asarray(mask, float)
    y, x = np.indices(data.shape[-2:])
    return (
        np.stack([(data * y).sum((-2, -1)), (data * x).sum((-2, -1))], -1)
        / data.sum((-2, -1))[..., None]
    )


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_whole_frames(ctx, shape):
    data = make_data(shape) + 1
    result = ctx.run_udf(dataset=ctx.load("memory", data=data), udf=CoMUDF())
    expected = center_of_mass(data)
    middle = np.array(shape[2:]) // 2
    np.testing.assert_allclose(result["raw_com"].data, expected, rtol=1e-6)
    np.testing.assert_allclose(result["raw_shifts"].data, expected - middle, atol=1e-5)
    np.testing.assert_allclose(result["field_x"].data, (expected - middle)[..., 1], atol=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes(ctx, dtype):
    data = make_data((4, 5, 6, 7), dtype)
    if np.dtype(dtype).kind in "if":
        data = np.abs(data)
    result = ctx.run_udf(dataset=ctx.load("memory", data=data), udf=CoMUDF())["raw_com"]
    assert result.dtype == np.result_type(data, "f4")
    wide = data.astype(np.result_type(data, "f8"))
    y, x = np.indices((6, 7))
    expected = np.stack([(wide * y).sum((2, 3)), (wide * x).sum((2, 3))], -1)
    np.testing.assert_allclose(result.data, expected / wide.sum((2, 3))[..., None], rtol=2e-3)


@pytest.mark.parametrize("kernel", [add_moments, add_moments_of_integers])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(
    "shape", [(3, 2 * MOMENT_STRIP + 5), (4, MOST + 2 * FEW + 3), (2 * MOMENT_STRIP + 7, 5)]
)
@pytest.mark.parametrize(("dtype", "value"), [("u1", 255), ("u2", 65535), ("i2", -32768)])
def test_moments_of_full_pixels_are_exact(dtype, value, shape, masked, kernel):
    tile = np.full((2, *shape), value, dtype)
    mask = np.ones(shape, bool)
    mask[1, :2] = not masked
    moments = np.zeros((2, 3), exact_dtype(tile.dtype))
    flat = tile.reshape(2, -1)
    kernel(flat, shape, runs(mask), (7, 11), moment_ramp(tile.dtype), moments)
    y, x = np.nonzero(mask)
    expected = [value * y.size, value * (y + 7).sum(), value * (x + 11).sum()]
    np.testing.assert_array_equal(moments, [expected, expected])


@pytest.mark.parametrize("ri", [0.0, 1.7, None])
def test_disk_and_ring(ctx, ri):
    data = make_data((4, 5, 11, 13)) + 1
    udf = CoMUDF.with_params(cy=4.4, cx=6.2, r=3.9, ri=ri)
    result = ctx.run_udf(dataset=ctx.load("memory", data=data), udf=udf)
    mask = masks.circular(6.2, 4.4, 13, 11, 3.9)
    if ri:
        mask = masks.ring(6.2, 4.4, 13, 11, 3.9, ri)
    expected = center_of_mass(data, mask)
    np.testing.assert_allclose(result["raw_com"].data, expected, rtol=1e-6)
    np.testing.assert_allclose(result["raw_shifts"].data, expected - (4.4, 6.2), atol=1e-5)


def test_frames_without_intensity_are_at_the_reference(ctx):
    data = make_data((4, 5, 6, 7))
    data[1, 2] = 0
    udf = CoMUDF.with_params(cy=1.5, cx=2.5)
    result = ctx.run_udf(dataset=ctx.load("memory", data=data), udf=udf)
    assert result["raw_com"].data[1, 2].tolist() == [1.5, 2.5]
    assert result["raw_shifts"].data[1, 2].tolist() == [0, 0]


def test_positions_outside_the_roi_are_nan(ctx):
    data = make_data((5, 7, 6, 8)) + 1
    dataset = ctx.load("memory", data=data)
    whole = ctx.run_udf(dataset=dataset, udf=CoMUDF())
    part = ctx.run_udf(dataset=dataset, udf=CoMUDF(), roi=ROI)
    for name in ("raw_com", "raw_shifts", "field", "field_y", "field_x", "magnitude"):
        assert np.isnan(part[name].data[~ROI]).all(), name
        np.testing.assert_array_equal(part[name].data[ROI], whole[name].data[ROI], name)
        assert part[name].raw_data.shape[0] == ROI.sum()
    with np.errstate(invalid="ignore"):
        y, x = (
            np.where(ROI, whole["field_y"].data, np.nan),
            np.where(ROI, whole["field_x"].data, np.nan),
        )
    expected = np.where(ROI, divergence(y, x), np.nan)
    np.testing.assert_allclose(part["divergence"].data, expected, atol=1e-6)


@pytest.mark.parametrize("roi", [None, ROI], ids=["all", "roi"])
def test_every_step_is_a_run_on_what_is_in(roi):
    with Context.make_with("inline") as ctx:
        dataset = ctx.load("memory", data=make_data((5, 7, 6, 8)) + 1)
        udf = CoMUDF.with_params(cy=2, cx=3, regression=1)
        steps = list(iterate(InlineExecutor(), dataset, [udf], roi, size=9))
        assert len(steps) > 2
        for step in steps:
            result, here = step.buffers[0], step.damage.data
            fresh = ctx.run_udf(dataset=dataset, udf=udf, roi=here)
            for name, buffer in result.items():
                where = here if buffer.kind == "nav" else ...
                expected = fresh[name].data[where]
                np.testing.assert_allclose(buffer.data[where], expected, err_msg=name)
            waiting = ~here if roi is None else ~here & roi
            for name in ("field", "field_y", "magnitude", "raw_shifts"):
                assert not result[name].data[waiting].any(), name
            assert (result["raw_com"].data[waiting] == (2, 3)).all()


def test_field_results(ctx):
    data = make_data((5, 7, 6, 8)) + 1
    udf = CoMUDF.with_params(scan_rotation=30, flip_y=True)
    result = ctx.run_udf(dataset=ctx.load("memory", data=data), udf=udf)
    shifts = result["raw_shifts"].data
    y, x = apply_correction(shifts[..., 0], shifts[..., 1], 30, True)
    np.testing.assert_allclose(result["field"].data, np.stack([y, x], -1), atol=1e-6)
    np.testing.assert_allclose(result["magnitude"].data, np.hypot(y, x), atol=1e-6)
    np.testing.assert_allclose(result["divergence"].data, divergence(y, x), atol=1e-6)
    np.testing.assert_allclose(result["curl"].data, curl_2d(y, x), atol=1e-6)
    assert result["regression"].data.tolist() == [[0, 0]] * 3


def test_scan_of_one_row_has_no_divergence(ctx):
    dataset = ctx.load("memory", data=make_data((1, 6, 5, 4)) + 1)
    result = ctx.run_udf(dataset=dataset, udf=CoMUDF())
    assert np.isnan(result["divergence"].data).all()
    assert np.isnan(result["curl"].data).all()
    assert np.isfinite(result["magnitude"].data).all()


def tilted(offset, slope_y, slope_x):
    """Return a scan of single bright pixels that move linearly over the detector."""
    data = np.zeros((6, 7, 64, 64), "u2")
    for y, x in np.ndindex(6, 7):
        at = np.add(offset, np.multiply(y, slope_y)) + np.multiply(x, slope_x)
        data[y, x, int(at[0]), int(at[1])] = 9
    return data


@pytest.mark.parametrize("roi", [None, np.random.default_rng(0).random((6, 7)) > 0.3])
def test_regression(ctx, roi):
    layout = [[20, 10], [3, -1], [1, 4]]
    dataset = ctx.load("memory", data=tilted(*layout))
    wanted = [[20 - 32, 10 - 32], *layout[1:]]
    for regression in (RegressionOptions.SUBTRACT_LINEAR, 1, np.array(wanted)):
        udf = CoMUDF.with_params(regression=regression)
        result = ctx.run_udf(dataset=dataset, udf=udf, roi=roi)
        np.testing.assert_allclose(result["regression"].data, wanted, atol=1e-9)
        np.testing.assert_allclose(result["field"].raw_data, 0, atol=1e-5)
    result = ctx.run_udf(dataset=dataset, udf=CoMUDF.with_params(regression=0), roi=roi)
    mean = result["raw_shifts"].raw_data.astype("f8").mean(axis=0)
    np.testing.assert_allclose(result["regression"].data, [mean, [0, 0], [0, 0]], atol=1e-6)
    np.testing.assert_allclose(result["field"].raw_data.mean(axis=0), 0, atol=1e-5)


@pytest.mark.filterwarnings("ignore:roi selects none")
@pytest.mark.parametrize("regression", [-1, 0, 1])
def test_empty_roi(ctx, regression):
    dataset = ctx.load("memory", data=make_data((5, 7, 6, 8)))
    udf = CoMUDF.with_params(regression=regression)
    result = ctx.run_udf(dataset=dataset, udf=udf, roi=np.zeros((5, 7), bool))
    assert np.isnan(result["field"].data).all()
    assert not result["regression"].data.any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ri": 3, "r": 3}, "ri=3 leaves nothing"),
        ({"regression": 7}, "unrecognized regression option 7"),
        ({"regression": np.zeros((2, 3))}, r"shape \(2, 3\), expected the required shape \(3, 2\)"),
    ],
)
def test_wrong_parameters(ctx, arguments, message):
    dataset = ctx.load("memory", data=make_data((5, 7, 6, 8)))
    with pytest.raises(ValueError, match=message):
        ctx.run_udf(dataset=dataset, udf=CoMUDF.with_params(**arguments))


def test_wrong_shapes_and_complex_regression(ctx):
    with pytest.raises(ValueError, match=r"2D scan and a 2D detector.*nav \(5,\)"):
        ctx.run_udf(dataset=ctx.load("memory", data=make_data((5, 6, 8))), udf=CoMUDF())
    dataset = ctx.load("memory", data=make_data((5, 7, 6, 8), "c8"))
    with pytest.raises(TypeError, match="no regression for complex data"):
        ctx.run_udf(dataset=dataset, udf=CoMUDF.with_params(regression=0))


def test_subclass_adds_a_result(ctx):
    class Angle(CoMUDF):
        def get_result_buffers(self):
            return {
                **super().get_result_buffers(),
                "angle": self.buffer("nav", dtype="float32", use="result_only"),
            }

        def get_field_results(self, field_y, field_x):
            return {
                **super().get_field_results(field_y, field_x),
                "angle": np.arctan2(field_y, field_x),
            }

    dataset = ctx.load("memory", data=make_data((5, 7, 6, 8)))
    result = ctx.run_udf(dataset=dataset, udf=Angle(CoMParams(cy=2)), roi=ROI)
    expected = np.arctan2(result["field_y"].data, result["field_x"].data)
    np.testing.assert_allclose(result["angle"].data, expected, atol=1e-5)


def test_rotation_is_clockwise_and_goes_back():
    y, x = apply_correction(np.zeros(1), np.ones(1), scan_rotation=90, flip_y=False)
    np.testing.assert_allclose([y[0], x[0]], [1, 0], atol=1e-12)
    y, x = np.random.default_rng(0).random((2, 3, 4))
    there = apply_correction(y, x, 33, True)
    np.testing.assert_allclose(apply_correction(*there, 33, True, forward=False), [y, x])


def test_curl_of_every_rotation():
    y, x = np.random.default_rng(0).random((2, 9, 8))
    checked = coordinate_check(y, x)
    for flip_y, values in zip((False, True), checked, strict=True):
        for angle in (0, 45, 200, 359):
            curl = curl_2d(*apply_correction(y, x, angle, flip_y))[:-1, :-1]
            np.testing.assert_allclose(values[angle], np.sqrt((curl**2).mean()), rtol=1e-9)


@pytest.mark.parametrize("scan_rotation", [0, 31, 180, -120])
@pytest.mark.parametrize("flip_y", [False, True])
def test_guess_finds_what_was_done_to_a_field(scan_rotation, flip_y):
    # Attracted towards two atoms: the field is the slope of a sum of two bumps.
    y, x = np.mgrid[:24, :24]
    bumps = sum(np.exp(-((y - a) ** 2 + (x - b) ** 2) / 8) for a, b in ((7, 9), (16, 14)))
    field = np.gradient(bumps)
    seen = apply_correction(*field, scan_rotation, flip_y, forward=False)
    guess = guess_corrections(seen[0] + 3, seen[1] - 2)
    found = apply_correction(*seen, guess.scan_rotation, guess.flip_y)
    np.testing.assert_allclose(found, field, atol=0.02 * magnitude(*field).max())
    assert guess.flip_y is flip_y
    assert (guess.scan_rotation - scan_rotation) % 360 in (0, 1, 359)
    assert guess.cy == pytest.approx(3, abs=0.05)
    assert set(guess._asdict()) <= set(CoMParams._fields)


def test_masks_and_shifts_by_hand():
    frame = make_data((11, 13)) + 1
    sums = [(mask() * frame).sum() for mask in com_masks_factory(11, 13, cy=5, cx=6, r=4)]
    mask = masks.circular(6, 5, 13, 11, 4)
    y, x = center_shifts(*(np.array([value]) for value in sums), 5, 6)
    np.testing.assert_allclose([y[0] + 5, x[0] + 6], center_of_mass(frame, mask))
