"""The sum of logarithmic frames."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from udfwidgets.brief import add_to
from udfwidgets.buffers import Array, BufferDeclaration
from udfwidgets.udf.base import UDF
from udfwidgets.udf.compiled.kernels import (
    add_logs,
    add_logs_by_table,
    add_logs_of_integers,
    flat,
)
from udfwidgets.udf.contract.running import Runner
from udfwidgets.udf.contract.views import Views


class LogsumUDF(UDF):
    """Adds up the logarithms of all frames, each counted from its darkest pixel.

    A faint feature that is in many frames shows up beside one that is bright in a few, which
    the logarithm of a sum would hide. Added up is ``log(frame - frame.min() + 1)``.

    Results
    -------
    logsum : kind sig, float32
    """

    def __init__(self) -> None:
        super().__init__()

    def get_preferred_input_dtype(self) -> npt.DTypeLike:
        """Read the data as they are."""
        return self.USE_NATIVE_DTYPE

    def get_result_buffers(self) -> Mapping[str, BufferDeclaration]:
        """Declare the result, and the 64-bit sum behind it."""
        native = self.meta.input_dtype
        if native.kind == "c":
            raise TypeError(
                f"LogsumUDF takes real data, the dataset is of dtype {native}: take its absolute "
                "value first"
            )
        return {
            "logsum": self.buffer("sig", dtype="float32", use="result_only"),
            "total": self.buffer("sig", dtype="float64", use="private"),
        }

    def get_task_data(self) -> Mapping[str, Any]:
        """Provide the logarithms of all numbers that small integers can come to."""
        native = self.meta.input_dtype
        return {"logs": _logs() if native.kind in "bui" and native.itemsize <= 2 else None}

    def process_frame(self, frame: Array) -> None:
        """Add the logarithm of a frame; it takes the whole frame to know its darkest pixel."""
        total, pixels = self.results.total.reshape(-1), flat(frame[np.newaxis])[0]
        if self.task_data.logs is not None:
            add_logs_by_table(pixels, self.task_data.logs, total)
        elif pixels.dtype.kind in "ui":
            add_logs_of_integers(pixels, total)
        else:
            add_logs(pixels, total)

    def merge(self, dest: Views, src: Views) -> None:
        """Add the sum of a partition."""
        add_to(dest.total, src.total)

    def get_results(self) -> Mapping[str, Array]:
        """Round once."""
        return {"logsum": self.results.total.astype(np.float32)}


@cache
def _logs() -> Array:
    return np.log1p(np.arange(1 << 16, dtype=np.float64))


def run_logsum(ctx: Runner, dataset: Any, roi: Any = None) -> Any:
    """Run `LogsumUDF` and return its results.

    Parameters
    ----------
    ctx : Context
        Runs it.
    dataset : DataSet
        From ``ctx.load``.
    roi
        As for ``ctx.run_udf``.
    """
    return ctx.run_udf(dataset=dataset, udf=LogsumUDF(), roi=roi)
