"""Where detectors are put: at the central disk, if there is one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from udfwidgets.explore.questions import Array
from udfwidgets.geometry import Disk, DiskNotFound, Figure, find_disk, presets

#: What a view begins with.
FIRST = ("BF", "ADF")
#: What pages offer at one press.
NAMES = ("BF", "ABF", "ADF", "HAADF")
NOT_YET = "too little of the scan is in to find the central disk: wait a moment"


def beam(pattern: Array) -> Disk:
    """Return the central disk, in numbers that a person reads: to a hundredth of a pixel.

    Raises
    ------
    DiskNotFound
        If there is none.
    """
    disk = find_disk(pattern)
    return Disk(cx=round(disk.cx, 2), cy=round(disk.cy, 2), r=round(disk.r, 2))


def look(pattern: Array) -> tuple[Disk | None, str]:
    """Return the central disk of a summed pattern, float64 (ny, nx), or why there is none."""
    try:
        return beam(pattern), ""
    except DiskNotFound as error:
        return None, f"the central disk was not found ({error})"


def offered(disk: Disk | None) -> Mapping[str, Figure | None]:
    """Return what pages offer at one press, by name; without a disk only the names."""
    return dict.fromkeys(NAMES) if disk is None else {**presets(disk)}


def place(disk: Disk | None, sig: tuple[int, int]) -> Mapping[str, Figure]:
    """Return bright field and annular dark field, around the middle where no disk was found."""
    ny, nx = sig
    if disk is None:
        disk = Disk(cx=(nx - 1) / 2, cy=(ny - 1) / 2, r=max(min(ny, nx) / 8, 0.5))
    found = presets(disk)
    placed = {name: found[name] for name in FIRST}
    # A disk that fills the pattern leaves nothing around it.
    return {n: shape for n, shape in placed.items() if np.any(shape.mask(sig))}
