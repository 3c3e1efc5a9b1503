"""Every stored result stays what it was, and equals a fresh run with ``roi=damage``."""

from __future__ import annotations

import itertools
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.engine.pacing import iterate
from udfwidgets import ApplyMasksUDF, Context, PickUDF, StdDevUDF, SumSigUDF, SumUDF
from udfwidgets.engine.executors import InlineExecutor, ThreadsExecutor
from udfwidgets.udf.base import UDF


class Extremes(UDF):
    """A user's UDF, frame by frame, with all kinds of buffers."""

    def get_result_buffers(self):
        return {
            "largest": self.buffer("sig", dtype=self.meta.input_dtype),
            "range": self.buffer("nav", extra_shape=(2,), dtype=self.meta.input_dtype),
            "count": self.buffer("single", dtype="int64"),
            "doubled": self.buffer("single", dtype="int64", use="result_only"),
        }

    def process_frame(self, frame):
        self.results.largest[:] = np.maximum(self.results.largest, frame)
        self.results.range[:] = frame.min(), frame.max()
        self.results.count += 1

    def merge(self, dest, src):
        dest.largest[:] = np.maximum(dest.largest, src.largest)
        dest.range[:] = src.range
        dest.count += src.count

    def get_results(self):
        names = ("largest", "range", "count")
        return {"doubled": 2 * self.results.count} | {n: self.results[n] for n in names}


class PartitionMean(UDF):
    """A user's UDF that looks at whole partitions."""

    def get_result_buffers(self):
        return {"mean": self.buffer("nav", dtype="float64")}

    def process_partition(self, partition):
        self.results.mean[:] = partition.mean(axis=(-1, -2), dtype="f8")


UDFS = {
    "sum": SumUDF,
    "sumsig": SumSigUDF,
    "stddev": StdDevUDF,
    "pick": PickUDF,
    "masks": lambda: ApplyMasksUDF(lambda: np.arange(24).reshape(2, 3, 4)),
    "extremes": Extremes,
    "partition mean": PartitionMean,
}


executors = pytest.mark.parametrize("executor_class", [InlineExecutor, ThreadsExecutor])


@executors
@pytest.mark.filterwarnings("ignore:roi selects none")
@given(data=st.data())
@settings(max_examples=60)
def test_every_step_equals_a_fresh_run_of_its_damage(executor_class, data):
    nav = data.draw(st.tuples(st.integers(1, 6), st.integers(1, 6)), label="nav")
    frames = data.draw(
        hnp.arrays("u2", (*nav, 3, 4), elements=st.integers(0, 65535)), label="frames"
    )
    roi = data.draw(st.none() | hnp.arrays(bool, nav), label="roi")
    names = data.draw(st.lists(st.sampled_from(sorted(UDFS)), min_size=1, max_size=4, unique=True))
    size = data.draw(st.integers(1, 40), label="partition size")
    depth = data.draw(st.integers(1, 5), label="tile depth")
    with Context.make_with("inline") as ctx, closing(executor_class()) as executor:
        dataset = ctx.load("memory", data=frames)
        udfs = [UDFS[name]() for name in names]
        steps = list(iterate(executor, dataset, udfs, roi, size, depth))
        selected = np.prod(nav) if roi is None else roi.sum()
        assert len(steps) == max(1, -(-selected // size))
        assert steps[-1].damage.data.sum() == selected
        for step in steps:
            fresh = ctx.run_udf(dataset=dataset, udf=udfs, roi=step.damage.data)
            for name, then, now in zip(names, step.buffers, fresh, strict=True):
                if name != "pick":  # its shape is that of the roi it was started with
                    assert_same(name, then, now, step.damage.data)


def assert_same(name, then, now, damage):
    assert then.keys() == now.keys()
    for key in then:
        a, b = then[key], now[key]
        if a.kind == "nav":
            np.testing.assert_array_equal(a.data[damage], b.data[damage], err_msg=name)
            np.testing.assert_array_equal(a.valid_mask, b.valid_mask, err_msg=name)
        elif name == "stddev":
            # Floating point: exact in the sums, and within rounding where merged in other steps.
            np.testing.assert_allclose(a.data, b.data, rtol=1e-5, atol=1e-3)
        else:
            np.testing.assert_array_equal(a.data, b.data, err_msg=name)


@executors
def test_stored_steps_do_not_share_memory(executor_class):
    with Context.make_with("inline") as ctx, closing(executor_class()) as executor:
        dataset = ctx.load("memory", data=np.ones((8, 8, 4, 4), "u2"))
        steps = list(iterate(executor, dataset, [SumUDF()], size=8))
    sums = [step.buffers[0]["intensity"].data for step in steps]
    assert [int(array[0, 0]) for array in sums] == [8, 16, 24, 32, 40, 48, 56, 64]
    for a, b in itertools.pairwise(sums):
        assert not np.shares_memory(a, b)
