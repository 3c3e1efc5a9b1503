"""Where detectors are put at first: at the central disk, if there is one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from udfwidgets.explore.questions import Array
from udfwidgets.geometry import Disk, DiskNotFound, Figure, find_disk, presets

#: What a view begins with.
FIRST = ("BF", "ADF")


def beam(pattern: Array) -> Disk:
    """Return the central disk, in numbers that a person reads: to a hundredth of a pixel.

    Raises
    ------
    DiskNotFound
        If there is none.
    """
    disk = find_disk(pattern)
    return Disk(cx=round(disk.cx, 2), cy=round(disk.cy, 2), r=round(disk.r, 2))


def place(pattern: Array) -> tuple[Mapping[str, Figure], str]:
    """Return bright field and annular dark field for a summed pattern, and what was not found.

    Parameters
    ----------
    pattern : numpy.ndarray
        float64 (ny, nx).
    """
    try:
        disk, note = beam(pattern), ""
    except DiskNotFound as error:
        ny, nx = pattern.shape
        disk = Disk(cx=(nx - 1) / 2, cy=(ny - 1) / 2, r=max(min(ny, nx) / 8, 0.5))
        note = f"the central disk was not found ({error}): drag BF to where it is"
    found = presets(disk)
    placed = {name: found[name] for name in FIRST}
    # A disk that fills the pattern leaves nothing around it.
    return {n: shape for n, shape in placed.items() if np.any(shape.mask(pattern.shape))}, note
