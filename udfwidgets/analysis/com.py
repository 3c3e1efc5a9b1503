"""The centre of mass of each frame as a field over the scan."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from udfwidgets.analysis.base import Analysis
from udfwidgets.analysis.colours import Covered, picture, rgb_from_2dvector
from udfwidgets.analysis.results import AnalysisResult, AnalysisResultSet
from udfwidgets.buffers import Array, BufferWrapper
from udfwidgets.names import further
from udfwidgets.udf.com import (
    CoMUDF,
    GuessResult,
    apply_correction,
    center_shifts,
    com_masks_factory,
    com_masks_generic,
    coordinate_check,
    curl_2d,
    divergence,
    guess_corrections,
    integrated,
    magnitude,
)

# Code written for LiberTEM may also look for the functions of the UDF here.
__all__ = [
    "COMAnalysis",
    "GuessResult",
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

DESCRIPTIONS = {
    "magnitude": "length of the shift",
    "divergence": "divergence of the field",
    "curl": "curl of the field",
    "x": "x component of the shift",
    "y": "y component of the shift",
    "idpc": "integrated field (iDPC)",
}


class COMAnalysis(Analysis):
    """The shift of the centre of mass within a disk or ring, as a field.

    The parameters are 'cx', 'cy', 'r', 'ri', 'scan_rotation' and 'flip_y' of
    `CoMUDF.with_params`, but that the default centre is half the size of the detector.

    'field' holds the arrays x and y. 'divergence', 'curl' and 'idpc', what the field is the slope
    of (see `udfwidgets.udf.idpc`), need a scan of at least two rows and columns. For complex data
    there are 'x_real', 'y_real', 'x_imag' and 'y_imag' instead.
    """

    def get_parameters(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters with the centre of the detector as default."""
        size_y, size_x = self.dataset.shape.sig
        return {
            "cx": size_x / 2,
            "cy": size_y / 2,
            "r": float("inf"),
            "ri": 0.0,
            "scan_rotation": 0.0,
            "flip_y": False,
            **parameters,
        }

    def get_udf(self) -> CoMUDF:
        """Return a UDF that finds the centre of mass."""
        names = ("cx", "cy", "r", "ri", "scan_rotation", "flip_y")
        return CoMUDF.with_params(**{name: self.parameters[name] for name in names})

    def get_udf_results(
        self, udf_results: Mapping[str, BufferWrapper], roi: Any, damage: Covered
    ) -> AnalysisResultSet:
        """Return the field and what is made from it."""
        y, x = udf_results["field_y"].data, udf_results["field_x"].data
        if y.dtype.kind == "c":
            parts = {"x_real": x.real, "y_real": y.real, "x_imag": x.imag, "y_imag": y.imag}
            return AnalysisResultSet(
                [
                    _result(key, array, DESCRIPTIONS[key[0]] + f", {key[2:]} part", damage)
                    for key, array in parts.items()
                ]
            )
        keys = ["magnitude"]
        if min(y.shape) > 1:
            keys += ["divergence", "curl"]
        arrays = {key: udf_results[key].data for key in keys} | {"x": x, "y": y}
        if min(y.shape) > 1:
            arrays["idpc"] = integrated(udf_results)
        lengths = np.hypot(y, x)[np.isfinite(y) & np.isfinite(x) & damage]
        longest = float(lengths.max(initial=0))
        field = AnalysisResult(
            (x, y),
            partial(rgb_from_2dvector, y, x, longest),
            "field",
            "direction by hue, length by lightness",
            "field",
            include_in_download=False,
        )
        named = [_result(key, array, DESCRIPTIONS[key], damage) for key, array in arrays.items()]
        return AnalysisResultSet([field, *named])


def _result(key: str, array: Array, desc: str, damage: Covered) -> AnalysisResult:
    title = key.replace("_", " ")
    return AnalysisResult(array, partial(picture, array, damage), title, desc, key)


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
