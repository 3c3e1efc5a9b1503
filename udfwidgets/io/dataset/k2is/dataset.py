"""Opens K2IS scans as datasets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.dm.tags import read_tags
from udfwidgets.io.dataset.k2is.sectors import (
    FRAME_BYTES,
    SIG,
    Sector,
    sector_paths,
    shutter_opens,
    whole_frames,
)
from udfwidgets.io.dataset.k2is.source import K2ISSource
from udfwidgets.io.dataset.strided import Layout, StridedFile
from udfwidgets.io.layout.files import check_unchanged, size_of
from udfwidgets.io.layout.strided import Piece
from udfwidgets.io.source import Source
from udfwidgets.names import further

_MOST = 1 << 20


class K2ISDataSet(StridedFile):
    """A scan of a Gatan K2: its `.gtg`, or one of its eight `.bin` files.

    The scan begins where the shutter opens: one frame before the first that says so, if the `.gtg`
    tells the shape of a scan. Without one the frames are a row. Frames that are not whole in all
    files are missing.

    Takes the parameters of a `StridedFile`.

    Raises
    ------
    DataSetException
        If there are not eight files, one of them is damaged, or no frame is whole.
    """

    def _find(self, path: Path, *, is_told: bool) -> Layout:
        self._sectors = [Sector(each, size_of(each)) for each in sector_paths(path)]
        self._whole = whole_frames(self._sectors)
        begin = self._whole[0].first
        pieces = [
            Piece(*self._sectors[0], offsets[0], FRAME_BYTES, n_frames, first - begin)
            for first, n_frames, offsets in self._whole
        ]
        told = _nav(self._sectors[0].path)
        opens = shutter_opens(self._sectors[0], self._whole)
        notes = [] if opens is not None else ["no frame says that the shutter was open"]
        began = max(0, opens - (told is not None)) if opens is not None else 0
        nav = told or (pieces[-1].first + pieces[-1].n_frames - began,)
        return Layout(pieces, SIG, np.dtype("<u2"), nav, notes, None, began)

    @property
    def files(self) -> tuple[Path, ...]:
        """The eight files."""
        return tuple(sector.path for sector in self._sectors)

    def open(self) -> Source:
        """Look at the files, and map them."""
        for sector in self._sectors:
            check_unchanged(*sector)
        sig = self.shape.sig.to_tuple()
        return self._placed(K2ISSource(self._pieces, self._whole, self._sectors, sig))


def _nav(sector: Path) -> tuple[int, int] | None:
    """Return the shape of the scan, if the `.gtg` tells one."""
    gtg = sector.with_name(sector.stem.rstrip("0123456789") + ".gtg")
    if not gtg.exists():
        return None
    _, tags = read_tags(gtg)
    told = [tags.get(("SI Dimensions", f"Size {axis}")) for axis in "YX"]
    if told == [None, None]:
        return None
    height, width = (int(n) if isinstance(n, (int, float)) and 0 < n < _MOST else 0 for n in told)
    if not height or not width:
        raise DataSetException(
            f"{gtg} tells a scan of {told}, expected its height and width as SI Dimensions"
        )
    return height, width


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
