"""Writes block files of NanoMegas."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

HEADER = "6sHIIIHHHHHddIHId"


def write_blo(
    path: Path,
    frames: npt.NDArray[Any],
    order: str = "<",
    text: str = "",
    mark: bytes = b"\xaa\x55",
) -> Path:
    """Write a scan of square patterns (ny, nx, n, n) of u1, or of u2 with a text that says so."""
    ny, nx, size, _ = frames.shape
    is_new = frames.dtype.itemsize > 1
    if is_new:
        text += f"\r\nBlo Bit Depth: {8 * frames.dtype.itemsize} bits\r\n"
    data_offset = 0x1000 + ny * nx + (ny * nx) % 16
    header = struct.pack(
        order + HEADER,
        b"IMGBLO",
        0x0103 if is_new else 0x0102,
        0x1000,
        data_offset,
        131141,
        size,
        0,
        nx,
        ny,
        0,
        1.5,
        2.5,
        200_000,
        250,
        1500,
        44_000.5,
    )
    head = header.ljust(240, b"\0") + text.encode()
    image = frames.reshape(ny * nx, -1).mean(axis=1).astype("u1").tobytes()
    with path.open("wb") as file:
        file.write((head.ljust(0x1000, b"\0") + image).ljust(data_offset, b"\0"))
        for number, frame in enumerate(frames.reshape(-1, size, size)):
            file.write(mark + struct.pack(order + "I", number + 1))
            file.write(np.ascontiguousarray(frame, frame.dtype.newbyteorder(order)).tobytes())
    return path
