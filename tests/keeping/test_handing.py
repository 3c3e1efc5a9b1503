"""Results as objects of other packages."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from udfwidgets import UDF, ApplyMasksUDF, Calibration, Context, SumUDF, load_result
from udfwidgets.udf.com import CoMUDF

DATA = np.random.default_rng(5).poisson(9, (6, 7, 4, 5)).astype("u2")
HALF = np.zeros((6, 7), bool)
HALF[:4] = True

needs_xarray = pytest.mark.skipif(
    find_spec("xarray") is None and not os.environ.get("CI"), reason="xarray is not installed"
)
# `make thirdparty` installs it, and runs these tests there.
needs_hyperspy = pytest.mark.skipif(
    find_spec("hyperspy") is None, reason="hyperspy is tested by make thirdparty"
)


class ComplexUDF(UDF):
    """Complex numbers of the scan and a few of no axes."""

    def get_result_buffers(self):
        return {
            "wave": self.buffer(kind="nav", dtype="complex64"),
            "curve": self.buffer(kind="single", extra_shape=(3,), dtype="float32"),
            "total": self.buffer(kind="single", dtype="int64"),
        }

    def process_frame(self, frame):
        self.results.wave[:] = frame[0, 0] * 1j
        self.results.total[:] += int(frame.sum())

    def merge(self, dest, src):
        dest.wave[:] = src.wave
        dest.total[:] += src.total


@pytest.fixture
def results():
    given = Calibration(nav=[(2.5, "nm"), (2.0, "nm")], sig=(0.4, "mrad"))
    udfs = [
        SumUDF(),
        ApplyMasksUDF([np.ones((4, 5)), np.eye(4, 5)]),
        CoMUDF.with_params(cy=1, cx=2),
        ComplexUDF(),
    ]
    with Context.make_with("inline") as ctx:
        dataset = ctx.load("memory", data=DATA, calibration=given)
        return ctx.run_udf(dataset=dataset, udf=udfs, roi=HALF)


@needs_xarray
def test_a_result_is_an_array_with_coordinates(results):
    sums, masks, com, _ = results
    array = sums["intensity"].to_xarray()
    np.testing.assert_array_equal(array, sums["intensity"].data)
    assert array.dims == ("sig_y", "sig_x")
    assert array.name == "SumUDF: intensity"
    assert array.attrs["call"].startswith("SumUDF(")
    np.testing.assert_allclose(array.sig_x, np.arange(5) * 0.4)
    assert array.sig_x.attrs["units"] == "mrad"
    array = masks["intensity"].to_xarray()
    assert array.dims == ("mask", "nav_y", "nav_x")
    # By place in units, not by index.
    one = array.sel(mask=1, nav_y=5.0, nav_x=6.0)
    assert one == masks["intensity"].data[2, 3, 1]
    np.testing.assert_array_equal(array.valid.sel(mask=0), HALF)
    assert np.isnan(array.sel(mask=0, nav_y=12.5)).all()
    assert com["field_x"].to_xarray().attrs["units"] == "px"
    given = Calibration(nav=(1, "µm"))
    array = com["field_x"].to_xarray(calibration=given)
    assert array.nav_y.attrs["units"] == "µm"


@needs_xarray
def test_results_are_a_dataset_also_from_a_file(results, tmp_path):
    dataset = results[3].to_xarray()
    assert {name: v.dims for name, v in dataset.items()} == {
        "wave": ("nav_y", "nav_x"),
        "wave_valid": ("nav_y", "nav_x"),
        "curve": ("curve_slice",),
        "total": ("total_x",),
    }
    assert dataset.wave.dtype == np.complex64
    np.testing.assert_array_equal(dataset.wave_valid, HALF)
    path = tmp_path / "masks.h5"
    results[1].save(path)
    saved = load_result(path)
    again = saved.to_xarray()
    title, valid = again
    assert valid == f"{title}_valid"
    assert again[title].dims == (f"{title}_mask", "nav_y", "nav_x")
    alone = saved[title].to_xarray()
    xarray = sys.modules["xarray"]
    before = results[1]["intensity"].to_xarray()
    xarray.testing.assert_equal(alone, before)


@needs_hyperspy
def test_a_result_is_a_signal_with_calibrated_axes(results, tmp_path):
    sums, masks, com, waves = results
    signal = sums["intensity"].to_hyperspy()
    assert type(signal).__name__ == "Signal2D"
    np.testing.assert_array_equal(signal.data, sums["intensity"].data)
    axes = signal.axes_manager.signal_axes
    assert [(a.name, a.scale, str(a.units)) for a in axes] == [
        ("x", 0.4, "mrad"),
        ("y", 0.4, "mrad"),
    ]
    signal = masks["intensity"].to_hyperspy()
    assert signal.axes_manager.navigation_shape == (2,)
    assert [a.scale for a in signal.axes_manager.signal_axes] == [2.0, 2.5]
    np.testing.assert_array_equal(signal.inav[1].data, masks["intensity"].data[..., 1])
    assert com["field_x"].to_hyperspy().metadata.Signal.quantity == "px"
    assert type(waves["wave"].to_hyperspy()).__name__ == "ComplexSignal2D"
    assert type(waves["curve"].to_hyperspy()).__name__ == "Signal1D"
    assert waves["total"].to_hyperspy().data.sum() == DATA[HALF].sum()
    masks.save(tmp_path / "masks.h5")
    (saved,) = load_result(tmp_path / "masks.h5").values()
    np.testing.assert_array_equal(saved.to_hyperspy().data, signal.data)


@pytest.mark.parametrize("package", ["xarray", "hyperspy"])
def test_what_is_not_installed_is_told(results, monkeypatch, package):
    for name in [each for each in sys.modules if each.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModuleNotFoundError, match=rf"pip install {package}, or 'udfwidgets\["):
        getattr(results[0]["intensity"], f"to_{package}")()
