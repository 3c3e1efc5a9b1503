"""A dataset of frames at a fixed distance from one another: what most formats only have to say."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from udfwidgets.io.dataset.folded import FoldedDataSet
from udfwidgets.io.layout.files import PathLike, check_unchanged, existing_file
from udfwidgets.io.layout.folding import fold
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
    def files(self) -> tuple[Path, ...]:
        """All files that frames are in."""
        return tuple(dict.fromkeys(piece.path for piece in self._pieces))

    def open(self) -> Source:
        """Map the files."""
        for path, n_bytes in {piece.path: piece.n_bytes for piece in self._pieces}.items():
            check_unchanged(path, n_bytes)
        return self._placed(self._source(self.shape.sig.to_tuple()))

    def _source(self, sig: tuple[int, ...]) -> Source:
        """Return a source of the frames as they follow each other in the files."""
        return StridedSource(self._pieces, self._stored_dtype, sig)


class Layout(NamedTuple):
    """What a format finds out of a scan.

    Parameters
    ----------
    pieces : sequence of Piece
        Where the frames are.
    sig : tuple of int
        Shape of one of them.
    dtype : numpy.dtype
        Of the pixels in the files.
    nav : tuple of int, optional
        Shape of the scan; None if nothing tells it, the frames must make a square then.
    notes : sequence of str
        What is to be said.
    metadata : mapping, optional
        See `StridedDataSet`.
    began : int
        With which frame the scan begins.
    """

    pieces: Sequence[Piece]
    sig: tuple[int, ...]
    dtype: np.dtype[Any]
    nav: tuple[int, ...] | None = None
    notes: Sequence[str] = ()
    metadata: Mapping[str, Any] | None = None
    began: int = 0


class StridedFile(StridedDataSet):
    """A scan in a format that has to find out no more than its layout.

    Parameters
    ----------
    path : str or os.PathLike
        ``~`` is expanded.
    nav_shape : sequence of int, optional
        Scan shape in place of the one that the file tells; if it tells none, the frames must make a
        square. Of a scan with more frames, some are missing.
    sig_shape : sequence of int, optional
        Detector axes to fold a frame into.
    sync_offset : int, optional
        Frames to skip at the start, or if negative, positions to leave without a frame there. By
        default those before the scan began, where the file tells, else none.
    flyback : int, default 0
        Frames to drop after each line of the scan.
    snake : bool, default False
        Every other line, from the second one on, was recorded backwards.

    Raises
    ------
    DataSetException
        If it is not a file of this format, or holds no whole frame.
    """

    def __init__(
        self,
        path: PathLike,
        nav_shape: Sequence[int] | None = None,
        sig_shape: Sequence[int] | None = None,
        sync_offset: int | None = None,
        *,
        flyback: int = 0,
        snake: bool = False,
    ) -> None:
        #: Detector axes that were asked for, where a format needs them to find out its layout.
        self._asked_sig = sig_shape
        found = self._find(existing_file(path), is_told=nav_shape is not None)
        where = str(found.pieces[0].path)
        ends = [0, *(piece.first + piece.n_frames for piece in found.pieces)]
        starts = [piece.first for piece in found.pieces]
        folded = fold(
            where,
            ends[-1],
            found.sig,
            found.nav,
            nav_shape=nav_shape,
            sig_shape=sig_shape,
            sync_offset=found.began if sync_offset is None else sync_offset,
            flyback=flyback,
            snake=snake,
            lost=tuple(gap for gap in zip(ends, starts, strict=False) if gap[0] < gap[1]),
        )
        super().__init__(where, found.pieces, folded, found.dtype, found.notes, found.metadata)

    @abstractmethod
    def _find(self, path: Path, *, is_told: bool) -> Layout:
        """Return the layout of a file that is there.

        Parameters
        ----------
        path : Path
            Of the file.
        is_told : bool
            Whether the user said how many frames the scan has.

        Raises
        ------
        DataSetException
            If it is not a file of this format, or holds no whole frame.
        """
