"""Writes Merlin files: an `.hdr`, and a `.mib` with a header before each frame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from udfwidgets.io.writing.outline import Outline
from udfwidgets.io.writing.placed import PlacedWriter
from udfwidgets.shapes import Shape

HEADER_BYTES = 384
#: Bits of the counter, by the type of the pixels.
DEPTHS = {"U08": 6, "U16": 12, "U32": 24}
_HDR_BYTES = 2048
_EXPOSURE_NS = 1_000_000
_LONGEST_SIDE = 9999


class MerlinWriter(PlacedWriter):
    """Writes frames of 8, 16 or 32 bits.

    Parameters
    ----------
    hdr, path : Path
        The `.hdr`, and the `.mib`.
    outline : Outline
        What is to be written.
    """

    def __init__(self, hdr: Path, path: Path, outline: Outline) -> None:
        nav, self._sig = outline.shape.nav.to_tuple(), outline.shape.sig.to_tuple()
        self._kind = f"U{8 * outline.dtype.itemsize:02d}"
        if outline.dtype.kind != "u" or self._kind not in DEPTHS:
            raise ValueError(
                f"a .mib holds whole numbers of 8, 16 or 32 bits from 0 on, got {outline.dtype}: "
                "export to .h5 or .npy instead"
            )
        if len(nav) != 2 or len(self._sig) != 2 or max(self._sig) > _LONGEST_SIDE:
            raise ValueError(
                f"a .mib holds frames of up to {_LONGEST_SIDE} pixels a side, of a scan of two "
                f"axes, got {nav} and {self._sig}: export to .h5 or .npy instead"
            )
        dtype = outline.dtype.newbyteorder(">")
        super().__init__(path, outline, dtype, 0, HEADER_BYTES)
        self._hdr, self._shape = hdr, outline.shape

    def heads(self, first: int, n_frames: int) -> npt.NDArray[np.uint8]:
        """Return the headers of some frames."""
        numbers = range(first + 1, first + n_frames + 1)
        heads = b"".join(merlin_frame_header(self._sig, n, self._kind) for n in numbers)
        return np.frombuffer(heads, np.uint8).reshape(n_frames, -1)

    def finish(self) -> None:
        """Write the `.hdr`."""
        self._hdr.write_bytes(merlin_hdr(self._shape, "written by udfwidgets", self._kind))


def merlin_frame_header(sig: Sequence[int], number: int, kind: str = "U16") -> bytes:
    """Return the header before frame `number`, counted from 1, of a shape and a type of pixels."""
    height, width = sig
    seconds, nanoseconds = divmod((number - 1) * _EXPOSURE_NS, 1_000_000_000)
    clock = f"{10 + seconds // 3600 % 14:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    fields = [
        "MQ1",
        f"{number:06d}",
        f"{HEADER_BYTES:05d}",
        "01",
        f"{width:04d}",
        f"{height:04d}",
        kind,
        "   1x1",
        "01",
        f"2024-05-17 {clock}.{nanoseconds // 1000:06d}",
        f"{_EXPOSURE_NS / 1e9:.6f}",
        *("0", "0", "0", "2.000000E+1", "5.110000E+2", *["0.000000E+0"] * 6),
        *("3RX", "175", "511", *["000"] * 6, "100", "010", "125", "125", *["100"] * 4),
        *("082", "100", "087", "030", "128", "004", "255", "123", "128", "192", "192"),
        *("511", "511", "MQ1A", f"2024-05-17T{clock}.{nanoseconds:09d}Z", f"{_EXPOSURE_NS}ns"),
        str(DEPTHS[kind]),
        "",
    ]
    return ",".join(fields).encode("ascii").ljust(HEADER_BYTES, b"\0")


def merlin_hdr(shape: Shape, comment: str, kind: str = "U16") -> bytes:
    """Return the `.hdr` of a scan of a shape and a type of pixels."""
    n_lines, per_line = shape.nav
    pairs = {
        "Time and Date Stamp (day, mnth, yr, hr, min, s)": "17/05/2024 10:00:00",
        "Chip ID": "W000_A0,-,-,-",
        "Chip Type (Medipix 3.0, Medipix 3.1, Medipix 3RX)": "Medipix 3RX",
        "Assembly Size (NX1, 2X2)": "   1x1",
        "Chip Mode  (SPM, CSM, CM, CSCM)": "SPM",
        "Counter Depth (number)": str(DEPTHS[kind]),
        "Gain": "SLGM",
        "Active Counters": "Alternating",
        "Thresholds (keV)": "2.000000E+1,5.110000E+2" + ",0.000000E+0" * 6,
        "Fill Mode": "None",
        "Trigger Start (Positive, Negative, Internal)": "Rising Edge",
        "Trigger Stop (Positive, Negative, Internal)": "Rising Edge",
        "Frames in Acquisition (Number)": str(shape.nav.size),
        "Frames per Trigger (Number)": str(per_line),
        "Trigger Start Count (Number)": str(n_lines),
        "ScanX": str(per_line),
        "ScanY": str(n_lines),
        "Acquisition Time (ms)": f"{_EXPOSURE_NS / 1e6:.6f}",
        "Comment": comment,
    }
    lines = ["HDR,", *(f"{key}:\t{value}" for key, value in pairs.items()), "End\t"]
    return "\r\n".join(lines).encode("ascii").ljust(_HDR_BYTES, b" ")
