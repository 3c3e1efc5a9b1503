"""Writes series of TIA, and what stands for them in an `.emi`."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

TYPES = ("u1", "u2", "u4", "i1", "i2", "i4", "f4", "f8", "c8", "c16")
SCAN = (("meters", -2e-9), ("meters", 3e-9))


def write_ser(
    path: Path,
    frames: npt.NDArray[Any],
    axes: tuple[tuple[str, float], ...] = SCAN,
    version: int = 0x220,
    step: float = 4e7,
    gap: tuple[int, int] = (0, 0),
    total: int = 0,
) -> Path:
    """Write a scan of images (*nav, ny, nx), or of spectra where there is an axis less.

    `axes` are unit and step of each nav axis, `gap` the number of a frame and how many bytes are
    left out before it. Of a `total` of frames, those after these were not recorded.
    """
    nav = frames.shape[: len(axes)]
    sig = frames.shape[len(axes) :]
    flat = frames.reshape(-1, *sig)
    total = total or len(flat)
    word = "I" if version <= 0x210 else "Q"
    listed = b""
    whole = (nav[0] * total // len(flat), *nav[1:])
    for n, (unit, delta) in list(zip(whole, axes, strict=True))[::-1]:
        listed += struct.pack("<Idd2I", n, 0.5, delta, 0, 8) + b"Position"
        listed += struct.pack("<I", len(unit)) + unit.encode()
    kind, tag = 0x4120 + 2 * (len(sig) == 2), struct.pack("<2HI2d", 0x4142, 0, 1, 0, 0)
    head = 22 + struct.calcsize("<" + word) + 4 + len(listed)
    at = head + 2 * total * struct.calcsize("<" + word)
    before = struct.pack("<ddI", 0.0, step, 0) * len(sig)
    before += struct.pack("<H", TYPES.index(flat.dtype.str[1:]) + 1)
    before += struct.pack(f"<{len(sig)}I", *sig[::-1])
    n_before = len(before) + flat[0].nbytes
    offsets, elements = [], []
    for number, frame in enumerate(flat):
        if number == gap[0]:
            elements.append(bytes(gap[1]))
            at += gap[1]
        offsets.append(at)
        at += n_before + len(tag)
        upright = frame[::-1] if len(sig) == 2 else frame
        elements += [before, np.ascontiguousarray(upright).tobytes(), tag]
    tags = [offset + n_before for offset in offsets]
    none = [0] * (total - len(flat))
    places = struct.pack(f"<{2 * total}{word}", *offsets, *none, *tags, *none)
    start = struct.pack(
        "<4sH4I" + word, b"II\x97\x01", version, kind, 0x4142, total, len(flat), head
    )
    path.write_bytes(start + struct.pack("<I", len(nav)) + listed + places + b"".join(elements))
    return path


def write_emi(path: Path, n_objects: int = 1, mode: str = "STEM nP SA Zoom Diffraction") -> Path:
    """Write what stands for `NAME_1.ser` and those after it: texts among other things."""
    content = b"JK\0\x02" + bytes(range(256))
    for number in range(n_objects):
        rows = [("Mode", mode, ""), ("High tension", str(200 + number), "kV")]
        text = "".join(
            f"<Data><Label>{label}</Label><Value>{value}</Value><Unit>{unit}</Unit></Data>"
            for label, value, unit in rows
        )
        text = f"<ExperimentalDescription><Root>{text}</Root></ExperimentalDescription>"
        acquired = "<AcquireInfo><CameraNamePath>camera</CameraNamePath></AcquireInfo>"
        date = "<AcquireDate>Thu Nov 26 12:00:00 2026</AcquireDate>"
        content += f"<ObjectInfo>{text}{acquired}{date}</ObjectInfo>".encode() + b"\xff\0"
    path.write_bytes(content)
    return path
