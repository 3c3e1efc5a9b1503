"""Writes movies of TVIPS cameras."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Positions = npt.NDArray[np.float32]


def write_tvips(
    path: Path,
    frames: npt.NDArray[Any],
    version: int = 2,
    header_bytes: int = 128,
    cuts: tuple[int, ...] = (),
    positions: Positions | None = None,
    mode: int = 2,
) -> Path:
    """Write frames (n, ny, nx) into ``NAME_000.tvips`` and, cut before some, into others after it.

    `positions` (n, 2) are x and y in the scan.
    """
    n, ny, nx = frames.shape
    header_bytes = 12 if version == 1 else header_bytes
    told = (256, version, nx, ny, 8 * frames.dtype.itemsize, 0, 0, 1, 1, 31, 200, 100, header_bytes)
    series = (struct.pack("<13i", *told) + b"TVIPS " * 34)[:256]
    edges = [0, *cuts, n]
    for number, begin in enumerate(edges[:-1]):
        with path.with_name(f"{path.stem}_{number:03d}.tvips").open("wb") as file:
            file.write(series if number == 0 else b"")
            for at in range(begin, edges[number + 1]):
                head = bytearray(b"\xff" * header_bytes)
                struct.pack_into("<3I", head, 0, at + 1, 1_700_000_000, at % 1000)
                if header_bytes >= 60:
                    struct.pack_into(
                        "<If2I5fI2f", head, 12, 0, 0, 100, mode, *[0] * 5, at + 1, 0, 0
                    )
                if header_bytes >= 76:
                    struct.pack_into(
                        "<2f", head, 68, *(positions[at] if positions is not None else (0, 0))
                    )
                file.write(head + frames[at].astype(frames.dtype.newbyteorder("<")).tobytes())
    return path.with_name(f"{path.stem}_000.tvips")
