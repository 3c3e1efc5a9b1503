"""Crystallinity: how much of each frame repeats itself with a period in a given range."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.fft

from udfwidgets import masks
from udfwidgets.buffers import Array, BufferDeclaration
from udfwidgets.udf.base import UDF
from udfwidgets.udf.contract.running import Runner

Point = tuple[float, float]


class CrystallinityUDF(UDF):
    """Adds up the Fourier transform of each frame, by absolute value, over a ring.

    Parameters
    ----------
    rad_in, rad_out : float
        Inner and outer radius of the ring, in pixels of the Fourier transform.
    real_center, real_rad : (y, x) and float, optional
        A disk in the frame, in pixels, that is set to zero first: the central beam. Without
        either of them, nothing is.

    Results
    -------
    intensity : kind nav, float32
    """

    def __init__(
        self,
        rad_in: float,
        rad_out: float,
        real_center: Point | None = None,
        real_rad: float | None = None,
    ) -> None:
        masks.check_radii(rad_in, rad_out)
        super().__init__(rad_in=rad_in, rad_out=rad_out, real_center=real_center, real_rad=real_rad)

    def get_result_buffers(self) -> Mapping[str, BufferDeclaration]:
        """Declare one number per position."""
        if self.meta.input_dtype.kind == "c":
            raise TypeError(
                f"CrystallinityUDF takes real data, the dataset is of dtype "
                f"{self.meta.input_dtype}: take its absolute value first"
            )
        return {"intensity": self.buffer("nav", dtype="float32")}

    def get_task_data(self) -> Mapping[str, Any]:
        """Provide the mask of the frame, and the ring as half a Fourier transform has it."""
        size_y, size_x = self.meta.dataset_shape.sig
        given, kept = self.params, None
        if given.real_center is not None and given.real_rad is not None:
            y, x = given.real_center
            kept = ~masks.circular(x, y, size_x, size_y, given.real_rad)
        ring = masks.ring(size_x / 2, size_y / 2, size_x, size_y, given.rad_out, given.rad_in)
        return {"kept": kept, "ring": np.fft.fftshift(ring)[:, : size_x // 2 + 1]}

    def process_frame(self, frame: Array) -> None:
        """Transform a frame and add up."""
        if self.task_data.kept is not None:
            frame = np.where(self.task_data.kept, frame, 0)
        amplitudes = np.abs(scipy.fft.rfft2(frame)[self.task_data.ring])
        self.results.intensity[:] = amplitudes.sum(dtype=np.float64)


def run_analysis_crystall(
    ctx: Runner,
    dataset: Any,
    rad_in: float,
    rad_out: float,
    real_center: Point | None = None,
    real_rad: float | None = None,
    roi: Any = None,
    progress: bool = False,
) -> Any:
    """Run `CrystallinityUDF` and return its results.

    Parameters
    ----------
    ctx : Context
        Runs it.
    dataset : DataSet
        From ``ctx.load``.
    rad_in, rad_out, real_center, real_rad
        As for `CrystallinityUDF`.
    roi, progress
        As for ``ctx.run_udf``.
    """
    udf = CrystallinityUDF(rad_in, rad_out, real_center, real_rad)
    return ctx.run_udf(dataset=dataset, udf=udf, roi=roi, progress=progress)
