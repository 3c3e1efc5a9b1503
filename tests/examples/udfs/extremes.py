"""Minimum, maximum and running mean of each pixel: bright and dark spots, one look at the data.

The maximum over the scan shows each reflection that lit up anywhere, however seldom. A buffer is
zero at the start, so the first partition must replace what is there and all others be compared
with it: merge has to know whether anything is in.

Literature: Gammer, Ozdol, Liebscher, Minor, Ultramicroscopy 155 (2015) 1 (virtual dark field from
maxima); Welford, Technometrics 4 (1962) 419 (running mean).
"""

from __future__ import annotations

import numpy as np

from udfwidgets.udf import UDF


class ExtremesUDF(UDF):
    """Extremes and mean of each pixel, and where the scan has the maximum.

    Parameters
    ----------
    dtype : dtype, default 'float32'
        To calculate with.
    """

    def __init__(self, dtype="float32"):
        super().__init__(dtype=dtype)

    def get_preferred_input_dtype(self):
        return self.params.dtype

    def get_result_buffers(self):
        dtype = self.meta.input_dtype
        return {
            "lowest": self.buffer("sig", dtype=dtype, where="device"),
            "highest": self.buffer("sig", dtype=dtype, where="device"),
            "mean": self.buffer("sig", dtype="float64", where="device"),
            "frames": self.buffer("single", dtype="int64", use="private"),
            "place": self.buffer("sig", (len(self.meta.dataset_shape.nav),), "int32"),
        }

    def preprocess(self):
        self.results.lowest[:] = np.inf
        self.results.highest[:] = -np.inf

    def process_tile(self, tile):
        xp = self.xp
        highest = tile.max(axis=0)
        better = highest > self.results.highest
        places = self.meta.coordinates[tile.argmax(axis=0)]
        self.results.place[better] = places[better]
        self.results.highest[better] = highest[better]
        self.results.lowest[:] = self.forbuf(
            xp.minimum(self.results.lowest, tile.min(axis=0)), self.results.lowest
        )
        self.results.mean[:] += tile.sum(axis=0, dtype="float64")

    def postprocess(self):
        self.results.frames[:] = self.meta.partition_shape.nav.size
        self.results.mean[:] /= self.meta.partition_shape.nav.size

    def merge(self, dest, src):
        done = np.count_nonzero(self.meta.get_valid_nav_mask())
        if done == 0:
            for name in dest:
                dest[name][:] = src[name]
            return
        more = src.frames[0]
        dest.mean[:] += (src.mean - dest.mean) * (more / (done + more))
        # Of equal ones the first in the scan, whichever partition comes first.
        earlier = before(src.place, dest.place)
        better = (src.highest > dest.highest) | ((src.highest == dest.highest) & earlier)
        dest.place[better] = src.place[better]
        dest.highest[:] = np.maximum(dest.highest, src.highest)
        dest.lowest[:] = np.minimum(dest.lowest, src.lowest)


def before(a, b):
    """Where coordinates `a` come before `b` in the scan."""
    result = np.zeros(a.shape[:-1], bool)
    for axis in reversed(range(a.shape[-1])):
        one, two = a[..., axis], b[..., axis]
        result = (one < two) | ((one == two) & result)
    return result
