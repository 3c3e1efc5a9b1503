"""What the header of a sequence tells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from udfwidgets.errors import DataSetException
from udfwidgets.io.layout.files import size_of
from udfwidgets.io.layout.records import read_record
from udfwidgets.io.layout.strided import Piece, count_frames

MAGIC = 0xFEED
_MOST = 1 << 20
_FIELDS = {
    "magic": ("<u4", 0),
    "version": ("<i4", 28),
    "width": ("<u4", 548),
    "height": ("<u4", 552),
    "bits": ("<u4", 556),
    "real_bits": ("<u4", 560),
    "image_bytes": ("<u4", 564),
    "image_format": ("<u4", 568),
    "n_frames": ("<u4", 572),
    "stride": ("<u4", 580),
    "frame_rate": ("<f8", 584),
    "compression": ("<u4", 620),
}
_HEADER: np.dtype[Any] = np.dtype(
    {
        "names": list(_FIELDS),
        "formats": [kind for kind, _ in _FIELDS.values()],
        "offsets": [at for _, at in _FIELDS.values()],
        "itemsize": 1024,
    }
)
_GREY = 100


def read_header(path: Path) -> dict[str, Any]:
    """Return the numbers in the header of a sequence of grey frames.

    Raises
    ------
    DataSetException
        If it is no such file, or its frames are compressed or coloured.
    """
    record = read_record(path, _HEADER, "the header of a sequence")
    header: dict[str, Any] = {name: record[name].item() for name in _FIELDS}
    if header["magic"] != MAGIC:
        raise DataSetException(
            f"{path} begins with {header['magic']:#x}, expected {MAGIC:#x} of a StreamPix sequence"
        )
    if header["compression"] != 0 or header["image_format"] != _GREY:
        raise DataSetException(
            f"{path} has images of format {header['image_format']} and compression "
            f"{header['compression']}, expected grey ones ({_GREY}) that are not compressed (0): "
            "save it so"
        )
    if header["bits"] not in (8, 16, 32):
        raise DataSetException(
            f"{path} has pixels of {header['bits']} bits at byte 556, expected 8, 16 or 32"
        )
    if not (0 < header["width"] < _MOST and 0 < header["height"] < _MOST):
        raise DataSetException(
            f"{path} has frames of {header['height']} x {header['width']} pixels, expected a size "
            "at byte 548"
        )
    return header


def pixels_of(header: dict[str, Any]) -> np.dtype[Any]:
    """Return the dtype of the pixels."""
    return np.dtype(f"<u{header['bits'] // 8}")


def frames_in(path: Path, header: dict[str, Any]) -> tuple[Piece, int]:
    """Return where the whole frames of a file are, and how many bytes are behind the last one.

    Raises
    ------
    DataSetException
        If there is none.
    """
    sig, n_bytes = (header["height"], header["width"]), size_of(path)
    frame_bytes = sig[0] * sig[1] * pixels_of(header).itemsize
    stride, offset = header["stride"], 8192 if header["version"] >= 5 else 1024
    if stride < frame_bytes:
        raise DataSetException(
            f"{path} has {stride} bytes from one frame to the next at byte 580, expected at "
            f"least the {frame_bytes} of its {sig[0]} x {sig[1]} pixels"
        )
    n_stored = count_frames(n_bytes, offset, stride, frame_bytes)
    if not n_stored:
        raise DataSetException(
            f"{path} has {n_bytes} bytes, expected at least one frame of {stride} bytes from "
            f"byte {offset}; the file is truncated, or its header is damaged"
        )
    return Piece(path, n_bytes, offset, stride, n_stored), n_bytes - offset - n_stored * stride
