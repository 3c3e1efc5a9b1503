"""Single-side-band ptychography, live: the phase of a thin object out of its diffraction patterns.

The Fourier transform over the scan has, at each spatial frequency q, two regions of the detector
(the trotters) where the direct beam overlaps with only one of the two scattered by q. Their sum is
the object's phase at that frequency. The transform is accumulated frame by frame, so that the
phase is there while the scan goes on.

Literature: Rodenburg, McCallum, Nellist, Ultramicroscopy 48 (1993) 304; Strauch, Weber, Clausen,
Lesnichaia, Bangun, März, Lyu, Chen, Rosenauer, Dunin-Borkowski, Müller-Caspary, Microscopy and
Microanalysis 27 (2021) 1078.
"""

from __future__ import annotations

import numpy as np

from udfwidgets.udf import UDF


def frequencies(shape):
    """All frequencies of a scan, as whole numbers of periods, of shape (n, 2)."""
    axes = [np.rint(np.fft.fftfreq(n) * n) for n in shape]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)


class SSBUDF(UDF):
    """Reconstructs a phase.

    Parameters
    ----------
    aperture : callable
        Takes frequencies (y, x), relative to the optic axis and in detector pixels, and returns
        where the beam is.
    pixel : float
        Detector pixels in one period per scan width.
    positions : aux_data of kind nav, extra_shape (2,), optional
        Where the beam really was, in scan steps.
    """

    def __init__(self, aperture, pixel=1.0, positions=None):
        super().__init__(aperture=aperture, pixel=pixel, positions=positions)

    def get_preferred_input_dtype(self):
        return np.float64

    def get_result_buffers(self):
        nav = tuple(self.meta.dataset_shape.nav)
        return {
            "transform": self.buffer("single", nav, "complex128", use="private"),
            "fourier": self.buffer("single", nav, "complex64", use="result_only"),
            "phase": self.buffer("single", nav, "float32", use="result_only"),
        }

    def trotters(self):
        """For each frequency of the scan, +1 and -1 where the two trotters are."""
        height, width = self.meta.dataset_shape.sig
        ky, kx = np.mgrid[:height, :width] - np.array([height // 2, width // 2])[:, None, None]
        q = frequencies(self.meta.dataset_shape.nav)
        trotters = np.empty((len(q), height, width))
        aperture = self.params.aperture
        for number, (qy, qx) in enumerate(q * self.params.pixel):
            inside = aperture(ky, kx)
            plus = inside & aperture(ky - qy, kx - qx)
            minus = inside & aperture(ky + qy, kx + qx)
            trotters[number] = plus.astype(int) - minus.astype(int)
        return trotters

    def get_task_data(self):
        nav = self.meta.dataset_shape.nav
        waves = -2j * np.pi * frequencies(nav) / np.array(nav)
        return {"trotters": self.trotters(), "waves": waves}

    def process_tile(self, tile):
        positions = self.params.positions
        if positions is None:
            positions = self.meta.coordinates
        trotters = self.task_data.trotters[(slice(None), *self.meta.sig_slice.get())]
        summed = tile.reshape(len(tile), -1) @ trotters.reshape(len(trotters), -1).T
        waves = np.exp(positions @ self.task_data.waves.T)
        self.results.transform += (summed * waves).sum(axis=0).reshape(self.results.transform.shape)

    def merge(self, dest, src):
        dest.transform[:] += src.transform

    def get_results(self):
        weight = (self.trotters() ** 2).sum(axis=(1, 2)).reshape(self.results.transform.shape)
        fourier = np.where(weight > 0, self.results.transform / np.maximum(weight, 1) / 1j, 0)
        return {
            "fourier": fourier.astype("complex64"),
            "phase": np.fft.ifft2(fourier).real.astype("float32"),
        }
