"""Frames put together from the chunks of an HDF5 dataset."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import Protocol

import numpy as np
import numpy.typing as npt

from udfwidgets.io.codecs.lz4 import SLACK
from udfwidgets.io.dataset.hdf5.chunks import ChunkLayout, scan_order
from udfwidgets.io.layout.boxes import Box, boxes
from udfwidgets.io.source import Array, Scratch, Source

Bytes = npt.NDArray[np.uint8]


class Chunks(Protocol):
    """The chunks of a dataset, numbered in C order of their grid; see `ChunkStore`."""

    def missing(self, first: int, stop: int) -> list[int]:
        """Tell which of some chunks were never written, counted from the first of them."""

    def view(self, first: int, stop: int) -> Bytes | None:
        """Return chunks as they lie in the file, one behind the other, if they do."""

    def decode(
        self, first: int, stop: int, out: Bytes, to: npt.NDArray[np.int64], scratch: Scratch
    ) -> None:
        """Decode those of some chunks that are not missing, each to its place in `out`."""

    def close(self) -> None:
        """Give back what they are read with."""


class ChunkedSource(Source):
    """Frames put together from chunks.

    Where chunks hold frames in scan order, a run of frames is decoded to its place, or handed out
    as it lies in the file. Otherwise each chunk is decoded by itself, and cut up.

    Parameters
    ----------
    layout : ChunkLayout
        With filters that can be undone.
    chunks : Chunks
        It closes them.
    sig_dims : int
        How many of the last axes of the array make a frame.
    sig : tuple of int
        Shape of the frames as they are handed out.
    """

    def __init__(
        self,
        layout: ChunkLayout,
        chunks: Chunks,
        sig_dims: int,
        sig: tuple[int, ...],
    ) -> None:
        self._layout = layout
        self._nav_dims = len(layout.shape) - sig_dims
        self._sig = sig
        self._native = layout.dtype.newbyteorder("=")
        self._frame_bytes = math.prod(sig) * layout.dtype.itemsize
        self._order = scan_order(layout, self._nav_dims)
        if self._order is not None:
            self._first_frames = self._order.first_frames(math.prod(layout.grid))
        self._chunks: Chunks | None = chunks

    def read(self, start: int, stop: int, scratch: Scratch) -> Array:
        """Read and decode each chunk that these frames touch once."""
        chunks = self._chunks
        if chunks is None:
            raise ValueError("read from a source that is closed")
        if self._order is None:
            frames = self._gather(chunks, start, stop, scratch)
        else:
            frames = self._in_order(chunks, start, stop, scratch)
        return frames.reshape(stop - start, *self._sig)

    def _in_order(self, chunks: Chunks, start: int, stop: int, scratch: Scratch) -> Array:
        """Decode chunks one behind the other, and cut off what was not asked for.

        Chunks at the end of a line may be longer than the line; the next one covers what is too
        much.
        """
        assert self._order is not None
        first, last = self._order.chunk_of(start), self._order.chunk_of(stop - 1) + 1
        frames = self._first_frames[first : last + 1] - self._first_frames[first]
        begin = start - int(self._first_frames[first])
        cut = slice(begin * self._frame_bytes, (begin + stop - start) * self._frame_bytes)
        n_frames = int(frames[-1])
        if n_frames == (last - first) * self._order.depth:
            # Then nothing is decoded or copied; not where chunks at the end of a line reach over
            # the next.
            lying = chunks.view(first, last)
            if lying is not None:
                return lying[cut].view(self._native)
        n_bytes = int(frames[-2]) * self._frame_bytes + self._layout.chunk_bytes
        out = scratch.array((n_bytes + SLACK,), np.uint8)
        chunks.decode(first, last, out, frames[:-1] * self._frame_bytes, scratch)
        decoded = out[: n_frames * self._frame_bytes].view(self._layout.dtype)
        # After decoding: chunks are written in full length, and may reach into the next place.
        for i in chunks.missing(first, last):
            decoded.reshape(n_frames, -1)[frames[i] : frames[i + 1]] = self._layout.fill
        # Cut off first: what nobody asked for need not have its bytes swapped.
        wanted = decoded.view(np.uint8)[cut].view(self._layout.dtype)
        return wanted if self._layout.dtype.isnative else _swapped(wanted)

    def _gather(self, chunks: Chunks, start: int, stop: int, scratch: Scratch) -> Array:
        """Cut up each chunk that these frames touch."""
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
        decoded = scratch.array((self._layout.chunk_bytes + SLACK,), np.uint8, "decoded")
        chunk = decoded[:-SLACK].view(self._layout.dtype).reshape(self._layout.chunk)
        to = np.zeros(1, np.int64)
        for at in self._touched(parts):
            number = int(np.ravel_multi_index(at, self._layout.grid))
            if chunks.missing(number, number + 1):
                chunk[...] = self._layout.fill
            else:
                chunks.decode(number, number + 1, decoded, to, scratch)
            for box, view in zip(parts, views, strict=True):
                cut, into = self._overlap(at, box)
                if cut is not None:
                    np.copyto(view[into], chunk[cut])
        return out

    def _touched(self, parts: list[Box]) -> Iterator[tuple[int, ...]]:
        nav_chunk = self._layout.chunk[: self._nav_dims]
        sig_grid = self._layout.grid[self._nav_dims :]
        # A dict and no set: each chunk is decoded once, in the order of the scan.
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

    def close(self) -> None:
        """Close the chunks."""
        if self._chunks is not None:
            self._chunks.close()
            self._chunks = None


def _swapped(array: Array) -> Array:
    """Swap the bytes of an array in place, and return it in native byte order."""
    swapped: Array = array.byteswap(inplace=True).view(array.dtype.newbyteorder("="))
    return swapped
