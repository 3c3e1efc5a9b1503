"""Crops and bins frames into a smaller dataset, and tells how much of each frame was lost.

What a first look needs of a scan of hundreds of gigabytes is a hundredth of it. The result is an
array with the axes of the scan, to be loaded as a dataset again.

Literature: Savitzky, Zeltmann, Hughes, Brown, Zhao, Pelz, Pekin, Barnard, Donohue, DaCosta,
Kennedy, Xie, Janish, Schneider, Herring, Gopal, Anapolsky, Dhall, Bustillo, Ercius, Scott, Ciston,
Minor, Ophus, Microscopy and Microanalysis 27 (2021) 712 (py4DSTEM, preprocessing).
"""

from __future__ import annotations

import numpy as np

from udfwidgets.udf import UDF


class BinningUDF(UDF):
    """Frames in small.

    Parameters
    ----------
    window : (slice, slice)
        What to keep of each frame; its size is a multiple of `factor`.
    factor : int
        So many pixels by as many become one.
    """

    def __init__(self, window, factor):
        super().__init__(window=window, factor=factor)

    @property
    def small(self):
        """Sig shape of the result."""
        sig, factor = self.meta.dataset_shape.sig, self.params.factor
        lengths = [len(range(*w.indices(n))) for w, n in zip(self.params.window, sig, strict=True)]
        if any(n % factor for n in lengths):
            raise ValueError(f"a window of {lengths} pixels is not a multiple of {factor}")
        return tuple(n // factor for n in lengths)

    def get_preferred_input_dtype(self):
        return self.USE_NATIVE_DTYPE

    def get_result_buffers(self):
        return {
            "frames": self.buffer("nav", self.small, "uint32"),
            "lost": self.buffer("nav", dtype="float32"),
        }

    def process_partition(self, partition):
        height, width = self.small
        factor = self.params.factor
        cropped = partition[(slice(None), *self.params.window)]
        blocks = cropped.reshape(len(partition), height, factor, width, factor)
        binned = blocks.sum(axis=(2, 4), dtype="uint64")
        self.results.frames[:] = binned
        total = partition.sum(axis=(1, 2), dtype="uint64")
        self.results.lost[:] = 1 - binned.sum(axis=(1, 2)) / np.maximum(total, 1)
