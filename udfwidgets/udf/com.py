"""Centre of mass of each frame: how far, and which way, the specimen deflects the beam.

With a detector that is much larger than the beam's deflection, the shift of the centre of mass is
proportional to the projected electric field, its divergence to the charge density; see Müller
et al., Nature Communications 5, 5653 (2014), and Lazić et al., Ultramicroscopy 160, 265 (2016).
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from udfwidgets import masks
from udfwidgets.buffers import Array, BoolArray, BufferDeclaration, BufferWrapper
from udfwidgets.names import further
from udfwidgets.udf.base import UDF
from udfwidgets.udf.compiled.columns import MOST
from udfwidgets.udf.compiled.field import (
    GuessResult,
    apply_correction,
    center_shifts,
    coordinate_check,
    curl_2d,
    divergence,
    guess_corrections,
    magnitude,
)
from udfwidgets.udf.compiled.fused import Step
from udfwidgets.udf.compiled.kernels import flat
from udfwidgets.udf.compiled.moments import add_moments, moment_dtype, moment_ramp
from udfwidgets.udf.compiled.spans import ring_runs
from udfwidgets.udf.compiled.steps import add_up_moments

__all__ = [
    "CoMParams",
    "CoMUDF",
    "GuessResult",
    "RegressionOptions",
    "apply_correction",
    "center_shifts",
    "com_masks_factory",
    "com_masks_generic",
    "coordinate_check",
    "curl_2d",
    "divergence",
    "guess_corrections",
    "magnitude",
]

MaskFactory = Callable[[], Array]

#: Loads what it transforms with when it is first used.
INTEGRATE = "udfwidgets.udf.idpc:integrate_field"


class RegressionOptions(IntEnum):
    """What is fitted to the field, and subtracted from it."""

    NO_REGRESSION = -1
    SUBTRACT_MEAN = 0
    SUBTRACT_LINEAR = 1


class CoMParams(NamedTuple):
    """Parameters of `CoMUDF`, explained at `CoMUDF.with_params`."""

    cy: float | None = None
    cx: float | None = None
    r: float = float("inf")
    ri: float | None = 0.0
    scan_rotation: float = 0.0
    flip_y: bool = False
    regression: npt.ArrayLike = RegressionOptions.NO_REGRESSION


def com_masks_factory(
    detector_y: int, detector_x: int, cy: float, cx: float, r: float
) -> list[MaskFactory]:
    """Return factories of the three masks whose sums give the centre of mass within a disk.

    Parameters
    ----------
    detector_y, detector_x : int
        Size of the detector.
    cy, cx, r : float
        Centre and radius of the disk, in pixels.
    """
    return com_masks_generic(
        detector_y, detector_x, lambda: masks.circular(cx, cy, detector_x, detector_y, r)
    )


def com_masks_generic(
    detector_y: int, detector_x: int, base_mask_factory: MaskFactory
) -> list[MaskFactory]:
    """Return factories of a mask, of the mask times y, and of the mask times x."""
    return [
        base_mask_factory,
        lambda: masks.gradient_y(detector_x, detector_y) * base_mask_factory(),
        lambda: masks.gradient_x(detector_x, detector_y) * base_mask_factory(),
    ]


def integrated(results: Mapping[str, BufferWrapper]) -> Array:
    """Return what the field of `CoMUDF` is the slope of, see `udfwidgets.udf.idpc`."""
    field = results["field"]
    known = field.valid_mask.all(axis=-1)
    integrate: Callable[..., Array] = pkgutil.resolve_name(INTEGRATE)
    return integrate(field.data[..., 0], field.data[..., 1], known)


class CoMUDF(UDF):
    """Finds the centre of mass of each frame and the field that it maps out over the scan.

    It takes a 2-D scan and a 2-D detector. Integers are added up exactly, where
    there is room for their moments in 64 bits, otherwise as floats. Outside the roi all
    is NaN; where frames are still to come, shifts and field are zero. Divergence and curl are NaN
    next to a position that is not in.

    Parameters
    ----------
    com_params : CoMParams
        See `with_params`, which is the more convenient way.

    Results
    -------
    raw_com : kind nav, extra_shape (2,)
        y and x of the centre of mass, in pixels of the detector.
    raw_shifts : kind nav, extra_shape (2,)
        The same, relative to the centre given by `cy` and `cx`.
    field : kind nav, extra_shape (2,)
        The shifts, corrected for mirroring and rotation, less the regression: y and x of the
        field in coordinates of the scan.
    field_y, field_x, magnitude, divergence, curl : kind nav
        Made from `field`.
    regression : kind single, extra_shape (3, 2), float64
        What was subtracted, in y and x: offset, slope along the rows' numbers (y), slope along
        the columns' (x).

    Of `field` and `raw_shifts` a live view shows directions and lengths in one picture. Besides,
    ``plots=["idpc"]`` shows the integrated field (iDPC), see `udfwidgets.udf.idpc`.

    All but the last are float32 for up to 32-bit floats and small integers, as
    `numpy.result_type` gives; complex for complex data.
    """

    takes_any_frames = True
    colormaps: ClassVar = {
        **dict.fromkeys(("field_y", "field_x", "divergence", "curl", "raw_shifts", "field"), "vik"),
        "idpc": "gray",
    }
    result_units: ClassVar = dict.fromkeys(
        ("raw_com", "raw_shifts", "field", "field_y", "field_x", "magnitude"), "px"
    )
    vector_results: ClassVar = ("field", "raw_shifts")
    derived_images: ClassVar = {"idpc": integrated}

    def __init__(self, com_params: CoMParams = CoMParams()) -> None:  # noqa: B008 - immutable
        super().__init__(com_params=com_params)

    @classmethod
    def with_params(
        cls,
        *,
        cy: float | None = None,
        cx: float | None = None,
        r: float = float("inf"),
        ri: float | None = 0.0,
        scan_rotation: float = 0.0,
        flip_y: bool = False,
        regression: npt.ArrayLike = RegressionOptions.NO_REGRESSION,
    ) -> CoMUDF:
        """Return a UDF with these parameters.

        Parameters
        ----------
        cy, cx : float, optional
            Centre of the mask, and reference of the shifts, in pixels. By default the pixel in
            the middle of the detector, ``size // 2``.
        r, ri : float
            Outer and inner radius, in pixels, of the disk or ring that is looked at; by default
            the whole frame.
        scan_rotation, flip_y
            From the detector to the scan, see `apply_correction`.
        regression : RegressionOptions, int, or (3, 2) array
            Subtract the mean of the field (0), a linear fit (1), nothing (-1), or what an array
            says, in the layout of the result of that name.

        Raises
        ------
        ValueError
            If `ri` is not smaller than `r`.
        """
        if ri is not None and ri >= r:
            raise ValueError(
                f"inner radius ri={ri} leaves nothing of a disk of radius r={r}: make it smaller"
            )
        # A number may come as an array without axes.
        cy, cx = (None if centre is None else float(centre) for centre in (cy, cx))
        return cls(CoMParams(cy, cx, r, ri, scan_rotation, flip_y, regression))

    def get_preferred_input_dtype(self) -> npt.DTypeLike:
        """Read the data as they are."""
        return self.USE_NATIVE_DTYPE

    def get_result_buffers(self) -> Mapping[str, BufferDeclaration]:
        """Declare the results, and the exact sums behind them."""
        native, shape = self.meta.input_dtype, self.meta.dataset_shape
        if shape.nav.dims != 2 or shape.sig.dims != 2:
            raise ValueError(
                f"CoMUDF takes a 2D scan and a 2D detector, the dataset has nav {shape.nav} and "
                f"sig {shape.sig}: load it with other nav_shape and sig_shape"
            )
        dtype = np.result_type(native, np.float32)
        scalar = self.buffer("nav", dtype=dtype, use="result_only")
        vector = self.buffer("nav", (2,), dtype, use="result_only")
        return {
            "raw_com": vector,
            "raw_shifts": vector,
            "field": vector,
            "field_y": scalar,
            "field_x": scalar,
            "magnitude": scalar,
            "divergence": scalar,
            "curl": scalar,
            "regression": self.buffer("single", (3, 2), np.float64, use="result_only"),
            "moments": self.buffer("nav", (3,), moment_dtype(native, *shape.sig), use="private"),
        }

    def get_params(self) -> CoMParams:
        """Return the parameters with the centre filled in."""
        given = CoMParams(*self.params.com_params)
        size_y, size_x = self.meta.dataset_shape.sig
        return given._replace(
            cy=size_y // 2 if given.cy is None else given.cy,
            cx=size_x // 2 if given.cx is None else given.cx,
            ri=given.ri or 0.0,
        )

    def get_task_data(self) -> Mapping[str, Any]:
        """Provide the parameters, and a ramp for the kernel."""
        return {"com_params": self.get_params(), "ramp": moment_ramp(self.meta.input_dtype)}

    def process_tile(self, tile: Array) -> None:
        """Add up the moments of each frame of a tile."""
        given, box = self.task_data.com_params, self.meta.sig_slice
        size = self.meta.dataset_shape.sig
        inner = None if np.isclose(given.ri, 0) else given.ri
        spans = ring_runs(*size, given.cy, given.cx, given.r, inner, box)
        shape, origin = tile.shape[1:], box.origin
        add_moments(flat(tile), shape, spans, origin, self.task_data.ramp, self.results.moments)

    def fused_step(self) -> Step:
        """Return what `process_tile` does, for all tiles of a partition."""
        given, (height, width) = self.task_data.com_params, self.meta.dataset_shape.sig
        inner = None if np.isclose(given.ri, 0) else given.ri
        box = self.meta.sig_slice
        spans = ring_runs(height, width, given.cy, given.cx, given.r, inner, box)
        moments = self.results.moments
        address = add_up_moments(self.meta.input_dtype, moments.dtype)
        key = "moments", given.cy, given.cx, given.r, inner
        takes_all = (spans[:, 2] - spans[:, 1]).sum() == height * width
        return Step(
            address,
            moments,
            spans,
            self.task_data.ramp,
            len(spans),
            width,
            key=key,
            unit=width,
            contains={"sum per frame": moments[:, 0]} if takes_all else {},
            leaps=width > MOST,
        )

    def get_results(self) -> Mapping[str, Any]:
        """Make all results from the moments, in 64 bits, and round once."""
        given = self.get_params()
        cy, cx = float(given.cy or 0), float(given.cx or 0)
        valid, moments = self._unfolded()
        img_sum, img_y, img_x = np.moveaxis(moments, -1, 0)
        shifts = center_shifts(img_sum, img_y, img_x, cy, cx)
        field = np.stack(apply_correction(*shifts, given.scan_rotation, given.flip_y), axis=-1)
        regression = self.get_regression(field, valid)
        if regression.any():
            field[valid] -= _plane(regression, valid.shape)[valid]
        raw_shifts = np.stack(shifts, axis=-1)
        results = {
            "raw_com": raw_shifts + np.array([cy, cx]),
            "raw_shifts": raw_shifts,
            "field": field,
            "field_y": field[..., 0],
            "field_x": field[..., 1],
            **self._field_results(field, valid),
        }
        dtypes = {name: self.declarations[name].dtype for name in results}
        return {n: np.asarray(a).astype(dtypes[n]) for n, a in results.items()} | {
            "regression": regression
        }

    def _field_results(self, field: Array, valid: BoolArray) -> Mapping[str, Array]:
        # Slopes must not see the zeros of positions that are still to come: what is known of a
        # position that is in would not be final.
        known = field.copy() if valid.all() else np.where(valid[..., np.newaxis], field, np.nan)
        results = self.get_field_results(field_y=known[..., 0], field_x=known[..., 1])
        waiting = ~valid if self.meta.roi is None else ~valid & self.meta.roi
        if not waiting.any():
            return results
        filled = {name: np.array(array) for name, array in results.items()}
        for array in filled.values():
            array[waiting] = 0
        return filled

    def get_field_results(self, field_y: Array, field_x: Array) -> Mapping[str, Array]:
        """Return what is made from the corrected field; a subclass can add to it.

        Parameters
        ----------
        field_y, field_x : numpy.ndarray
            Of nav shape, NaN where nothing is known.
        """
        return {
            "magnitude": magnitude(field_y, field_x),
            "divergence": divergence(field_y, field_x),
            "curl": curl_2d(field_y, field_x),
        }

    def get_regression(self, field: Array, valid_mask: BoolArray) -> Array:
        """Return what is to be subtracted from the field.

        Parameters
        ----------
        field : (*nav, 2) array
            The corrected shifts.
        valid_mask : (*nav) array of bool
            The positions to fit to.

        Returns
        -------
        (3, 2) array of float64
            As in the result of that name.
        """
        wanted = self.get_params().regression
        regression = np.zeros((3, 2))
        if np.ndim(wanted):
            regression[:] = _checked_regression(wanted)
            return regression
        option = _regression_option(wanted)
        if option is RegressionOptions.NO_REGRESSION:
            return regression
        known = valid_mask & np.isfinite(field).all(axis=-1)
        if not known.any():
            return regression
        if np.iscomplexobj(field):
            raise TypeError("there is no regression for complex data: pass regression=-1")
        if option is RegressionOptions.SUBTRACT_MEAN:
            regression[0] = field[known].mean(axis=0)
        else:
            y, x = np.nonzero(known)
            model = np.stack([np.ones(len(y)), y, x], axis=1)
            regression[:] = np.linalg.lstsq(model, field[known], rcond=None)[0]
        return regression

    def _unfolded(self) -> tuple[BoolArray, Array]:
        """Return which positions are in, and the moments in nav shape, NaN outside the roi."""
        nav, sums = self.meta.dataset_shape.nav.axes, self.results.moments
        selected = np.ones(nav, bool) if self.meta.roi is None else self.meta.roi
        valid = self.meta.get_valid_nav_mask(full_nav=True)
        if valid is not None:
            valid = valid.reshape(nav)
        dtype = np.result_type(sums.dtype, np.float64)
        if self.meta.roi is None:
            moments = np.asarray(sums, dtype).reshape(*nav, 3)
        else:
            moments = np.full((*nav, 3), np.nan, dtype)
            moments[selected] = sums
        return selected if valid is None else valid, moments


def _plane(regression: Array, nav: tuple[int, ...]) -> Array:
    """Return offset and slopes as a field of shape (*nav, 2)."""
    y, x = np.ogrid[: nav[0], : nav[1]]
    offset, slope_y, slope_x = regression
    return np.asarray(offset + y[..., None] * slope_y + x[..., None] * slope_x)


def _regression_option(wanted: Any) -> RegressionOptions:
    try:
        return RegressionOptions(wanted)
    except ValueError:
        raise ValueError(
            f"unrecognized regression option {wanted!r}: expected -1 (none), 0 (mean), "
            "1 (linear), or an array of shape (3, 2)"
        ) from None


def _checked_regression(wanted: npt.ArrayLike) -> Array:
    array = np.asarray(wanted, np.float64)
    if array.shape != (3, 2):
        raise ValueError(
            f"regression has shape {array.shape}, expected the required shape (3, 2): offset, "
            "slope along y and slope along x, each in y and x"
        )
    return array


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
