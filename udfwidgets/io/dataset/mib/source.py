"""Reads the frames of Merlin files that are complete."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from udfwidgets.io.dataset.mib.check import check_headers, check_some
from udfwidgets.io.dataset.mib.header import FrameLayout
from udfwidgets.io.dataset.mib.parts import Part
from udfwidgets.io.dataset.mib.r64 import decode
from udfwidgets.io.layout.files import check_whole
from udfwidgets.io.layout.strided import Piece, StridedSource
from udfwidgets.io.source import Array


class MIBSource(StridedSource):
    """Frames of mapped part files; blank ones for those that were lost.

    Parameters
    ----------
    parts : list of Part
        In order.
    layout : FrameLayout
        Of all frames.
    sig : tuple of int
        Shape of the frames as they are handed out.
    begin : int
        Sequence number of frame 0.
    """

    def __init__(
        self, parts: list[Part], layout: FrameLayout, sig: tuple[int, ...], begin: int
    ) -> None:
        self._parts = parts
        self._layout = layout
        pieces = [_piece(part, layout, begin) for part in parts]
        super().__init__(pieces, layout.stored_dtype, sig)

    def _can_be_seen(self) -> bool:
        return not self._layout.is_raw and super()._can_be_seen()

    def check(self, numbers: npt.NDArray[np.int64]) -> None:
        """Look at the headers of frames that are seen where they lie."""
        for part, piece in zip(self._parts, self._pieces, strict=True):
            ends = (piece.first, piece.first + piece.n_frames)
            begin, end = np.searchsorted(numbers, ends)
            if begin < end:
                own = numbers[begin:end] - piece.first
                check_some(self._raw(piece), part, self._layout.stride, own)

    def _fill(self, index: int, first: int, out: Array) -> None:
        part, piece, stride = self._parts[index], self._pieces[index], self._layout.stride
        raw = self._raw(piece)
        check_headers(raw, part, stride, first, len(out))
        if not self._layout.is_raw:
            super()._fill(index, first, out)
            return
        pixels = out.reshape(len(out), *self._layout.sig)
        decode(raw, (part.first + first) * stride, self._layout, pixels)
        check_whole(raw)


def _piece(part: Part, layout: FrameLayout, begin: int) -> Piece:
    offset = part.first * layout.stride + layout.header_bytes
    first = part.sequence - begin
    return Piece(part.path, part.n_bytes, offset, layout.stride, part.n_frames, first)
