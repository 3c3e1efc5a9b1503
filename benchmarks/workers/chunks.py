"""The least that has to be done to read a chunked HDF5 dataset: `pread` and decode."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from typing import Any

import h5py
import imagecodecs
import numpy as np

_codecs: Any = imagecodecs
GZIP, BITSHUFFLE = 1, 32008


def is_chunked(scan: dict[str, Any]) -> bool:
    if scan["format"] != "hdf5":
        return False
    with h5py.File(scan["path"], "r") as file:
        return file[scan["ds_path"]].chunks is not None


class ChunkedScan:
    """A dataset whose chunks are whole frames along a row of the scan.

    Where they lie is found out once; the file stays open.
    """

    def __init__(self, scan: dict[str, Any]) -> None:
        with h5py.File(scan["path"], "r") as file:
            stored = file[scan["ds_path"]]
            chunks: list[Any] = []
            stored.id.chunk_iter(chunks.append)
            properties = stored.id.get_create_plist()
            filters = [properties.get_filter(i)[0] for i in range(properties.get_nfilters())]
            self._shape, (_, self._per_chunk, *sig) = stored.shape, stored.chunks
        n_x = self._shape[1]
        if n_x % self._per_chunk:
            raise ValueError(f"chunks of {self._per_chunk} frames do not divide rows of {n_x}")
        self._chunks = [
            (c.chunk_offset[0] * n_x + c.chunk_offset[1], c.byte_offset, c.size) for c in chunks
        ]
        self._n_pixels = int(np.prod(sig))
        self._decode: Callable[[Any, Any], Any] = {
            (): _no_filter,
            (GZIP,): _undo_gzip,
            (BITSHUFFLE,): _undo_bitshuffle,
        }[tuple(filters)]
        self._file = os.open(scan["path"], os.O_RDONLY)

    def __len__(self) -> int:
        return len(self._chunks)

    def read(self, start: int, stop: int) -> Iterator[tuple[int, Any]]:
        """Yield the number of the first frame, and the frames, of some chunks."""
        frames = np.empty((self._per_chunk, self._n_pixels), np.uint16)
        for first, offset, size in self._chunks[start:stop]:
            stored = os.pread(self._file, size, offset)
            yield first, self._decode(stored, frames)


def _no_filter(stored: bytes, frames: Any) -> Any:
    return np.frombuffer(stored, frames.dtype).reshape(frames.shape)


def _undo_gzip(stored: bytes, frames: Any) -> Any:
    _codecs.deflate_decode(stored, out=frames.reshape(-1).view(np.uint8))
    return frames


def _undo_bitshuffle(stored: bytes, frames: Any) -> Any:
    # LZ4 blocks are laid out as the LZ4 filter has them, as long as each got shorter: these do.
    (block_bytes,) = struct.unpack(">I", stored[8:12])
    shuffled = _codecs.lz4h5_decode(stored)
    items = block_bytes // frames.itemsize
    flat = frames.reshape(-1).view(np.uint8)
    _codecs.bitshuffle_decode(shuffled, itemsize=frames.itemsize, blocksize=items, out=flat)
    return frames
