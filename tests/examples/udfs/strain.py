"""Strain by correlation: finds the discs of a known lattice in each frame and fits its distortion.

Each disc is looked for near the place where the undistorted lattice has it, by correlation with
a disc, and refined to a fraction of a pixel by a parabola through the maximum and its neighbours. A
matrix that maps the undistorted lattice to what was found gives strain and rotation.

Literature: Pekin, Gammer, Ciston, Minor, Ophus, Ultramicroscopy 176 (2017) 170; Clausen, Weber,
Ruzaeva, Migunov, Baburajan, Bahuleyan, Caron, Chandra, Halder, Nord, Müller-Caspary,
Dunin-Borkowski, Journal of Open Source Software 5 (2020) 2006.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from udfwidgets.udf import UDF


@dataclass(frozen=True)
class Lattice:
    """The lattice without strain: its middle, two vectors in pixels, and which discs to look for.

    Each of `indices` is (h, k): the disc is expected at ``center + h * a + k * b``.
    """

    center: tuple[float, float]
    a: tuple[float, float]
    b: tuple[float, float]
    indices: tuple[tuple[int, int], ...]
    radius: float
    search: int = 5

    @property
    def vectors(self):
        return np.array(self.indices) @ np.array([self.a, self.b])

    @property
    def corners(self):
        """Where the box begins in which each disc is looked for."""
        return np.rint(np.array(self.center) + self.vectors).astype(int) - self.box // 2

    @property
    def box(self):
        return 2 * (self.search + int(np.ceil(self.radius)))


class StrainUDF(UDF):
    """Places of the discs, and the displacement gradient of the lattice.

    Parameters
    ----------
    lattice : Lattice
        What to look for.
    least_height : float
        A disc of lower correlation does not count.
    """

    def __init__(self, lattice, least_height=0.0):
        super().__init__(lattice=lattice, least_height=least_height)

    def get_result_buffers(self):
        n_discs = len(self.params.lattice.indices)
        return {
            "centers": self.buffer("nav", (n_discs, 2), "float32"),
            "heights": self.buffer("nav", (n_discs,), "float32"),
            "gradient": self.buffer("nav", (2, 2), "float64", use="private"),
            "fitted": self.buffer("nav", dtype=bool, use="private"),
            "strain": self.buffer("nav", (2, 2), use="result_only"),
            "rotation": self.buffer("nav", use="result_only"),
        }

    def get_task_data(self):
        lattice = self.params.lattice
        place = np.arange(lattice.box) - lattice.box // 2
        disc = np.hypot(place[:, None], place) <= lattice.radius
        zero_mean = disc / disc.sum() - 1 / disc.size
        return {"template": np.conj(np.fft.rfft2(np.fft.ifftshift(zero_mean)))}

    def process_frame(self, frame):
        lattice = self.params.lattice
        size, corners = lattice.box, lattice.corners
        boxes = np.stack([frame[y : y + size, x : x + size] for y, x in corners])
        maps = np.fft.irfft2(np.fft.rfft2(boxes) * self.task_data.template, s=(size, size))
        for number, correlation in enumerate(maps):
            y, x, height = refine(correlation)
            self.results.centers[number] = corners[number] + (y, x)
            self.results.heights[number] = height
        good = self.results.heights >= self.params.least_height
        if np.count_nonzero(good) >= 3:
            design = np.c_[lattice.vectors[good], np.ones(np.count_nonzero(good))]
            fit = np.linalg.lstsq(design, self.results.centers[good], rcond=None)[0]
            self.results.gradient[:] = fit[:2].T - np.eye(2)
            self.results.fitted[:] = True

    def get_results(self):
        gradient, fitted = self.results.gradient, self.results.fitted
        strain = (gradient + np.swapaxes(gradient, -1, -2)) / 2
        rotation = (gradient[..., 1, 0] - gradient[..., 0, 1]) / 2
        return {
            "strain": self.with_mask(
                strain.astype("f4"), np.broadcast_to(fitted[:, None, None], strain.shape)
            ),
            "rotation": self.with_mask(rotation.astype("f4"), fitted),
            "centers": self.results.centers,
            "heights": self.results.heights,
        }


def refine(correlation):
    """Return place and height of the maximum, to a fraction of a pixel where it has neighbours."""
    y, x = np.unravel_index(np.argmax(correlation), correlation.shape)
    height = correlation[y, x]
    if not (0 < y < correlation.shape[0] - 1 and 0 < x < correlation.shape[1] - 1):
        return y, x, height
    up, down, left, right = correlation[[y - 1, y + 1, y, y], [x, x, x - 1, x + 1]]
    shift_y = (up - down) / (2 * (up + down - 2 * height))
    shift_x = (left - right) / (2 * (left + right - 2 * height))
    return y + shift_y, x + shift_x, height
