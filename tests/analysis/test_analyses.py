"""What each analysis of a Context gives, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from tests.udf.test_builtin import make_data
from udfwidgets import Context, SumUDF, masks
from udfwidgets.udf.com import CoMUDF
from udfwidgets.udf.idpc import integrate_field

DATA = make_data((5, 7, 12, 14)) + 1
ROI = np.random.default_rng(3).random((5, 7)) > 0.4


@pytest.fixture(params=["inline", "threads"])
def ctx(request):
    with Context.make_with(request.param) as ctx:
        yield ctx


@pytest.fixture
def dataset(ctx):
    return ctx.load("memory", data=DATA)


def behind(mask, data=DATA):
    return (data * mask).sum(axis=(2, 3))


def assert_pictures(results, shape):
    for result in results:
        assert result.visualized.dtype == np.uint8
        assert result.visualized.shape == (*shape, 3)
        assert result.title
        assert result.desc


@pytest.mark.parametrize(
    ("name", "arguments", "mask"),
    [
        ("ring", {}, masks.ring(7, 6, 14, 12, 6, 0.8 * 6)),
        ("ring", {"cx": 5, "cy": 4, "ri": 1, "ro": 3}, masks.ring(5, 4, 14, 12, 3, 1)),
        ("ring", {"ro": 4}, masks.ring(7, 6, 14, 12, 4, 0.8 * 4)),
        ("disk", {}, masks.circular(7, 6, 14, 12, 1.8)),
        ("disk", {"cx": 5, "cy": 4, "r": 3}, masks.circular(5, 4, 14, 12, 3)),
        ("point", {}, masks.circular(7, 6, 14, 12, 0)),
        ("point", {"x": 3.9, "y": 5}, masks.circular(3, 5, 14, 12, 0)),
    ],
)
@pytest.mark.parametrize("roi", [None, ROI], ids=["all", "roi"])
def test_single_masks(ctx, dataset, name, arguments, mask, roi):
    analysis = getattr(ctx, f"create_{name}_analysis")(dataset=dataset, **arguments)
    results = ctx.run(analysis, roi=roi)
    assert repr(results) == "[<AnalysisResult: intensity>, <AnalysisResult: intensity_log>]"
    expected = behind(mask) if roi is None else np.where(roi, behind(mask), np.nan)
    np.testing.assert_allclose(results.intensity.raw_data, expected, rtol=1e-6)
    np.testing.assert_array_equal(results.intensity_log, results.intensity)
    assert_pictures(results, (5, 7))


def test_masks(ctx, dataset):
    stack = make_data((2, 12, 14), "f4", seed=1)
    results = ctx.run(ctx.create_mask_analysis(lambda: stack, dataset, mask_count=2))
    assert results.keys() == ["mask_0", "mask_1"]
    for mask, result in zip(stack, results, strict=True):
        np.testing.assert_allclose(result, behind(mask), rtol=1e-5)
    assert_pictures(results, (5, 7))


def test_complex_masks_come_in_parts(ctx, dataset):
    mask = make_data((12, 14), "c8", seed=1)
    results = ctx.run(ctx.create_mask_analysis(dataset=dataset, factories=[lambda: mask]))
    parts = ["", "_log", "_real", "_imag", "_angle", "_complex"]
    assert results.keys() == [f"mask_0{part}" for part in parts]
    expected = behind(mask)
    np.testing.assert_allclose(results.mask_0, np.abs(expected), rtol=1e-5)
    np.testing.assert_allclose(results.mask_0_imag, expected.imag, rtol=1e-4)
    np.testing.assert_allclose(results.mask_0_angle, np.angle(expected), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(results.mask_0_complex, expected, rtol=1e-4)
    assert_pictures(results, (5, 7))


def test_sum(ctx, dataset):
    results = ctx.run(ctx.create_sum_analysis(dataset=dataset), roi=ROI)
    assert results.keys() == ["intensity", "intensity_lin"]
    np.testing.assert_allclose(results.intensity, DATA[ROI].sum(axis=0))
    assert_pictures(results, (12, 14))


def test_sum_of_complex_data(ctx):
    data = make_data((3, 4, 5, 6), "c8")
    results = ctx.run(ctx.create_sum_analysis(ctx.load("memory", data=data)))
    assert results.keys()[:2] == ["intensity_lin", "intensity"]
    np.testing.assert_allclose(results.intensity_complex, data.sum(axis=(0, 1)), rtol=1e-5)
    np.testing.assert_allclose(results.intensity, np.abs(data.sum(axis=(0, 1))), rtol=1e-5)


@pytest.mark.parametrize("nav", [(7,), (5, 7), (2, 5, 7)], ids=str)
def test_pick(ctx, nav):
    data = make_data((*nav, 6, 8))
    at = tuple(n - 2 for n in nav)
    analysis = ctx.create_pick_analysis(
        ctx.load("memory", data=data, sig_dims=2), **dict(zip("xyz", reversed(at), strict=False))
    )
    results = ctx.run(analysis)
    assert results.intensity.raw_data.dtype == data.dtype
    np.testing.assert_array_equal(results.intensity, data[at])
    np.testing.assert_array_equal(results.intensity_lin, data[at])
    assert_pictures(results, (6, 8))


@pytest.mark.parametrize("roi", [None, ROI], ids=["all", "roi"])
def test_com(ctx, dataset, roi):
    arguments = {"cx": 6, "cy": 5, "flip_y": True, "scan_rotation": 40}
    analysis = ctx.create_com_analysis(
        dataset=dataset, mask_radius=4.2, mask_radius_inner=1.5, **arguments
    )
    results = ctx.run(analysis, roi=roi)
    assert results.keys() == ["field", "magnitude", "divergence", "curl", "x", "y", "idpc"]
    udf = CoMUDF.with_params(r=4.2, ri=1.5, **arguments)
    expected = ctx.run_udf(dataset=dataset, udf=udf, roi=roi)
    names = {"x": "field_x", "y": "field_y"}
    for key in results.keys()[1:-1]:
        np.testing.assert_array_equal(results[key], expected[names.get(key, key)].data)
    x, y = results.field.raw_data
    np.testing.assert_array_equal(x, results.x)
    np.testing.assert_array_equal(y, results.y)
    np.testing.assert_allclose(results.idpc, integrate_field(y, x), atol=1e-12)
    assert_pictures(results, (5, 7))


def test_com_is_relative_to_half_the_detector(ctx):
    data = np.zeros((2, 2, 5, 7))
    data[:, :, 1, 2] = 1
    results = ctx.run(ctx.create_com_analysis(ctx.load("memory", data=data), mask_radius=None))
    assert results.y.raw_data[0, 0] == 1 - 5 / 2
    assert results.x.raw_data[0, 0] == 2 - 7 / 2


def test_com_of_a_ring_turned_inside_out_is_refused(ctx, dataset):
    analysis = ctx.create_com_analysis(dataset, mask_radius=2, mask_radius_inner=3)
    with pytest.raises(ValueError, match="leaves nothing of a disk of radius"):
        ctx.run(analysis)


def test_com_of_one_row_and_of_complex_data(ctx):
    one_row = ctx.create_com_analysis(ctx.load("memory", data=DATA[:1]))
    assert ctx.run(one_row).keys() == ["field", "magnitude", "x", "y"]
    imaginary = ctx.create_com_analysis(ctx.load("memory", data=make_data((3, 4, 5, 6), "c8")))
    results = ctx.run(imaginary)
    assert results.keys() == ["x_real", "y_real", "x_imag", "y_imag"]
    assert_pictures(results, (3, 4))


@pytest.mark.parametrize("use_sparse", [None, False, True])
@pytest.mark.parametrize("roi", [None, ROI], ids=["all", "roi"])
def test_radial_fourier(ctx, use_sparse, roi):
    _, angle = masks.polar_map(7, 6, 14, 12)
    data = np.broadcast_to(50 + 20 * np.cos(3 * angle), DATA.shape).astype("f4")
    data = data + np.arange(35).reshape(5, 7, 1, 1)
    analysis = ctx.create_radial_fourier_analysis(
        ctx.load("memory", data=data), ri=1, ro=5, n_bins=2, max_order=4, use_sparse=use_sparse
    )
    results = ctx.run(analysis, roi=roi)
    rings = masks.radial_bins(7, 6, 14, 12, 5, 1, 2, use_sparse=False)
    waves = rings[:, None] * np.exp(1j * np.arange(5)[:, None, None] * angle)
    expected = np.einsum("abyx,noyx->noab", data, waves)
    where = np.ones((5, 7), bool) if roi is None else roi
    raw = results.raw_results
    assert raw.shape == (2, 5, 5, 7)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(raw[..., where], expected[..., where], atol=1e-5 * scale)
    np.testing.assert_array_equal(results.dominant_1, np.where(where, 3, 0))
    np.testing.assert_allclose(results.absolute_0_3, np.abs(raw[0, 3]))
    np.testing.assert_allclose(results.phase_0_3, np.angle(raw[0, 3]))
    np.testing.assert_allclose(results.complex_1_0, raw[1, 0])
    relative = raw[1, 3][where] / np.abs(raw[1, 0][where])
    np.testing.assert_allclose(results.complex_1_3.raw_data[where], relative, rtol=1e-5)
    assert len(results) == 2 * (1 + 3 * 5)
    assert_pictures(results, (5, 7))


@pytest.mark.parametrize("max_order", [0, 3])
def test_no_order_dominates_where_nothing_is(ctx, max_order):
    dataset = ctx.load("memory", data=np.zeros((3, 4, 12, 14)))
    analysis = ctx.create_radial_fourier_analysis(dataset, max_order=max_order)
    results = ctx.run(analysis)
    assert not results.dominant_0.raw_data.any()
    assert_pictures(results, (3, 4))


@pytest.mark.parametrize(
    ("method", "arguments", "message"),
    [
        ("com", {"mask_radius_inner": 3}, "give mask_radius as well"),
        ("point", {"x": 99, "y": 1}, "outside of a detector"),
        ("pick", {"x": 3}, "picked by y, x; got x=3"),
        ("pick", {"x": 3, "y": 1, "z": 4}, "picked by y, x; got z=4, y=1, x=3"),
        ("pick", {"x": 3, "y": 99}, r"no frame at \(99, 3\)"),
    ],
)
def test_wrong_arguments(ctx, dataset, method, arguments, message):
    with pytest.raises(ValueError, match=message):
        ctx.run(getattr(ctx, f"create_{method}_analysis")(dataset=dataset, **arguments))


@pytest.mark.parametrize("method", ["com", "ring", "disk", "point", "radial_fourier"])
def test_detectors_of_other_dimensions(ctx, method):
    dataset = ctx.load("memory", data=make_data((3, 4, 5, 6, 7)), sig_dims=3)
    with pytest.raises(ValueError, match="2D detector"):
        getattr(ctx, f"create_{method}_analysis")(dataset=dataset)


def test_com_of_a_line_scan(ctx):
    dataset = ctx.load("memory", data=make_data((4, 5, 6)), sig_dims=2)
    with pytest.raises(ValueError, match=r"2D scan, got nav \(4,\)"):
        ctx.create_com_analysis(dataset)


def test_only_analyses_are_run(ctx, dataset):
    with pytest.raises(TypeError, match="expected an analysis"):
        ctx.run(SumUDF())


def test_progress(ctx, dataset, capsys):
    ctx.run(ctx.create_sum_analysis(dataset), progress=True)
    assert "100%" in capsys.readouterr().err


def test_diagnostics(dataset):
    facts = {fact["name"]: fact["value"] for fact in dataset.diagnostics}
    assert facts["Data type"] == "uint16"
    assert facts["Scan shape"] == "(5, 7)"
    assert all(set(fact) == {"name", "value"} for fact in dataset.diagnostics)
