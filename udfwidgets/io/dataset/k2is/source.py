"""Reads the frames of K2IS scans."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.k2is.sectors import FRAME_BYTES, N_SECTORS, SIG, Sector, Whole
from udfwidgets.io.dataset.k2is.unpack import unpack
from udfwidgets.io.layout.files import check_whole
from udfwidgets.io.layout.strided import Piece, StridedSource
from udfwidgets.io.source import Array


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

    def _can_be_seen(self) -> bool:
        return False

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
