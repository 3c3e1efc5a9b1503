from __future__ import annotations

import numpy as np
import pytest

from tests.examples.contract import Example, ExampleContract, run
from tests.examples.udfs.radial_fourier import radial_fourier
from udfwidgets.engine.executors import InlineExecutor

SHAPE, CENTER, EDGES, MAX_ORDER = (33, 30), (16.0, 15.0), (2, 7, 13), 6
NAV = (5, 6)
SYMMETRY = np.random.default_rng(0).integers(2, 7, (*NAV, 2))


def grid():
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]] - np.array(CENTER)[:, None, None]
    return np.hypot(y, x), np.arctan2(y, x)


def patterns():
    radius, angle = grid()
    frames = np.empty((*NAV, *SHAPE))
    for place in np.ndindex(NAV):
        inner, outer = SYMMETRY[place]
        wave = np.where(radius < 7, np.cos(inner * angle + 0.3), np.cos(outer * angle - 1))
        frames[place] = 100 * (2 + wave)
    return frames.astype("u2")


def reference(data, selected):
    radius, angle = grid()
    frames = data[selected].astype(float)
    coefficients = np.empty((len(frames), 2, MAX_ORDER + 1), complex)
    for ring in range(2):
        inside = (radius >= EDGES[ring]) & (radius < EDGES[ring + 1])
        for order in range(MAX_ORDER + 1):
            wave = np.exp(1j * order * angle[inside])
            coefficients[:, ring, order] = (frames[:, inside] * wave).sum(axis=-1)
    return {
        "intensity": coefficients.reshape(len(frames), -1),
        "coefficients": coefficients,
        "dominant": np.abs(coefficients[..., 1:]).argmax(axis=-1) + 1,
    }


class TestRadialFourier(ExampleContract):
    @pytest.fixture
    def example(self):
        udf = radial_fourier(SHAPE, CENTER, EDGES, MAX_ORDER)
        return Example(udf, patterns(), reference, atol=0.5)


def test_the_symmetry_of_each_ring():
    udf = radial_fourier(SHAPE, CENTER, EDGES, MAX_ORDER)
    results = run(InlineExecutor(), Example(udf, patterns(), reference), size=7)
    np.testing.assert_array_equal(results["dominant"].data, SYMMETRY)
