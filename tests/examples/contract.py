"""What every example must do: agree with its reference, however the work is cut up.

A test class inherits `ExampleContract` and gives a fixture `example`: a UDF, the scan it runs over,
and a function that calculates the same results from the whole array at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.engine.pacing import iterate
from udfwidgets.io.dataset.memory import MemoryDataSet
from udfwidgets.udf import UDF

Array = npt.NDArray[Any]
Reference = Callable[[Array, npt.NDArray[np.bool_]], Mapping[str, Any]]


@dataclass(frozen=True)
class Example:
    """A UDF and what it should give.

    `reference` takes the scan and the selected positions; it returns kind nav results with one row
    per selected position, all others in full.
    """

    udf: UDF
    data: Array
    reference: Reference
    rtol: float = 1e-4
    atol: float = 1e-5

    @property
    def nav(self) -> tuple[int, ...]:
        return self.data.shape[:-2]

    def check(self, results: Mapping[str, Any], selected: npt.NDArray[np.bool_]) -> None:
        expected = self.reference(self.data, selected)
        assert set(results) == set(expected)
        for name, result in results.items():
            got = result.data[selected] if result.kind == "nav" else result.data
            assert got.shape == np.shape(expected[name]), name
            np.testing.assert_allclose(
                got, expected[name], rtol=self.rtol, atol=self.atol, err_msg=name
            )


def holes(nav: tuple[int, ...], seed: int = 3) -> npt.NDArray[np.bool_]:
    return np.random.default_rng(seed).random(nav) > 0.4


def run(executor, example: Example, roi=None, size=1000, tile_depth=None):
    *_, last = iterate(
        executor,
        MemoryDataSet(example.data),
        [example.udf],
        roi=roi,
        size=size,
        tile_depth=tile_depth,
    )
    return last.buffers[0]


class ExampleContract:
    @pytest.fixture
    def example(self) -> Example:
        raise NotImplementedError

    @pytest.mark.parametrize(("size", "tile_depth"), [(1, 1), (5, 2), (9, None), (1000, 4)])
    def test_however_it_is_cut_up(self, executor, example, size, tile_depth):
        results = run(executor, example, size=size, tile_depth=tile_depth)
        example.check(results, np.ones(example.nav, bool))

    @pytest.mark.parametrize("size", [4, 1000])
    def test_with_holes(self, executor, example, size):
        roi = holes(example.nav)
        example.check(run(executor, example, roi, size, tile_depth=3), roi)

    @pytest.mark.parametrize("with_roi", [False, True], ids=["all", "holes"])
    def test_each_step_is_a_run_over_its_damage(self, executor, example, with_roi):
        dataset, roi = MemoryDataSet(example.data), holes(example.nav) if with_roi else None
        steps = list(iterate(executor, dataset, [example.udf], roi=roi, size=4, tile_depth=3))
        assert len(steps) > 1
        for step in steps:
            damage = step.damage.data if roi is None else step.damage.data & roi
            example.check(step.buffers[0], damage)
            fresh = run(executor, example, damage, tile_depth=4)
            for name, result in step.buffers[0].items():
                got, expected = result.data, fresh[name].data
                if result.kind == "nav":
                    got, expected = got[damage], expected[damage]
                np.testing.assert_allclose(
                    got, expected, rtol=example.rtol, atol=example.atol, err_msg=name
                )

    def test_several_in_one_pass(self, executor, example):
        selected = np.ones(example.nav, bool)
        steps = iterate(executor, MemoryDataSet(example.data), [example.udf] * 2, size=8)
        *_, last = steps
        for results in last.buffers:
            example.check(results, selected)
