"""Results: how a UDF declares them and how a user gets them."""

from __future__ import annotations

import math
import os
import pkgutil
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NoReturn, cast

import numpy as np
import numpy.typing as npt

from udfwidgets.brief import zeros
from udfwidgets.calibration import Calibration
from udfwidgets.origin import Origin
from udfwidgets.shapes import Shape
from udfwidgets.unknown import unknown

Array = npt.NDArray[Any]
BoolArray = npt.NDArray[np.bool_]
#: The buffers of one UDF, by name.
Buffers = Mapping[str, Array]
Kind = Literal["nav", "sig", "single"]
Use = Literal["private", "result_only"]

# Stands above this floor, and loads what it writes with when it is first used.
SAVE = "udfwidgets.keeping.saving:save_results"
HANDING = "udfwidgets.keeping.handing"

_KINDS = ("nav", "sig", "single")
_USES = (None, "private", "result_only")


def reshaped_view(arr: Array, shape: Sequence[int] | Shape) -> Array:
    """Return a view of an array in another shape.

    Raises
    ------
    ValueError
        If that takes a copy.
    """
    view = np.reshape(arr, tuple(shape))
    if arr.size and not np.may_share_memory(arr, view):
        raise ValueError(
            f"an array of shape {arr.shape} and strides {arr.strides} has no view of shape "
            f"{tuple(shape)}: use np.reshape, which copies it"
        )
    return view


@dataclass(frozen=True)
class BufferDeclaration:
    """What a UDF promises to fill: one array per scan position, per detector pixel, or one alone.

    Parameters
    ----------
    kind : {'nav', 'sig', 'single'}
        Which axes of the dataset lead the buffer; a 'single' buffer has none of them.
    extra_shape : tuple of int
        Axes after those.
    dtype : numpy.dtype
        Of the elements.
    where : {None, 'device'}
        Accepted for UDFs that also run on GPUs; there is one place here.
    use : {None, 'private', 'result_only'}
        'private' buffers never reach the user, 'result_only' ones are made by `get_results`.
    """

    kind: Kind
    extra_shape: tuple[int, ...]
    dtype: np.dtype[Any]
    where: str | None = None
    use: Use | None = None

    @classmethod
    def of(
        cls,
        kind: str,
        extra_shape: Sequence[int] | int = (),
        dtype: npt.DTypeLike = "float32",
        where: str | None = None,
        use: str | None = None,
    ) -> BufferDeclaration:
        """Check what a UDF wrote and return it as a declaration."""
        if kind not in _KINDS:
            raise ValueError(f"buffer kind is {kind!r}, expected one of {', '.join(_KINDS)}")
        if use not in _USES:
            raise ValueError(f"buffer use is {use!r}, expected None, 'private' or 'result_only'")
        extra = (extra_shape,) if isinstance(extra_shape, (int, np.integer)) else extra_shape
        extra = tuple(int(n) for n in extra)
        return cls(cast("Kind", kind), extra, np.dtype(dtype), where, cast("Use | None", use))

    @property
    def stored(self) -> bool:
        """Whether the buffer is filled while the data passes, and merged."""
        return self.use != "result_only"

    @property
    def visible(self) -> bool:
        """Whether the user gets to see it."""
        return self.use != "private"

    def leading(self, n_frames: int, sig: Shape) -> tuple[int, ...]:
        """Return the axes before the extra ones, for a run of `n_frames` frames."""
        if self.kind == "nav":
            return (n_frames,)
        if self.kind == "sig":
            return sig.axes
        return () if self.extra_shape else (1,)

    def allocate(self, n_frames: int, sig: Shape) -> Array:
        """Return a new array of zeros that holds the buffer for `n_frames` frames."""
        return zeros(self.leading(n_frames, sig) + self.extra_shape, self.dtype)


