"""Crystal orientation by correlation with a bank of templates.

Patterns are brought into polar coordinates, where a rotation is a shift: one FFT along the angle
compares a pattern with a template at all rotations. For each scan position the best template and
its rotation are kept, and for each template the mean of all patterns it was the best for.

Literature: Rauch, Véron, Materials Characterization 98 (2014) 1; Ophus, Zeltmann, Bruefach,
Rakowski, Savitzky, Minor, Scott, Microscopy and Microanalysis 28 (2022) 390.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse

from udfwidgets.udf import UDF


class OrientationUDF(UDF):
    """The best template at each position.

    Parameters
    ----------
    bank : list of callable
        Each takes radius and angle, as arrays, and returns the template's intensity there.
    center : (float, float)
        Middle of the patterns.
    radii : sequence of float
        Where to look, in pixels.
    n_angles : int
        Steps of a full turn.
    """

    def __init__(self, bank, center, radii, n_angles=72):
        super().__init__(bank=bank, center=center, radii=radii, n_angles=n_angles)

    def get_result_buffers(self):
        return {
            "template": self.buffer("nav", dtype="int16"),
            "angle": self.buffer("nav", dtype="float32"),
            "score": self.buffer("nav", dtype="float32"),
            "total": self.buffer("sig", (len(self.params.bank),), "float64", use="private"),
            "count": self.buffer("single", (len(self.params.bank),), "int64"),
            "mean": self.buffer("sig", (len(self.params.bank),), use="result_only"),
        }

    def get_task_data(self):
        radii = np.asarray(self.params.radii, float)
        angles = np.arange(self.params.n_angles) * 2 * np.pi / self.params.n_angles
        radius, angle = np.meshgrid(radii, angles, indexing="ij")
        templates = np.stack([template(radius, angle) for template in self.params.bank])
        templates = templates - templates.mean(axis=(1, 2), keepdims=True)
        templates /= np.sqrt((templates**2).sum(axis=(1, 2), keepdims=True))
        return {
            "to_polar": interpolation(
                self.params.center[0] + radius * np.sin(angle),
                self.params.center[1] + radius * np.cos(angle),
                self.meta.dataset_shape.sig,
            ),
            "bank": np.conj(np.fft.rfft(templates, axis=-1)),
            "polar_shape": radius.shape,
        }

    def process_partition(self, partition):
        flat = partition.reshape(len(partition), -1)
        polar = (self.task_data.to_polar @ flat.T).T.reshape(-1, *self.task_data.polar_shape)
        polar = polar - polar.mean(axis=(1, 2), keepdims=True)
        norm = np.sqrt((polar**2).sum(axis=(1, 2)))
        transformed = np.fft.rfft(polar, axis=-1)
        n_angles = self.params.n_angles
        for row, frame in enumerate(transformed):
            products = (frame * self.task_data.bank).sum(axis=1)
            scores = np.fft.irfft(products, n=n_angles, axis=-1)
            template, step = np.unravel_index(scores.argmax(), scores.shape)
            self.results.template[row] = template
            self.results.angle[row] = step * 360 / n_angles
            self.results.score[row] = scores[template, step] / norm[row]
            self.results.total[..., template] += partition[row]
            self.results.count[template] += 1

    def merge(self, dest, src):
        for name in ("template", "angle", "score"):
            dest[name][:] = src[name]
        for name in ("total", "count"):
            dest[name][:] += src[name]

    def get_results(self):
        count = self.results.count
        mean = self.results.total / np.maximum(count, 1)
        # A template that nothing looked like has no mean.
        there = np.broadcast_to(count > 0, mean.shape)
        return {"mean": self.with_mask(mean.astype("float32"), there)}


def interpolation(y, x, shape):
    """Bilinear interpolation at points inside, as a sparse matrix (points, pixels)."""
    top, left = np.floor(y).astype(int).ravel(), np.floor(x).astype(int).ravel()
    fy, fx = y.ravel() - top, x.ravel() - left
    rows = np.arange(top.size)
    matrix = scipy.sparse.csr_matrix((top.size, shape[0] * shape[1]))
    for dy, dx in np.ndindex(2, 2):
        weight = (fy if dy else 1 - fy) * (fx if dx else 1 - fx)
        columns = (top + dy) * shape[1] + left + dx
        matrix += scipy.sparse.csr_matrix((weight, (rows, columns)), shape=matrix.shape)
    return matrix
