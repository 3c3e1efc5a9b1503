"""Scans in HDF5 files that are still being written, in SWMR mode.

In that mode (single writer, multiple readers) a file can be read while a detector writes to it:
the writer puts data into the file before it says in the index of chunks where they lie. So a chunk
that is in the index can be read.

The shape says less: it may have grown before the frames come, or have its final size from the
beginning. A frame counts as arrived when its chunks are in the index, and, where chunks hold
several frames, when one with later frames is, too, because the newest may be half full. The
writer takes back a mark at the start of the file when it closes it; that is the end.

HDF5 confuses the index of a dataset that is open twice in a process when it is refreshed
(https://github.com/h5py/h5py/issues/2803). So all sources of a dataset share one handle, and a lock
keeps the others of this module away from a refresh.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import h5py
import numpy as np
import numpy.typing as npt

from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.base import Array, DataSet, Scratch, Source
from udfwidgets.io.dataset.boxes import boxes
from udfwidgets.io.dataset.files import PathLike, existing_file, read_start
from udfwidgets.io.dataset.folding import axes
from udfwidgets.io.dataset.growing import Arrived, GrowingSource, check_stall_timeout
from udfwidgets.io.dataset.hdf5_chunked import ChunkedSource
from udfwidgets.io.dataset.hdf5_chunks import (
    ChunkLayout,
    chunk_layout,
    frames_per_block,
)
from udfwidgets.io.dataset.hdf5_filters import can_undo, undo
from udfwidgets.io.dataset.hdf5_find import find_dataset, walk
from udfwidgets.io.dataset.hdf5_store import ChunkStore
from udfwidgets.io.dataset.lz4 import SLACK
from udfwidgets.shapes import Shape

_ADVICE = "for what has come, load it with follow=True and a nav_shape= of no more frames"
# Looking for a chunk takes about 30 us. A latecomer is told of what there is piece by piece.
_LOOK_FOR = 0.02
# The chunk that ends the scan may be half full, and no later one tells when it is not.
_SETTLED = 5.0
_lock = threading.RLock()
_WRITING = 0x01  # of the status flags, byte 11 of a superblock of version 3


class GrowingH5DataSet(DataSet):
    """A chunked dataset in an HDF5 file that another process writes in SWMR mode.

    A file that is finished is taken as well, so the same line serves before and after the end.

    Parameters
    ----------
    path : str or os.PathLike
        ``~`` is expanded. The file and the dataset in it have to be there, frames need not.
    ds_path : str, optional
        Path of the dataset in the file. Without it, the only one that can grow is taken, or else
        what `H5DataSet` would take.
    nav_shape : sequence of int, optional
        Shape of the whole scan. Needed where the dataset can grow without bounds.
    sig_shape : sequence of int, optional
        Detector axes to fold a frame into.
    sig_dims : int, default 2
        How many of the last axes belong to the detector.
    stall_timeout : float, optional
        Seconds without a new frame after which a run fails. By default it waits for ever: an
        acquisition that pauses goes on later, and the run shows since when it has been waiting.

    Raises
    ------
    DataSetException
        If the file cannot be read while it is written, if it is not clear which dataset is meant,
        or if the dataset is stored in a way that does not tell which frames have come.
    ValueError
        If an axis, or the timeout, is not positive.
    """

    def __init__(
        self,
        path: PathLike,
        ds_path: str | None = None,
        nav_shape: Sequence[int] | None = None,
        sig_shape: Sequence[int] | None = None,
        sig_dims: int = 2,
        *,
        stall_timeout: float | None = None,
    ) -> None:
        self._path = existing_file(path)
        self._stall_timeout = check_stall_timeout(stall_timeout)
        self._is_complete = False
        with _lock, _open(self._path) as file:
            self._ds_path = _find(self._path, file) if ds_path is None else ds_path
            dataset = _chunked(self._path, file, self._ds_path)
            where = f"{self._path}:{self._ds_path}"
            self._layout = _whole_layout(where, dataset, sig_dims, nav_shape)
        self._nav_dims = len(self._layout.shape) - sig_dims
        nav = self._layout.shape[: self._nav_dims]
        if nav_shape is not None:
            nav = axes(nav_shape, "nav_shape")
        stored_sig = self._layout.shape[self._nav_dims :]
        sig = stored_sig if sig_shape is None else axes(sig_shape, "sig_shape")
        if math.prod(sig) != math.prod(stored_sig):
            raise DataSetException(
                f"{where}: sig_shape={sig} has {math.prod(sig)} pixels, expected the "
                f"{math.prod(stored_sig)} of a stored frame of shape {stored_sig}"
            )
        super().__init__(Shape((*nav, *sig), len(sig)), self._layout.dtype)
        self.open().close()

    @property
    def ds_path(self) -> str:
        """Path of the dataset in the file."""
        return self._ds_path

    @property
    def frames_per_block(self) -> int:
        """Depth of the chunks along the scan, bounded to 64 MB of frames."""
        return min(frames_per_block(self._layout, self._nav_dims), self.shape.nav.size)

    @property
    def is_growing(self) -> bool:
        """Whether no run has seen the last frame yet."""
        return not self._is_complete

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]} ds_path={self._ds_path!r}>"

    def open(self) -> Source:
        """Open the file beside its writer."""
        return _GrowingH5Source(
            self._path,
            self._ds_path,
            self._layout,
            self._nav_dims,
            self.shape,
            self._stall_timeout,
            self._note_complete,
        )

    def _note_complete(self) -> None:
        self._is_complete = True


class _GrowingH5Source(GrowingSource):
    """Follows the index of chunks, and reads those in it as if the file were finished."""

    def __init__(
        self,
        path: Path,
        ds_path: str,
        layout: ChunkLayout,
        nav_dims: int,
        shape: Shape,
        stall_timeout: float | None,
        on_complete: Callable[[], None],
    ) -> None:
        n_frames, sig = shape.nav.size, shape.sig.to_tuple()
        super().__init__(f"{path}:{ds_path}", n_frames, stall_timeout, _ADVICE, on_complete)
        self._path = path
        self._layout = layout
        self._nav_dims = nav_dims
        self._nav = layout.shape[:nav_dims]
        self._nav_grid = layout.grid[:nav_dims]
        self._is_deep = math.prod(layout.chunk[:nav_dims]) > 1
        # Places along the scan, in the order of their first frames, whose chunks are in the index,
        # and those of them that are full, from the first one without a gap.
        self._n_begun = self._n_full = 0
        self._changed: tuple[object, float] = (None, 0.0)
        self._has_closed = False
        self._handle: _Handle | None = _Handle.of(path, ds_path)
        self._dataset = self._handle.dataset
        try:
            self._frames: Source = (
                _DirectSource(self._dataset, layout, nav_dims, sig)
                if can_undo(layout.filters) and _is_plain(self._dataset)
                else _SwmrSource(self._dataset, nav_dims, sig)
            )
        except BaseException:
            self._handle.release()
            raise

    def read(self, start: int, stop: int, scratch: Scratch) -> Array:
        """Read frames that have come."""
        return self._frames.read(start, stop, scratch)

    def close(self) -> None:
        """Let go of the file."""
        self._frames.close()
        with self._lock:
            if self._handle is not None:
                self._handle.release()
                self._handle = None

    def _look(self) -> Arrived:
        if self._handle is None:
            raise ValueError("asked a source that is closed")
        with _lock:
            if not self._has_closed:
                self._has_closed = not _is_written(self._path, self._dataset.file.userblock_size)
                # After the flag: if that says that the writer has gone, nothing comes after this.
                self._dataset.refresh()
            deadline = time.monotonic() + _LOOK_FOR
            begun = self._advance_begun(deadline)
            is_settled = begun and (self._has_closed or self._is_settled())
            self._advance_full(is_settled)
            n_frames = min(self._first_frame(self._n_full), self._in_shape())
        has_ended = begun and self._has_closed
        return Arrived(n_frames, "the file has been closed" if has_ended else "")

    def _advance_begun(self, deadline: float) -> bool:
        """Look which chunks are there; False if there was no time for all of them."""
        while self._first_frame(self._n_begun) < self._expected:
            if time.monotonic() > deadline:
                return False
            if not self._is_begun(self._n_begun):
                break
            self._n_begun += 1
        return True

    def _is_begun(self, number: int) -> bool:
        """Tell whether all chunks at a place along the scan are there.

        By reading them, which takes 6 us and the time to copy, and a place without one 25 us: all
        that tells where chunks lie goes through the index from its beginning.
        """
        if number == 0 and not self._dataset.id.get_num_chunks():
            return False  # the size of a chunk is any number as long as there is no index
        nav_at = np.unravel_index(number, self._nav_grid)
        for sig_at in np.ndindex(self._layout.grid[self._nav_dims :]):
            corner = _corner((*map(int, nav_at), *sig_at), self._layout)
            if any(o >= n for o, n in zip(corner, self._dataset.shape, strict=True)):
                return False
            try:
                self._dataset.id.read_direct_chunk(corner)
            except (RuntimeError, OSError):
                return False
        return True

    def _advance_full(self, is_settled: bool) -> None:
        newest = self._first_frame(self._n_begun - 1) if self._n_begun else 0
        while self._n_full < self._n_begun:
            if self._is_deep and not is_settled and self._end_frame(self._n_full) > newest:
                break
            self._n_full += 1

    def _first_frame(self, number: int) -> int:
        """Return the first frame at a place along the scan, in scan order."""
        if number >= math.prod(self._nav_grid):
            return self._expected
        at = np.unravel_index(number, self._nav_grid)
        corner = [int(i) * c for i, c in zip(at, self._layout.chunk, strict=False)]
        return int(np.ravel_multi_index(corner, self._nav))

    def _end_frame(self, number: int) -> int:
        """Return the number after the last frame at a place along the scan."""
        at = np.unravel_index(number, self._nav_grid)
        last = [
            min((int(i) + 1) * c, n) - 1
            for i, c, n in zip(at, self._layout.chunk, self._nav, strict=False)
        ]
        return int(np.ravel_multi_index(last, self._nav)) + 1

    def _in_shape(self) -> int:
        """Return how many frames, in scan order, the present shape has room for."""
        first, *rest = (int(n) for n in self._dataset.shape[: self._nav_dims])
        if tuple(rest) == self._nav[1:]:
            return first * math.prod(rest)
        return rest[-1] if all((first, *rest)) else 0  # within the first line

    def _is_settled(self) -> bool:
        """Tell whether the whole scan is there, and the file has not changed for a while."""
        if self._first_frame(self._n_begun) < self._expected:
            return False
        try:
            found = os.stat(self._path)
        except OSError as error:
            raise DataSetException(f"{self._path} is gone: {error.strerror}") from error
        state, now = (found.st_mtime_ns, found.st_size), time.monotonic()
        if state != self._changed[0]:
            self._changed = state, now
        return now - self._changed[1] > _SETTLED


class _Handle:
    """The one handle in this process of a dataset that is followed."""

    _all: ClassVar[dict[tuple[int, int, str], _Handle]] = {}

    def __init__(self, path: Path, ds_path: str) -> None:
        self.file = _open(path)
        self._n_users = 0
        try:
            self.dataset = _chunked(path, self.file, ds_path)
        except BaseException:
            self.file.close()
            raise

    @classmethod
    def of(cls, path: Path, ds_path: str) -> _Handle:
        """Return the handle of a dataset, to be released."""
        with _lock:
            found = existing_file(path).stat()
            key = found.st_dev, found.st_ino, ds_path
            handle = cls._all.get(key) or cls(path, ds_path)
            cls._all[key] = handle
            handle._n_users += 1
            return handle

    def release(self) -> None:
        """Close the file with the last user."""
        with _lock:
            self._n_users -= 1
            if self._n_users == 0:
                key = next(key for key, handle in self._all.items() if handle is self)
                del self._all[key]
                self.file.close()


class _DirectSource(ChunkedSource):
    """Frames from chunks that HDF5 finds, and workers decode."""

    def __init__(
        self, dataset: h5py.Dataset, layout: ChunkLayout, nav_dims: int, sig: tuple[int, ...]
    ) -> None:
        # Without the places of the chunks, which are what the other one begins with.
        self._layout = layout
        self._nav_dims = nav_dims
        self._sig = sig
        self._native = layout.dtype.newbyteorder("=")
        self._order = None
        self._store: ChunkStore | None = _DirectStore(dataset, layout)


class _DirectStore(ChunkStore):
    """Chunks that are all there; where, HDF5 knows."""

    def __init__(self, dataset: h5py.Dataset, layout: ChunkLayout) -> None:
        self._dataset = dataset
        self._layout = layout

    def missing(self, first: int, stop: int) -> list[int]:
        """Return none: only what has come is asked for."""
        return []

    def decode(
        self,
        first: int,
        stop: int,
        out: npt.NDArray[np.uint8],
        to: npt.NDArray[np.int64],
        scratch: Scratch,
    ) -> None:
        """Decode chunks as `ChunkStore.decode` does."""
        n_bytes = self._layout.chunk_bytes
        for number, begin in zip(range(first, stop), to.tolist(), strict=True):
            at = tuple(int(i) for i in np.unravel_index(number, self._layout.grid))
            try:
                mask, data = self._dataset.id.read_direct_chunk(_corner(at, self._layout))
                # With room behind, which decoders read and overwrite.
                stored = scratch.array((len(data) + SLACK,), np.uint8, "stored")[: len(data)]
                stored[:] = np.frombuffer(data, np.uint8)
                filters = tuple(f for i, f in enumerate(self._layout.filters) if not mask >> i & 1)
                target = out[begin : begin + n_bytes]
                if filters:
                    spare = scratch.array((n_bytes + SLACK,), np.uint8, "spare")[:n_bytes]
                    undo(filters, stored, target, spare)
                else:
                    np.copyto(target, stored)
            except Exception as error:
                # Each codec raises its own kind, and struct and NumPy theirs for broken lengths.
                raise DataSetException(
                    f"{self._dataset.file.filename}:{self._dataset.name}: chunk {at} cannot be "
                    f"read ({error}); it is damaged"
                ) from error

    def close(self) -> None:
        """Leave the file to its owner."""


class _SwmrSource(Source):
    """Frames that only h5py can decode, from an open file, one thread at a time."""

    def __init__(self, dataset: h5py.Dataset, nav_dims: int, sig: tuple[int, ...]) -> None:
        self._dataset: h5py.Dataset | None = dataset
        self._nav_dims = nav_dims
        self._sig = sig
        self._lock = threading.Lock()

    def read(self, start: int, stop: int, scratch: Scratch) -> Array:
        """Read the frames into the scratch."""
        with self._lock:
            if self._dataset is None:
                raise ValueError("read from a source that is closed")
            nav, sig = self._dataset.shape[: self._nav_dims], self._dataset.shape[self._nav_dims :]
            out = scratch.array(
                (stop - start, math.prod(sig)), self._dataset.dtype.newbyteorder("=")
            )
            for box in boxes(start, stop, nav):
                target = out[box.first - start : box.first - start + box.size]
                try:
                    self._dataset.read_direct(target.reshape(*box.shape, *sig), box.slices)
                except (OSError, RuntimeError) as error:
                    raise DataSetException(
                        f"{self._dataset.file.filename} cannot be read at frames {start} to "
                        f"{stop} ({error})"
                    ) from error
        return out.reshape(stop - start, *self._sig)

    def close(self) -> None:
        """Let go of the dataset; the file is closed by its owner."""
        with self._lock:
            self._dataset = None


def _open(path: Path) -> h5py.File:
    existing_file(path)
    try:
        return h5py.File(path, "r", swmr=True)
    except OSError as error:
        raise DataSetException(
            f"{path} is not an HDF5 file that can be read while it is written: {error}; its writer "
            "has to create it with libver='latest' and to set swmr_mode=True once its datasets "
            "are made. A file that a program left without closing it, h5clear -s repairs"
        ) from error


def _is_written(path: Path, userblock_size: int) -> bool:
    """Tell whether a writer has the file open."""
    start = read_start(path, userblock_size + 12)[userblock_size:]
    return start[8] >= 3 and bool(start[11] & _WRITING)


def _find(path: Path, file: h5py.File) -> str:
    """Return the only dataset of numbers that can grow, or else what seems to be the scan."""
    growing = [
        name
        for name, found in walk(path, file)
        if found.dtype.kind in "buifc" and found.ndim >= 3 and found.maxshape != found.shape
    ]
    if len(growing) > 1:
        raise DataSetException(
            f"{path} has {len(growing)} datasets that can grow, choose one with ds_path=: "
            + ", ".join(growing)
        )
    return growing[0] if growing else find_dataset(path, file)


def _chunked(path: Path, file: h5py.File, ds_path: str) -> h5py.Dataset:
    """Return a dataset, if it is stored such that the arrival of a frame shows."""
    dataset = file.get(ds_path)
    if not isinstance(dataset, h5py.Dataset):
        names = ", ".join(name for name, found in walk(path, file) if found.ndim >= 3)
        raise DataSetException(
            f"{path}: {ds_path!r} is {'a group' if dataset is not None else 'not there'}, expected "
            f"a dataset{f', one of: {names}' if names else ''}; a writer in SWMR mode makes it "
            "before the first frame"
        )
    if dataset.dtype.kind not in "buifc":
        raise DataSetException(
            f"{path}: {ds_path} has dtype {dataset.dtype}, expected an array of numbers"
        )
    is_early = dataset.id.get_create_plist().get_alloc_time() == h5py.h5d.ALLOC_TIME_EARLY
    if dataset.chunks is None or is_early:
        raise DataSetException(
            f"{path}: {ds_path} is stored "
            + ("in chunks made before the frames" if dataset.chunks else "without chunks")
            + ", which does not show what has come, expected chunks that are made as frames come; "
            "load it without follow=True when it is finished"
        )
    return dataset


def _whole_layout(
    where: str, dataset: h5py.Dataset, sig_dims: int, nav_shape: Sequence[int] | None
) -> ChunkLayout:
    """Return the layout that the dataset is going to have at the end.

    The first axis of the scan is the one that grows; others may still have to get their length.
    """
    if sig_dims < 1 or dataset.ndim <= sig_dims:
        raise DataSetException(
            f"{where}: an array of shape {dataset.shape}, expected scan axes before sig_dims="
            f"{sig_dims} detector axes"
        )
    nav_dims = dataset.ndim - sig_dims
    wanted = None if nav_shape is None else axes(nav_shape, "nav_shape")
    most = list(dataset.maxshape[:nav_dims])
    if wanted is not None and len(wanted) == nav_dims:
        grows = [n != m for n, m in zip(dataset.shape, most, strict=False)]
        most[1:] = [w if g else m for w, g, m in zip(wanted, grows, most, strict=True)][1:]
    if wanted is not None and None not in most[1:]:
        n_lines = -(-math.prod(wanted) // math.prod(most[1:]))
        if most[0] is not None and n_lines > most[0]:
            raise DataSetException(
                f"{where}: has room for {math.prod(most)} frames, expected {math.prod(wanted)} for "
                f"nav_shape={wanted}"
            )
        most[0] = n_lines
    sig = dataset.shape[nav_dims:]
    if None in most or 0 in most or 0 in sig:
        raise DataSetException(
            f"{where}: has the shape {dataset.shape} and may grow to {dataset.maxshape}, which "
            "leaves open how many frames the scan will have; pass nav_shape="
        )
    return replace(chunk_layout(dataset), shape=(*most, *sig))


def _corner(at: tuple[int, ...], layout: ChunkLayout) -> tuple[int, ...]:
    return tuple(i * c for i, c in zip(at, layout.chunk, strict=True))


def _is_plain(dataset: h5py.Dataset) -> bool:
    """Tell whether NumPy has a dtype of the same bits."""
    return bool(dataset.id.get_type() == h5py.h5t.py_create(dataset.dtype, logical=True))
