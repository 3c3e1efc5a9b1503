"""Follows a pattern that moves over the detector (descan), and sums up the frames in its place.

Each frame is correlated with a reference in Fourier space, all frames of a partition with one FFT;
the place of the maximum is the shift. The frames are shifted back by phases, so that fractions of a
pixel count, and added up.

Literature: Guizar-Sicairos, Thurman, Fienup, Optics Letters 33 (2008) 156; Savitzky, El Baggari,
Clement, Waite, Goodge, Baek, Sheckelton, Pasco, Nair, Schreiber, Hoffman, Admasu, Kim, Cheong,
Bhattacharya, Schlom, McQueen, Hovden, Kourkoutis, Ultramicroscopy 191 (2018) 56.
"""

from __future__ import annotations

import numpy as np

from udfwidgets.udf import UDF


class TrackingUDF(UDF):
    """Shift of each frame against a reference, and the sum of the frames shifted back.

    Parameters
    ----------
    reference : aux_data of kind sig
        What the pattern looks like, and where.
    upsampling : int
        Parts of a pixel to which shifts are found.
    whole : bool
        Work on whole partitions instead of frame by frame.
    """

    def __init__(self, reference, upsampling=4, whole=True):
        super().__init__(reference=reference, upsampling=upsampling, whole=whole)

    def get_method(self):
        return self.UDF_METHOD.PARTITION if self.params.whole else self.UDF_METHOD.FRAME

    def get_preferred_input_dtype(self):
        return np.float64

    def get_result_buffers(self):
        return {
            "shift": self.buffer("nav", (2,)),
            "aligned": self.buffer("sig", dtype="float64"),
        }

    def get_task_data(self):
        # The data of a whole partition are in hand here: so is all of the reference.
        reference = np.fft.fft2(self.params.reference)
        return {"reference": np.conj(reference)}

    def process_partition(self, partition):
        shape = partition.shape[1:]
        fine = tuple(n * self.params.upsampling for n in shape)
        transformed = np.fft.fft2(partition)
        correlation = np.fft.ifft2(padded(transformed * self.task_data.reference, fine)).real
        best = correlation.reshape(len(partition), -1).argmax(axis=1)
        place = np.stack(np.unravel_index(best, fine), axis=1)
        half = np.array(fine) // 2
        shift = ((place + half) % fine - half) / self.params.upsampling
        self.results.shift[:] = shift
        ky, kx = (np.fft.fftfreq(n) for n in shape)
        turns = shift[:, 0, None, None] * ky[:, None] + shift[:, 1, None, None] * kx
        back = np.fft.ifft2(transformed * np.exp(2j * np.pi * turns)).real
        self.results.aligned += back.sum(axis=0)

    def process_frame(self, frame):
        self.process_partition(frame[np.newaxis])

    def merge(self, dest, src):
        dest.shift[:] = src.shift
        dest.aligned[:] += src.aligned


def padded(transformed, shape):
    """Zeros for all frequencies above those that are there: interpolates the inverse transform."""
    out = np.zeros((len(transformed), *shape), complex)
    rows, columns = (np.rint(np.fft.fftfreq(n) * n).astype(int) for n in transformed.shape[1:])
    out[:, rows[:, None], columns] = transformed
    return out
