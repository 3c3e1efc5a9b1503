"""How an HDF5 dataset is cut into chunks, and where in the file they lie.

HDF5 tells the positions once, when the source is opened. Chunks at the edge of the array are stored
in full size; chunks that were never written are not stored, and hold the fill value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from udfwidgets.errors import DataSetException
from udfwidgets.io.codecs.filters import Filter
from udfwidgets.io.source import Array

# A block is what one worker reads at once, so this bounds the memory of each worker.
_MAX_BLOCK_BYTES = 64 << 20
# What a file may promise for nothing, and how many times as much as it holds beyond that: a table
# of positions has an entry for each chunk, a chunk is decoded as a whole, and frames are read.
_FREE_CHUNKS, _CHUNKS_PER_CHUNK = 1 << 22, 16
_FREE_BYTES, _BYTES_PER_BYTE = 256 << 20, 1 << 16


@dataclass(frozen=True)
class ChunkLayout:
    """How an array is cut into chunks.

    Parameters
    ----------
    shape, chunk : tuple of int
        Of the whole array, and of a chunk.
    dtype : numpy.dtype
        As stored.
    filters : tuple of Filter
        In the order of writing.
    fill : numpy.ndarray
        The fill value, of shape ().
    """

    shape: tuple[int, ...]
    chunk: tuple[int, ...]
    dtype: np.dtype[Any]
    filters: tuple[Filter, ...]
    fill: Array

    @property
    def grid(self) -> tuple[int, ...]:
        """Number of chunks along each axis."""
        return tuple(-(-n // c) for n, c in zip(self.shape, self.chunk, strict=True))

    @property
    def chunk_bytes(self) -> int:
        """Size of a decoded chunk."""
        return math.prod(self.chunk) * self.dtype.itemsize


@dataclass(frozen=True)
class ChunkIndex:
    """Where the chunks lie in the file.

    Parameters
    ----------
    offset, n_bytes : numpy.ndarray
        Position and stored size, int64 and in the shape of the grid. The size of a chunk that was
        never written is 0.
    mask : numpy.ndarray
        Bit i is set where a chunk has skipped filter i, as compressors do that gained nothing.
    """

    offset: npt.NDArray[np.int64]
    n_bytes: npt.NDArray[np.int64]
    mask: npt.NDArray[np.uint32]


def chunk_layout(dataset: h5py.Dataset) -> ChunkLayout:
    """Return how a chunked dataset is laid out."""
    plist = dataset.id.get_create_plist()
    filters = [plist.get_filter(i) for i in range(plist.get_nfilters())]
    return ChunkLayout(
        dataset.shape,
        dataset.chunks,
        dataset.dtype,
        tuple(Filter(number, tuple(values)) for number, _, values, _ in filters),
        np.array(dataset.fillvalue, dataset.dtype),
    )


def check_promise(where: str, dataset: h5py.Dataset) -> None:
    """Hold the shape of a dataset against what is stored of it, before anything is made for it.

    Raises
    ------
    DataSetException
        If it promises more than can be there.
    """
    promised = math.prod(dataset.shape) * dataset.dtype.itemsize
    if dataset.chunks is not None:
        _check_filters(where, dataset)
        _check_chunks(where, dataset, promised)
    elif not dataset.is_virtual and not dataset.external and promised > _FREE_BYTES:
        stored = dataset.id.get_storage_size()
        if promised > stored:
            raise DataSetException(
                f"{where}: promises {promised} bytes of data, but {stored} were written; the file "
                "is damaged, or was never filled"
            )


def _check_filters(where: str, dataset: h5py.Dataset) -> None:
    for step in chunk_layout(dataset).filters:
        if step.is_broken:
            raise DataSetException(
                f"{where}: filter {step.number} has the parameters {step.values}, which no writer "
                "gives it; the file is damaged"
            )


def _check_chunks(where: str, dataset: h5py.Dataset, promised: int) -> None:
    grid = [-(-n // c) for n, c in zip(dataset.shape, dataset.chunks, strict=True)]
    n_promised = math.prod(grid)
    chunk_bytes = math.prod(dataset.chunks) * dataset.dtype.itemsize
    is_much = n_promised > _FREE_CHUNKS or max(promised, chunk_bytes) > _FREE_BYTES
    if not is_much:
        return
    n_stored, stored = dataset.id.get_num_chunks(), dataset.id.get_storage_size()
    if n_promised > max(_FREE_CHUNKS, _CHUNKS_PER_CHUNK * n_stored) or not n_stored:
        raise DataSetException(
            f"{where}: promises {n_promised} chunks, but {n_stored} were written; the file is "
            "damaged, or was hardly filled: write the part that is there into a file of its own"
        )
    if chunk_bytes > max(_FREE_BYTES, _BYTES_PER_BYTE * stored):
        raise DataSetException(
            f"{where}: promises chunks of {chunk_bytes} bytes, but all {n_stored} of them take "
            f"{stored}; the file is damaged"
        )


def read_index(dataset: h5py.Dataset, layout: ChunkLayout) -> ChunkIndex:
    """Ask HDF5 where the chunks are; 32768 of them take about 50 ms.

    Raises
    ------
    DataSetException
        If a chunk is where none can be, or there twice.
    """
    found: list[tuple[int, ...]] = []

    def note(stored: Any) -> None:
        found.append((*stored.chunk_offset, stored.byte_offset, stored.size, stored.filter_mask))

    dataset.id.chunk_iter(note)
    n_dims = len(layout.shape)
    # Numbers of a damaged index may need all 64 bits.
    table = np.array(found, np.uint64).reshape(-1, n_dims + 3)
    _check_index(dataset, layout, table)
    table = table.astype(np.int64)
    at = tuple(table[:, i] // c for i, c in enumerate(layout.chunk))
    offset, n_bytes = np.zeros(layout.grid, np.int64), np.zeros(layout.grid, np.int64)
    mask = np.zeros(layout.grid, np.uint32)
    offset[at], n_bytes[at], mask[at] = table[:, n_dims:].T
    return ChunkIndex(offset, n_bytes, mask)


def _check_index(dataset: h5py.Dataset, layout: ChunkLayout, table: npt.NDArray[Any]) -> None:
    """Look that each chunk begins on the grid and within the array, and that none is there twice.

    HDF5 looks for a chunk where it should be in its tree, and does not see those that are not.
    """
    n_dims = len(layout.shape)
    begin, chunk = table[:, :n_dims], np.array(layout.chunk, np.uint64)
    is_off = (begin % chunk != 0) | (begin >= np.array(layout.shape, np.uint64))
    # The sum of two such numbers does not wrap.
    is_off |= (table[:, n_dims : n_dims + 2] >= 1 << 62).any(axis=1, keepdims=True)
    if is_off.any():
        wrong = table[np.flatnonzero(is_off.any(axis=1))[0]].tolist()
        raise DataSetException(
            f"{dataset.file.filename}:{dataset.name}: a chunk of {wrong[n_dims + 1]} bytes at byte "
            f"{wrong[n_dims]} is said to begin at {tuple(wrong[:n_dims])}, expected steps of "
            f"{layout.chunk} within {layout.shape}; the file is damaged"
        )
    at = tuple((begin // chunk).astype(np.int64).T)
    number = np.sort(np.ravel_multi_index(at, layout.grid))
    if (number[1:] == number[:-1]).any():
        twice = np.unravel_index(number[:-1][number[1:] == number[:-1]][0], layout.grid)
        raise DataSetException(
            f"{dataset.file.filename}:{dataset.name}: chunk {tuple(map(int, twice))} is there "
            "twice; the file is damaged"
        )


class KnownIndices:
    """Remembers where chunks lie, so that only the first run on a file has to ask.

    What was found is used again as long as the file has the same size and time of change. It is
    not pickled.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[Path, str], tuple[tuple[int, int, int], ChunkIndex]] = {}

    def of(self, path: Path, dataset: h5py.Dataset, layout: ChunkLayout) -> ChunkIndex:
        """Return the index of a dataset in the file at a path."""
        status = path.stat()
        version = (status.st_ino, status.st_size, status.st_mtime_ns)
        known = self._known.get((path, dataset.name))
        if known is not None and known[0] == version and known[1].offset.shape == layout.grid:
            return known[1]
        index = read_index(dataset, layout)
        self._known[path, dataset.name] = version, index
        return index

    def __reduce__(self) -> tuple[type[KnownIndices], tuple[()]]:
        return KnownIndices, ()


