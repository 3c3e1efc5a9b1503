"""Integer results: exactly NumPy's, however the scan is cut and in whatever order it is merged."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.pacing import FixedPace
from udfwidgets.engine.executors import make_executor
from udfwidgets.engine.plan.job import Job
from udfwidgets.engine.run import Run
from udfwidgets.io.load import load
from udfwidgets.udf.com import CoMUDF
from udfwidgets.udf.compiled.kernels import add_squares
from udfwidgets.udf.masks import ApplyMasksUDF
from udfwidgets.udf.stddev import StdDevUDF
from udfwidgets.udf.sum import SumUDF
from udfwidgets.udf.sumsigudf import SumSigUDF


def results(data, workers, size, depth):
    udfs = [SumUDF(), SumSigUDF(), StdDevUDF(), CoMUDF(), ApplyMasksUDF(lambda: np.eye(6, 7))]
    dataset = load("memory", data=data, sig_dims=2)
    run = Run(Job.of(dataset, udfs, tile_depth=depth), workers, FixedPace(size))
    executor = make_executor("threads", workers)
    try:
        executor.start(run)
        run.wait(run.has_ended)
        return [{n: b.data.copy() for n, b in one.items()} for one in run.result()]
    finally:
        executor.close()


@given(
    dtype=st.sampled_from(["u1", "i1", "u2", "i2", "?"]),
    workers=st.integers(1, 3),
    size=st.integers(1, 36),
    depth=st.integers(1, 20),
    seed=st.integers(0, 9),
)
def test_nothing_depends_on_how_the_scan_is_cut(dtype, workers, size, depth, seed):
    rng = np.random.default_rng(seed)
    top = 1 << (15 if dtype[-1] == "2" else 7)
    data = rng.integers(0, top, (5, 7, 6, 7)).astype(dtype)
    one, other = results(data, 1, 35, 35), results(data, workers, size, depth)
    for a, b in zip(one, other, strict=True):
        for name in a:
            np.testing.assert_array_equal(a[name], b[name], err_msg=name)
    np.testing.assert_array_equal(one[0]["intensity"], data.sum((0, 1), "i8").astype("f4"))
    np.testing.assert_array_equal(one[1]["intensity"], data.sum((2, 3), "i8").astype("f4"))
    np.testing.assert_array_equal(one[2]["sum"], data.sum((0, 1), "i8"))


@pytest.mark.parametrize("offset", [0, 30000, 65000])
def test_variance_of_integers_is_right_to_the_last_digits(offset):
    data = (np.random.default_rng(0).integers(0, 3, (9, 11, 2, 3)) + offset).astype("u2")
    found = results(np.pad(data, ((0, 0), (0, 0), (0, 4), (0, 4))), 2, 10, 4)[2]["varsum"][:2, :3]
    for y, x in np.ndindex(2, 3):
        values = [Fraction(int(v)) for v in data[..., y, x].ravel()]
        mean = sum(values) / len(values)
        exact = float(sum((v - mean) ** 2 for v in values))
        assert found[y, x] == pytest.approx(exact, rel=4e-16)


@pytest.mark.parametrize("top", [16383, 16384, 65535])
@pytest.mark.parametrize("n_frames", [1, 16, 33])
def test_squares_do_not_overflow(top, n_frames):
    tile = np.full((n_frames, 1100), top, "u2")
    total, squares = np.zeros(1100, "u8"), np.zeros(1100, "u8")
    add_squares(tile, total, squares)
    assert (total == n_frames * top).all()
    assert (squares == n_frames * top**2).all()
