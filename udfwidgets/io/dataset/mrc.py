"""MRC files: stacks of images behind a header of 1024 bytes, and perhaps an extended one.

The layout is that of CCP-EM's MRC2014: ``MAP`` at byte 208, the byte order at 212, and the length
of the extended header at 92.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.strided import Layout, StridedFile
from udfwidgets.io.layout.files import size_of
from udfwidgets.io.layout.records import read_record, whole_frames
from udfwidgets.io.layout.strided import Piece
from udfwidgets.names import further

HEADER_BYTES = 1024
_DTYPES = {0: "i1", 1: "i2", 2: "f4", 4: "c8", 6: "u2", 12: "f2"}
_MOST = 1 << 24  # pixels along one axis
_IMOD = 1146047817
_HEADER: np.dtype[Any] = np.dtype(
    {
        "names": ["n", "mode", "m", "cell", "space_group", "extended", "imod", "imod_flags"],
        "formats": ["3i4", "i4", "3i4", "3f4", "i4", "i4", "i4", "i4"],
        "offsets": [0, 12, 28, 40, 88, 92, 152, 156],
        "itemsize": HEADER_BYTES,
    }
)


class MRCDataSet(StridedFile):
    """A stack of images in an `.mrc` file.

    The file has one axis of images, or two if it is a stack of volumes.

    Takes the parameters of a `StridedFile`.

    Raises
    ------
    DataSetException
        If it is not such a file, holds no image, or pixels that are packed.
    """

    def _find(self, path: Path, *, is_told: bool) -> Layout:
        order, header = _read_header(path)
        dtype = _dtype(path, order, header)
        width, height, depth = header["n"].tolist()
        offset, n_bytes = HEADER_BYTES + int(header["extended"]), size_of(path)
        frame_bytes = width * height * dtype.itemsize
        n_stored, notes = whole_frames(path, n_bytes, offset, frame_bytes, frame_bytes, depth)
        piece = Piece(path, n_bytes, offset, frame_bytes, n_stored)
        return Layout([piece], (height, width), dtype, _nav(header), notes, _metadata(header))


def _read_header(path: Path) -> tuple[str, Any]:
    """Return the byte order, and the header: in the order in which its numbers make sense."""
    orders: tuple[Literal["<", ">"], ...] = ("<", ">")
    stamp = bytes(read_record(path, "V4", "the header of an MRC file", 212))
    if stamp.startswith(b"\x11\x11"):
        orders = (">", "<")
    for order in orders:
        header = read_record(path, _HEADER.newbyteorder(order), "the header of an MRC file")
        if 0 <= header["mode"] <= 101 and all(0 < n < _MOST for n in header["n"].tolist()):
            break
    else:
        raise DataSetException(
            f"{path} has the numbers {header['n'].tolist()} at byte 0 and mode {header['mode']}, "
            "expected width, height and number of the images of an MRC file"
        )
    if header["extended"] < 0:
        raise DataSetException(
            f"{path} has an extended header of {header['extended']} bytes, expected none or more"
        )
    return order, header


def _dtype(path: Path, order: str, header: Any) -> np.dtype[Any]:
    mode = int(header["mode"])
    if mode not in _DTYPES:
        raise DataSetException(
            f"{path} has pixels of mode {mode}, expected one of {sorted(_DTYPES)}: save them as "
            "one of these"
        )
    # IMOD says in a flag of its own that bytes have no sign, as they had none in its older files.
    is_unsigned = header["imod"] == _IMOD and not header["imod_flags"] & 1
    return np.dtype("u1" if mode == 0 and is_unsigned else order + _DTYPES[mode])


def _nav(header: Any) -> tuple[int, ...]:
    """Return the shape of the stack: volumes of images, where that is what it says it is."""
    depth, sections = int(header["n"][2]), int(header["m"][2])
    if 401 <= header["space_group"] <= 630 and sections > 0 and depth % sections == 0:
        return depth // sections, sections
    return (depth,)


def _metadata(header: Any) -> dict[str, Any]:
    cells, lengths = header["m"][:2].tolist(), header["cell"][:2].tolist()
    if min(*cells, *lengths) <= 0 or not np.isfinite(lengths).all():
        return {}
    x, y = (length / n for length, n in zip(lengths, cells, strict=True))
    return {"sig_scales": (y, x), "sig_units": ("Å", "Å")}


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
