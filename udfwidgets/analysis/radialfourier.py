"""The symmetry of the diffraction pattern: Fourier coefficients around rings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from udfwidgets import masks
from udfwidgets.analysis.base import Analysis
from udfwidgets.analysis.colours import CLASSES, CYCLIC, Covered, picture, rgb_from_2dvector
from udfwidgets.analysis.results import AnalysisResult, AnalysisResultSet
from udfwidgets.buffers import Array, BufferWrapper
from udfwidgets.names import further
from udfwidgets.udf.masks import ApplyMasksUDF

# Orders weaker than this share of the strongest one of the scan are called no symmetry at all.
WEAK = 0.2
# A ring that covers less of the detector than this is multiplied sparsely.
SPARSE_BELOW = 0.05


class RadialFourierAnalysis(Analysis):
    """How strongly the intensity on rings repeats itself, once or several times around.

    Parameters are centre 'cx', 'cy' and radii 'ri' to 'ro', in pixels, which are divided into
    'n_bins' rings; 'max_order', the highest number of repetitions; and 'use_sparse'.

    For each bin b and order o there are 'dominant_b' (the strongest order, 0 for none),
    'absolute_b_o', 'phase_b_o' and 'complex_b_o' (divided by order 0, for the orders above it).
    `raw_results` holds all coefficients, of shape (bins, orders, *nav).
    """

    def get_parameters(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters with one ring that covers the detector as default."""
        size_y, size_x = self.dataset.shape.sig
        filled = {"cx": size_x / 2, "cy": size_y / 2, "ri": 0, "n_bins": 1, "max_order": 24}
        filled |= parameters
        filled.setdefault("ro", masks.bounding_radius(filled["cx"], filled["cy"], size_x, size_y))
        masks.check_radii(filled["ri"], filled["ro"])
        width = (filled["ro"] - filled["ri"]) / filled["n_bins"]
        area = np.pi * (filled["ro"] ** 2 - (filled["ro"] - width) ** 2)
        filled.setdefault("use_sparse", bool(area < SPARSE_BELOW * size_y * size_x))
        return filled

    def get_udf(self) -> ApplyMasksUDF:
        """Return a UDF that multiplies with complex waves around each ring."""
        given = self.parameters
        (size_y, size_x), orders = self.dataset.shape.sig, given["max_order"] + 1
        frame = (given["cx"], given["cy"], size_x, size_y)
        radii = (given["ro"], given["ri"], given["n_bins"])
        sparse = given["use_sparse"]

        def waves() -> list[Any]:
            return list(_waves(frame, *radii, orders, bool(sparse)))

        return ApplyMasksUDF(
            waves,
            use_sparse=sparse,
            mask_count=given["n_bins"] * orders,
            mask_dtype=np.complex64,
        )

    def get_udf_results(
        self, udf_results: Mapping[str, BufferWrapper], roi: Any, damage: Covered
    ) -> AnalysisResultSet:
        """Return the coefficients, by bin and order."""
        intensity = udf_results["intensity"].data
        nav = intensity.shape[:-1]
        bins, orders = self.parameters["n_bins"], self.parameters["max_order"] + 1
        coefficients = np.moveaxis(intensity, -1, 0).reshape(bins, orders, *nav)
        return AnalysisResultSet(partial(_results, coefficients, damage), coefficients)


def _waves(
    frame: tuple[float, float, int, int],
    radius: float,
    radius_inner: float,
    n_bins: int,
    orders: int,
    sparse: bool,
) -> Iterator[Any]:
    rings = masks.radial_bins(*frame, radius, radius_inner, n_bins, use_sparse=False)
    _, angle = masks.polar_map(*frame)
    for ring in rings:
        for order in range(orders):
            wave = (ring * np.exp(1j * order * angle)).astype(np.complex64)
            yield masks.scipy_sparse().csr_matrix(wave) if sparse else wave


def _results(coefficients: Array, damage: Covered) -> list[AnalysisResult]:
    strength = np.abs(coefficients)
    finite = np.asarray(np.isfinite(strength).all(axis=(0, 1)) & damage)
    # As a share of the intensity on the ring.
    normal = np.maximum(1, strength[:, :1])
    with np.errstate(invalid="ignore"):  # positions that are not in are NaN
        relative, share = coefficients / normal, strength / normal
    shown = share[:, 1:, finite]
    limits = (float(shown.min()), float(shown.max())) if shown.size else (0.0, 1.0)
    if not limits[0] < limits[1]:
        limits = (limits[0], limits[0] + 1)
    dominant = _dominant(strength, finite)
    results: list[AnalysisResult] = []
    bins, orders = coefficients.shape[:2]
    for b in range(bins):
        results.append(_dominant_of(dominant[b], b))
        results += [_absolute(strength, share, limits, finite, b, o) for o in range(orders)]
    places = [(b, o) for b in range(bins) for o in range(orders)]
    results += [_phase(coefficients, b, o) for b, o in places]
    results += [_complex(relative if o else coefficients, b, o) for b, o in places]
    return results


def _dominant(strength: Array, finite: Array) -> Array:
    """Return the strongest order above 0 of each bin and position, 0 where all are weak."""
    above = np.where(finite, strength[:, 1:], 0)
    if not above.shape[1]:
        return np.zeros((len(strength), *strength.shape[2:]), np.int64)
    strongest = above.max(axis=1)
    positions = tuple(range(1, strongest.ndim))
    threshold = WEAK * strongest.max(axis=positions, keepdims=True, initial=0)
    is_strong = (strongest > 0) & (strongest >= threshold)
    return np.where(is_strong, above.argmax(axis=1) + 1, 0)


def _dominant_of(orders: Array, b: int) -> AnalysisResult:
    shown = partial(picture, orders, limits=(0, 19), colormap=CLASSES)
    title = f"dominant order of bin {b}"
    return AnalysisResult(orders, shown, title, "strongest order, 0 for none", f"dominant_{b}")


def _absolute(
    strength: Array, share: Array, limits: tuple[float, float], finite: Array, b: int, o: int
) -> AnalysisResult:
    if o == 0:
        shown = partial(picture, strength[b, o], finite)
    else:
        shown = partial(picture, share[b, o], limits=limits)
    title = f"absolute of bin {b} order {o}"
    key = f"absolute_{b}_{o}"
    return AnalysisResult(strength[b, o], shown, title, "size of the coefficient", key)


def _phase(coefficients: Array, b: int, o: int) -> AnalysisResult:
    phase = np.angle(coefficients[b, o])
    shown = partial(picture, phase, limits=(-np.pi, np.pi), colormap=CYCLIC)
    title = f"phase of bin {b} order {o}"
    return AnalysisResult(phase, shown, title, "phase of the coefficient", f"phase_{b}_{o}")


def _complex(coefficients: Array, b: int, o: int) -> AnalysisResult:
    one = coefficients[b, o]
    shown = partial(rgb_from_2dvector, one.imag, one.real)
    return AnalysisResult(one, shown, f"bin {b} order {o}", "coefficient", f"complex_{b}_{o}")


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
