"""The sum of all frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from udfwidgets.brief import add_to, zeros
from udfwidgets.buffers import Array, BufferDeclaration
from udfwidgets.udf.base import UDF
from udfwidgets.udf.compiled.fused import Step
from udfwidgets.udf.compiled.kernels import (
    STRIP,
    exact_dtype,
    flat,
    known,
    partial_dtype,
    strip_dtype,
    sum_frames,
)
from udfwidgets.udf.compiled.steps import add_up_frames
from udfwidgets.udf.compiled.words import add_frames_in_words, finished, kept_as, needs_words
from udfwidgets.udf.contract.views import Views


class SumUDF(UDF):
    """Adds up all frames: the mean diffraction pattern, times the number of positions.

    Integers are added up exactly, in as many bits as it takes, and rounded once into the result;
    a sum that does not fit into a result of integers is an `OverflowError`.

    Parameters
    ----------
    dtype : dtype, default 'float32'
        Of the result, combined with the dtype of the dataset by `numpy.result_type`.

    Results
    -------
    intensity : kind sig
    """

    takes_any_frames = True

    def __init__(self, dtype: npt.DTypeLike = "float32") -> None:
        super().__init__(dtype=dtype)

    @property
    def _sum(self) -> str:
        # Exact and apart, but for subclasses, whose code may read and write `results.intensity`.
        return "total" if type(self) is SumUDF else "intensity"

    def get_preferred_input_dtype(self) -> npt.DTypeLike:
        """Read the data as they are, but in a subclass as floats that it can calculate with."""
        return self.USE_NATIVE_DTYPE if self._sum == "total" else self.params.dtype

    def get_result_buffers(self) -> Mapping[str, BufferDeclaration]:
        """Declare the result, and the exact sum behind it."""
        native = self.meta.input_dtype
        dtype = np.result_type(self.params.dtype, native)
        if self._sum == "intensity":
            return {"intensity": self.buffer("sig", dtype=dtype)}
        return {
            "intensity": self.buffer("sig", dtype=dtype, use="result_only"),
            "total": self.buffer("sig", *self._kept_as(native), use="private"),
        }

    def _kept_as(self, native: np.dtype[Any]) -> tuple[tuple[int, ...], np.dtype[Any]]:
        if needs_words(native):
            return kept_as(native)
        # As narrow as is exact for the whole scan: of large frames, most of the time of a merge is
        # spent on fetching what is added up.
        return (), partial_dtype(native, self.meta.dataset_shape.nav.size)

    def get_task_data(self) -> Mapping[str, Array]:
        """Provide the scratch of the kernel."""
        return {"strip": np.empty(STRIP, strip_dtype(self.meta.input_dtype))}

    def process_tile(self, tile: Array) -> None:
        """Add the frames of a tile."""
        total = self.results[self._sum]
        array = known(total)
        if self._sum == "total" and needs_words(tile.dtype):
            add_frames_in_words(flat(tile), array.reshape(-1, 2))
        else:
            sum_frames(flat(tile), self.task_data.strip, array.reshape(-1))
        if array is not total:
            total[:] = array

    def fused_step(self) -> Step:
        """Return what `process_tile` does, for all tiles of a partition."""
        total, dtype = self.results.total, self.meta.input_dtype
        if needs_words(dtype):
            return Step(add_up_frames(dtype, dtype), total, key="sum", unit=1)
        n_frames = self.meta.partition_shape[0]
        narrow = partial_dtype(dtype, n_frames)
        part = total if total.dtype == narrow else zeros(total.shape, narrow)
        per_frame = zeros((n_frames,), exact_dtype(dtype))
        address = add_up_frames(dtype, part.dtype)
        return Step(address, part, more=per_frame, key="sum", unit=1, buffers=(total,))

    def merge(self, dest: Views, src: Views) -> None:
        """Add the sum of a partition."""
        add_to(dest[self._sum], src[self._sum])

    def get_results(self) -> Mapping[str, Array]:
        """Round once."""
        if self._sum == "intensity":
            return {"intensity": self.results.intensity}
        result = self.declarations["intensity"].dtype
        return {"intensity": finished(self.results.total, self.meta.input_dtype, result)}
