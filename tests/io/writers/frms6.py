"""Writes scans of a pnCCD in FRMS6 files."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


def write_frms6(
    folder: Path,
    frames: npt.NDArray[Any],
    dark: npt.NDArray[Any],
    nav: tuple[int, int],
    binning: int = 1,
    cuts: tuple[int, ...] = (),
    is_counted: bool = True,
) -> Path:
    """Write frames (n, ny, nx), cut before some of them, those without beam, and a `.hdr`.

    Of `binning` rows that follow each other the first one is written. Files that are not counted
    do not tell how many frames they have.
    """
    parts = [dark, *np.split(frames, cuts)]
    for number, part in enumerate(parts):
        n, ny, nx = part.shape
        upper, lower = part[:, : ny // 2 : binning], part[:, : ny // 2 - 1 : -binning, ::-1]
        rows = np.concatenate([upper, lower], axis=2).astype("<u2")
        head = bytearray(b"pnCCD " * 171)[:1024]
        struct.pack_into("<2H3xB", head, 0, 1024, 64, 6)
        struct.pack_into("<2H", head, 88, 2 * nx, ny // 2 // binning)
        struct.pack_into("<I", head, 1020, n if is_counted else 0)
        with (folder / f"scan_{number:03d}.frms6").open("wb") as file:
            file.write(head)
            for at, frame in enumerate(rows):
                file.write(struct.pack("<4I12x36s", 1, 2, 3, at, b"\xff" * 36) + frame.tobytes())
    (folder / "scan.hdr").write_text(
        "[measurementInfo]\nmeasurementName = scan\ndwellTimeMicroseconds = 1000\n"
        f'gain = 1\nreadoutMode = "bin: {binning}, windowing: 132 x 264"\n'
        f"darkFrames = {len(dark)}\nsignalFrames = {len(frames)}\n"
        f"STEMimagesize = {nav[0]} x {nav[1]}\n"
    )
    return folder / "scan.hdr"
