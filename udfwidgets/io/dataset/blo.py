"""Block files of NanoMegas: scans of square patterns, each with its number before it.

A header of 240 bytes says where things are. Text may follow, then an image of the scan in bytes,
then the patterns: two bytes ``AA 55``, the number of the pattern in four, and its pixels. Pixels
are bytes; newer files say in their text that they are of 16 bits.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.strided import Layout, StridedFile
from udfwidgets.io.layout.files import read_start, size_of
from udfwidgets.io.layout.records import read_record, whole_frames
from udfwidgets.io.layout.strided import Piece
from udfwidgets.names import further

MAGIC = b"IMGBLO"
VERSIONS = (0x0102, 0x0103)
HEADER = [
    ("magic", "S6"),
    ("version", "u2"),
    ("image_offset", "u4"),
    ("data_offset", "u4"),
    ("flags", "u4"),
    ("size", "u2"),
    ("pattern_rotation", "u2"),
    ("width", "u2"),
    ("height", "u2"),
    ("scan_rotation", "u2"),
    ("step_x", "f8"),
    ("step_y", "f8"),
    ("beam_energy", "u4"),
    ("pixels_per_cm", "u2"),
    ("camera_length", "u4"),
    ("acquired", "f8"),
]
TEXT_AT, _LONGEST_TEXT = 240, 1 << 16
#: Before each pattern.
MARK_AND_NUMBER = np.dtype([("mark", "S2"), ("number", "<u4")])
_NUMBER_BYTES = MARK_AND_NUMBER.itemsize


class BloDataSet(StridedFile):
    """A scan in a `.blo` file of NanoMegas.

    Takes the parameters of a `StridedFile`.

    Raises
    ------
    DataSetException
        If it is not such a file, or holds no pattern.
    """

    def _find(self, path: Path, *, is_told: bool) -> Layout:
        order, header = _read_header(path)
        dtype = np.dtype(f"{order}u{_bits(path, header) // 8}")
        size, n_bytes = int(header["size"]), size_of(path)
        nav = (int(header["height"]), int(header["width"]))
        offset = int(header["data_offset"]) + _NUMBER_BYTES
        frame_bytes = size * size * dtype.itemsize
        stride = frame_bytes + _NUMBER_BYTES
        promised = nav[0] * nav[1]
        n_stored, notes = whole_frames(path, n_bytes, offset, stride, frame_bytes, promised)
        _check_marks(path, offset - _NUMBER_BYTES, stride, n_stored)
        piece = Piece(path, n_bytes, offset, stride, n_stored)
        return Layout([piece], (size, size), dtype, nav, notes, _metadata(header))


def _read_header(path: Path) -> tuple[str, Any]:
    """Return the byte order, and the header."""
    header = read_record(path, HEADER, "the header of a block file")
    if header["magic"] != MAGIC:
        raise DataSetException(f"{path} begins with {bytes(header['magic'])!r}, expected {MAGIC!r}")
    for order in "<>":
        fields = [(name, order + kind) for name, kind in HEADER]
        header = read_record(path, fields, "the header of a block file")
        if header["version"] in VERSIONS:
            return order, header
    raise DataSetException(
        f"{path} has version {header['version']:#x} at byte 6, expected "
        f"{' or '.join(map(hex, VERSIONS))}"
    )


def _bits(path: Path, header: Any) -> int:
    """Return how many bits a pixel has: 8, where the text says nothing else."""
    end = min(int(header["image_offset"]), TEXT_AT + _LONGEST_TEXT)
    text = read_start(path, max(end, TEXT_AT))[TEXT_AT:].decode("latin-1")
    said = re.search(r"blo bit depth:\s*([0-9]{1,3})\s*bits", text, re.IGNORECASE)
    if said is None or header["version"] == VERSIONS[0]:
        return 8
    if said[1] not in ("8", "16", "32"):
        raise DataSetException(f"{path} has pixels of {said[1]} bits, expected 8, 16 or 32")
    return int(said[1])


def _check_marks(path: Path, offset: int, stride: int, n_frames: int) -> None:
    """Look whether the last pattern begins as the first one does.

    What marks a pattern may be anything, as long as it marks the last one too: a size in a damaged
    header would lead to another place.
    """
    first, last = (
        bytes(read_record(path, "V2", "the mark of a pattern", at))
        for at in (offset, offset + (n_frames - 1) * stride)
    )
    if first != last:
        raise DataSetException(
            f"{path} has {last!r} at byte {offset + (n_frames - 1) * stride}, expected {first!r} "
            f"as before the first pattern at byte {offset}; the header is damaged, or the file"
        )


def _metadata(header: Any) -> dict[str, Any]:
    told = {name: header[name].item() for name, _ in HEADER[6:]}
    told["nav_scales"], told["nav_units"] = (told["step_y"], told["step_x"]), ("nm", "nm")
    if told["pixels_per_cm"]:  # in hundredths
        told["sig_scales"] = (100 / told["pixels_per_cm"],) * 2
        told["sig_units"] = ("cm", "cm")
    return told


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
