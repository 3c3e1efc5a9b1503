"""Radial Fourier analysis: which rotational symmetry a pattern has, ring by ring.

Each ring of the detector is multiplied with exp(i n φ), so that the result is the nth Fourier
coefficient along the ring. Amorphous structures with pentagons show up in n = 10, crystals in
others.

Literature: Wochner, Gutt, Autenrieth, Demmer, Bugaev, Ortiz, Duri, Zontone, Grübel, Dosch, PNAS
106 (2009) 11511; Gammer, Mangler, Rentenberger, Karnthaler, Scripta Materialia 63 (2010) 312.
"""

from __future__ import annotations

import functools
import itertools

import numpy as np
import scipy.sparse

from udfwidgets.udf.masks import ApplyMasksUDF


class RadialFourierUDF(ApplyMasksUDF):
    """Fourier coefficients along rings, and the strongest order of each ring.

    To be made by `radial_fourier`.
    """

    def __init__(self, n_rings, n_orders, **kwargs):
        super().__init__(**kwargs)
        self._kwargs.update(n_rings=n_rings, n_orders=n_orders)
        self.n_rings, self.n_orders = n_rings, n_orders

    def get_result_buffers(self):
        return {
            **super().get_result_buffers(),
            "coefficients": self.buffer(
                "nav", (self.n_rings, self.n_orders), "complex64", use="result_only"
            ),
            "dominant": self.buffer("nav", (self.n_rings,), "int64", use="result_only"),
        }

    def get_results(self):
        intensity = self.results.intensity
        coefficients = intensity.reshape(-1, self.n_rings, self.n_orders)
        # Order 0 is the intensity of the ring.
        dominant = 1 + np.argmax(np.abs(coefficients[..., 1:]), axis=-1)
        return {
            "intensity": intensity,
            "coefficients": coefficients.astype("complex64"),
            "dominant": dominant,
        }


def ring_mask(shape, center, inner, outer, order):
    """One ring times exp(i n φ), as a sparse matrix."""
    y, x = np.mgrid[: shape[0], : shape[1]] - np.array(center)[:, None, None]
    radius = np.hypot(y, x)
    ring = (radius >= inner) & (radius < outer)
    return scipy.sparse.csr_matrix(ring * np.exp(1j * order * np.arctan2(y, x)))


def radial_fourier(shape, center, edges, max_order):
    """Return the UDF for rings with these edges and orders up to and including `max_order`."""
    orders = range(max_order + 1)
    rings = list(itertools.pairwise(edges))
    factories = [
        functools.partial(ring_mask, shape, center, inner, outer, order)
        for inner, outer in rings
        for order in orders
    ]
    return RadialFourierUDF(
        n_rings=len(rings),
        n_orders=len(orders),
        mask_factories=factories,
        mask_count=len(factories),
        mask_dtype=np.complex64,
        use_sparse=True,
    )
