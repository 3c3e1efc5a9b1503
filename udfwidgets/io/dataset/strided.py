"""A dataset of frames at a fixed distance from one another: what most formats only have to say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from udfwidgets.io.dataset.folded import FoldedDataSet
from udfwidgets.io.layout.files import check_unchanged
from udfwidgets.io.layout.placing import Fold
from udfwidgets.io.layout.strided import Piece, StridedSource
from udfwidgets.io.source import Source


class StridedDataSet(FoldedDataSet):
    """Frames that lie in files as they are, with something between them.

    Parameters
    ----------
    where : str
        The file, for messages.
    pieces : sequence of Piece
        Where the frames are.
    fold : Fold
        Which of them are at which scan positions.
    dtype : numpy.dtype
        Of the pixels in the files.
    notes : sequence of str
        What is to be said.
    metadata : mapping
        What else the file tells; see the property.
    """

    def __init__(
        self,
        where: str,
        pieces: Sequence[Piece],
        fold: Fold,
        dtype: np.dtype[Any],
        notes: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        self._pieces = tuple(pieces)
        self._stored_dtype = dtype
        self._metadata = dict(metadata or {})
        super().__init__(where, fold, dtype, notes)

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What the file tells beyond shape and dtype, under names of its format.

        Where it tells how large a step of the scan or a pixel is, these are ``nav_scales`` and
        ``sig_scales``, one number for each axis, in ``nav_units`` and ``sig_units``.
        """
        return self._metadata

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that frames are in."""
        return tuple(dict.fromkeys(piece.path for piece in self._pieces))

    def open(self) -> Source:
        """Map the files."""
        for path, n_bytes in {piece.path: piece.n_bytes for piece in self._pieces}.items():
            check_unchanged(path, n_bytes)
        sig = self.shape.sig.to_tuple()
        return self._placed(StridedSource(self._pieces, self._stored_dtype, sig))
