"""A histogram for each detector pixel, and what can be told from it: dark level, median, threshold.

Counting electrons needs a threshold above the noise; the histogram of a pixel shows its noise as a
peak and its electrons as a tail. Values are transformed first, such as by a logarithm or a gain.

Literature: Battaglia, Contarato, Denes, Doering, Giubilato, Kim, Mattiazzo, Radmilovic, Zalusky,
Nuclear Instruments and Methods A 608 (2009) 363; Otsu, IEEE Transactions on Systems, Man, and
Cybernetics 9 (1979) 62.
"""

from __future__ import annotations

import numba
import numpy as np

from udfwidgets.udf import UDF


@numba.njit(nogil=True, cache=True)
def count_values(values, first, width, histogram):
    n_bins = histogram.shape[2]
    for frame in range(values.shape[0]):
        for y in range(values.shape[1]):
            for x in range(values.shape[2]):
                number = int(np.floor((values[frame, y, x] - first) / width))
                # What is too small or too large goes into the first or the last bin.
                histogram[y, x, min(max(number, 0), n_bins - 1)] += 1


class HistogramUDF(UDF):
    """A histogram, a median and a threshold for each pixel.

    Parameters
    ----------
    edges : sequence of float
        Of the bins, equally wide.
    transform : callable, optional
        Applied to tiles before they are counted.
    """

    def __init__(self, edges, transform=None):
        super().__init__(edges=np.asarray(edges, float), transform=transform)

    def get_preferred_input_dtype(self):
        return np.float64

    def get_tiling_preferences(self):
        return {"depth": 8, "total_size": self.TILE_SIZE_BEST_FIT}

    def get_result_buffers(self):
        n_bins = len(self.params.edges) - 1
        return {
            "histogram": self.buffer(kind="sig", extra_shape=(n_bins,), dtype="uint32"),
            "median": self.buffer(kind="sig", dtype="float32", use="result_only"),
            "threshold": self.buffer(kind="sig", dtype="float32", use="result_only"),
        }

    def process_tile(self, tile):
        edges, transform = self.params.edges, self.params.transform
        values = tile if transform is None else transform(tile)
        count_values(values, edges[0], edges[1] - edges[0], self.results.histogram)

    def merge(self, dest, src):
        dest.histogram[:] += src.histogram

    def get_results(self):
        histogram, edges = self.results.histogram, self.params.edges
        middles = (edges[1:] + edges[:-1]) / 2
        summed = np.cumsum(histogram.astype("int64"), axis=-1)
        half = (summed[..., -1:] + 1) // 2
        median = middles[(summed >= half).argmax(axis=-1)]
        return {
            "histogram": histogram,
            "median": median.astype("float32"),
            "threshold": self.otsu(histogram, summed, middles).astype("float32"),
        }

    def otsu(self, histogram, below, middles):
        """The edge that separates the two parts of a histogram best."""
        total = below[..., -1:]
        mass = np.cumsum(histogram * middles, axis=-1)
        above = total - below
        with np.errstate(invalid="ignore", divide="ignore"):
            distance = mass / below - (mass[..., -1:] - mass) / above
        between = np.where((below > 0) & (above > 0), below * above * distance**2, 0)
        return self.params.edges[1:][between.argmax(axis=-1)]
