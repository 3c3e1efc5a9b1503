"""What the `.hdr` of an FRMS6 scan tells, and where the frames of its files are."""

from __future__ import annotations

import configparser
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from udfwidgets.errors import DataSetException
from udfwidgets.io.layout.files import read_start, size_of
from udfwidgets.io.layout.records import read_record, whole_frames
from udfwidgets.io.layout.strided import Piece

_SECTION = "measurementInfo"
_LONGEST, _MOST = 1 << 20, 1 << 20
_HEADER_BYTES, _FRAME_HEADER_BYTES, _VERSION = 1024, 64, 6
_HEADER: np.dtype[Any] = np.dtype(
    {
        "names": ["header", "frame_header", "version", "width", "height", "n_frames"],
        "formats": ["<u2", "<u2", "u1", "<u2", "<u2", "<u4"],
        "offsets": [0, 2, 7, 88, 90, 1020],
        "itemsize": _HEADER_BYTES,
    }
)


class Told(NamedTuple):
    """What a `.hdr` tells.

    Parameters
    ----------
    nav : tuple of int
        Shape of the scan.
    binning : int
        How many rows of the detector are one of a frame.
    metadata : dict
        All that it has, as it is written.
    """

    nav: tuple[int, int]
    binning: int
    metadata: dict[str, str]


def read_hdr(path: Path) -> Told:
    """Read the `.hdr` of a scan.

    Raises
    ------
    DataSetException
        If it is not there, or tells no scan.
    """
    if not path.exists():
        raise DataSetException(
            f"{path} does not exist, expected the .hdr beside the .frms6 files of a scan"
        )
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(read_start(path, _LONGEST).decode("latin-1"))
        told = dict(parser[_SECTION])
    except (configparser.Error, KeyError) as error:
        raise DataSetException(f"{path} has no section [{_SECTION}] of FRMS6: {error}") from error
    size = re.fullmatch(r"\s*([0-9]{1,6})\s*x\s*([0-9]{1,6})\s*", told.get("stemimagesize", ""))
    mode = re.match(r'\s*"?\s*bin:\s*([0-9]{1,3})\b', told.get("readoutmode", ""))
    if size is None or min(int(size[1]), int(size[2])) < 1:
        raise DataSetException(
            f"{path} has STEMimagesize={told.get('stemimagesize')!r}, expected 256x256 or alike"
        )
    if mode is None or int(mode[1]) not in (1, 2, 4):
        raise DataSetException(
            f"{path} has readoutMode={told.get('readoutmode')!r}, expected bin: 1, 2 or 4"
        )
    return Told((int(size[1]), int(size[2])), int(mode[1]), told)


def read_pieces(paths: list[Path]) -> tuple[list[Piece], tuple[int, int], list[str]]:
    """Return where the frames are, height and width of one as it is stored, and what is to be said.

    The first piece are the frames without beam; those of all others are numbered through.

    Raises
    ------
    DataSetException
        If a file is none of a scan, holds no frame, or is truncated before the last one.
    """
    pieces: list[Piece] = []
    said: list[str] = []
    shape = (0, 0)
    for path in paths:
        if said:
            raise DataSetException(f"{pieces[-1].path}: {said[0]}, and another file follows")
        header = _read_header(path)
        own = (int(header["height"]), int(header["width"]))
        if pieces and own != shape:
            raise DataSetException(
                f"{path} has frames of {own} pixels, expected {shape} as in {paths[0].name}"
            )
        shape = own
        n_bytes, frame_bytes = size_of(path), 2 * own[0] * own[1]
        offset, stride = _HEADER_BYTES + _FRAME_HEADER_BYTES, frame_bytes + _FRAME_HEADER_BYTES
        # Older files do not tell.
        promised = int(header["n_frames"]) or max(1, -(-(n_bytes - _HEADER_BYTES) // stride))
        n_frames, said = whole_frames(path, n_bytes, offset, stride, frame_bytes, promised)
        first = pieces[-1].first + pieces[-1].n_frames if len(pieces) > 1 else 0
        pieces.append(Piece(path, n_bytes, offset, stride, n_frames, first))
    return pieces, shape, said


def _read_header(path: Path) -> Any:
    header = read_record(path, _HEADER, "the header of an FRMS6 file")
    told = tuple(int(header[name]) for name in ("header", "frame_header", "version"))
    if told != (_HEADER_BYTES, _FRAME_HEADER_BYTES, _VERSION):
        raise DataSetException(
            f"{path} has headers of {told[0]} and {told[1]} bytes and version {told[2]}, expected "
            f"{_HEADER_BYTES}, {_FRAME_HEADER_BYTES} and {_VERSION} of FRMS6"
        )
    if header["width"] < 2 or header["width"] % 2 or not header["height"]:
        raise DataSetException(
            f"{path} has rows of {header['width']} pixels, {header['height']} of them, expected an "
            "even number of pixels: two rows of the image"
        )
    return header
