"""A result as a file has it: slices first, then the axes of an image, each with its unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from udfwidgets.buffers import Array, BoolArray, BufferWrapper, Kind
from udfwidgets.calibration import Calibration, Scale
from udfwidgets.origin import DataOrigin, Origin


@dataclass(frozen=True)
class Axis:
    """One axis of a result.

    Attributes
    ----------
    name : str
        Such as 'y', 'x' or 'mask'.
    length : int
        How many pixels or slices it has.
    scale : Scale or None
        How large a pixel is; None for one that is counted.
    """

    name: str
    length: int
    scale: Scale | None = None

    @property
    def positions(self) -> npt.NDArray[Any]:
        """Where the centre of each pixel is: the first one at 0."""
        numbers = np.arange(self.length)
        return numbers if self.scale is None else numbers * self.scale.size


@dataclass(frozen=True, eq=False)
class Kept:
    """One result, ready to be written.

    Attributes
    ----------
    title : str
        For people.
    kind : {'nav', 'sig', 'single'}
        Whose axes it has.
    values : numpy.ndarray
        Along `axes`. Numbers of floating point are NaN where nothing has been merged.
    valid : numpy.ndarray of bool or None
        Where something has been merged, of the shape of `values`; None for everywhere.
    axes : tuple of Axis
        Slices first, if there are any.
    data : numpy.ndarray
        The same in the order of the result, and as it stands there.
    n_slices : int
        How many of the axes are those of slices.
    origin : Origin or None
        Where it comes from.
    colormap : str
        In which it is shown at first; empty for the usual one.
    unit : str
        Of the values; empty where that is not known.
    """

    title: str
    kind: Kind
    values: Array
    valid: BoolArray | None
    axes: tuple[Axis, ...]
    data: Array
    n_slices: int = 0
    origin: Origin | None = None
    colormap: str = ""
    unit: str = ""

    @property
    def scales(self) -> tuple[Scale | None, Scale | None]:
        """How large a pixel of the image is, along y and along x."""
        y, x = (None, None, *(axis.scale for axis in self.axes[self.n_slices :]))[-2:]
        return y, x


def kept(result: BufferWrapper, calibration: Calibration | None = None, title: str = "") -> Kept:
    """Return a result as a file has it.

    Parameters
    ----------
    result : BufferWrapper
        It is not changed.
    calibration : Calibration, optional
        How large pixels are, in place of what the dataset tells.
    title : str
        In place of its name.
    """
    origin = result.origin
    values, valid = result.data, result.valid_mask
    n_extra = len(result.extra_shape)
    n_own = values.ndim - n_extra
    order = (*range(n_own, values.ndim), *range(n_own))
    values, valid = values.transpose(order), valid.transpose(order)
    is_whole = bool(valid.all())
    return Kept(
        title or (result.kind if origin is None else origin.title),
        result.kind,
        values if is_whole else _blanked(values, valid),
        None if is_whole else valid,
        (*_slices(values.shape[:n_extra], origin), *_own(result, values, calibration, n_own)),
        result.data,
        n_extra if n_own else max(0, n_extra - 2),
        origin,
        "" if origin is None else origin.colormap,
        result.unit,
    )


def _slices(lengths: tuple[int, ...], origin: Origin | None) -> list[Axis]:
    name = (origin.slice_name if origin is not None else "") or "slice"
    names = [name] if len(lengths) == 1 else [f"{name}_{n}" for n in range(len(lengths))]
    return [Axis(name, length) for name, length in zip(names, lengths, strict=True)]


def _own(
    result: BufferWrapper, values: Array, calibration: Calibration | None, n_own: int
) -> tuple[Axis, ...]:
    """Return the axes of scan or detector."""
    lengths = values.shape[values.ndim - n_own :]
    if result.kind == "single":
        return axes_of(lengths)
    data = None if result.origin is None else result.origin.data
    return axes_of(lengths, scales_of(data, result.kind, n_own, calibration))


def axes_of(lengths: Sequence[int], scales: Sequence[Scale | None] = ()) -> tuple[Axis, ...]:
    """Return axes of these lengths; without scales they are counted."""
    n_axes = len(lengths)
    names = [*(f"axis_{n}" for n in range(n_axes - 2)), *"yx"[max(0, 2 - n_axes) :]]
    return tuple(map(Axis, names, lengths, scales or (None,) * n_axes))


def scales_of(
    data: DataOrigin | None, kind: Kind, n_axes: int, calibration: Calibration | None
) -> tuple[Scale | None, ...]:
    """Return how large pixels are along the axes of scan or detector.

    Raises
    ------
    ValueError
        If the calibration is of another number of axes.
    """
    assert kind != "single", "has axes of neither"
    told = (None,) * n_axes if data is None else data.calibration.scales(kind, n_axes)
    if calibration is None:
        return told
    given = calibration.scales(kind, n_axes)
    return tuple(a or b for a, b in zip(given, told, strict=True))


def kept_image(
    values: Array,
    kind: Kind,
    title: str,
    covered: BoolArray | None = None,
    scales: Sequence[Scale | None] = (),
    origin: Origin | None = None,
    unit: str = "",
) -> Kept:
    """Return an image, or a line, as a file has it.

    Parameters
    ----------
    values : numpy.ndarray
        With at most two axes.
    kind : {'nav', 'sig', 'single'}
        Whose axes it has.
    title : str
        For people.
    covered : numpy.ndarray of bool, optional
        Where something has been merged, of the shape of `values`.
    scales : sequence of Scale or None
        How large pixels are, of each axis; empty for axes that are counted.
    origin : Origin, optional
        Where it comes from.
    unit : str
        Of the values.
    """
    valid = None if covered is None or covered.all() else covered
    shown = values if valid is None else _blanked(values, valid)
    axes = axes_of(values.shape, scales)
    return Kept(title, kind, shown, valid, axes, values, origin=origin, unit=unit)


def _blanked(values: Array, valid: BoolArray) -> Array:
    """Return values with NaN where nothing has been merged, if they can be that."""
    if values.dtype.kind not in "fc":
        return values
    return np.where(valid, values, values.dtype.type(np.nan))
