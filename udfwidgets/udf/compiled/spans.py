"""Rings on the detector as runs of pixels, the form in which compiled loops walk over them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from udfwidgets import masks
from udfwidgets.shapes import Slice

Spans = npt.NDArray[np.int64]


def runs(mask: npt.NDArray[np.bool_]) -> Spans:
    """Return the runs of True in each row of a mask.

    Parameters
    ----------
    mask : numpy.ndarray of bool
        2-D.

    Returns
    -------
    numpy.ndarray of int64
        One row per run, from top to bottom: row, first column, and last column (exclusive).
    """
    padded = np.zeros((mask.shape[0], mask.shape[1] + 2), np.int8)
    padded[:, 1:-1] = mask
    steps = np.diff(padded, axis=1)
    rows, first = np.nonzero(steps == 1)
    _, last = np.nonzero(steps == -1)
    return np.stack([rows, first, last], axis=1)


# As many as there are parts of the detector in a run, for a few UDFs at a time: every worker asks
# for the same ones at each partition.
@lru_cache(maxsize=64)
def ring_runs(
    size_y: int,
    size_x: int,
    cy: float,
    cx: float,
    radius: float,
    radius_inner: float | None,
    box: Slice,
) -> Spans:
    """Return a ring (a disk, without an inner radius) as runs of pixels.

    Parameters
    ----------
    size_y, size_x : int
        Of the detector.
    cy, cx, radius, radius_inner : float
        In pixels; see `udfwidgets.masks.circular` and `ring`.
    box : Slice
        The part of the detector to cut out; rows and columns are counted within it.
    """
    frame = (cx, cy, size_x, size_y)
    if radius_inner is None:
        mask = masks.circular(*frame, radius)
    else:
        mask = masks.ring(*frame, radius, radius_inner)
    return runs(mask[box.get()])
