"""Principal components of feature vectors, in one pass.

Each frame is reduced to a vector of polar bins; mean and covariance of the vectors are accumulated
and merged without a second look at the data, and their eigenvectors are the components. The score
map of a component shows where in the scan it is strong.

Literature: Jesse, Chi, Belianinov, Beekman, Kalinin, Borisevich, Lupini, Scientific Reports 6
(2016) 26348; Chan, Golub, LeVeque, Stanford technical report STAN-CS-79-773 (1979).
"""

from __future__ import annotations

import numpy as np

from udfwidgets.udf import UDF


def polar_bins(center, edges, n_sectors):
    """Return a factory of masks: for a sig shape, the bins as an array (bins, y, x)."""

    def masks(shape):
        y, x = np.mgrid[: shape[0], : shape[1]]
        radius = np.hypot(y - center[0], x - center[1])
        turn = np.arctan2(y - center[0], x - center[1]) / (2 * np.pi) % 1
        ring = np.digitize(radius, edges) - 1
        number = np.where(
            (ring >= 0) & (ring < len(edges) - 1),
            ring * n_sectors + np.floor(turn * n_sectors).astype(int) % n_sectors,
            -1,
        )
        n_bins = (len(edges) - 1) * n_sectors
        return (number == np.arange(n_bins)[:, None, None]).astype(float)

    masks.count = (len(edges) - 1) * n_sectors
    return masks


class FeaturesUDF(UDF):
    """Feature vectors, and their principal components.

    Parameters
    ----------
    masks : callable
        Takes the sig shape and returns masks; its attribute `count` says how many.
    n_components : int
        How many components.
    """

    def __init__(self, masks, n_components=2):
        super().__init__(masks=masks, n_components=n_components)

    def get_preferred_input_dtype(self):
        return np.float64

    def get_result_buffers(self):
        n, m = self.params.masks.count, self.params.n_components
        return {
            "features": self.buffer("nav", (n,), "float64"),
            "sum": self.buffer("single", (n,), "float64", use="private"),
            "scatter": self.buffer("single", (n, n), "float64", use="private"),
            "n": self.buffer("single", (), "int64", use="private"),
            "components": self.buffer("single", (m, n), "float64", use="result_only"),
            "variance": self.buffer("single", (m,), "float64", use="result_only"),
            "scores": self.buffer("nav", (m,), "float32", use="result_only"),
        }

    def get_task_data(self):
        return {"masks": self.params.masks(tuple(self.meta.dataset_shape.sig))}

    def process_tile(self, tile):
        cut = (slice(None), *self.meta.sig_slice.get())
        self.results.features += np.tensordot(tile, self.task_data.masks[cut], ((1, 2), (1, 2)))

    def postprocess(self):
        """Look at all vectors of the partition, when every part of the detector is in."""
        features = self.results.features
        self.results.sum[:] = features.sum(axis=0)
        centred = features - features.mean(axis=0)
        self.results.scatter[:] = centred.T @ centred
        self.results.n[:] = len(features)

    def merge(self, dest, src):
        before, more = dest["n"][0], src["n"][0]
        if before and more:
            shift = src["sum"] / more - dest["sum"] / before
            dest["scatter"][:] += np.outer(shift, shift) * (before * more / (before + more))
        dest["scatter"][:] += src["scatter"]
        dest["sum"][:] += src["sum"]
        dest["n"][:] += src["n"]
        dest["features"][:] = src["features"]

    def get_results(self):
        n = max(self.results.n[0], 1)
        variance, vectors = np.linalg.eigh(self.results.scatter / n)
        order = np.argsort(variance)[::-1][: self.params.n_components]
        components = vectors[:, order].T
        # The sign of an eigenvector is a matter of taste: the largest entry is positive.
        largest = np.abs(components).argmax(axis=1)
        components = components * np.sign(components[np.arange(len(order)), largest])[:, None]
        scores = (self.results.features - self.results.sum / n) @ components.T
        return {
            "features": self.results.features,
            "components": components,
            "variance": variance[order],
            "scores": self.with_mask(
                scores.astype("float32"),
                np.broadcast_to(self.meta.get_valid_nav_mask()[:, None], scores.shape),
            ),
        }