class BufferWrapper:
    """One result of a UDF, with the axes of the scan or the detector restored.

    Parameters
    ----------
    declaration : BufferDeclaration
        Kind, dtype and extra axes of the result.
    raw_data : numpy.ndarray
        The values, one row per *selected* frame for kind 'nav'. It is kept, not copied: whoever
        builds a wrapper hands the array over.
    shape : Shape
        Of the dataset.
    roi : numpy.ndarray of bool, optional
        The scan positions that were selected, of nav shape.
    valid : numpy.ndarray of bool
        Which elements are valid. It broadcasts against `raw_data`, from its first axes on.
    origin : Origin, optional
        Where it comes from.
    """

    def __init__(
        self,
        declaration: BufferDeclaration,
        raw_data: Array,
        shape: Shape,
        roi: BoolArray | None,
        valid: BoolArray,
        origin: Origin | None = None,
    ) -> None:
        self._origin = origin
        self._declaration = declaration
        self._raw = raw_data
        self._shape = shape
        self._roi = roi
        self._valid = valid

    @property
    def origin(self) -> Origin | None:
        """Where it comes from, where that is known."""
        return self._origin

    @property
    def unit(self) -> str:
        """Of the values, such as 'px' for pixels of the detector; empty where it is not known."""
        return "" if self._origin is None else self._origin.unit

    @property
    def kind(self) -> Kind:
        """'nav', 'sig' or 'single'."""
        return self._declaration.kind

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the elements."""
        return self._declaration.dtype

    @property
    def extra_shape(self) -> tuple[int, ...]:
        """Axes after those of the scan or the detector."""
        return self._declaration.extra_shape

    @property
    def where(self) -> str | None:
        """As declared by the UDF."""
        return self._declaration.where

    @property
    def use(self) -> Use | None:
        """As declared by the UDF."""
        return self._declaration.use

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of `raw_data`."""
        return self._raw.shape

    @property
    def roi(self) -> BoolArray | None:
        """The selected scan positions, or None for all."""
        return self._roi

    @property
    def roi_is_zero(self) -> bool:
        """Whether the roi leaves nothing of this result."""
        return self._raw.size == 0

    @property
    def raw_data(self) -> Array:
        """The values; for kind 'nav' one row per selected scan position, in scan order.

        The array belongs to this wrapper and no run writes to it any more.
        """
        return self._raw

    @cached_property
    def data(self) -> Array:
        """The values in full nav or sig shape.

        With a roi, positions that were not selected are NaN for floating-point and complex
        dtypes, NaT for times, None for objects, the empty string for strings, and zero (False) for
        all others.
        """
        return self._unfold(self._raw, fill=_empty_value(self.dtype))

    @cached_property
    def valid_mask(self) -> BoolArray:
        """True where merged data has arrived, of the shape of `data`."""
        return self._unfold(self.raw_valid_mask, fill=False)

    @property
    def raw_valid_mask(self) -> BoolArray:
        """True where merged data has arrived, of the shape of `raw_data`."""
        missing = self._raw.ndim - self._valid.ndim
        return np.broadcast_to(
            self._valid.reshape(self._valid.shape + (1,) * missing), self._raw.shape
        )

    @property
    def masked_data(self) -> np.ma.MaskedArray[Any, Any]:
        """`data`, masked where nothing has been merged."""
        return np.ma.masked_array(self.data, mask=~self.valid_mask)

    @property
    def raw_masked_data(self) -> np.ma.MaskedArray[Any, Any]:
        """`raw_data`, masked where nothing has been merged."""
        return np.ma.masked_array(self._raw, mask=~self.raw_valid_mask)

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        calibration: Calibration | None = None,
        title: str = "",
    ) -> Path:
        """Save the result, in the format that the name of the file asks for.

        Parameters
        ----------
        path : str or path
            ``.npy`` for `data` as it is; ``.h5`` for HDF5 with axes, what is valid, and where it
            comes from (NeXus); ``.tif`` for 32-bit floats with the size of a pixel; ``.png``,
            ``.svg`` or ``.pdf`` for a picture. The file gets its name when it is complete.
        overwrite : bool
            Replace a file that exists.
        calibration : Calibration, optional
            How large pixels are, in place of what the file of the dataset tells.
        title : str
            In place of its name.

        Returns
        -------
        Path
            Of the file.

        Raises
        ------
        ValueError
            If there is no such format, or it cannot take this result.
        FileExistsError
            If there is such a file and `overwrite` is not set.
        """
        options: Any = {"overwrite": overwrite, "calibration": calibration, "title": title}
        return cast("Path", pkgutil.resolve_name(SAVE)([self], path, **options))

    def to_xarray(self, *, calibration: Calibration | None = None) -> Any:
        """Return the result as a `xarray.DataArray`, a copy, with coordinates in units.

        Its axes are those of a saved file: slices first, then those of the scan (``nav_y``,
        ``nav_x``) or the detector (``sig_y``, ``sig_x``), the first pixel at 0. Floats are NaN
        where nothing has been merged; where not all is, the coordinate ``valid`` tells it.

        Parameters
        ----------
        calibration : Calibration, optional
            How large pixels are, in place of what the dataset tells.

        Raises
        ------
        ModuleNotFoundError
            If xarray is not installed.
        """
        return pkgutil.resolve_name(f"{HANDING}:xarray_of")(self, calibration)

    def to_hyperspy(self, *, calibration: Calibration | None = None) -> Any:
        """Return the result as a signal of hyperspy, a copy, with calibrated axes.

        An image is a `Signal2D`, a line a `Signal1D`, of complex numbers their complex kin; slices
        are its navigation axes.

        Parameters
        ----------
        calibration : Calibration, optional
            How large pixels are, in place of what the dataset tells.

        Raises
        ------
        ModuleNotFoundError
            If hyperspy is not installed.
        """
        return pkgutil.resolve_name(f"{HANDING}:hyperspy_of")(self, calibration)

    def _unfold(self, raw: Array, fill: Any) -> Array:
        if self.kind != "nav":
            return raw
        full = self._shape.nav.axes + raw.shape[1:]
        if self._roi is None:
            return raw.reshape(full)
        unfolded = np.full(full, fill, raw.dtype)
        unfolded[self._roi] = raw
        return unfolded

    def __getstate__(self) -> dict[str, Any]:
        # Without what is cached for having been looked at: it is made again from the rest.
        return {name: value for name, value in self.__dict__.items() if name.startswith("_")}

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        if copy:
            return np.array(self.data, dtype=dtype)
        return np.asarray(self.data, dtype=dtype)

    def __repr__(self) -> str:
        # As LiberTEM prints it: it is in the outputs that notebooks are compared with.
        return f"<BufferWrapper kind={self.kind} dtype={self.dtype} extra_shape={self.extra_shape}>"

    def __str__(self) -> str:
        """Return what it is, its shape, and how much of it is in."""
        valid = self.raw_valid_mask
        share = math.floor(100 * np.count_nonzero(valid) / valid.size) if valid.size else 0
        extra = f" of which {self.extra_shape} extra" if self.extra_shape else ""
        selected = (
            "" if self._roi is None else f", {np.count_nonzero(self._roi)} positions selected"
        )
        return (
            f"{self.kind} result, {self.dtype}, shape {self.data.shape}{extra}: "
            f"{share} % in{selected}"
        )


