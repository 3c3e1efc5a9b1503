"""Sequences of StreamPix (Norpix), as Direct Electron's cameras write them.

A header of 1024 bytes, 8192 since version 5, says how large a frame is, and how many bytes there
are from one to the next: its pixels, the time at which it was taken, and padding. A dark and a gain
image may be beside it, as MRC files: ``NAME.seq.dark.mrc`` and ``NAME.seq.gain.mrc``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from udfwidgets.errors import DataSetException
from udfwidgets.io.corrections import CorrectionSet
from udfwidgets.io.dataset.mrc import MRCDataSet
from udfwidgets.io.dataset.strided import Layout, StridedFile
from udfwidgets.io.layout.files import size_of
from udfwidgets.io.layout.records import read_record
from udfwidgets.io.layout.strided import Piece, count_frames
from udfwidgets.io.source import Array, Scratch
from udfwidgets.names import further

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


class SEQDataSet(StridedFile):
    """Frames in a `.seq` file, which tells no scan shape.

    Takes the parameters of a `StridedFile`.

    Raises
    ------
    DataSetException
        If it is not such a file, holds no frame, or frames that are compressed or coloured.
    """

    def _find(self, path: Path, *, is_told: bool) -> Layout:
        header = _read_header(path)
        dtype = np.dtype(f"<u{header['bits'] // 8}")
        sig = (header["height"], header["width"])
        frame_bytes, n_bytes = sig[0] * sig[1] * dtype.itemsize, size_of(path)
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
        piece = Piece(path, n_bytes, offset, stride, n_stored)
        rest = n_bytes - offset - n_stored * stride
        notes = [f"the last {rest} bytes are no whole frame, and are left out"] if rest > 0 else []
        self._beside = {kind: _image_beside(path, kind, sig) for kind in ("dark", "gain")}
        return Layout([piece], sig, dtype, None, notes, header)

    def get_correction_data(self) -> CorrectionSet:
        """Return the dark and the gain image that are beside the file."""
        return CorrectionSet(dark=self._image("dark"), gain=self._image("gain"))

    def _image(self, kind: str) -> Array | None:
        image = self._beside[kind]
        return None if image is None else image.reshape(self.shape.sig.to_tuple())


def _read_header(path: Path) -> dict[str, Any]:
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


def _image_beside(sequence: Path, kind: str, sig: tuple[int, int]) -> Array | None:
    stem = sequence.stem.removesuffix(".seq")
    path = sequence.with_name(f"{stem}.seq.{kind}.mrc")
    if not path.exists():
        return None
    image = MRCDataSet(path)
    if image.shape.to_tuple() != (1, *sig):
        raise DataSetException(
            f"{path} has the shape {image.shape.to_tuple()}, expected one {kind} image of "
            f"{sig} for {sequence.name}; move it away to go on without it"
        )
    with image.open() as source:
        frame: Array = source.read(0, 1, Scratch())[0]
    return frame.astype(np.float64)


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
