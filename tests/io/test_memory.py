from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.io.contract import Case, DataSetContract, read_all
from udfwidgets import Context, SumSigUDF
from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.memory import MemoryDataSet

TRUTH = np.arange(4 * 5 * 6 * 7, dtype="u2").reshape(4, 5, 6, 7)

FOLDS: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "as it is": ((4, 5, 6, 7), {}),
    "a stack": ((20, 6, 7), {"nav_shape": (4, 5)}),
    "flat frames": ((4, 5, 42), {"sig_shape": (6, 7)}),
    "flat": ((20, 42), {"nav_shape": (4, 5), "sig_shape": (6, 7)}),
    "both the same": ((4, 5, 6, 7), {"nav_shape": (4, 5), "sig_shape": (6, 7)}),
    "in sizes of the run": ((4, 5, 6, 7), {"num_partitions": 3, "tileshape": (2, 6, 7)}),
}


class TestFolded(DataSetContract):
    @pytest.fixture(params=FOLDS)
    def case(self, request: pytest.FixtureRequest) -> Case:
        shape, options = FOLDS[request.param]
        return Case(MemoryDataSet(TRUTH.reshape(shape), **options), TRUTH)


def test_a_whole_number_is_one_axis() -> None:
    assert MemoryDataSet(TRUTH, nav_shape=20).shape == (20, 6, 7)  # type: ignore[arg-type]
    number: Any = np.int64(20)
    assert MemoryDataSet(TRUTH, nav_shape=number).shape == (20, 6, 7)
    flat = MemoryDataSet(TRUTH, sig_shape=42)  # type: ignore[arg-type]
    np.testing.assert_array_equal(read_all(flat), TRUTH.reshape(20, 42))


def test_the_array_is_not_copied() -> None:
    assert np.shares_memory(MemoryDataSet(TRUTH).data, TRUTH)


@pytest.mark.parametrize("sig", [(1, 6), (6, 1), (1, 1)])
def test_axes_of_one_pixel_stay_with_the_detector(sig: tuple[int, int]) -> None:
    dataset = MemoryDataSet(np.zeros((4, 5, *sig)), sig_shape=sig)
    assert (dataset.shape.nav.axes, dataset.shape.sig.axes) == ((4, 5), sig)


def test_a_sig_shape_across_the_last_axes_is_refused() -> None:
    data = np.zeros((8, 8, 4, 4))
    message = r"shape \(8, 8, 4, 4\), expected last axes that hold the 64 pixels"
    with pytest.raises(DataSetException, match=message):
        MemoryDataSet(data, sig_shape=(8, 8))
    with pytest.raises(DataSetException, match=message):
        MemoryDataSet(data, nav_shape=(4, 4), sig_shape=(8, 8))


@pytest.mark.parametrize("nav_shape", [(-4, -5), (0,), (), (4.5, 5)])
def test_axes_that_are_no_lengths_are_refused(nav_shape: Any) -> None:
    with pytest.raises(ValueError, match=r"nav_shape=.* expected one or more positive whole"):
        MemoryDataSet(TRUTH, nav_shape=nav_shape)


def test_fewer_frames_than_the_array_has(caplog: pytest.LogCaptureFixture) -> None:
    dataset = MemoryDataSet(TRUTH, nav_shape=(4, 4))
    np.testing.assert_array_equal(dataset.data, TRUTH.reshape(20, 6, 7)[:16].reshape(4, 4, 6, 7))
    assert "uses 16" in caplog.text


@pytest.mark.parametrize("sig_dims", [0, -1])
def test_a_detector_without_axes_is_refused(sig_dims: int) -> None:
    with pytest.raises(ValueError, match=rf"sig_dims={sig_dims}, expected at least 1"):
        MemoryDataSet(TRUTH, sig_dims=sig_dims)


def test_too_few_axes_and_no_frames_are_refused() -> None:
    with pytest.raises(DataSetException, match=r"shape \(5,\), expected at least sig_dims=2"):
        MemoryDataSet(np.zeros(5))
    with pytest.raises(DataSetException, match="holds no frames"):
        MemoryDataSet(np.zeros((0, 4, 4)))


@pytest.mark.parametrize("dtype", ["c8", "c16"])
def test_complex_frames_outside_of_a_roi_have_no_real_and_no_imaginary_part(dtype: str) -> None:
    roi = np.zeros((4, 5), bool)
    roi[1, 2] = True
    with Context.make_with("inline") as ctx:
        dataset = ctx.load("memory", data=TRUTH.astype(dtype) * (1 + 2j))
        results: Any = ctx.run_udf(dataset, SumSigUDF(), roi=roi)
    result = results["intensity"].data
    assert result[1, 2] == TRUTH[1, 2].sum() * (1 + 2j)
    assert np.isnan(result[~roi].real).all()
    assert np.isnan(result[~roi].imag).all()
