"""Reads a dataset in an HDF5 file that another process is writing, in SWMR mode.

HDF5 confuses the index of a dataset that is open twice in a process when it is refreshed
(https://github.com/h5py/h5py/issues/2803). So all sources of a dataset share one handle, and
`swmr_lock` keeps others away from a refresh.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import ClassVar

import h5py
import numpy as np
import numpy.typing as npt
from h5py._objects import phil

from udfwidgets.errors import DataSetException
from udfwidgets.io.codecs.filters import can_undo, undo
from udfwidgets.io.codecs.lz4 import SLACK
from udfwidgets.io.dataset.hdf5.chunked import ChunkedSource
from udfwidgets.io.dataset.hdf5.chunks import ChunkLayout
from udfwidgets.io.dataset.hdf5.find import walk
from udfwidgets.io.dataset.hdf5.locked import LockedSource
from udfwidgets.io.layout.files import existing_file, read_start
from udfwidgets.io.source import Scratch, Source

#: Held by whoever refreshes, or opens and closes.
swmr_lock = threading.RLock()
#: Seconds for a writer to write what it has promised.
PATIENCE = 1.0
_WRITING = 0x01  # of the status flags, byte 11 of a superblock of version 3


def open_swmr(path: Path) -> h5py.File:
    """Open a file beside its writer."""
    existing_file(path)
    last = time.monotonic() + PATIENCE
    while True:
        try:
            return h5py.File(path, "r", swmr=True)
        except OSError as error:
            # Its superblock may be a moment ahead of what the writer has put behind it.
            if "truncated file" in str(error) and time.monotonic() < last:
                time.sleep(PATIENCE / 40)
                continue
            raise DataSetException(
                f"{path} is not an HDF5 file that can be read while it is written: {error}; its "
                "writer has to create it with libver='latest' and to set swmr_mode=True once its "
                "datasets are made. A file that a program left without closing it, h5clear -s "
                "repairs"
            ) from error


def is_written(path: Path, userblock_size: int) -> bool:
    """Tell whether a writer has the file open."""
    start = read_start(path, userblock_size + 12)[userblock_size:]
    return start[8] >= 3 and bool(start[11] & _WRITING)


def growing_dataset(path: Path, file: h5py.File, ds_path: str) -> h5py.Dataset:
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


class Handle:
    """The one handle in this process of a dataset that is followed."""

    _all: ClassVar[dict[tuple[int, int, str], Handle]] = {}

    def __init__(self, path: Path, ds_path: str) -> None:
        self.file = open_swmr(path)
        self._n_users = 0
        try:
            self.dataset = growing_dataset(path, self.file, ds_path)
        except BaseException:
            self.file.close()
            raise

    @classmethod
    def of(cls, path: Path, ds_path: str) -> Handle:
        """Return the handle of a dataset, to be released."""
        with swmr_lock:
            found = existing_file(path).stat()
            key = found.st_dev, found.st_ino, ds_path
            handle = cls._all.get(key) or cls(path, ds_path)
            cls._all[key] = handle
            handle._n_users += 1
            return handle

    def release(self) -> None:
        """Close the file with the last user."""
        with swmr_lock:
            self._n_users -= 1
            if self._n_users == 0:
                key = next(key for key, handle in self._all.items() if handle is self)
                del self._all[key]
                self.file.close()


def frames_of(
    dataset: h5py.Dataset, layout: ChunkLayout, nav_dims: int, sig: tuple[int, ...]
) -> Source:
    """Return a source of the frames in a dataset that have come; it leaves the file open.

    Parameters
    ----------
    dataset : h5py.Dataset
        Of a `Handle`.
    layout : ChunkLayout
        That the dataset is going to have.
    nav_dims : int
        How many of its first axes belong to the scan.
    sig : tuple of int
        Shape of the frames as they are handed out.
    """
    if can_undo(layout.filters) and _is_plain(dataset):
        chunks = _DirectChunks(dataset, layout)
        return ChunkedSource(layout, chunks, len(layout.shape) - nav_dims, sig)
    return LockedSource(dataset, dataset.ndim - nav_dims, sig, owns_file=False)


class _DirectChunks:
    """Chunks that HDF5 finds and workers decode, as `Chunks` says."""

    def __init__(self, dataset: h5py.Dataset, layout: ChunkLayout) -> None:
        self._dataset = dataset
        self._layout = layout

    def missing(self, first: int, stop: int) -> list[int]:
        """Return none: only what has come is asked for."""
        return []

    def view(self, first: int, stop: int) -> None:
        """Return nothing: HDF5 does not tell where chunks lie."""

    def decode(
        self,
        first: int,
        stop: int,
        out: npt.NDArray[np.uint8],
        to: npt.NDArray[np.int64],
        scratch: Scratch,
    ) -> None:
        """Have HDF5 copy one after the other, and decode it."""
        n_bytes = self._layout.chunk_bytes
        for number, begin in zip(range(first, stop), to.tolist(), strict=True):
            at = tuple(int(i) for i in np.unravel_index(number, self._layout.grid))
            try:
                mask, data = read_chunk(self._dataset, corner_of(at, self._layout))
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


def read_chunk(dataset: h5py.Dataset, corner: tuple[int, ...]) -> tuple[int, bytes]:
    """Return the filters that a chunk has skipped, as bits, and its bytes as they are stored.

    h5py before 3.16 does not take its own lock for it, and threads that do so at once crash
    (https://github.com/h5py/h5py/pull/2764).
    """
    with phil:
        mask, stored = dataset.id.read_direct_chunk(corner)
    return mask, stored


def corner_of(at: tuple[int, ...], layout: ChunkLayout) -> tuple[int, ...]:
    """Return where in its dataset a chunk begins."""
    return tuple(i * c for i, c in zip(at, layout.chunk, strict=True))


def _is_plain(dataset: h5py.Dataset) -> bool:
    """Tell whether NumPy has a dtype of the same bits."""
    return bool(dataset.id.get_type() == h5py.h5t.py_create(dataset.dtype, logical=True))
