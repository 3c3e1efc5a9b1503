"""Writes small Merlin files as the format says, in plain Python and NumPy, for tests alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def header(
    sequence: int, width: int, height: int, kind: str, depth: int, n_chips: int = 1
) -> bytes:
    size = 768 if n_chips == 4 else 384
    layout = "   2x2" if n_chips == 4 else "   1x1"
    text = (
        f"MQ1,{sequence:06d},{size:05d},{n_chips:02d},{width:04d},{height:04d},{kind},{layout},0F,"
        f"2024-05-06 07:08:09.000000,0.001000,0,0,0,1.0E+1,5.1E+2,3RX,175,511,000,MQ1A,"
        f"2024-05-06T07:08:09.000000000Z,1000000ns,{depth},"
    )
    return text.encode().ljust(size, b"\0")


def pixels(frame: Array, kind: str, depth: int, n_chips: int = 1) -> bytes:
    if kind != "R64":
        return frame.astype(f">u{int(kind[1:]) // 8}").tobytes()
    if depth == 24:
        high, low = frame >> 12, frame & 0xFFF
        return pixels(high, "R64", 12) + pixels(low, "R64", 12)
    return _chip_rows(frame, n_chips, depth)


def _chip_rows(frame: Array, n_chips: int, depth: int) -> bytes:
    if n_chips == 4:
        height, width = frame.shape[0] // 2, frame.shape[1] // 2
        one, two = frame[:height, :width], frame[:height, width:]
        three, four = frame[height:, :width], frame[height:, width:]
        frame = np.hstack([four[::-1, ::-1], three[::-1, ::-1], two, one])
    if depth == 1:
        packed = np.packbits(frame.astype(np.uint8), axis=1, bitorder="little")
        return packed.reshape(len(frame), -1, 8)[:, :, ::-1].tobytes()
    group, dtype = {6: (8, "u1"), 12: (4, ">u2")}[depth]
    return frame.astype(dtype).reshape(len(frame), -1, group)[:, :, ::-1].tobytes()


def write_mib(
    path: Path, frames: Array, kind: str, depth: int, n_chips: int = 1, first: int = 1
) -> Path:
    height, width = frames.shape[1:]
    if kind == "R64" and n_chips == 4:
        height, width = height // 2, width * 2
    if kind == "R64" and depth == 24:
        width *= 2
    with path.open("wb") as file:
        for i, frame in enumerate(frames):
            file.write(header(first + i, width, height, kind, depth, n_chips))
            file.write(pixels(frame, kind, depth, n_chips))
    return path


def write_hdr(path: Path, n_frames: int, per_trigger: int, **more: int) -> Path:
    lines = [
        "HDR,",
        "Time and Date Stamp (day, mnth, yr, hr, min, s):\t06/05/2024 07:08:09",
        f"Frames in Acquisition (Number):\t{n_frames}",
        f"Frames per Trigger (Number):\t{per_trigger}",
        "Counter Depth (number):\t12",
        "Assembly Size (NX1, 2X2):\t   1x1",
        *(f"{key}:\t{value}" for key, value in more.items()),
        "End\t",
    ]
    path.write_bytes("\r\n".join(lines).encode().ljust(2048, b" "))
    return path
