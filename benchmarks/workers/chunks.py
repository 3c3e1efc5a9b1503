"""The least that has to be done to add up a chunked HDF5 dataset: find, decode, add."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import h5py
import imagecodecs
import numpy as np

from benchmarks.workers import bitshuffle, kernels

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
        chunks: list[Any] = []
        with h5py.File(scan["path"], "r") as file:
            stored = file[scan["ds_path"]]
            stored.id.chunk_iter(chunks.append)
            properties = stored.id.get_create_plist()
            filters = [properties.get_filter(i)[0] for i in range(properties.get_nfilters())]
            n_x, (_, self._per_chunk, *sig) = stored.shape[1], stored.chunks
        if n_x % self._per_chunk:
            raise ValueError(f"chunks of {self._per_chunk} frames do not divide rows of {n_x}")
        self._first = np.array([c.chunk_offset[0] * n_x + c.chunk_offset[1] for c in chunks])
        self._offsets = np.array([c.byte_offset for c in chunks])
        self._sizes = np.array([c.size for c in chunks])
        self._n_pixels = int(np.prod(sig))
        self._add: Callable[..., None] = {
            (): self._add_plain,
            (GZIP,): self._add_gzip,
            (BITSHUFFLE,): self._add_bitshuffle,
        }[tuple(filters)]
        self._mapped = np.memmap(scan["path"], np.uint8, "r")

    def __len__(self) -> int:
        return len(self._offsets)

    def add(self, start: int, stop: int, sums_of_frames: Any) -> Any:
        """Return the sum of the frames of some chunks, and put that of each frame in its place."""
        total = np.zeros(self._n_pixels, np.uint32)
        self._add(slice(start, stop), total, sums_of_frames)
        return total

    def _add_bitshuffle(self, some: slice, total: Any, sums_of_frames: Any) -> None:
        frames = np.empty((self._per_chunk, self._n_pixels), np.uint16)
        bitshuffle.add_chunks(
            self._mapped, self._offsets[some], self._first[some], frames, total, sums_of_frames
        )

    def _add_gzip(self, some: slice, total: Any, sums_of_frames: Any) -> None:
        frames = np.empty((self._per_chunk, self._n_pixels), np.uint16)
        out = frames.reshape(-1).view(np.uint8)
        for first, stored in self._stored(some):
            _codecs.deflate_decode(stored, out=out)
            kernels.add(frames, total, sums_of_frames[first : first + self._per_chunk])

    def _add_plain(self, some: slice, total: Any, sums_of_frames: Any) -> None:
        for first, stored in self._stored(some):
            frames = stored.view(np.uint16).reshape(self._per_chunk, self._n_pixels)
            kernels.add(frames, total, sums_of_frames[first : first + self._per_chunk])

    def _stored(self, some: slice) -> Any:
        """Yield the number of the first frame, and the bytes, of some chunks."""
        for first, offset, size in zip(
            self._first[some], self._offsets[some], self._sizes[some], strict=True
        ):
            yield first, self._mapped[offset : offset + size]
