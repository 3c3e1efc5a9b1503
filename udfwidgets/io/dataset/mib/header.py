"""The headers of Merlin files: one before each frame, and one `.hdr` for the scan.

A `.mib` file is a row of frames, each of them an ASCII header and the pixels after it. The header
is comma-separated and padded to the length that its third field gives, 384 bytes for one chip and
768 for four::

    MQ1,000001,00384,01,0256,0256,U16,   1x1,01,<time>,<exposure>, ... ,<counter depth>,<padding>

`U08`, `U16` and `U32` are unsigned big-endian pixels. `R64` is what the chips send, see `r64`;
how many bits a pixel has there is said only by the last field.

The `.hdr` beside it has lines of a key, a colon, a tab and a value, `HDR` first and `End` last.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from udfwidgets.errors import DataSetException
from udfwidgets.io.layout.files import read_start

MAGIC = b"MQ1,"

_PIXELS = {"U08": ">u1", "U16": ">u2", "U32": ">u4"}
_RAW_PIXELS = {1: "u1", 6: "u1", 12: "u2", 24: "u4"}
_RAW_BITS = {1: 1, 6: 8, 12: 16, 24: 16}  # as stored, per pixel of the header's width
_LONGEST_HEADER = 1 << 13
_LONGEST_HDR = 1 << 20


@dataclass(frozen=True)
class FrameLayout:
    """What every frame of a scan has in common.

    Parameters
    ----------
    header_bytes : int
        Length of the header before the pixels.
    n_chips : int
        Detector chips.
    width, height : int
        As the header says; not the shape of the image for raw data of several chips or 24 bit.
    pixels : str
        ``'U08'``, ``'U16'``, ``'U32'`` or ``'R64'``.
    depth : int
        Bits of the counter, 0 where it is not said.
    """

    header_bytes: int
    n_chips: int
    width: int
    height: int
    pixels: str
    depth: int

    @property
    def is_raw(self) -> bool:
        """Whether the pixels are as the chips sent them."""
        return self.pixels == "R64"

    @property
    def image_bytes(self) -> int:
        """Length of the pixels of one frame."""
        n_pixels = self.width * self.height
        if self.is_raw:
            return n_pixels * _RAW_BITS[self.depth] // 8
        return n_pixels * np.dtype(_PIXELS[self.pixels]).itemsize

    @property
    def stride(self) -> int:
        """Bytes from one frame to the next."""
        return self.header_bytes + self.image_bytes

    @property
    def sig(self) -> tuple[int, int]:
        """Shape of the image."""
        if self.is_raw and self.n_chips == 4:
            return 2 * self.height, self.width // 2
        if self.is_raw and self.depth == 24:
            return self.height, self.width // 2
        return self.height, self.width

    @property
    def stored_dtype(self) -> np.dtype[np.generic]:
        """Of the pixels in the file; of the decoded ones for raw data."""
        return np.dtype(_RAW_PIXELS[self.depth] if self.is_raw else _PIXELS[self.pixels])


def read_frame_header(path: Path) -> tuple[FrameLayout, int, bytes]:
    """Read the header at the start of a `.mib` file.

    Returns
    -------
    FrameLayout, int, bytes
        The layout, the sequence number of the first frame, and the bytes that follow that number
        in each header of the file: header size, chips, width, height and type of the pixels.

    Raises
    ------
    DataSetException
        If it is not such a header, or one of a kind that cannot be read.
    """
    start = read_start(path, _LONGEST_HEADER)
    if not start.startswith(MAGIC):
        raise DataSetException(
            f"{path} begins with {start[:4]!r} at byte 0, expected {MAGIC!r} of a Merlin frame"
        )
    fields = [field.strip() for field in start.decode("latin-1").split(",", 9)]
    if len(fields) < 10:
        raise DataSetException(
            f"{path} has a header of {len(fields)} fields at byte 0, expected at least 10"
        )
    numbers = [_number(path, fields[i], name) for i, name in _NUMBERS.items()]
    sequence, header_bytes, n_chips, width, height = numbers
    header = start[:header_bytes]
    depth = _depth(header)
    layout = FrameLayout(header_bytes, n_chips, width, height, fields[6].upper(), depth)
    _check(path, layout, fields[7])
    fixed = b",%s," % b",".join(header.split(b",")[2:7])
    return layout, sequence, fixed


_NUMBERS = {1: "sequence number", 2: "header size", 3: "chip count", 4: "width", 5: "height"}


def _number(path: Path, field: str, name: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", field):
        raise DataSetException(
            f"{path} gives {field!r} as {name} in the header at byte 0, expected a number"
        )
    return int(field)


def _depth(header: bytes) -> int:
    """Return the last field that is not padding, 0 if it is not a number."""
    last = header.decode("latin-1").rstrip("\0 ,\r\n").rpartition(",")[2].strip()
    return int(last) if re.fullmatch(r"[0-9]{1,2}", last) else 0


def _check(path: Path, layout: FrameLayout, chips: str) -> None:
    at = f"{path}, header at byte 0"
    if min(layout.header_bytes, layout.width, layout.height, layout.n_chips) < 1:
        raise DataSetException(f"{at}: a size or chip count of 0 in {layout}")
    if not 64 <= layout.header_bytes < _LONGEST_HEADER:
        raise DataSetException(
            f"{at}: a header of {layout.header_bytes} bytes, expected 384 or 768"
        )
    if layout.pixels not in _PIXELS and not layout.is_raw:
        raise DataSetException(
            f"{at}: pixels of type {layout.pixels!r}, expected U08, U16, U32 or R64"
        )
    if layout.is_raw:
        _check_raw(at, layout, chips)


def _check_raw(at: str, layout: FrameLayout, chips: str) -> None:
    if layout.depth not in _RAW_PIXELS:
        raise DataSetException(
            f"{at}: R64 data with a counter depth of {layout.depth}, expected 1, 6, 12 or 24 "
            "as the last field"
        )
    is_quad = layout.n_chips == 4 and chips.upper().startswith("2X2")
    if not is_quad and layout.n_chips != 1:
        raise DataSetException(
            f"{at}: R64 data of {layout.n_chips} chips in layout {chips!r}, expected 1 chip or "
            "4 chips as 2x2; save the data as U08, U16 or U32"
        )
    if is_quad and layout.depth == 24:
        raise DataSetException(
            f"{at}: R64 data of 24 bit from 4 chips, expected 1, 6 or 12 bit; save them as U32"
        )
    group = {1: 64, 6: 8, 12: 4, 24: 8}[layout.depth] * layout.n_chips
    if layout.width % group:
        raise DataSetException(
            f"{at}: R64 data of width {layout.width}, expected a multiple of {group} "
            f"for {layout.depth} bit and {layout.n_chips} chips"
        )


def read_hdr(path: Path) -> dict[str, str]:
    """Read a `.hdr` file into a dict.

    Raises
    ------
    DataSetException
        If it does not begin with ``HDR``.
    """
    text = read_start(path, _LONGEST_HDR).decode("latin-1")
    if not text.startswith("HDR"):
        raise DataSetException(
            f"{path} begins with {text[:4]!r}, expected 'HDR,' of a Merlin acquisition"
        )
    pairs = (line.partition(":") for line in text.splitlines()[1:])
    return {key.strip(): value.strip() for key, colon, value in pairs if colon}


def nav_from_hdr(hdr: dict[str, str]) -> tuple[int, int] | None:
    """Return the scan shape that a `.hdr` gives, or None if it leaves it open.

    The last line of frames that do not come out as whole lines counts as one.
    """
    scan = hdr_number(hdr, "ScanY"), hdr_number(hdr, "ScanX")
    if min(scan) > 0:
        return scan
    n_frames = hdr_number(hdr, "Frames in Acquisition (Number)")
    per_trigger = hdr_number(hdr, "Frames per Trigger (Number)")
    # 0 is a scan without an end, and 0 or 1 per trigger means each position was triggered:
    # neither tells how long a line is.
    if n_frames < 1 or per_trigger <= 1:
        return None
    return -(-n_frames // per_trigger), per_trigger


def hdr_number(hdr: dict[str, str], key: str) -> int:
    """Return a whole number of a `.hdr`, 0 if it is missing or none."""
    value = hdr.get(key, "")
    return int(value) if re.fullmatch(r"[0-9]{1,12}", value) else 0
