"""RecordUDF of libertem-live: what passes by, in a file."""

from pathlib import Path

import numpy as np
from libertem.api import Context
from libertem_live.udf.record import RecordUDF


def run(folder):
    data = np.random.default_rng(0).integers(0, 100, (5, 6, 7, 8)).astype(np.uint16)
    path = Path(folder, "recorded.npy")
    with Context.make_with("inline") as ctx:
        ctx.run_udf(ctx.load("memory", data=data, sig_dims=2, num_partitions=3), RecordUDF(path))
    return {"file": np.load(path), "is the data": np.load(path) == data}
