"""SSB_UDF of ptychography40: the phase of an object by the single side band method."""

import numpy as np
from libertem.api import Context
from ptychography40.reconstruction.ssb import SSB_UDF


def run(folder):
    data = np.random.default_rng(0).random((8, 8, 16, 16)).astype(np.float32)
    udf = SSB_UDF(lamb=2e-12, dpix=3e-11, semiconv=25e-3, semiconv_pix=5, dtype=np.float64)
    with Context.make_with("inline") as ctx:
        dataset = ctx.load("memory", data=data, sig_dims=2, num_partitions=2)
        results = ctx.run_udf(dataset, udf)
    return {name: results[name].data for name in ("fourier", "amplitude")}
