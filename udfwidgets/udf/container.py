"""A stack of masks for UDFs that multiply by themselves, cut to what is in hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from udfwidgets.buffers import Array
from udfwidgets.masks import is_scipy_sparse, is_sparse, pydata_sparse, scipy_sparse
from udfwidgets.shapes import Shape, Slice
from udfwidgets.udf.masks import MaskStack

_FORMATS = (
    "scipy.sparse",
    "scipy.sparse.csr",
    "scipy.sparse.csc",
    "sparse.pydata",
    "sparse.pydata.GCXS",
)


class MaskContainer:
    """Masks, made when they are first needed, that can be cut, transposed and converted.

    `ApplyMasksUDF` does without: it is for UDFs that do more with masks than add up under them.
    What was cut once is kept.

    Parameters
    ----------
    mask_factories : callable, or sequence of callable
        One callable returns a stack of shape (masks, sig axes); several return a mask each, of
        sig shape. Dense, or sparse of SciPy or of the package ``sparse``.
    dtype : dtype, optional
        To convert the masks to.
    use_sparse : bool or str, optional
        False for dense masks, True for those of `default_sparse`, or the format itself:
        'scipy.sparse' or 'scipy.sparse.csr', 'scipy.sparse.csc', 'sparse.pydata',
        'sparse.pydata.GCXS'. By default True if all masks come sparse.
    count : int, optional
        How many masks there are; saves calling the factories to find out.
    backend : str, optional
        Taken from code written for several array libraries; 'numpy' is the one here.
    default_sparse : str
        The format where only that they are sparse is said.

    Raises
    ------
    ValueError
        If a format, or the array library, is not one of those here.
    """

    def __init__(
        self,
        mask_factories: Callable[[], Any] | Sequence[Callable[[], Any]],
        dtype: npt.DTypeLike | None = None,
        use_sparse: bool | str | None = None,
        count: int | None = None,
        backend: str | None = None,
        default_sparse: str = "scipy.sparse",
    ) -> None:
        for form in (use_sparse, default_sparse):
            if isinstance(form, str):
                _check_format(form)
        _check_backend(backend)
        self.mask_factories = mask_factories
        self.backend = backend or "numpy"
        self._dtype = dtype
        self._use_sparse = default_sparse if use_sparse is True else use_sparse
        self._count = count
        self._default_sparse = default_sparse
        self._cut: dict[tuple[Any, ...], Any] = {}

    def __len__(self) -> int:
        if self._count is not None:
            return self._count
        return self._matrix.shape[0] if callable(self.mask_factories) else len(self.mask_factories)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the masks."""
        return np.dtype(self._matrix.dtype if self._dtype is None else self._dtype)

    @property
    def use_sparse(self) -> str | bool:
        """The sparse format, or False for dense masks."""
        if self._use_sparse is None:
            return self._default_sparse if is_scipy_sparse(self._matrix) else False
        return self._use_sparse

    @property
    def computed_masks(self) -> Any:
        """All masks, of shape (masks, sig axes): an array, or a ``sparse.COO``."""
        matrix, shape = self._matrix, (-1, *self._sig)
        if is_scipy_sparse(matrix):
            return pydata_sparse().COO.from_scipy_sparse(matrix).reshape(shape)
        return matrix.reshape(shape)

    def get(
        self,
        key: Slice,
        dtype: npt.DTypeLike | None = None,
        sparse_backend: str | bool | None = None,
        transpose: bool = True,
        backend: str | None = None,
    ) -> Any:
        """Return the masks, cut to the detector axes of a box, as a matrix.

        Parameters
        ----------
        key : Slice
            As ``self.meta.slice`` is, while a tile is in hand.
        dtype : dtype, optional
            That of the container by default.
        sparse_backend : str or False, optional
            The format, as for `use_sparse`; that of the container by default.
        transpose : bool
            The matrix has shape (pixels, masks), otherwise (masks, pixels).
        backend : str, optional
            As for the container.
        """
        if not isinstance(key, Slice):
            raise TypeError(f"the masks are cut to a Slice, got a {type(key).__name__}")
        return self.get_masks_for_slice(key.sig, dtype, sparse_backend, transpose, backend)

    def get_for_idx(self, scheme: Sequence[Slice], idx: int, *args: Any, **kwargs: Any) -> Any:
        """Return the masks cut to one part of a tiling scheme; otherwise like `get`."""
        return self.get_masks_for_slice(scheme[idx], *args, **kwargs)

    def get_for_sig_slice(self, sig_slice: Slice, *args: Any, **kwargs: Any) -> Any:
        """Return the masks cut to a box of the detector; otherwise like `get`."""
        return self.get_masks_for_slice(sig_slice, *args, **kwargs)

    def get_masks_for_slice(
        self,
        slice_: Slice,
        dtype: npt.DTypeLike | None = None,
        sparse_backend: str | bool | None = None,
        transpose: bool = True,
        backend: str | None = None,
    ) -> Any:
        """Return the masks cut to a box of the detector; otherwise like `get`."""
        _check_backend(backend)
        form = self.use_sparse if sparse_backend is None else sparse_backend
        wanted = self.dtype if dtype is None else np.dtype(dtype)
        key = slice_, wanted, form, transpose
        if key not in self._cut:
            index = np.arange(self._matrix.shape[1]).reshape(self._sig)[slice_.get()]
            part = self._matrix[:, index.reshape(-1)].astype(wanted)
            self._cut[key] = _in_format(part.T if transpose else part, form)
        return self._cut[key]

    @cached_property
    def _masks(self) -> Any:
        given = self.mask_factories
        if not callable(given):
            return [factory() for factory in given]
        masks = given()
        return [masks] if is_scipy_sparse(masks) else masks  # which has two axes, and is one mask

    @cached_property
    def _sig(self) -> tuple[int, ...]:
        masks = self._masks
        return tuple(masks.shape[1:] if hasattr(masks, "shape") else masks[0].shape)

    @cached_property
    def _matrix(self) -> Any:
        masks = self._masks
        wanted: Any = self._use_sparse
        if wanted is None:
            wanted = is_sparse(masks) if hasattr(masks, "shape") else all(map(is_sparse, masks))
        matrix = MaskStack(masks, bool(wanted), self._dtype).resolve(
            Shape(self._sig, len(self._sig))
        )
        del self._masks  # the matrix has them
        return matrix

    def __getstate__(self) -> dict[str, Any]:
        # Made anew where it arrives, which is less to send.
        made = {"_masks", "_matrix"}
        return {name: v for name, v in self.__dict__.items() if name not in made} | {"_cut": {}}


def _in_format(matrix: Any, form: str | bool) -> Any:
    if form is False:
        dense: Array = matrix.toarray() if is_scipy_sparse(matrix) else matrix
        return np.ascontiguousarray(dense)
    _check_format(form)
    if form in ("scipy.sparse", "scipy.sparse.csr"):
        return scipy_sparse().csr_matrix(matrix)
    if form == "scipy.sparse.csc":
        return scipy_sparse().csc_matrix(matrix)
    coo = pydata_sparse().COO.from_scipy_sparse(scipy_sparse().coo_matrix(matrix))
    return coo if form == "sparse.pydata" else pydata_sparse().GCXS(coo)


def _check_format(form: str | bool) -> None:
    if form not in _FORMATS:
        raise ValueError(f"{form!r} is no format of sparse masks, there are {', '.join(_FORMATS)}")


def _check_backend(backend: str | None) -> None:
    if backend is not None and backend.startswith("cupy"):
        raise ValueError(f"backend={backend!r} is not here: leave it out, masks are for NumPy")
