"""Writes sequences of StreamPix."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy.typing as npt


def write_celeritas(
    folder: Path, frames: npt.NDArray[Any], per_buffer: int, *, has_settings: bool = True
) -> Path:
    """Write both halves of frames, so many in a buffer, and return the path of the upper ones."""
    n, ny, nx = frames.shape
    buffers = n // per_buffer, per_buffer * ny // 2, nx
    upper, lower = frames[:, : ny // 2][:, ::-1], frames[:, ny // 2 :]
    top = write_seq(folder / "a_Top_14-04-59.355.seq", upper.reshape(buffers))
    write_seq(folder / "a_Bottom_14-04-59.396.seq", lower.reshape(buffers))
    if has_settings:
        told = f'<FileInfo><SegmentPreBuffer Value="{per_buffer}" /></FileInfo>'
        settings = f'<?xml version="1.0" encoding="utf-8"?><Configuration>{told}</Configuration>'
        (folder / "a.seq.Config.Metadata.xml").write_text(settings)
    return top


def write_seq(
    path: Path, frames: npt.NDArray[Any], version: int = 5, padding: int = 24, real_bits: int = 12
) -> Path:
    """Write frames (n, ny, nx) of unsigned integers, each with its time and padding behind it."""
    n, ny, nx = frames.shape
    bits, image = 8 * frames.dtype.itemsize, frames[0].nbytes
    header = bytearray(8192 if version >= 5 else 1024)
    struct.pack_into("<I", header, 0, 0xFEED)
    header[4:24] = "Norpix seq".encode("utf-16-le")
    struct.pack_into("<2i", header, 28, version, 1024)
    header[36 : 36 + 8] = "scan".encode("utf-16-le")
    sizes = (nx, ny, bits, real_bits, image, 100, n, 0, image + 8 + padding)
    struct.pack_into("<9Id", header, 548, *sizes, 1000.0)
    with path.open("wb") as file:
        file.write(header)
        for number, frame in enumerate(frames):
            file.write(frame.astype(frame.dtype.newbyteorder("<")).tobytes())
            file.write(struct.pack("<iHH", 1_700_000_000, number % 1000, 0) + b"\xff" * padding)
    return path
