"""The files of detectors that rows read: the frames of the raw one, and what is around them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tests.io.writers.dm import Writer

_MARK = b"<here are the pixels>"


@dataclass(frozen=True)
class Envelope:
    """What is around the frames of a file.

    Parameters
    ----------
    head, tail : bytes
        Before the first and after the last frame.
    before, after : int
        Bytes before and after each frame.
    dtype : str
        Of the pixels.
    suffix : str
        Of the file's name.
    needs_shape : bool
        Whether a scan shape has to be passed.
    """

    head: bytes = b""
    before: int = 0
    after: int = 0
    tail: bytes = b""
    dtype: str = "<u2"
    suffix: str = ""
    needs_shape: bool = True


Shape = tuple[int, int]


def _dm(nav: Shape, sig: Shape) -> Envelope:
    class Around(Writer):
        def array(self, values: np.ndarray) -> bytes:
            return self.data((20, 4, values.size), _MARK)

    writer = Around(4, "<")
    # Of that shape, and of no size in memory.
    values = np.broadcast_to(np.zeros((), "u2"), (*nav, *sig))
    units = ["nm", "nm", "1/nm", "1/nm"]
    image = writer.image(values, [1.0] * 4, units, {"Data Order Swapped": True})
    root = writer.group([("ImageList", writer.group([("", image)]))])
    head, tail = (struct.pack(">iqi", 4, len(root), 1) + root + bytes(8)).split(_MARK)
    return Envelope(head, tail=tail, suffix=".dm4", needs_shape=False)


def _empad(nav: Shape, sig: Shape) -> Envelope:
    assert sig == (128, 128)
    return Envelope(after=2 * 128 * 4, dtype="<f4", suffix=".raw")


def _blo(nav: Shape, sig: Shape) -> Envelope:
    offset = 0x1000 + nav[0] * nav[1]
    numbers = (0x0103, 0x1000, offset, 0, sig[0], 0, nav[1], nav[0], 0, 1.0, 1.0, 200_000, 1, 1, 0)
    head = struct.pack("<6sHIIIHHHHHddIHId", b"IMGBLO", *numbers).ljust(240, b"\0")
    head += b"\r\nBlo Bit Depth: 16 bits\r\n"
    return Envelope(head.ljust(offset, b"\0"), before=6, suffix=".blo", needs_shape=False)


def _seq(nav: Shape, sig: Shape) -> Envelope:
    head = bytearray(8192)
    struct.pack_into("<I", head, 0, 0xFEED)
    head[4:24] = "Norpix seq".encode("utf-16-le")
    struct.pack_into("<2i", head, 28, 5, 1024)
    head[36:44] = "scan".encode("utf-16-le")  # LiberTEM opens none without a description
    n_bytes = 2 * sig[0] * sig[1]
    sizes = (sig[1], sig[0], 16, 16, n_bytes, 100, nav[0] * nav[1], 0, n_bytes + 512)
    struct.pack_into("<9Id", head, 548, *sizes, 1.0)
    return Envelope(bytes(head), after=512, suffix=".seq")


def _mrc(nav: Shape, sig: Shape) -> Envelope:
    head = bytearray(1024)
    n = nav[0] * nav[1]
    struct.pack_into("<4i", head, 0, sig[1], sig[0], n, 6)
    struct.pack_into("<3i3f3f3i", head, 28, sig[1], sig[0], 1, *[1] * 9)
    head[208:216] = b"MAP \x44\x44\0\0"
    return Envelope(bytes(head), suffix=".mrc")


def _tvips(nav: Shape, sig: Shape) -> Envelope:
    head = struct.pack("<13i", 256, 2, sig[1], sig[0], 16, 0, 0, 1, 1, 31, 200, 100, 128)
    return Envelope(head.ljust(256, b"\0"), before=128, suffix="_000.tvips")


ENVELOPES: dict[str, Callable[[Shape, Shape], Envelope]] = {
    "dm": _dm,
    "empad": _empad,
    "blo": _blo,
    "seq": _seq,
    "mrc": _mrc,
    "tvips": _tvips,
}
