"""Mean, variance and standard deviation of each detector pixel over the scan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from udfwidgets.buffers import Array, BufferDeclaration
from udfwidgets.udf.base import UDF
from udfwidgets.udf.kernels import flat, mean_and_spread
from udfwidgets.udf.views import Views


class Runs(Protocol):
    """What runs UDFs: a Context, which stands above this floor."""

    def run_udf(self, *args: Any, **kwargs: Any) -> Any:
        """Run a UDF over a dataset."""


class StdDevUDF(UDF):
    """How much each detector pixel varies over the scan.

    Tiles and partitions are combined by the parallel formula of Chan, Golub and LeVeque (1979),
    in 64-bit floating point; large means do no harm.

    Parameters
    ----------
    dtype : dtype, optional
        Of the results, 'float64' by default. Sum and mean are of at least the input dtype.
    use_numba : bool
        Taken from code written for LiberTEM; here it always is numba.

    Results
    -------
    var, std, mean, sum, varsum : kind sig
        Variance (divided by the number of frames), its root, mean, sum, and the sum of squared
        deviations from the mean.
    num_frames : kind single
        Frames that are in.
    """

    takes_any_frames = True

    def __init__(self, dtype: npt.DTypeLike | None = None, use_numba: bool = True) -> None:
        super().__init__(dtype=dtype, use_numba=use_numba)

    def get_preferred_input_dtype(self) -> npt.DTypeLike:
        """Read the data as they are."""
        return self.USE_NATIVE_DTYPE

    def get_result_buffers(self) -> Mapping[str, BufferDeclaration]:
        """Declare the results."""
        native = self.meta.input_dtype
        if native.kind == "c":
            raise TypeError(
                f"StdDevUDF takes real data, the dataset is of dtype {native}: look at its real "
                "and imaginary parts, or its absolute value, one by one"
            )
        dtype = np.dtype(self.params.dtype)  # of None: float64
        wide = np.result_type(dtype, native)
        return {
            "varsum": self.buffer("sig", dtype=dtype),
            "num_frames": self.buffer("single", dtype="int64"),
            "sum": self.buffer("sig", dtype=wide),
            "var": self.buffer("sig", dtype=dtype, use="result_only"),
            "std": self.buffer("sig", dtype=dtype, use="result_only"),
            "mean": self.buffer("sig", dtype=wide, use="result_only"),
        }

    def get_task_data(self) -> Mapping[str, Any]:
        """Count frames separately for each part of the detector."""
        return {"seen": {}}

    def process_tile(self, tile: Array) -> None:
        """Fold in the frames of a tile."""
        part = self.meta.tiling_scheme_idx
        seen = self.task_data.seen.get(part, 0)
        total, spread = self.results.sum, self.results.varsum
        sums, spreads = np.ascontiguousarray(total), np.ascontiguousarray(spread)
        mean_and_spread(flat(tile), seen, sums.reshape(-1), spreads.reshape(-1))
        if sums is not total:
            total[:], spread[:] = sums, spreads
        self.task_data.seen[part] = seen + len(tile)
        if part == 0:
            self.results.num_frames[:] += len(tile)

    def merge(self, dest: Views, src: Views) -> None:
        """Combine what is there with a partition."""
        before, more = int(dest.num_frames[0]), int(src.num_frames[0])
        if before and more:
            shift = src.sum / more - dest.sum / before
            dest.varsum[:] += shift * shift * (before * more / (before + more))
        dest.varsum[:] += src.varsum
        dest.sum[:] += src.sum
        dest.num_frames[:] += src.num_frames

    def get_results(self) -> Mapping[str, Array]:
        """Divide by the number of frames; NaN before the first one."""
        n_frames = self.results.num_frames[0] or np.nan
        variance = self.results.varsum / n_frames
        return {
            **super().get_results(),
            "var": variance,
            "std": np.sqrt(variance),
            "mean": self.results.sum / n_frames,
        }


def run_stddev(
    ctx: Runs, dataset: Any, roi: Any = None, progress: bool = False, use_numba: bool = True
) -> dict[str, Any]:
    """Run a `StdDevUDF` and return its results as plain arrays.

    Parameters
    ----------
    ctx : Context
        Runs it.
    dataset, roi, progress : object
        As for `Context.run_udf`.
    use_numba : bool
        Taken from code written for LiberTEM; here it always is numba.

    Returns
    -------
    dict
        Name to array; 'num_frames' is a number.
    """
    results = ctx.run_udf(dataset=dataset, udf=StdDevUDF(), roi=roi, progress=progress)
    arrays = {name: wrapper.data for name, wrapper in results.items()}
    return arrays | {"num_frames": int(arrays["num_frames"][0])}
