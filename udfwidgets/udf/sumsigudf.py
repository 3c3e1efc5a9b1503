"""The sum over each frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from udfwidgets.buffers import Array, BufferDeclaration
from udfwidgets.udf.base import UDF
from udfwidgets.udf.compiled.fused import Step
from udfwidgets.udf.compiled.kernels import flat, known, strip_dtype, sum_pixels
from udfwidgets.udf.compiled.steps import add_up_pixels
from udfwidgets.udf.compiled.words import add_pixels_in_words, finished, kept_as, needs_words
from udfwidgets.udf.contract.running import Runner


class SumSigUDF(UDF):
    """Adds up each frame: how much arrived on the whole detector at each scan position.

    Integers are added up exactly, in as many bits as it takes, and rounded once into the result.

    Results
    -------
    intensity : kind nav
    """

    takes_any_frames = True

    @property
    def _sum(self) -> str:
        # Exact and apart, but for subclasses, whose code may read and write `results.intensity`.
        return "total" if type(self) is SumSigUDF else "intensity"

    def get_preferred_input_dtype(self) -> npt.DTypeLike:
        """Read the data as they are, but in a subclass as floats that it can calculate with."""
        return self.USE_NATIVE_DTYPE if self._sum == "total" else np.float32

    def get_result_buffers(self) -> Mapping[str, BufferDeclaration]:
        """Declare the result, and the exact sum behind it."""
        native = self.meta.input_dtype
        dtype = np.result_type(np.float32, native)
        if self._sum == "intensity":
            return {"intensity": self.buffer("nav", dtype=dtype)}
        return {
            "intensity": self.buffer("nav", dtype=dtype, use="result_only"),
            "total": self.buffer("nav", *kept_as(native), use="private"),
        }

    def get_task_data(self) -> Mapping[str, Array]:
        """Tell the kernel in which dtype to add up."""
        return {"strip": np.empty(0, strip_dtype(self.meta.input_dtype))}

    def process_tile(self, tile: Array) -> None:
        """Add up the pixels of each frame of a tile."""
        total, frames = self.results[self._sum], flat(tile)
        array = known(total)
        if self._sum == "total" and needs_words(tile.dtype):
            add_pixels_in_words(frames, frames.shape[1], array)
        else:
            sum_pixels(frames, frames.shape[1], self.task_data.strip, array)
        if array is not total:
            total[:] = array

    def fused_step(self) -> Step:
        """Return what `process_tile` does, for all tiles of a partition."""
        total, strip = self.results.total, self.task_data.strip
        address = add_up_pixels(self.meta.input_dtype)
        return Step(address, total, strip, key="sum per frame", unit=1)

    def get_results(self) -> Mapping[str, Array]:
        """Round once."""
        if self._sum == "intensity":
            return {"intensity": self.results.intensity}
        result = self.declarations["intensity"].dtype
        return {"intensity": finished(self.results.total, self.meta.input_dtype, result)}


def run_sumsig(ctx: Runner, dataset: Any) -> Any:
    """Run `SumSigUDF` and return its results.

    Parameters
    ----------
    ctx : Context
        Runs it.
    dataset : DataSet
        From ``ctx.load``.
    """
    return ctx.run_udf(dataset=dataset, udf=SumSigUDF())
