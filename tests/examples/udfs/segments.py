"""Differential phase contrast with a segmented detector, and the phase integrated from it.

Four virtual quadrants of a ring; the differences of opposite ones over their sum say to which side
the beam was deflected. Integrated over the scan in Fourier space, the deflection gives the phase.

Literature: Shibata, Findlay, Kohno, Sawada, Kondo, Ikuhara, Nature Physics 8 (2012) 611; Lazić,
Bosch, Lazar, Ultramicroscopy 160 (2016) 265.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from udfwidgets.udf import UDF


@dataclass(frozen=True)
class Ring:
    """A ring around (cy, cx) in pixels, its quadrants turned by `rotation` in radians."""

    cy: float
    cx: float
    inner: float
    outer: float
    rotation: float = 0.0

    def quadrants(self, shape):
        """Four masks; the first is on the side of positive y, the next of positive x, and on."""
        y, x = np.mgrid[: shape[0], : shape[1]]
        radius = np.hypot(y - self.cy, x - self.cx)
        turn = np.arctan2(x - self.cx, y - self.cy) - self.rotation
        number = np.floor((turn + np.pi / 4) / (np.pi / 2)).astype(int) % 4
        inside = (radius >= self.inner) & (radius < self.outer)
        return inside & (number == np.arange(4)[:, None, None])


class SegmentsUDF(UDF):
    """Intensity of the segments, deflection, and integrated phase.

    Parameters
    ----------
    ring : Ring
        Where the segments are.
    gain : aux_data of kind sig
        Each pixel is multiplied with it.
    """

    def __init__(self, ring, gain):
        super().__init__(ring=ring, gain=gain)

    def get_preferred_input_dtype(self):
        return self.USE_NATIVE_DTYPE

    def get_result_buffers(self):
        return {
            "segments": self.buffer("nav", (4,), "float64"),
            "deflection": self.buffer("nav", (2,), "float64", use="result_only"),
            "phase": self.buffer("nav", (), "float32", use="result_only"),
        }

    def get_task_data(self):
        return {"masks": self.params.ring.quadrants(self.meta.dataset_shape.sig)}

    def process_tile(self, tile):
        masks = self.task_data.masks[(slice(None), *self.meta.sig_slice.get())]
        weights = masks * self.params.gain
        self.results.segments += np.tensordot(tile, weights, axes=((1, 2), (1, 2)))

    def get_results(self):
        segments = self.results.segments
        # Dark frames deflect nothing.
        total = np.maximum(segments.sum(axis=1), 1e-30)
        differences = segments[:, :2] - segments[:, 2:]
        deflection = differences / total[:, None]
        done = self.meta.get_valid_nav_mask()
        nav = tuple(self.meta.dataset_shape.nav)
        where = self.meta.get_valid_nav_mask(full_nav=True).reshape(nav)
        field = np.zeros((*nav, 2))
        field[where] = deflection[done]
        # One row per position of the roi, like the buffers; those that are not in stay zero.
        phase = np.zeros(len(done), "float32")
        phase[done] = integrate(field)[where]
        return {
            "segments": segments,
            "deflection": deflection,
            "phase": phase,
        }


def integrate(field):
    """The scalar whose gradient is nearest to a vector field, on a periodic scan, of mean zero."""
    ky, kx = (np.fft.fftfreq(n) for n in field.shape[:2])
    ky = ky[:, None]
    transformed = np.fft.fft2(field, axes=(0, 1))
    squares = ky**2 + kx**2
    squares[0, 0] = 1
    divided = (ky * transformed[..., 0] + kx * transformed[..., 1]) / (2j * np.pi * squares)
    divided[0, 0] = 0
    return np.fft.ifft2(divided).real
