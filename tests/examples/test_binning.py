from __future__ import annotations

import numpy as np
import pytest

from tests.examples.contract import Example, ExampleContract, run
from tests.examples.udfs.binning import BinningUDF
from udfwidgets import Context, SumSigUDF
from udfwidgets.demo import Sample
from udfwidgets.engine.executors import InlineExecutor

NAV, SIG = (5, 6), (32, 32)
WINDOW = (slice(2, 26), slice(-30, -3))


def scan():
    sample = Sample(NAV, SIG, seed=2)
    return sample.frames(0, 30).reshape(*NAV, *SIG)


def reference(data, selected):
    frames = data[selected].astype(float)
    cropped = frames[:, 2:26, 2:29]
    binned = sum(cropped[:, i::3, j::3] for i in range(3) for j in range(3))
    return {"frames": binned, "lost": 1 - cropped.sum(axis=(1, 2)) / frames.sum(axis=(1, 2))}


class TestBinning(ExampleContract):
    @pytest.fixture
    def example(self):
        return Example(BinningUDF(WINDOW, 3), scan(), reference)


def test_the_result_is_a_dataset():
    results = run(InlineExecutor(), Example(BinningUDF(WINDOW, 3), scan(), reference), size=4)
    with Context.make_with("inline") as ctx:
        small = ctx.load("memory", data=results["frames"].data)
        assert small.shape.sig == (8, 9)
        got = ctx.run_udf(small, SumSigUDF())["intensity"].data
    np.testing.assert_array_equal(got, scan()[..., 2:26, 2:29].sum(axis=(2, 3)))


def test_a_window_that_does_not_fit_is_refused_before_the_run():
    with Context.make_with("inline") as ctx:
        dataset = ctx.load("memory", data=scan())
        with pytest.raises(ValueError, match=r"\[24, 27\] pixels is not a multiple of 4"):
            ctx.run_udf(dataset, BinningUDF(WINDOW, 4))
