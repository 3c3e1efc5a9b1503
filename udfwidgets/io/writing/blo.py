"""Writes block files of NanoMegas; see `io.dataset.blo` for how they are laid out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from udfwidgets.io.dataset.blo import HEADER, MAGIC, MARK_AND_NUMBER, TEXT_AT, VERSIONS
from udfwidgets.io.source import Array
from udfwidgets.io.writing.outline import Outline
from udfwidgets.io.writing.placed import PlacedWriter

_IMAGE_OFFSET, _MOST = 0x1000, 0xFFFF
_MARK, _FLAGS = b"\xaa\x55", 131141


class BloWriter(PlacedWriter):
    """Writes square patterns of 8, 16 or 32 bits, and the mean of each as the image of the scan."""

    def __init__(self, path: Path, outline: Outline) -> None:
        nav, sig = outline.shape.nav.to_tuple(), outline.shape.sig.to_tuple()
        is_square = len(sig) == 2 and sig[0] == sig[1]
        if len(nav) != 2 or not is_square or max(*nav, *sig) > _MOST:
            raise ValueError(
                f"a block file holds square patterns of a scan of two axes, got {nav} and {sig}: "
                "export to .h5 or .npy instead"
            )
        if outline.dtype.kind != "u" or outline.dtype.itemsize > 4:
            raise ValueError(
                f"a block file holds whole numbers of 8, 16 or 32 bits from 0 on, got "
                f"{outline.dtype}: export to .h5 or .npy instead"
            )
        n_frames = nav[0] * nav[1]
        offset = _IMAGE_OFFSET + -(-n_frames // 16) * 16
        dtype = outline.dtype.newbyteorder("<")
        super().__init__(path, outline, dtype, offset, MARK_AND_NUMBER.itemsize)
        self._means = np.zeros(n_frames)
        self.put(0, np.frombuffer(_header(outline, offset), np.uint8))

    def write(self, first: int, frames: Array) -> None:
        """Write patterns, and note the mean of each."""
        self._means[first : first + len(frames)] = frames.reshape(len(frames), -1).mean(axis=1)
        super().write(first, frames)

    def heads(self, first: int, n_frames: int) -> npt.NDArray[np.uint8]:
        """Return marks and numbers, which begin with 1."""
        heads = np.empty(n_frames, MARK_AND_NUMBER)
        heads["mark"] = _MARK
        heads["number"] = np.arange(first + 1, first + n_frames + 1)
        return heads.view(np.uint8).reshape(n_frames, -1)

    def finish(self) -> None:
        """Write the image of the scan."""
        most = self._means.max()
        self.put(_IMAGE_OFFSET, (self._means * (255 / most if most else 0)).astype(np.uint8))


def _header(outline: Outline, data_offset: int) -> bytes:
    (height, width), size = outline.shape.nav.to_tuple(), outline.shape.sig.to_tuple()[0]
    is_new = outline.dtype.itemsize > 1
    header: Any = np.zeros((), [(name, f"<{kind}") for name, kind in HEADER])
    told = {
        "magic": MAGIC,
        "version": VERSIONS[is_new],
        "image_offset": _IMAGE_OFFSET,
        "data_offset": data_offset,
        "flags": _FLAGS,
        "size": size,
        "width": width,
        "height": height,
    }
    # Steps are in nm, and pixels for each cm in hundredths.
    if [unit for _, unit in outline.nav] == ["nm", "nm"]:
        told["step_y"], told["step_x"] = (step for step, _ in outline.nav)
    if outline.sig and outline.sig[0][1] == "cm":
        told["pixels_per_cm"] = min(round(100 / outline.sig[0][0]), _MOST)
    for name, value in told.items():
        header[name] = value
    text = f"\r\nBlo Bit Depth: {8 * outline.dtype.itemsize} bits\r\n" if is_new else ""
    return bytes(header.tobytes()).ljust(TEXT_AT, b"\0") + text.encode()