def frames_per_block(layout: ChunkLayout, nav_dims: int) -> int:
    """Return how many frames from one chunk border to the next, bounded to 64 MB.

    Where chunks span several scan lines, a run of frames covers whole chunks only if it is as many
    whole lines. If those are too large, as many whole lines as the bound allows are taken, at
    the price of decoding a chunk several times.
    """
    nav, chunk = layout.shape[:nav_dims], layout.chunk[:nav_dims]
    # The last axis along which chunks are thicker than one, seen from the first axis.
    thick = next((axis for axis in range(nav_dims) if chunk[axis] > 1), None)
    if thick is None:
        return 1
    frame_bytes = math.prod(layout.shape[nav_dims:]) * layout.dtype.itemsize
    most = max(1, _MAX_BLOCK_BYTES // frame_bytes)
    step = math.prod(nav[thick + 1 :])
    depth = min(chunk[thick], nav[thick])
    if step * depth <= most:
        return step * depth
    if step <= most:
        # Lines that divide the chunk evenly keep each chunk in as few blocks as possible.
        n_lines = most // step
        return step * max(n for n in range(1, n_lines + 1) if depth % n == 0)
    return min(chunk[nav_dims - 1], most)


@dataclass(frozen=True)
class ScanOrder:
    """Chunks that hold whole frames which follow each other in scan order.

    Parameters
    ----------
    line : int
        Frames after which the pattern of chunks begins anew.
    depth : int
        Frames of a chunk, of which the last one of a line may use only the first ones.
    """

    line: int
    depth: int

    @property
    def per_line(self) -> int:
        """Chunks that a line takes."""
        return -(-self.line // self.depth)

    def chunk_of(self, frame: int) -> int:
        """Return the number of the chunk that holds a frame."""
        line, at = divmod(frame, self.line)
        return line * self.per_line + at // self.depth

    def first_frames(self, n_chunks: int) -> npt.NDArray[np.int64]:
        """Return the number of the first frame of each chunk, and after them of all frames."""
        line, at = np.divmod(np.arange(n_chunks + 1, dtype=np.int64), self.per_line)
        first: npt.NDArray[np.int64] = line * self.line + at * self.depth
        return first


def scan_order(layout: ChunkLayout, nav_dims: int) -> ScanOrder | None:
    """Return how the frames lie in the chunks, None if it is not in scan order.

    That is so if frames are not split, and if chunks are thicker than one along a single scan axis
    and span all axes after it.
    """
    nav, chunk = layout.shape[:nav_dims], layout.chunk[:nav_dims]
    if not nav or layout.chunk[nav_dims:] != layout.shape[nav_dims:]:
        return None
    thick = next((axis for axis in range(nav_dims) if chunk[axis] > 1), nav_dims - 1)
    if chunk[thick + 1 :] != nav[thick + 1 :]:
        return None
    step = math.prod(nav[thick + 1 :])
    return ScanOrder(nav[thick] * step, chunk[thick] * step)
