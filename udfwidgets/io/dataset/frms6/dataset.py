"""Opens FRMS6 scans as datasets."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from udfwidgets.errors import DataSetException
from udfwidgets.io.corrections import CorrectionSet
from udfwidgets.io.dataset.frms6.headers import read_hdr, read_pieces
from udfwidgets.io.dataset.frms6.unfold import unfold
from udfwidgets.io.dataset.strided import Layout, StridedFile
from udfwidgets.io.layout.files import PathLike, check_unchanged, check_whole
from udfwidgets.io.layout.numbered import numbered_paths
from udfwidgets.io.layout.strided import Piece, StridedSource
from udfwidgets.io.source import Array, Scratch, Source
from udfwidgets.names import further

_DTYPE = np.dtype("<u2")
_TOGETHER = 32


class FRMS6DataSet(StridedFile):
    """A scan of a pnCCD: its `.hdr`, or one of its `.frms6` files.

    Parameters
    ----------
    path, nav_shape, sig_shape, sync_offset, flyback, snake
        As in a `StridedFile`.
    enable_offset_correction : bool, default True
        Ask for the mean of the frames without beam to be subtracted.

    Raises
    ------
    DataSetException
        If it is not such a scan, one of its files is missing or damaged, or none but those without
        beam is there.
    """

    def __init__(
        self,
        path: PathLike,
        nav_shape: Sequence[int] | None = None,
        sig_shape: Sequence[int] | None = None,
        sync_offset: int | None = None,
        *,
        enable_offset_correction: bool = True,
        flyback: int = 0,
        snake: bool = False,
    ) -> None:
        self._has_dark = enable_offset_correction
        super().__init__(path, nav_shape, sig_shape, sync_offset, flyback=flyback, snake=snake)

    def _find(self, path: Path, *, is_told: bool) -> Layout:
        name = path.stem.rstrip("0123456789").removesuffix("_")
        stem = path.stem if path.suffix.lower() == ".hdr" else name
        told = read_hdr(path.with_name(f"{stem}.hdr"))
        paths = numbered_paths(path.with_name(f"{stem}_000.frms6"))
        if len(paths) < 2:
            raise DataSetException(
                f"{path} belongs to {len(paths)} files {stem}_*.frms6, expected one without beam, "
                f"{stem}_000.frms6, and others after it"
            )
        (self._dark, *pieces), (height, width), notes = read_pieces(paths)
        self._folded = (height, told.binning)
        sig = (2 * height * told.binning, width // 2)
        return Layout(pieces, sig, _DTYPE, told.nav, notes, told.metadata)

    def _source(self, sig: tuple[int, ...]) -> Source:
        return _FRMS6Source(self._pieces, sig, self._folded)

    def get_correction_data(self) -> CorrectionSet:
        """Return the mean of the frames without beam."""
        return CorrectionSet(dark=self._mean_without_beam) if self._has_dark else CorrectionSet()

    @cached_property
    def _mean_without_beam(self) -> npt.NDArray[np.float64]:
        check_unchanged(self._dark.path, self._dark.n_bytes)
        scratch, sig = Scratch(), self.shape.sig.to_tuple()
        total = np.zeros(sig)
        with _FRMS6Source([self._dark], sig, self._folded) as source:
            for start in range(0, self._dark.n_frames, _TOGETHER):
                stop = min(start + _TOGETHER, self._dark.n_frames)
                total += source.read(start, stop, scratch).sum(axis=0, dtype=np.float64)
        mean: npt.NDArray[np.float64] = total / self._dark.n_frames
        return mean


class _FRMS6Source(StridedSource):
    """Frames of mapped files, unfolded."""

    def __init__(
        self, pieces: Sequence[Piece], sig: tuple[int, ...], folded: tuple[int, int]
    ) -> None:
        super().__init__(pieces, _DTYPE, sig)
        self._height, self._binning = folded

    def _can_be_seen(self) -> bool:
        return False

    def _fill(self, index: int, first: int, out: Array) -> None:
        piece, raw = self._pieces[index], self._raw(self._pieces[index])
        at, height = piece.offset + first * piece.stride, 2 * self._height * self._binning
        shape = (self._height, out[0].size // height)
        unfold(raw, at, piece.stride, shape, self._binning, out.reshape(-1).view(np.uint8))
        check_whole(raw)


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
