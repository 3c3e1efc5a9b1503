"""Writes MRC files."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

MODES = {"i1": 0, "i2": 1, "f4": 2, "c8": 4, "u2": 6, "f2": 12}


def write_mrc(
    path: Path,
    frames: npt.NDArray[Any],
    order: str = "<",
    extended: bytes = b"",
    volumes: bool = False,
    pixel_size: float = 0.0,
    imod: bool = False,
) -> Path:
    """Write a stack (n, ny, nx), or with `volumes` one of volumes (n, nz, ny, nx).

    With `imod`, bytes have no sign, as the flags of IMOD say then.
    """
    *nav, ny, nx = frames.shape
    nz = int(np.prod(nav))
    kind = frames.dtype.newbyteorder("=").str[1:]
    mode = 0 if kind == "u1" and imod else MODES[kind]
    header = bytearray(1024)
    # Grid points of one volume: of a stack of images, each is a volume of one.
    struct.pack_into(
        order + "10i", header, 0, nx, ny, nz, mode, 0, 0, 0, nx, ny, nav[-1] if volumes else 1
    )
    struct.pack_into(
        order + "3f3f3i", header, 40, nx * pixel_size, ny * pixel_size, 1, 90, 90, 90, 1, 2, 3
    )
    struct.pack_into(order + "2i", header, 88, 401 if volumes else 0, len(extended))
    if imod:
        struct.pack_into(order + "2i", header, 152, 1146047817, 0)
    stamp = b"\x44\x44\0\0" if order == "<" else b"\x11\x11\0\0"
    header[208:216] = b"MAP " + stamp
    path.write_bytes(
        bytes(header) + extended + frames.astype(frames.dtype.newbyteorder(order)).tobytes()
    )
    return path
