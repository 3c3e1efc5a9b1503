"""Reads the frames of K2IS scans."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.k2is.sectors import FRAME_BYTES, N_SECTORS, SIG, Sector, Whole
from udfwidgets.io.dataset.k2is.unpack import PART_ROWS, part_decoder, unpack
from udfwidgets.io.layout.files import check_whole
from udfwidgets.io.layout.strided import Piece, StridedSource
from udfwidgets.io.source import Array, Packed


class K2ISSource(StridedSource):
    """Frames of eight mapped files; blank ones for those that were lost.

    Parameters
    ----------
    pieces : sequence of Piece
        Where they are in the first file.
    whole : sequence of Whole
        And in all of them.
    sectors : sequence of Sector
        These.
    sig : tuple of int
        Shape of the frames as they are handed out.
    """

    def __init__(
        self,
        pieces: Sequence[Piece],
        whole: Sequence[Whole],
        sectors: Sequence[Sector],
        sig: tuple[int, ...],
    ) -> None:
        self._whole = whole
        self._sectors = sectors
        super().__init__(pieces, np.dtype("<u2"), sig)
        # Mapped now, where it is noted what is mapped: nobody asks later whether it was torn.
        self._packed: Packed | None = self._told([self._maps.of(*sector) for sector in sectors])

    def _can_be_seen(self) -> bool:
        return False

    @property
    def packed(self) -> Packed | None:
        """How some rows of frames are unpacked."""
        return self._packed

    def _told(self, files: list[Array]) -> Packed:
        about = [*(raw.ctypes.data for raw in files), len(self._whole)]
        for piece, whole in zip(self._pieces, self._whole, strict=True):
            about += [piece.first, piece.n_frames, whole.first, *whole.offsets]
        n_parts, n_pixels = SIG[0] // PART_ROWS, PART_ROWS * SIG[1]
        return Packed(part_decoder(), np.array(about, np.int64), n_parts, n_pixels, files)

    def close(self) -> None:
        """Drop the maps."""
        self._packed = None
        super().close()

    def _fill(self, index: int, first: int, out: Array) -> None:
        whole, pixels = self._whole[index], out.reshape(-1).view(np.uint8)
        width = 2 * SIG[1] // N_SECTORS
        for number, (path, n_bytes) in enumerate(self._sectors):
            raw = self._maps.of(path, n_bytes)
            at = whole.offsets[number] + first * FRAME_BYTES
            wrong = unpack(raw, at, len(out), whole.first + first, pixels, number * width)
            check_whole(raw)
            if wrong >= 0:
                raise DataSetException(
                    f"{path} has another block at byte {wrong} than frame "
                    f"{whole.first + first + (wrong - at) // FRAME_BYTES} has there; the file is "
                    "damaged"
                )
