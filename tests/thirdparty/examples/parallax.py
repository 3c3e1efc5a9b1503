"""ParallaxUDF of libertem-parallax: bright-field images, shifted on each other."""

import numpy as np
from libertem.api import Context
from libertem_parallax.udf.parallax import ParallaxUDF


def run(folder, udf_class=ParallaxUDF):
    data = np.random.default_rng(0).random((7, 8, 8, 8)).astype(np.float32)
    udf = udf_class.from_parameters(
        shape=data.shape,
        scan_sampling=(1.0, 1.0),
        reciprocal_sampling=(1.0, 1.0),
        energy=1.2e7,
        semiangle_cutoff=2.5,
        aberration_coefs={"C10": 1e3},
        upsampling_factor=2,
    )
    with Context.make_with("inline") as ctx:
        dataset = ctx.load("memory", data=data, sig_dims=2, num_partitions=2)
        return {name: result.data for name, result in ctx.run_udf(dataset, udf).items()}
