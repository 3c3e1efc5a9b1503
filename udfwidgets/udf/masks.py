"""Virtual detectors: weighted sums over the detector."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from udfwidgets.buffers import Array, BufferDeclaration
from udfwidgets.errors import UDFException
from udfwidgets.masked import left_out
from udfwidgets.masks import is_scipy_sparse, scipy_sparse
from udfwidgets.names import further
from udfwidgets.shapes import Shape, Slice
from udfwidgets.udf.base import UDF, UDFMethod
from udfwidgets.udf.compiled.detectors import Detector
from udfwidgets.udf.compiled.fused import Step
from udfwidgets.udf.compiled.kernels import flat, known
from udfwidgets.udf.compiled.steps import add_up_matrix, add_up_runs
from udfwidgets.udf.contract.auxiliary import AuxData

MaskFactory = Callable[[], Any]
#: Masks as a user may give them: what makes them, or the arrays themselves, one or several, which
#: may have names.
Masks = MaskFactory | Array | Sequence[MaskFactory | Array] | Mapping[str, MaskFactory | Array]


class ApplyMasksUDF(UDF):
    """Multiplies each frame with each mask and adds up over the detector.

    Pixels that a mask gives the weight 0 have no part in its sum, be they NaN or infinite; nor
    have those where a mask is a masked array of NumPy, and masked.

    Parameters
    ----------
    mask_factories : callable, or sequence or mapping of callable
        Each returns one mask of sig shape, dense or a SciPy sparse matrix. A single callable may
        also return several, as a list or as a stack of shape (masks, sig axes). Masks themselves
        are taken in the place of callables; each copy of the UDF for another process carries them.
        The names of a mapping, ``{"bright field": disk, "dark field": ring}``, are the titles of
        the live images.
    use_sparse : bool or str, optional
        True (or 'scipy.sparse', 'scipy.sparse.csr', ...) to multiply sparsely, False for
        densely; by default sparsely if all masks come sparse.
    mask_count : int, optional
        How many masks there are; saves calling the factories to find out.
    mask_dtype : dtype, optional
        To convert the masks to.
    preferred_dtype : dtype, default 'float32'
        Combined with the dtypes of data and masks into that of the result.
    use_torch, backends : bool, sequence of str
        Taken from code written for several array libraries; there is one here, 'numpy'.
    shifts : (y, x) of int, or AuxData, optional
        Move the masks over the frame, down and to the right: by the same amount for all frames,
        or, as ``UDF.aux_data(shifts, kind="nav", extra_shape=(2,), dtype=int)``, by one for each.
        What comes to lie outside is cut off. Fractions are cut off too.
    **kwargs
        Parameters of a subclass.

    Results
    -------
    intensity : kind nav, extra_shape (masks,)
    """

    takes_any_frames = True
    slice_names: ClassVar = {"intensity": "mask"}

    def __init__(
        self,
        mask_factories: Masks,
        use_sparse: bool | str | None = None,
        mask_count: int | None = None,
        mask_dtype: npt.DTypeLike | None = None,
        preferred_dtype: npt.DTypeLike | None = None,
        use_torch: bool = True,
        backends: Sequence[str] | None = None,
        shifts: AuxData | npt.ArrayLike | None = None,
        **kwargs: Any,
    ) -> None:
        if kwargs and type(self) is ApplyMasksUDF:
            raise TypeError(
                f"ApplyMasksUDF takes no argument {next(iter(kwargs))!r}, a subclass may"
            )
        if backends is not None and self.BACKEND_NUMPY not in backends:
            raise ValueError(f"no compatible backend found in {backends}: 'numpy' is the one here")
        if shifts is not None:
            _check_shifts(shifts, use_sparse)
        super().__init__(
            mask_factories=mask_factories,
            use_sparse=use_sparse,
            mask_count=mask_count,
            mask_dtype=mask_dtype,
            preferred_dtype=preferred_dtype,
            use_torch=use_torch,
            backends=backends,
            shifts=shifts,
            **kwargs,
        )
        self._masks = MaskStack(mask_factories, use_sparse, mask_dtype)

    @property
    def slice_titles(self) -> Mapping[str, Sequence[str]]:
        """The names of the masks, if they have any."""
        given = self.params.mask_factories
        return {"intensity": tuple(map(str, given))} if isinstance(given, Mapping) else {}

    def copy(self) -> ApplyMasksUDF:
        """Return a new instance that shares the masks, which are computed once."""
        clone = type(self)(**self._kwargs)
        clone._masks = self._masks
        return clone

    @property
    def _sum(self) -> str:
        # Exact and apart, but for subclasses, whose code may read and write `results.intensity`.
        return "total" if type(self) is ApplyMasksUDF else "intensity"

    def get_mask_count(self) -> int:
        """Return how many masks there are; the factories are called where that is not said."""
        sig = self.meta.dataset_shape.sig
        return int(self.params.mask_count or self._masks.resolve(sig).shape[0])

    def get_mask_dtype(self) -> np.dtype[Any]:
        """Return the dtype of the masks; the factories are called where that is not said."""
        sig = self.meta.dataset_shape.sig
        dtype: np.dtype[Any] = np.dtype(self.params.mask_dtype or self._masks.resolve(sig).dtype)
        return dtype

    @property
    def masks(self) -> Array:
        """The masks, dense, of shape (masks, sig axes)."""
        sig = self.meta.dataset_shape.sig
        masks = self._masks.resolve(sig)
        dense: Array = masks.toarray() if is_scipy_sparse(masks) else masks
        return dense.reshape(-1, *sig)

    def get_preferred_input_dtype(self) -> npt.DTypeLike:
        """Read the data as they are, but in a subclass as floats that it can calculate with."""
        if self._sum == "total":
            return self.USE_NATIVE_DTYPE
        preferred: npt.DTypeLike = self.params.preferred_dtype or np.float32
        return preferred

    def get_method(self) -> UDFMethod:
        """Shift the masks frame by frame; otherwise multiply a tile at a time."""
        return UDFMethod.TILE if self.params.shifts is None else UDFMethod.FRAME

    def get_result_buffers(self) -> Mapping[str, BufferDeclaration]:
        """Declare one number per mask and position."""
        # Computed anew for each run, whose copies of the UDF share it: the next dataset can be of
        # another shape, and a factory can look at what has changed meanwhile.
        self._masks = self._masks.renewed()
        count, mask_dtype = self.get_mask_count(), self.get_mask_dtype()
        preferred = self.params.preferred_dtype or np.float32
        dtype = np.result_type(preferred, self.meta.input_dtype, mask_dtype)
        if self._sum == "intensity":
            return {"intensity": self.buffer("nav", (count,), dtype)}
        wide = np.complex128 if dtype.kind == "c" else np.float64
        return {
            "intensity": self.buffer("nav", (count,), dtype, use="result_only"),
            "total": self.buffer("nav", (count,), wide, use="private"),
        }

    def get_task_data(self) -> Mapping[str, Any]:
        """Provide the masks."""
        # A subclass may look at them; the compiled sums have them in a form of their own.
        is_seen = self.params.shifts is not None or type(self) is not ApplyMasksUDF
        return {"masks": self.masks} if is_seen else {}

    def process_tile(self, tile: Array) -> None:
        """Multiply a tile with the masks."""
        total = self.results[self._sum]
        wide = np.dtype(np.complex128 if total.dtype.kind == "c" else np.float64)
        sig, box = self.meta.dataset_shape.sig, self.meta.sig_slice
        detector = self._masks.detector(sig, box, total.shape[1], wide, tile.dtype)
        array = known(total)
        detector.add(flat(tile), array)
        if array is not total:
            total[:] = array

    def fused_step(self) -> Step | None:
        """Return what `process_tile` does, for all tiles of a partition, with real masks."""
        total, dtype = self.results.total, self.meta.input_dtype
        if total.dtype.kind == "c":
            return None
        sig, box = self.meta.dataset_shape.sig, self.meta.sig_slice
        count = total.shape[1]
        detector = self._masks.detector(sig, box, count, total.dtype, dtype)
        if detector.matrix is not None:
            masks = detector.matrix
            address, key = add_up_matrix(dtype, masks.dtype), detector.key
            length = np.array([sig.size])
            return Step(address, total, masks, length, len(masks), count, key=key, unit=1)
        runs, weights = detector.runs, detector.weights
        address = add_up_runs(dtype)
        return Step(address, total, runs, weights, len(runs), count, key=detector.key, unit=1)

    def process_frame(self, frame: Array) -> None:
        """Multiply a frame with the masks after shifting them."""
        masks, total = self.task_data.masks, self.results[self._sum]
        _check_count(masks, len(total))
        steps = np.asarray(self.params.shifts).astype(int)
        cuts = [_overlap(int(step), size) for step, size in zip(steps, frame.shape, strict=True)]
        seen = frame[tuple(on_frame for on_frame, _ in cuts)].astype(total.dtype)
        every_mask = (slice(None), *(on_mask for _, on_mask in cuts))
        weights, pixels = masks[every_mask].reshape(len(total), -1), seen.reshape(-1)
        if np.isfinite(pixels).all():
            total += weights @ pixels
        else:  # 0 times infinity is NaN
            for number, mask in enumerate(weights):
                total[number] += mask[mask != 0] @ pixels[mask != 0]

    def get_results(self) -> Mapping[str, Array]:
        """Round once."""
        dtype = self.declarations["intensity"].dtype
        with np.errstate(over="ignore", invalid="ignore"):  # it is infinite, or NaN, then
            return {"intensity": self.results[self._sum].astype(dtype)}


def _check_shifts(shifts: AuxData | npt.ArrayLike, use_sparse: bool | str | None) -> None:
    if isinstance(use_sparse, str) and use_sparse.startswith("scipy.sparse"):
        raise ValueError(
            f"use_sparse={use_sparse!r} does not go with shifts: masks are cut to shape densely, "
            "leave it out"
        )
    if not isinstance(shifts, AuxData) and np.shape(shifts) != (2,):
        raise ValueError(
            f"shifts have shape {np.shape(shifts)}, expected one (y, x) for all frames, or "
            "UDF.aux_data(shifts, kind='nav', extra_shape=(2,), dtype=int) for one per frame"
        )


def _check_count(masks: Any, count: int) -> None:
    if masks.shape[0] != count:
        raise UDFException(f"mask_count is {count}, the factories gave {masks.shape[0]} masks")


def _overlap(step: int, size: int) -> tuple[slice, slice]:
    """Return the indices of a frame, and of a mask moved up by `step`, that lie on each other."""
    step = max(-size, min(step, size))
    return (
        slice(max(step, 0), size + min(step, 0)),
        slice(max(-step, 0), size - max(step, 0)),
    )


class MaskStack:
    """The masks of a UDF as one matrix, computed when first needed and then shared.

    Parameters
    ----------
    factories : callable, or sequence or mapping of callable
        As for `ApplyMasksUDF`.
    use_sparse : bool, str or None
        As for `ApplyMasksUDF`.
    dtype : dtype or None
        To convert to.
    """

    def __init__(
        self,
        factories: Masks,
        use_sparse: bool | str | None,
        dtype: npt.DTypeLike | None,
    ) -> None:
        self._factories = tuple(factories.values()) if isinstance(factories, Mapping) else factories
        self._use_sparse = use_sparse
        self._dtype = dtype
        self._lock = threading.Lock()
        self._matrix: Any = None
        self._sig: tuple[int, ...] = ()
        self._detectors: dict[tuple[Slice, np.dtype[Any], np.dtype[Any]], Detector] = {}

    def renewed(self) -> MaskStack:
        """Return a stack of the same factories that has computed nothing yet."""
        return MaskStack(self._factories, self._use_sparse, self._dtype)

    def resolve(self, sig: Shape) -> Any:
        """Return the masks as a matrix (masks, pixels), dense or CSR, in their own dtype.

        Raises
        ------
        ValueError
            If a mask is not of sig shape.
        """
        with self._lock:
            if self._matrix is None or self._sig != sig.axes:
                self._detectors.clear()
                self._matrix, self._sig = self._compute(sig), sig.axes
            return self._matrix

    def detector(
        self,
        sig: Shape,
        box: Slice,
        count: int,
        dtype: np.dtype[Any],
        frames: np.dtype[Any],
    ) -> Detector:
        """Return what applies the masks to a part of the detector, see `Detector.of`.

        Raises
        ------
        UDFException
            If there are not as many masks as `count`.
        """
        masks = self.resolve(sig)
        _check_count(masks, count)
        with self._lock:
            kind = box, dtype, frames
            if kind not in self._detectors:
                pixels = np.arange(sig.size).reshape(sig.axes)[box.get()].reshape(-1)
                self._detectors[kind] = Detector.of(masks[:, pixels], dtype, frames)
            return self._detectors[kind]

    def _compute(self, sig: Shape) -> Any:
        masks = self._call_factories(sig)
        sparse = self._use_sparse
        if sparse is None:
            sparse = all(is_scipy_sparse(mask) for mask in masks)
        rows = [_as_row(mask, sig, bool(sparse)) for mask in masks]
        matrix = scipy_sparse().vstack(rows, "csr") if sparse else np.stack(rows)
        return matrix if self._dtype is None else matrix.astype(self._dtype)

    def _call_factories(self, sig: Shape) -> list[Any]:
        given = self._factories
        if not callable(given) and not hasattr(given, "shape"):
            return [factory() if callable(factory) else factory for factory in given]
        mask: Any = given() if callable(given) else given
        if isinstance(mask, (list, tuple)):
            return list(mask)
        is_stack = not is_scipy_sparse(mask) and np.ndim(mask) == sig.dims + 1
        return list(mask) if is_stack else [mask]

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_lock": None, "_matrix": None, "_detectors": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())


def _as_row(mask: Any, sig: Shape, sparse: bool) -> Any:
    if not is_scipy_sparse(mask):
        mask = np.asarray(mask.todense() if hasattr(mask, "todense") else left_out(mask))
    if tuple(mask.shape) != sig.axes:
        raise ValueError(
            f"a mask has shape {tuple(mask.shape)}, the frames have sig shape {sig.axes}: they "
            "need to be equal"
        )
    if sparse:
        return scipy_sparse().csr_matrix(mask.reshape(1, -1))
    dense = mask.toarray() if is_scipy_sparse(mask) else mask
    return dense.reshape(-1)


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
