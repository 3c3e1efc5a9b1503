"""Writes files of DigitalMicrograph."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

KINDS = {
    "i2": (1, 2), "f4": (2, 6), "u1": (6, 8), "i4": (7, 3), "i1": (9, 10), "u2": (10, 4),
    "u4": (11, 5), "f8": (12, 7),
}  # fmt: skip


class Writer:
    """Tags as bytes, of version 3 or 4."""

    def __init__(self, version: int, order: str) -> None:
        self.version, self.order, self.word = version, order, "q" if version == 4 else "i"

    def group(self, tags: list[tuple[str, bytes]]) -> bytes:
        return struct.pack(f">BB{self.word}", 0, 0, len(tags)) + b"".join(
            self._entry(name, value) for name, value in tags
        )

    def _entry(self, name: str, value: bytes) -> bytes:
        # What a group is can be told from data, which begin with %%%%.
        kind = 21 if value.startswith(b"%%%%") else 20
        length = struct.pack(">q", len(value)) if self.version == 4 else b""
        return struct.pack(">BH", kind, len(name)) + name.encode() + length + value

    def data(self, info: tuple[int, ...], content: bytes) -> bytes:
        return (
            b"%%%%" + struct.pack(f">{self.word}{len(info)}{self.word}", len(info), *info) + content
        )

    def number(self, kind: int, value: float) -> bytes:
        code = {5: "I", 6: "f", 8: "?", 3: "i", 7: "d"}[kind]
        return self.data((kind,), struct.pack(self.order + code, value))

    def text(self, value: str) -> bytes:
        content = value.encode("utf-16-le" if self.order == "<" else "utf-16-be")
        return self.data((20, 4, len(value)), content)

    def array(self, values: npt.NDArray[Any]) -> bytes:
        kind = values.dtype.newbyteorder("=").str[1:]
        content = values.astype(values.dtype.newbyteorder(self.order)).tobytes()
        if kind == "c8":
            return self.data((20, 15, 0, 2, 0, 6, 0, 6, values.size), content)
        return self.data((20, KINDS[kind][1], values.size), content)

    def image(
        self,
        values: npt.NDArray[Any],
        scales: list[float],
        units: list[str],
        meta: dict[str, Any],
        coloured: bool = False,
    ) -> bytes:
        axes = [
            ("", self.group([
                ("Origin", self.number(6, 1.0)),
                ("Scale", self.number(6, scale)),
                ("Units", self.text(unit)),
            ]))
            for scale, unit in zip(reversed(scales), reversed(units), strict=True)
        ]  # fmt: skip
        kind = values.dtype.newbyteorder("=").str[1:]
        about = [(name, self._meta(value)) for name, value in meta.items()]
        data_type = 23 if coloured else 3 if kind == "c8" else KINDS[kind][0]
        return self.group([
            ("ImageData", self.group([
                ("Calibrations", self.group([("Dimension", self.group(axes))])),
                ("Data", self.array(values)),
                ("DataType", self.number(5, data_type)),
                ("Dimensions", self.group(
                    [("", self.number(5, length)) for length in reversed(values.shape)]
                )),
                ("PixelDepth", self.number(5, values.dtype.itemsize)),
            ])),
            ("ImageTags", self.group([("Meta Data", self.group(about))])),
            ("Name", self.text("scan")),
        ])  # fmt: skip

    def _meta(self, value: Any) -> bytes:
        return self.number(8, value) if isinstance(value, bool) else self.text(value)


def write_dm(
    path: Path,
    values: npt.NDArray[Any],
    version: int = 4,
    order: str = "<",
    swapped: bool | None = True,
    form: str = "Diffraction image",
    more: tuple[npt.NDArray[Any], ...] = (),
) -> Path:
    """Write an array as it lies, its last axis fastest, after a thumbnail and before others.

    `swapped` is the tag that says that the frames lie one after the other.
    """
    writer = Writer(version, order)
    meta = {"Format": form} | ({} if swapped is None else {"Data Order Swapped": swapped})
    thumbnail = writer.image(np.zeros((4, 4), "u4"), [1.0, 1.0], ["", ""], {}, coloured=True)
    images = [("", thumbnail)]
    for each in (values, *more):
        scales = [0.5 + axis for axis in range(each.ndim)]
        units = ["nm", "nm", "1/nm", "1/nm"][-each.ndim :]
        images.append(("", writer.image(each, scales, units, meta)))
    rectangle = writer.data((15, 0, 4, *[0, 2] * 4), struct.pack(order + "4h", 1, 2, 3, 4))
    # Of the shape of a real one: what shows which image, the images, and the thumbnail.
    root = writer.group([
        ("ApplicationBounds", rectangle),
        ("ImageList", writer.group(images)),
        ("ImageSourceList", writer.group([
            ("", writer.group([("ClassName", writer.text("ImageSource:Simple")),
                               ("Id", writer.group([("0", writer.number(5, 0))])),
                               ("ImageRef", writer.number(5, 1))])),
        ])),
        ("InImageMode", writer.number(5, 1)),
        ("Thumbnails", writer.group([
            ("", writer.group([("ImageIndex", writer.number(5, 0)),
                               ("SourceSize_Pixels", writer.data((15, 0, 2, 0, 3, 0, 3),
                                struct.pack(order + "2i", 4, 4)))])),
        ])),
    ])  # fmt: skip
    head = struct.pack(f">i{writer.word}i", version, len(root), order == "<")
    path.write_bytes(head + root + struct.pack(">8x"))
    return path
