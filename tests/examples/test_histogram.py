from __future__ import annotations

import numpy as np
import pytest

from tests.examples.contract import Example, ExampleContract, run
from tests.examples.udfs.histogram import HistogramUDF
from udfwidgets.engine.executors import InlineExecutor

NAV, SIG, EDGES = (6, 7), (5, 4), np.linspace(0, 8, 17)


def log2(values):
    return np.log2(1 + values)


def scan():
    """Noise, and in a third of the frames an electron on top of it; more in some pixels."""
    rng = np.random.default_rng(0)
    noise = rng.normal(20, 3, (*NAV, *SIG)).clip(0)
    electrons = rng.random((*NAV, *SIG)) < np.linspace(0.2, 0.45, 20).reshape(SIG)
    return (noise + 180 * electrons).astype("u1")


def otsu(histogram):
    """Try all edges and take the one with the least variance within the two parts."""
    middles = (EDGES[1:] + EDGES[:-1]) / 2
    values = np.repeat(middles, histogram)
    spreads = []
    for edge in EDGES[1:]:
        parts = [values[values < edge], values[values >= edge]]
        both = all(len(part) for part in parts)
        spreads.append(sum(len(p) * p.var() for p in parts) if both else np.inf)
    return EDGES[1:][np.argmin(np.round(spreads, 9))] if np.isfinite(spreads).any() else EDGES[1]


def reference(data, selected):
    values = np.log2(1 + data[selected].astype(float)).reshape(-1, 20)
    histogram = np.stack([np.histogram(column, EDGES)[0] for column in values.T])
    lower = np.sort(values, axis=0)[(len(values) + 1) // 2 - 1]
    return {
        "histogram": histogram.reshape(*SIG, -1),
        "median": EDGES[np.searchsorted(EDGES, lower, "right") - 1].reshape(SIG) + 0.25,
        "threshold": np.reshape([otsu(h) for h in histogram], SIG),
    }


class TestHistogram(ExampleContract):
    @pytest.fixture
    def example(self):
        return Example(HistogramUDF(EDGES, transform=log2), scan(), reference)


def test_the_threshold_is_between_noise_and_electrons():
    results = run(InlineExecutor(), Example(HistogramUDF(EDGES, log2), scan(), reference), size=9)
    threshold = 2 ** results["threshold"].data - 1
    assert (threshold > 28).all()
    assert (threshold < 180).all()


def test_values_outside_are_in_the_outer_bins():
    udf = HistogramUDF(np.linspace(18, 22, 5))
    histogram = run(InlineExecutor(), Example(udf, scan(), reference))["histogram"].data
    assert (histogram.sum(axis=-1) == NAV[0] * NAV[1]).all()
    np.testing.assert_array_equal(histogram[..., 0], (scan() < 19).sum(axis=(0, 1)))
