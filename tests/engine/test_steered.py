"""Parameters that change during a run reach each hook, and errors keep their type everywhere."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engine.pacing import iterate
from udfwidgets import Context
from udfwidgets.engine.executors import InlineExecutor
from udfwidgets.io.dataset.memory import MemoryDataSet
from udfwidgets.udf import UDF

DATA = np.ones((4, 5, 3, 3), "f4")


class ForgettingUDF(UDF):
    """A mean that forgets: each partition counts, and what was before counts less."""

    def get_result_buffers(self):
        return {"mean": self.buffer("single", dtype="float64")}

    def process_frame(self, frame):
        self.results.mean += frame.mean() * self.params.gain

    def merge(self, dest, src):
        dest.mean[:] = dest.mean * self.params.memory + src.mean

    def get_results(self):
        return {"mean": self.results.mean + self.params.get("offset", 0)}


def test_new_parameters_reach_process_merge_and_results():
    udf = ForgettingUDF(gain=1.0, memory=1.0, offset=0.0)
    steps = iterate(InlineExecutor(), MemoryDataSet(DATA), [udf], size=5)
    means = []
    for number, step in enumerate(steps):
        means.append(float(step.buffers[0]["mean"].data[0]))
        if number == 1:
            steps.update_parameters_experimental([{"gain": 2.0, "memory": 0.5, "offset": 100.0}])
    assert means == [5, 10, 100 + 15, 100 + 17.5]


class FailsAtTheEnd(UDF):
    def get_result_buffers(self):
        return {"mass": self.buffer("nav")}

    def process_frame(self, frame):
        pass

    def get_results(self):
        raise KeyError("of mine")


@pytest.mark.filterwarnings("ignore:roi selects none")
@pytest.mark.parametrize("selected", [True, False], ids=["all", "nothing"])
def test_an_error_in_get_results_keeps_its_type(selected):
    with Context.make_with("inline") as ctx, pytest.raises(KeyError, match="of mine") as caught:
        ctx.run_udf(MemoryDataSet(DATA), FailsAtTheEnd(), roi=np.full((4, 5), selected))
    assert "FailsAtTheEnd" in caught.value.__notes__[0]
