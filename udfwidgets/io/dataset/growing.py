"""Files of frames at a fixed distance that are still being recorded.

The size of a file says how many frames are complete; the rest is one that is just being written.
Where a TVIPS movie goes into several files, the next one appears when one is full. Nothing in the
files says how many frames there will be: that is the `nav_shape` to pass.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from udfwidgets.errors import DataSetException
from udfwidgets.io.arriving.complete import CompleteSource
from udfwidgets.io.arriving.growing import check_stall_timeout
from udfwidgets.io.dataset.base import DataSet
from udfwidgets.io.dataset.raw import RawFileDataSet, check_told
from udfwidgets.io.dataset.seq import SEQDataSet
from udfwidgets.io.dataset.strided import Layout, StridedDataSet, StridedFile
from udfwidgets.io.dataset.tvips import TVIPSDataSet
from udfwidgets.io.layout.files import PathLike, existing_file, size_of
from udfwidgets.io.layout.folding import axes, sig_of
from udfwidgets.io.layout.numbered import next_path
from udfwidgets.io.layout.strided import Piece, StridedSource, count_frames
from udfwidgets.io.source import Source
from udfwidgets.shapes import Shape

_ADVICE = "for what has come, load it without follow=True"
# A new file comes every few seconds at most.
_LIST_EVERY = 0.2


class _Growing(StridedDataSet):
    """What is the same for all of them; comes before the class of a format."""

    #: Whether a recording goes on in the file of the next number; else that is another recording.
    _goes_on = False

    def _grow(
        self,
        path: Path,
        found: Layout,
        nav_shape: Sequence[int] | None,
        sig_shape: Sequence[int] | None,
        sync_offset: int,
        stall_timeout: float | None,
    ) -> None:
        """Take over what is known by now.

        Raises
        ------
        DataSetException
            If nothing tells how many frames there will be.
        ValueError
            If a number cannot be right.
        """
        if nav_shape is None:
            raise DataSetException(
                f"{path}: nothing says how many frames the scan will have; pass nav_shape="
            )
        if sync_offset < 0 or sync_offset % 1:
            raise ValueError(
                f"sync_offset={sync_offset}, expected how many of the frames that come to leave out"
            )
        nav, sig = axes(nav_shape, "nav_shape"), sig_of(str(path), found.sig, sig_shape)
        self._path, self._pieces = path, tuple(found.pieces)
        self._stored_dtype, self._metadata = found.dtype, dict(found.metadata or {})
        self._sync_offset = int(sync_offset)
        self._stall_timeout = check_stall_timeout(stall_timeout)
        self._is_complete = False
        self.missing = None  # all will come
        DataSet.__init__(self, Shape((*nav, *sig), len(sig)), found.dtype)

    @property
    def is_growing(self) -> bool:
        """Whether no run has seen the last frame yet."""
        return not self._is_complete

    @property
    def files(self) -> tuple[Path, ...]:
        """None that stay open: they are going to change."""
        return ()

    @property
    def named_files(self) -> tuple[Path, ...]:
        """The file that was named."""
        return (self._path,)

    def open(self) -> Source:
        """Look which files there are."""
        existing_file(self._path)
        frame_bytes = self.shape.sig.size * self._stored_dtype.itemsize
        recorded = _Recorded(self._pieces, frame_bytes, goes_on=self._goes_on)
        return _GrowingFrames(
            recorded,
            self._stored_dtype,
            self.shape,
            self._sync_offset,
            (self._stall_timeout, self._note_complete),
        )

    def _note_complete(self) -> None:
        self._is_complete = True


class _GrowingFile(_Growing, StridedFile):
    """A file whose header tells the layout.

    Parameters
    ----------
    path : str or os.PathLike
        ``~`` is expanded. The first frame has to be there.
    nav_shape : sequence of int
        Scan shape: so many frames are waited for.
    sig_shape : sequence of int, optional
        Detector axes to fold a frame into.
    sync_offset : int, optional
        Frames to leave out at the start. By default those before the scan began, where the file
        tells, else none.
    stall_timeout : float, optional
        Seconds without a new frame after which a run fails. By default it waits for ever.

    Raises
    ------
    DataSetException
        If it is not a file of this format, if its first frame is not there yet, or if nothing tells
        how many will be.
    """

    def __init__(
        self,
        path: PathLike,
        nav_shape: Sequence[int] | None = None,
        sig_shape: Sequence[int] | None = None,
        sync_offset: int | None = None,
        *,
        stall_timeout: float | None = None,
    ) -> None:
        file = existing_file(path)
        found = self._find(file, is_told=True)
        began = self._began(found) if sync_offset is None else sync_offset
        self._grow(file, found, nav_shape, sig_shape, began, stall_timeout)

    def _began(self, found: Layout) -> int:
        """Return with which frame the scan begins."""
        return found.began


class GrowingSEQDataSet(_GrowingFile, SEQDataSet):
    """A `.seq` file that is still being recorded; see `_GrowingFile`."""

    _joins = False


class GrowingTVIPSDataSet(_GrowingFile, TVIPSDataSet):
    """A TVIPS movie that is still being recorded; see `_GrowingFile`."""

    _goes_on = True

    def _began(self, found: Layout) -> int:
        if self._can_tell and found.nav is None:
            raise DataSetException(
                f"{found.pieces[0].path}: no frame tells yet where the scan begins; load it again "
                "when the first line has come, or pass sync_offset="
            )
        return found.began


class GrowingRawFileDataSet(_Growing, RawFileDataSet):
    """A file of nothing but pixels that is still being recorded.

    Parameters
    ----------
    path, dtype, sig_shape, offset
        As for `RawFileDataSet`. The file has to be there, but no frame in it.
    nav_shape, sync_offset, stall_timeout
        As for a `_GrowingFile`.
    """

    def __init__(
        self,
        path: PathLike,
        dtype: npt.DTypeLike,
        nav_shape: Sequence[int] | None = None,
        sig_shape: Sequence[int] | None = None,
        *,
        offset: int = 0,
        sync_offset: int = 0,
        stall_timeout: float | None = None,
    ) -> None:
        stored, sig = check_told(dtype, sig_shape, offset)
        file = existing_file(path)
        piece = Piece(file, 0, offset, math.prod(sig) * stored.itemsize, 0)
        layout = Layout([piece], sig, stored)
        self._grow(file, layout, nav_shape, None, sync_offset, stall_timeout)


class _Recorded:
    """The files of a recording, and how far they have grown.

    Parameters
    ----------
    pieces : sequence of Piece
        What was there.
    frame_bytes : int
        Pixels of a frame.
    goes_on : bool
        Whether more files may come.
    """

    def __init__(self, pieces: Sequence[Piece], frame_bytes: int, *, goes_on: bool) -> None:
        self.pieces = list(pieces)
        self._frame_bytes = frame_bytes
        self._goes_on = goes_on
        self._next_listing = 0.0
        self.note = ""
        self.look()

    @property
    def n_frames(self) -> int:
        """Complete ones."""
        return self.pieces[-1].first + self.pieces[-1].n_frames

    def look(self) -> bool:
        """Look how far the files have grown, and for a new one; True if there are new frames."""
        before = self.n_frames
        self._grow_last()
        if self._goes_on and time.monotonic() >= self._next_listing:
            self._next_listing = time.monotonic() + _LIST_EVERY
            while self._take_next():
                self._grow_last()
        return self.n_frames != before

    def _grow_last(self) -> None:
        last = self.pieces[-1]
        n_bytes = size_of(last.path)
        n_frames = count_frames(n_bytes, last.offset, last.stride, self._frame_bytes)
        if n_frames < last.n_frames:
            raise DataSetException(
                f"{last.path} has {n_bytes} bytes, but had {last.n_frames} frames of {last.stride} "
                "before; load it again"
            )
        complete = last.offset + (n_frames - 1) * last.stride + self._frame_bytes
        self.pieces[-1] = replace(last, n_bytes=max(0, complete), n_frames=n_frames)

    def _take_next(self) -> bool:
        """Go on to the file after the last one, if that is there."""
        self.note = ""
        path = next_path(self.pieces[-1].path)
        if path is None or not path.exists():
            return False
        # What was full when the next one appeared may have grown since it was looked at.
        self._grow_last()
        last = self.pieces[-1]
        before = last.stride - self._frame_bytes
        if size_of(last.path) > last.offset - before + last.n_frames * last.stride:
            self.note = f"{path.name} is there, but the last frame of {last.path.name} is not whole"
            return False
        self.pieces.append(Piece(path, 0, before, last.stride, 0, last.first + last.n_frames))
        return True


class _CompleteFrames(StridedSource):
    """Copies frames: whoever holds a view is not told when the file is cut short."""

    def _can_be_seen(self) -> bool:
        return False


class _GrowingFrames(CompleteSource):
    """Reads frames at a fixed distance."""

    def __init__(
        self,
        recorded: _Recorded,
        dtype: np.dtype[np.generic],
        shape: Shape,
        sync_offset: int,
        ending: tuple[float | None, Callable[[], None]],
    ) -> None:
        self._recorded, self._stored_dtype, self._sig = recorded, dtype, shape.sig.to_tuple()
        where, (timeout, on_complete) = str(recorded.pieces[0].path), ending
        super().__init__(
            where, shape.nav.size, timeout, _ADVICE, on_complete, recorded, sync_offset
        )

    def _of_complete_frames(self) -> StridedSource:
        complete = [piece for piece in self._recorded.pieces if piece.n_frames]
        return _CompleteFrames(complete, self._stored_dtype, self._sig)
