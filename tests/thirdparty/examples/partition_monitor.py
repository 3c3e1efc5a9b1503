"""PartitionMonitorUDF of libertem-live: sums of partitions, which add up to that of the scan."""

import numpy as np
from libertem.api import Context
from libertem_live.udf.monitor import PartitionMonitorUDF


def run(folder):
    data = np.random.default_rng(0).integers(0, 100, (9, 8, 7, 6)).astype(np.uint16)
    with Context.make_with("inline") as ctx:
        dataset = ctx.load("memory", data=data, sig_dims=2, num_partitions=4)
        steps = ctx.run_udf_iter(dataset, PartitionMonitorUDF(dtype="float64"))
        return {"sum": sum(np.array(step.buffers[0]["intensity"].data) for step in steps)}
