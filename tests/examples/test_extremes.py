from __future__ import annotations

import numpy as np
import pytest

from tests.examples.contract import Example, ExampleContract, run
from tests.examples.udfs.extremes import ExtremesUDF
from udfwidgets.engine.executors import InlineExecutor

NAV, SIG = (6, 5), (7, 9)


def scan():
    """Below zero everywhere in some pixels, above zero in others, and few enough values to tie."""
    values = np.random.default_rng(0).integers(-4, 4, (*NAV, *SIG))
    return (values + np.linspace(-9, 9, 63).reshape(SIG)).astype("f4")


def reference(data, selected):
    frames, coordinates = data[selected], np.argwhere(selected)
    return {
        "lowest": frames.min(axis=0),
        "highest": frames.max(axis=0),
        "mean": frames.mean(axis=0, dtype=float),
        "place": coordinates[frames.argmax(axis=0)],
    }


class TestExtremes(ExampleContract):
    @pytest.fixture
    def example(self):
        return Example(ExtremesUDF(), scan(), reference)


def test_a_single_bright_spot_is_found():
    data = scan()
    data[4, 1, 3, 3] = 1000
    results = run(InlineExecutor(), Example(ExtremesUDF(), data, reference), size=4)
    assert results["highest"].data.max() == 1000
    assert results["place"].data[3, 3].tolist() == [4, 1]
