"""SparseCorrelationUDF and FastCorrelationUDF of libertem-blobfinder: where disks are."""

import numpy as np
from libertem.api import Context
from libertem_blobfinder.common.patterns import RadialGradient
from libertem_blobfinder.udf.correlation import FastCorrelationUDF, SparseCorrelationUDF


def run(folder):
    y, x = np.mgrid[:64, :64]
    peaks = np.array([(20, 20), (20, 44), (44, 20), (44, 44)])
    shifts = np.random.default_rng(0).integers(-2, 3, (3, 4, 2))
    frames = [
        sum(np.hypot(y - py - dy, x - px - dx) < 5 for py, px in peaks)
        for dy, dx in shifts.reshape(-1, 2)
    ]
    data = 100 * np.reshape(frames, (3, 4, 64, 64)).astype(np.float32)
    pattern = RadialGradient(radius=5, search=9)
    udfs = [
        FastCorrelationUDF(peaks=peaks, match_pattern=pattern),
        SparseCorrelationUDF(peaks=peaks, match_pattern=pattern, steps=3),
    ]
    with Context.make_with("inline") as ctx:
        dataset = ctx.load("memory", data=data, sig_dims=2, num_partitions=2)
        fast, sparse = ctx.run_udf(dataset, udfs)
    return {"fast": fast["refineds"].data, "sparse": sparse["centers"].data}
