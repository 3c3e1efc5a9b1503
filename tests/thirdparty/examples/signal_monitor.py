"""SignalMonitorUDF of libertem-live: the frame that came last."""

import numpy as np
from libertem.api import Context
from libertem_live.udf.monitor import SignalMonitorUDF


def run(folder):
    data = np.random.default_rng(0).random((5, 6, 7, 8)).astype(np.float32)
    with Context.make_with("inline") as ctx:
        dataset = ctx.load("memory", data=data, sig_dims=2, num_partitions=3)
        return {"intensity": ctx.run_udf(dataset, SignalMonitorUDF())["intensity"].data}
