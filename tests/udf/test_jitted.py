"""Functions that users compile run side by side: nothing of ours holds the GIL around them."""

from __future__ import annotations

import numba
import numpy as np

from udfwidgets import UDF, Context

SPINS = 2_000_000_000


@numba.njit(nogil=True)
def meet(arrived, who, spins):
    """Note that `who` is here and wait for the other, which cannot come while the GIL is held.

    Each turn writes to an array, which for all the compiler knows is the one that is looked at:
    it cannot look just once.
    """
    arrived[who] = 1
    for _ in range(SPINS):
        spins[0] += 1
        if arrived[1 - who] == 1:
            return True
    return False


class MeetingUDF(UDF):
    """The first two partitions wait for each other inside compiled code."""

    def __init__(self, arrived):
        super().__init__(arrived=arrived)

    def get_result_buffers(self):
        return {"met": self.buffer("nav", dtype="bool")}

    def process_frame(self, frame):
        who = int(self.meta.coordinates[0, 0])
        self.results.met[:] = meet(self.params.arrived, who, np.zeros(1, np.int64))


def test_jitted_functions_of_two_workers_run_at_the_same_time():
    arrived = np.zeros(2, np.int64)
    meet(np.ones(2, np.int64), 0, np.zeros(1, np.int64))  # compiled before the workers need it
    with Context.make_with("threads", 2) as ctx:
        dataset = ctx.load("memory", data=np.zeros((2, 1, 4, 4), "u2"), sig_dims=2)
        met = ctx.run_udf(dataset=dataset, udf=MeetingUDF(arrived))["met"]
    assert met.data.all()
