"""Writes scans of a Gatan K2 as it writes them: eight sectors, and a `.gtg`."""

from __future__ import annotations

import struct
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.io.writers.dm import Writer

BLOCK_BYTES, FRAME_BYTES, SIG = 22360, 32 * 22360, (1860, 2048)


def write_k2is(
    folder: Path,
    frames: npt.NDArray[Any],
    nav: tuple[int, int] | None = None,
    first: int = 7,
    n_closed: int = 0,
    begins: tuple[int, ...] = (0,) * 8,
    without: Collection[tuple[int, int, int]] = (),
) -> Path:
    """Write frames (n, 1860, 2048) of twelve bits, numbered from `first` on.

    The shutter is closed in the first `n_closed` of them. `begins` are how many blocks each sector
    lacks at its beginning, `without` those that are left out: sector, frame, block.
    """
    for sector in range(8):
        columns = frames[:, :, sector * 256 : (sector + 1) * 256]
        with (folder / f"scan_{sector + 1}.bin").open("wb") as file:
            for number, frame in enumerate(columns):
                for block in range(32):
                    is_before = number * 32 + block < begins[sector]
                    if not is_before and (sector, number, block) not in without:
                        is_open = number >= n_closed
                        file.write(_block(frame, first + number, block, is_open))
    root = Writer(3, "<")
    tags = [("Acquired", root.number(5, 1))]
    if nav is not None:
        size = [(f"Size {axis}", root.number(5, n)) for axis, n in zip("YX", nav, strict=True)]
        tags.append(("SI Dimensions", root.group(size)))
    group = root.group(tags)
    (folder / "scan_.gtg").write_bytes(struct.pack(">3i", 3, len(group), 1) + group + bytes(8))
    return folder / "scan_.gtg"


def _block(frame: npt.NDArray[Any], number: int, block: int, is_open: bool) -> bytes:
    x, y = (15 - block % 16) * 16, block // 16 * 930
    count = number * 32 + block
    place = (x, y, x + 15, y + 929)
    header = struct.pack(">I4xBB6xI2HI", 0xFFFF0055, 1, is_open, count, 256, 1860, number)
    header += struct.pack(">4HI", *place, BLOCK_BYTES)
    pairs = frame[y : y + 930, x : x + 16].reshape(-1, 2).astype("u2")
    low, high = pairs.T
    packed = np.stack([low & 0xFF, low >> 8 | (high & 0xF) << 4, high >> 4], axis=1)
    return header + packed.astype("u1").tobytes()
