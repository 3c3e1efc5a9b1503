"""Reads chunked HDF5 datasets by the positions of their chunks, without HDF5's lock.

HDF5 tells once, when the source is opened, where each chunk lies in the file. From then on each
worker reads and decodes the chunks it needs by itself. Chunks at the edge of the array are stored
in full size; chunks that were never written are not stored, and hold the fill value.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.base import Array, Scratch, Source
from udfwidgets.io.dataset.boxes import Box, boxes
from udfwidgets.io.dataset.files import PositionedFile, size_of
from udfwidgets.io.dataset.hdf5_filters import Filter, undo

# A block is what one worker reads at once, so this bounds the memory of each worker.
_MAX_BLOCK_BYTES = 64 << 20


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


def read_index(dataset: h5py.Dataset, layout: ChunkLayout) -> ChunkIndex:
    """Ask HDF5 where the chunks are; 65536 of them take about 50 ms."""
    offset = np.zeros(layout.grid, np.int64)
    n_bytes = np.zeros(layout.grid, np.int64)
    mask = np.zeros(layout.grid, np.uint32)

    def note(stored: Any) -> None:
        at = tuple(o // c for o, c in zip(stored.chunk_offset, layout.chunk, strict=True))
        offset[at] = stored.byte_offset
        n_bytes[at] = stored.size
        mask[at] = stored.filter_mask

    dataset.id.chunk_iter(note)
    return ChunkIndex(offset, n_bytes, mask)


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


class ChunkedSource(Source):
    """Frames put together from chunks.

    Parameters
    ----------
    path : Path
        The HDF5 file that holds the chunks.
    name : str
        The dataset in it, for messages.
    layout : ChunkLayout
        With filters that can be undone.
    index : ChunkIndex
        Of the same dataset.
    sig_dims : int
        How many of the last axes of the array make a frame.
    sig : tuple of int
        Shape of the frames as they are handed out.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        layout: ChunkLayout,
        index: ChunkIndex,
        sig_dims: int,
        sig: tuple[int, ...],
    ) -> None:
        self._where = f"{path}:{name}"
        self._layout = layout
        self._index = index
        self._nav_dims = len(layout.shape) - sig_dims
        self._sig = sig
        self._native = layout.dtype.newbyteorder("=")
        end, size = int((index.offset + index.n_bytes).max()), size_of(path)
        if end > size:
            raise DataSetException(
                f"{self._where}: the last chunk ends at byte {end}, but the file at byte {size}; "
                "it is truncated"
            )
        self._file: PositionedFile | None = PositionedFile(path)

    def read(self, start: int, stop: int, scratch: Scratch) -> Array:
        """Read and decode each chunk that these frames touch once."""
        file = self._file
        if file is None:
            raise ValueError("read from a source that is closed")
        shape = self._layout.shape
        out = scratch.array((stop - start, *shape[self._nav_dims :]), self._native)
        parts = boxes(start, stop, shape[: self._nav_dims])
        # One view of the result per box, in the shape of the box.
        views = [
            out[box.first - start : box.first - start + box.size].reshape(
                *box.shape, *shape[self._nav_dims :]
            )
            for box in parts
        ]
        for at in self._touched(parts):
            self._put(file, at, parts, views, scratch)
        return out.reshape(stop - start, *self._sig)

    def _touched(self, parts: list[Box]) -> Iterator[tuple[int, ...]]:
        nav_chunk = self._layout.chunk[: self._nav_dims]
        sig_grid = self._layout.grid[self._nav_dims :]
        touched: dict[tuple[int, ...], None] = {}
        for box in parts:
            ranges = [
                range(o // c, (o + n - 1) // c + 1)
                for o, n, c in zip(box.origin, box.shape, nav_chunk, strict=True)
            ]
            touched.update(dict.fromkeys(product(*ranges)))
        for nav_at in touched:
            for sig_at in np.ndindex(sig_grid):
                yield (*nav_at, *sig_at)

    def _put(
        self,
        file: PositionedFile,
        at: tuple[int, ...],
        parts: list[Box],
        views: list[Array],
        scratch: Scratch,
    ) -> None:
        """Put what one chunk has into the boxes it meets."""
        targets = [
            (cut, view[into])
            for box, view in zip(parts, views, strict=True)
            for cut, into in [self._overlap(at, box)]
            if cut is not None
        ]
        if not self._index.n_bytes[at]:
            for _, target in targets:
                target[...] = self._layout.fill
            return
        cut, target = targets[0]
        is_direct = (
            target.shape == self._layout.chunk
            and target.flags.c_contiguous
            and self._layout.dtype.isnative
        )
        if is_direct:
            self._decode(file, at, target.reshape(-1).view(np.uint8), scratch)
            return
        decoded = scratch.array((self._layout.chunk_bytes,), np.uint8, "decoded")
        self._decode(file, at, decoded, scratch)
        chunk = decoded.view(self._layout.dtype).reshape(self._layout.chunk)
        for cut, target in targets:
            np.copyto(target, chunk[cut])

    def _overlap(
        self, at: tuple[int, ...], box: Box
    ) -> tuple[tuple[slice, ...] | None, tuple[slice, ...]]:
        """Return the part of the chunk that is in the box, and the part of the box it fills."""
        shape, chunk = self._layout.shape, self._layout.chunk
        origin = (*box.origin, *(0,) * (len(shape) - self._nav_dims))
        length = (*box.shape, *shape[self._nav_dims :])
        cut, into = [], []
        for i, o, n, c in zip(at, origin, length, chunk, strict=True):
            first, last = max(i * c, o), min((i + 1) * c, o + n)
            if first >= last:
                return None, ()
            cut.append(slice(first - i * c, last - i * c))
            into.append(slice(first - o, last - o))
        return tuple(cut), tuple(into)

    def _decode(
        self,
        file: PositionedFile,
        at: tuple[int, ...],
        out: npt.NDArray[np.uint8],
        scratch: Scratch,
    ) -> None:
        offset, n_bytes = int(self._index.offset[at]), int(self._index.n_bytes[at])
        where = f"{self._where}: chunk {at} of {n_bytes} bytes at byte {offset}"
        mask = int(self._index.mask[at])
        filters = tuple(f for i, f in enumerate(self._layout.filters) if not mask >> i & 1)
        if not filters:
            if n_bytes != len(out):
                raise DataSetException(f"{where}, expected {len(out)} bytes; the file is damaged")
            file.read_into(out, offset)
            return
        stored = scratch.array((n_bytes,), np.uint8, "stored")
        file.read_into(stored, offset)
        spare = scratch.array((len(out),), np.uint8, "spare")
        try:
            undo(filters, stored, out, spare)
        except Exception as error:
            # Each codec raises its own kind, and struct and NumPy theirs for broken lengths.
            raise DataSetException(f"{where} cannot be decoded ({error}); it is damaged") from error

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
