"""Off-axis electron holography: amplitude and phase of the wave out of each hologram.

The Fourier transform of a hologram has a sideband for the fringes. It is cut out, moved to the
middle and smoothed at its edge; the inverse transform is the wave, at the resolution of the cut.
The wave is divided by that of a reference hologram.

Literature: Lichte, Lehmann, Reports on Progress in Physics 71 (2008) 016102; McCartney, Smith,
Annual Review of Materials Research 37 (2007) 729.
"""

from __future__ import annotations

import numpy as np

from udfwidgets.udf import UDF


class HologramUDF(UDF):
    """The wave at each scan position, and the mean of all.

    Parameters
    ----------
    carrier : (int, int)
        Fringes across a frame along y and x: where the sideband is.
    size : (int, int)
        Pixels of the wave, at most those of a frame.
    aperture : callable
        Takes the distance from the middle of the sideband, in Fourier pixels.
    empty : array, optional
        The reference hologram.
    """

    def __init__(self, carrier, size, aperture, empty=None):
        super().__init__(carrier=carrier, size=size, aperture=aperture, empty=empty)

    def get_preferred_input_dtype(self):
        return np.float64

    def get_result_buffers(self):
        size = self.params.size
        return {
            "wave": self.buffer("nav", size, "complex64"),
            "total": self.buffer("single", size, "complex128", use="private"),
            "count": self.buffer("single", dtype="int64", use="private"),
            "mean": self.buffer("single", size, "complex64", use="result_only"),
            "phase": self.buffer("nav", size, "float32", use="result_only"),
        }

    def get_task_data(self):
        distance = [np.rint(np.fft.fftfreq(n) * n) for n in self.params.size]
        filter_ = self.params.aperture(np.hypot(distance[0][:, None], distance[1]))
        return {"filter": filter_, "empty": self.empty_wave(filter_)}

    def empty_wave(self, filter_):
        if self.params.get("empty") is None:
            return 1
        return self.reconstruct(np.asarray(self.params.empty, float), filter_)

    def reconstruct(self, hologram, filter_):
        transformed = np.fft.fft2(hologram)
        rows, columns = (
            (np.rint(np.fft.fftfreq(n) * n).astype(int) + shift) % full
            for n, shift, full in zip(
                self.params.size, self.params.carrier, hologram.shape, strict=True
            )
        )
        sideband = transformed[rows[:, None], columns] * filter_
        return np.fft.ifft2(sideband) * (sideband.size / hologram.size)

    def process_frame(self, frame):
        wave = self.reconstruct(frame, self.task_data.filter) / self.task_data.empty
        self.results.wave[:] = wave
        self.results.total += wave
        self.results.count += 1

    def merge(self, dest, src):
        dest["wave"][:] = src["wave"]
        dest["total"][:] += src["total"]
        dest["count"][:] += src["count"]

    def get_results(self):
        mean = self.results.total / max(self.results.count[0], 1)
        return {"mean": mean.astype("complex64"), "phase": np.angle(self.results.wave)}
