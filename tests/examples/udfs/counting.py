"""Electron counting: the places where single electrons hit, instead of frames full of noise.

An electron is a local maximum above a threshold; its place is the centroid of the pixels around it.
Frames have different numbers of electrons, so each has a list with room for `most`, and how many
there were. `event_list` makes one ragged list out of that.

Literature: Li, Mooney, Zheng, Booth, Braunfeld, Gubbens, Agard, Cheng, Nature Methods 10 (2013)
584; Ercius, Johnson, Brown, Pelz, Hsu, Draney, Fong, Goldschmidt, Joseph, Lee, Ciston, Ophus,
Scott, Selvarajan, Paul, Skinner, Hanwell, Harris, Avery, Stezelberger, Tindall, Ramesh, Minor,
Denes, Microscopy and Microanalysis 26 (2020) 1072.
"""

from __future__ import annotations

import numba
import numpy as np

from udfwidgets.udf import UDF


@numba.njit(nogil=True, cache=True)
def find_electrons(frame, threshold, places):
    """Write places into (most, 2) and return how many electrons there are, also beyond `most`."""
    found = 0
    for y in range(1, frame.shape[0] - 1):
        for x in range(1, frame.shape[1] - 1):
            value = frame[y, x]
            if value <= threshold:
                continue
            mass, sum_y, sum_x, is_maximum = 0.0, 0.0, 0.0, True
            for dy in range(-1, 2):
                for dx in range(-1, 2):
                    other = frame[y + dy, x + dx]
                    # Of two that are equal, the first one counts.
                    if other > value or (other == value and (dy < 0 or (dy == 0 and dx < 0))):
                        is_maximum = False
                    mass += other
                    sum_y += other * dy
                    sum_x += other * dx
            if is_maximum:
                if found < len(places):
                    places[found, 0] = y + sum_y / mass
                    places[found, 1] = x + sum_x / mass
                found += 1
    return found


class CountingUDF(UDF):
    """Places of electrons, and an image of how many hit each pixel.

    Parameters
    ----------
    threshold : float
        Smaller maxima are noise.
    most : int
        Room for so many electrons per frame; more are counted, but have no place.
    """

    def __init__(self, threshold, most=16):
        super().__init__(threshold=threshold, most=most)

    def get_preferred_input_dtype(self):
        return self.USE_NATIVE_DTYPE

    def get_result_buffers(self):
        return {
            "places": self.buffer("nav", (self.params.most, 2), "float32"),
            "count": self.buffer("nav", dtype="int32"),
            "image": self.buffer("sig", dtype="int64"),
            "overflows": self.buffer("single", dtype="int64"),
        }

    def process_frame(self, frame):
        places, most = self.results.places, self.params.most
        found = find_electrons(frame, self.params.threshold, places)
        self.results.count[:] = found
        places[found:] = np.nan
        rows, columns = np.rint(places[: min(found, most)]).astype(int).T
        np.add.at(self.results.image, (rows, columns), 1)
        self.results.overflows += found > most

    def merge(self, dest, src):
        dest.places[:] = src.places
        dest.count[:] = src.count
        dest.image[:] += src.image
        dest.overflows[:] += src.overflows


def event_list(results):
    """Return the frame number and the place of every electron that is in: arrays (n,), (n, 2)."""
    count, places = results["count"], results["places"]
    valid = count.valid_mask.reshape(-1)
    most = places.extra_shape[0]
    n = np.where(valid, np.minimum(count.data.reshape(-1), most), 0)
    frames = np.repeat(np.arange(len(n)), n)
    there = np.arange(most) < n[:, None]
    return frames, places.data.reshape(-1, most, 2)[there]
