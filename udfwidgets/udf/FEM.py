"""Fluctuation electron microscopy: how grainy each diffraction pattern is on a ring.

See Gibson and Treacy, Physical Review Letters 78, 1074 (1997).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from udfwidgets.buffers import Array, BufferDeclaration
from udfwidgets.masks import check_radii
from udfwidgets.shapes import Slice
from udfwidgets.udf.base import UDF
from udfwidgets.udf.compiled.kernels import deviation_in, flat
from udfwidgets.udf.compiled.spans import ring_runs
from udfwidgets.udf.contract.running import Runner


class FEMUDF(UDF):
    """Finds the standard deviation of the pixels on a ring, for each frame.

    Parameters
    ----------
    center : (y, x)
        Of the ring, in pixels.
    rad_in, rad_out : float
        Inner and outer radius. The inner rim does not belong to the ring.

    Results
    -------
    intensity : kind nav, float32
    """

    def __init__(self, center: tuple[float, float], rad_in: float, rad_out: float) -> None:
        check_radii(rad_in, rad_out)
        super().__init__(center=center, rad_in=rad_in, rad_out=rad_out)

    def get_preferred_input_dtype(self) -> npt.DTypeLike:
        """Read the data as they are."""
        return self.USE_NATIVE_DTYPE

    def get_result_buffers(self) -> Mapping[str, BufferDeclaration]:
        """Declare one number per position."""
        native = self.meta.input_dtype
        if native.kind == "c":
            raise TypeError(
                f"FEMUDF takes real data, the dataset is of dtype {native}: take its absolute "
                "value first"
            )
        return {"intensity": self.buffer("nav", dtype="float32")}

    def get_task_data(self) -> Mapping[str, Any]:
        """Provide the ring."""
        sig, (cy, cx) = self.meta.dataset_shape.sig, self.params.center
        whole = Slice((0, 0), sig)
        radii = (self.params.rad_out, self.params.rad_in)
        return {"spans": ring_runs(*sig, cy, cx, *radii, whole)}

    def process_frame(self, frame: Array) -> None:
        """Look at the ring of a frame; it takes the whole frame."""
        whole = flat(frame[np.newaxis]).reshape(frame.shape)
        with np.errstate(over="ignore"):  # it is infinite then
            self.results.intensity[:] = deviation_in(whole, self.task_data.spans)


def run_fem(
    ctx: Runner,
    dataset: Any,
    center: tuple[float, float],
    rad_in: float,
    rad_out: float,
    roi: Any = None,
) -> Any:
    """Run `FEMUDF` and return its results.

    Parameters
    ----------
    ctx : Context
        Runs it.
    dataset : DataSet
        From ``ctx.load``.
    center, rad_in, rad_out
        As for `FEMUDF`.
    roi
        As for ``ctx.run_udf``.
    """
    return ctx.run_udf(dataset=dataset, udf=FEMUDF(center, rad_in, rad_out), roi=roi)
