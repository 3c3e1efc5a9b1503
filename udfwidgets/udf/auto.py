"""A plain function of one frame, run as a UDF."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from udfwidgets.buffers import Array, BufferDeclaration
from udfwidgets.masked import without_mask
from udfwidgets.udf.base import UDF


class AutoUDF(UDF):
    """Calls a function with every frame and keeps what it returns.

    Parameters
    ----------
    f : callable
        Takes a frame, returns a number or an array, always of the same shape and dtype. It is
        tried once on a frame of ones to find out which.
    monitor : bool
        Also give the result of the last frame that is in, to be watched live.

    Results
    -------
    result : kind nav, extra_shape of what `f` returns
    monitor : kind single
        Only with `monitor`.
    """

    def __init__(self, f: Callable[[Array], Any], monitor: bool = False) -> None:
        super().__init__(f=f, monitor=monitor)

    def get_result_buffers(self) -> Mapping[str, BufferDeclaration]:
        """Try the function and declare what it returns."""
        frame = np.ones(self.meta.dataset_shape.sig.axes, self.meta.input_dtype)
        sample = np.asarray(self.params.f(frame))
        buffers = {"result": self.buffer("nav", sample.shape, sample.dtype)}
        if self.params.monitor:
            buffers["monitor"] = self.buffer(
                "single", sample.shape, sample.dtype, use="result_only"
            )
        return buffers

    def process_frame(self, frame: Array) -> None:
        """Call the function."""
        instead = "have it return array.filled(...)"
        made = np.asarray(without_mask(self.params.f(frame), "what the function returns", instead))
        wanted = self.results.result
        if not np.can_cast(made.dtype, wanted.dtype, "same_kind"):
            raise TypeError(
                f"the function returns {made.dtype} for this frame, but {wanted.dtype} for a frame "
                "of ones, with which it was tried: have it return the same dtype, such as 0.0 for 0"
            )
        wanted[:] = made

    def get_results(self) -> Mapping[str, Array]:
        """Pick out the last result that is in."""
        if not self.params.monitor:
            return {}
        declared, valid = self.declarations["monitor"], self.meta.get_valid_nav_mask()
        if valid is None or not valid.any():
            return {"monitor": np.zeros(declared.extra_shape, declared.dtype)}
        last = np.flatnonzero(valid)[-1]
        return {"monitor": self.results.result[last].reshape(declared.extra_shape)}
