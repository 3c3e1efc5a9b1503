"""Movies of TVIPS cameras: one or several files of frames, each with a header before it.

The first file, ``NAME_000.tvips``, begins with 256 bytes that tell the size of the frames and of
their headers; those that follow it have frames only. From version 2 on the headers may tell where
in the scan a frame was taken.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.strided import Layout, StridedFile
from udfwidgets.io.layout.files import map_array, size_of
from udfwidgets.io.layout.numbered import numbered_paths
from udfwidgets.io.layout.records import read_record
from udfwidgets.io.layout.strided import Piece, count_frames
from udfwidgets.names import further

HEADER_BYTES = 256
_HEADER = [
    (name, "<i4")
    for name in (
        "size",
        "version",
        "width",
        "height",
        "bits",
        "offset_x",
        "offset_y",
        "binning_x",
        "binning_y",
        "pixel_size",
        "high_tension",
        "magnification",
        "frame_header_bytes",
    )
]
_OLD_FRAME_HEADER = 12
# Where a header tells the position in the scan: x and y, in float32.
_SCAN_AT = 68
# As many headers are looked at to find the first line of the scan.
_LOOKED_AT = 1 << 14
_MOST = 1 << 20
_MODE_AT, _DIFFRACTION = 24, 2


class TVIPSDataSet(StridedFile):
    """Frames of a TVIPS camera, in one file or several: all of them are read.

    Where nothing tells the scan, the frames are a row.

    Takes the parameters of a `StridedFile`.

    Raises
    ------
    DataSetException
        If one of the files is missing, damaged, or truncated before the last one.
    """

    def _find(self, path: Path, *, is_told: bool) -> Layout:
        paths = numbered_paths(path)
        header = _read_header(paths[0])
        dtype = np.dtype(f"<u{int(header['bits']) // 8}")
        sig = (int(header["height"]), int(header["width"]))
        header_bytes, frame_bytes = _frame_header_bytes(header), sig[0] * sig[1] * dtype.itemsize
        pieces, rest = _pieces(paths, header_bytes, frame_bytes)
        n_stored = sum(piece.n_frames for piece in pieces)
        # Whether headers may tell, though perhaps not those of the first frames.
        self._can_tell = header_bytes >= _SCAN_AT + 8
        began, told = _scan_of(pieces, n_stored, header_bytes) if self._can_tell else (0, None)
        notes = [f"the last frame of {paths[-1].name} is not complete"] if rest else []
        metadata = _metadata(pieces[0], header, header_bytes)
        nav = told if told is not None or is_told else (n_stored,)
        return Layout(pieces, sig, dtype, nav, notes, metadata, began)


def _read_header(path: Path) -> Any:
    header = read_record(path, [*_HEADER, ("rest", "V204")], "the header of a TVIPS movie")
    told = {name: int(header[name]) for name, _ in _HEADER}
    if told["size"] != HEADER_BYTES or told["version"] not in (1, 2):
        raise DataSetException(
            f"{path} begins with a header of {told['size']} bytes, version {told['version']}, "
            f"expected {HEADER_BYTES} bytes, version 1 or 2: name the file that ends with _000"
        )
    if told["bits"] not in (8, 16):
        raise DataSetException(f"{path} has pixels of {told['bits']} bits, expected 8 or 16")
    if not (0 < told["width"] < _MOST and 0 < told["height"] < _MOST):
        raise DataSetException(
            f"{path} has frames of {told['height']} x {told['width']} pixels, expected a size at "
            "byte 8"
        )
    if told["version"] == 2 and not _OLD_FRAME_HEADER <= told["frame_header_bytes"] < _MOST:
        raise DataSetException(
            f"{path} has frame headers of {told['frame_header_bytes']} bytes at byte 48, expected "
            f"at least {_OLD_FRAME_HEADER}"
        )
    return header


def _frame_header_bytes(header: Any) -> int:
    return int(header["frame_header_bytes"]) if header["version"] == 2 else _OLD_FRAME_HEADER


def _pieces(paths: list[Path], header_bytes: int, frame_bytes: int) -> tuple[list[Piece], int]:
    """Return what of each file are frames, and how many bytes are left at the end of the last."""
    pieces: list[Piece] = []
    stride, first, rest = header_bytes + frame_bytes, 0, 0
    for path in paths:
        if rest:
            before = pieces[-1]
            raise DataSetException(
                f"{before.path} is truncated: {rest} bytes are left behind its "
                f"{before.n_frames} frames of {stride} bytes, and another file follows"
            )
        n_bytes, begin = size_of(path), HEADER_BYTES if path is paths[0] else 0
        offset = begin + header_bytes
        n_frames = count_frames(n_bytes, offset, stride, frame_bytes)
        if not n_frames and not pieces:
            raise DataSetException(
                f"{path} has {n_bytes} bytes, expected at least one frame of {stride} bytes from "
                f"byte {begin}; the file is truncated, or its header is damaged"
            )
        rest = n_bytes - begin - n_frames * stride
        if n_frames:
            pieces.append(Piece(path, n_bytes, offset, stride, n_frames, first))
        first += n_frames
    return pieces, rest


def _scan_of(
    pieces: list[Piece], n_stored: int, header_bytes: int
) -> tuple[int, tuple[int, ...] | None]:
    """Return with which frame the scan begins, and its shape; None where nothing tells.

    It begins with the last frame at (0, 0) before one that is a step further, and a line is over
    where x becomes smaller.
    """
    if n_stored < 2:
        return 0, None
    positions = _positions(pieces, header_bytes)
    x, y = positions.T
    with np.errstate(invalid="ignore"):
        begins = np.flatnonzero((x[:-1] == 0) & (y[:-1] == 0) & (x[1:] == 1) & (y[1:] == 0))
        if not begins.size:
            return 0, None
        began = int(begins[0])
        ends = np.flatnonzero(x[began + 1 :] < x[began:-1])
    if not ends.size:
        return began, (n_stored - began,)
    width = int(ends[0]) + 1
    n_lines = (n_stored - began) // width
    # What is told is believed only where it is what it seems to be.
    is_told = np.array_equal(x[began : began + width], np.arange(width))
    return (began, (n_lines, width)) if is_told and n_lines else (0, None)


def _positions(pieces: list[Piece], header_bytes: int) -> npt.NDArray[np.float32]:
    """Return x and y in the scan, of as many frames as are looked at."""
    found: list[npt.NDArray[np.float32]] = []
    left = _LOOKED_AT
    for piece in pieces:
        n_looked = min(piece.n_frames, left)
        if n_looked > 0:
            raw = map_array(piece.path, np.uint8, 0, (piece.n_bytes,))
            at = piece.offset - header_bytes + _SCAN_AT
            own = np.ndarray((n_looked, 2), "<f4", raw.data, at, (piece.stride, 4))
            found.append(own.astype(np.float32))
        left -= n_looked
    return np.concatenate(found)


def _metadata(piece: Piece, header: Any, header_bytes: int) -> dict[str, Any]:
    told = {name: int(header[name]) for name, _ in _HEADER}
    if told["version"] == 2 and told["pixel_size"] > 0 and header_bytes >= _MODE_AT + 4:
        at = piece.offset - header_bytes + _MODE_AT
        mode = int(read_record(piece.path, [("mode", "<u4")], "the header of a frame", at)["mode"])
        unit = "1/nm" if mode == _DIFFRACTION else "nm"
        told |= {"mode": mode}
        return {**told, "sig_scales": (float(told["pixel_size"]),) * 2, "sig_units": (unit, unit)}
    return told


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
