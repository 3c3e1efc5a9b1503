"""HoloReconstructUDF of libertem-holo: complex waves out of holograms."""

import numpy as np
from libertem.api import Context
from libertem_holo.base.filters import disk_aperture
from libertem_holo.udf.reconstr import HoloReconstructUDF


def run(folder):
    data = np.random.default_rng(0).random((3, 4, 32, 32)).astype(np.float32)
    aperture = np.fft.fftshift(disk_aperture(out_shape=(32, 32), radius=5.0))
    udf = HoloReconstructUDF(out_shape=(32, 32), sb_position=[6, 4], aperture=aperture)
    with Context.make_with("inline") as ctx:
        dataset = ctx.load("memory", data=data, sig_dims=2, num_partitions=2)
        return {"wave": ctx.run_udf(dataset, udf)["wave"].data}