class Results(dict[str, BufferWrapper]):
    """The results of one UDF by name: a dict that says which names there are."""

    def save(
        self,
        path: str | os.PathLike[str],
        result: str | None = None,
        *,
        overwrite: bool = False,
        calibration: Calibration | None = None,
    ) -> Path:
        """Save the results in one file; of ``.npy`` and ``.tif``, which take one, name which.

        Parameters
        ----------
        path, overwrite, calibration
            As for `BufferWrapper.save`.
        result : str, optional
            Which one; by default all.
        """
        results = list(self.values()) if result is None else [self[result]]
        options: Any = {"overwrite": overwrite, "calibration": calibration}
        return cast("Path", pkgutil.resolve_name(SAVE)(results, path, **options))

    def to_xarray(self, *, calibration: Calibration | None = None) -> Any:
        """Return the results as a `xarray.Dataset`; see `BufferWrapper.to_xarray`.

        Results of the scan share its axes, and those of the detector. Other axes have the name of
        their variable in front.
        """
        return pkgutil.resolve_name(f"{HANDING}:dataset_of")(self, calibration)

    def __missing__(self, name: object) -> BufferWrapper:
        raise KeyError(unknown(name, self, "result "))

    def __getattr__(self, name: str) -> NoReturn:
        if name in self:
            raise AttributeError(f"a result is an item: write results[{name!r}]")
        raise AttributeError(f"a dict of results has no {name!r}; {unknown(name, self, 'result ')}")


def _empty_value(dtype: np.dtype[Any]) -> Any:
    # A plain nan would become nan+0j, whose imaginary part looks like a result.
    nothing = complex(np.nan, np.nan)
    values = {"f": np.nan, "c": nothing, "m": "NaT", "M": "NaT", "O": None, "S": "", "U": ""}
    return values.get(dtype.kind, 0)


class UDFResults:
    """What a run has merged so far.

    Parameters
    ----------
    buffers : tuple of dict, or callable
        One dict per UDF, name to `BufferWrapper`; or what makes them when they are first looked
        at, so that a step nobody looks at costs nothing.
    damage : BufferWrapper
        Kind 'nav', dtype bool: the scan positions that are in.
    """

    def __init__(
        self,
        buffers: tuple[dict[str, BufferWrapper], ...]
        | Callable[[], tuple[dict[str, BufferWrapper], ...]],
        damage: BufferWrapper,
    ) -> None:
        self._buffers = buffers
        # Not a cached property: in Python 3.11 those of one class wait for each other, and a UDF
        # may take its time to make its results.
        self._making = threading.RLock()
        self.damage = damage

    @property
    def buffers(self) -> tuple[dict[str, BufferWrapper], ...]:
        """One dict per UDF, name to `BufferWrapper`. They never change afterwards."""
        with self._making:
            if callable(self._buffers):
                self._buffers = self._buffers()
            return self._buffers

    def __reduce__(self) -> tuple[Any, ...]:
        return UDFResults, (self.buffers, self.damage)

    def __repr__(self) -> str:
        return f"UDFResults(buffers={self.buffers!r}, damage={self.damage!r})"
