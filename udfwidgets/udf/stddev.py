"""Mean, variance and standard deviation of each detector pixel over the scan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from udfwidgets.brief import add_to, zeros
from udfwidgets.buffers import Array, BufferDeclaration
from udfwidgets.names import further
from udfwidgets.udf.base import UDF
from udfwidgets.udf.compiled.fused import Step
from udfwidgets.udf.compiled.kernels import (
    add_squares,
    exact_dtype,
    flat,
    known,
    mean_and_spread,
    partial_dtype,
)
from udfwidgets.udf.compiled.steps import add_up_squares
from udfwidgets.udf.contract.views import Views


class Runs(Protocol):
    """What runs UDFs: a Context, which stands above this floor."""

    def run_udf(self, *args: Any, **kwargs: Any) -> Any:
        """Run a UDF over a dataset."""


class StdDevUDF(UDF):
    """How much each detector pixel varies over the scan.

    Integers of up to 16 bits are added up exactly, and so are their squares; results are rounded
    at the end. For other numbers, tiles and partitions are combined by the parallel formula of
    Chan, Golub and LeVeque (1979) in 64-bit floating point, to which numbers of more bits are
    rounded first. Large means do no harm in either. A pixel that is infinite in one frame has an
    infinite sum and mean, and no variance: NaN.

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
        total, spread = self._sums
        is_apart = total == "total"
        made = "result_only" if is_apart else None
        of_total = exact_dtype(native) if self._is_exact else np.dtype(np.float64)
        of_spread = np.uint64 if self._is_exact else np.float64
        apart = {
            total: self.buffer("sig", dtype=of_total, use="private"),
            spread: self.buffer("sig", dtype=of_spread, use="private"),
        }
        return {
            **(apart if is_apart else {}),
            "varsum": self.buffer("sig", dtype=dtype, use=made),
            "num_frames": self.buffer("single", dtype="int64"),
            "sum": self.buffer("sig", dtype=wide, use=made),
            "var": self.buffer("sig", dtype=dtype, use="result_only"),
            "std": self.buffer("sig", dtype=dtype, use="result_only"),
            "mean": self.buffer("sig", dtype=wide, use="result_only"),
        }

    @property
    def _sums(self) -> tuple[str, str]:
        # Apart, but for subclasses, whose code may read and write `sum` and `varsum`.
        if self._is_exact:
            return "total", "squares"
        return ("total", "spread") if type(self) is StdDevUDF else ("sum", "varsum")

    @property
    def _is_exact(self) -> bool:
        native = self.meta.input_dtype
        return type(self) is StdDevUDF and native.kind in "bui" and native.itemsize <= 2

    def get_task_data(self) -> Mapping[str, Any]:
        """Count frames separately for each part of the detector."""
        return {"seen": {}}

    def process_tile(self, tile: Array) -> None:
        """Fold in the frames of a tile."""
        part = self.meta.tiling_scheme_idx
        seen = self.task_data.seen.get(part, 0)
        shown = [self.results[name] for name in self._sums]
        arrays = [known(array) for array in shown]
        first, second = (array.reshape(-1) for array in arrays)
        if self._is_exact:
            add_squares(flat(tile), first, second)
        else:
            mean_and_spread(flat(tile), seen, first, second)
        for target, array in zip(shown, arrays, strict=True):
            if array is not target:
                target[:] = array
        self.task_data.seen[part] = seen + len(tile)
        if part == 0:
            self.results.num_frames[:] += len(tile)

    def fused_step(self) -> Step | None:
        """Return what `process_tile` does, for all tiles of a partition, where it is exact."""
        if not self._is_exact or self.meta.input_dtype.kind == "b":
            return None
        dtype, n_frames = self.meta.input_dtype, self.meta.partition_shape[0]
        self.results.num_frames[:] = n_frames
        total, squares = self.results.total, self.results.squares
        part = zeros(total.shape, partial_dtype(dtype, n_frames))
        return Step(
            add_up_squares(dtype, part.dtype),
            part,
            squares,
            key="squares",
            n_results=2,
            buffers=(total, squares),
            unit=1,
            contains={"sum": part},
        )

    def merge(self, dest: Views, src: Views) -> None:
        """Combine what is there with a partition."""
        total, spread = self._sums
        before, more = int(dest.num_frames[0]), int(src.num_frames[0])
        with np.errstate(invalid="ignore", over="ignore"):  # infinite pixels
            if before and more and not self._is_exact:
                shift = src[total] / more - dest[total] / before
                dest[spread][:] += shift * shift * (before * more / (before + more))
            add_to(dest[spread], src[spread])
            add_to(dest[total], src[total])
        dest.num_frames[:] += src.num_frames

    def get_results(self) -> Mapping[str, Array]:
        """Divide by the number of frames; NaN before the first one."""
        n_frames = self.results.num_frames[0]
        total, spread = (self.results[name] for name in self._sums)
        varsum = _spread(total, spread, n_frames) if self._is_exact else spread
        sums = {"sum": total, "varsum": varsum}
        divisor = n_frames or np.nan
        variance = sums["varsum"] / divisor
        made = {
            **sums,
            "var": variance,
            "std": np.sqrt(variance),
            "mean": sums["sum"] / divisor,
        }
        dtypes = {name: self.declarations[name].dtype for name in made}
        with np.errstate(over="ignore"):  # a result in few bits
            rounded = {name: array.astype(dtypes[name]) for name, array in made.items()}
        return {**super().get_results(), **rounded}


def _spread(total: Array, squares: Array, n_frames: int) -> Array:
    """Return the sum of squared deviations from the mean, from the sum and the sum of squares.

    They are counted from the integer nearest to the mean first. That is exact, even where numbers
    on the way are cut to 64 bits: the sum of the squares counted from there always fits.
    """
    if not n_frames:
        return np.zeros(total.shape)
    nearest = np.rint(total / n_frames).astype(np.int64)
    rest = total.astype(np.int64) - nearest * n_frames
    spread = squares - (nearest * (total.astype(np.int64) + rest)).view(np.uint64)
    return spread.astype(np.float64) - rest.astype(np.float64) ** 2 / n_frames


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


def consolidate_result(udf_result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the results of `StdDevUDF` as arrays, and the number of frames as a number."""
    arrays = {name: udf_result[name].data for name in ("varsum", "sum", "var", "std", "mean")}
    return {"num_frames": udf_result["num_frames"].data[0], **arrays}


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
