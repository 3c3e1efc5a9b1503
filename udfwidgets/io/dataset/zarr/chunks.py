"""Reads chunks of a Zarr array from their files, and decodes them."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from udfwidgets.errors import DataSetException
from udfwidgets.io.codecs.crc32c import without_checksum
from udfwidgets.io.codecs.filters import undo
from udfwidgets.io.codecs.lz4 import SLACK
from udfwidgets.io.dataset.zarr.files import Bytes, Files
from udfwidgets.io.dataset.zarr.layout import Shard, Storage
from udfwidgets.io.source import Scratch

Numbers = npt.NDArray[np.int64]

# Says of a chunk in a shard that it was never written.
_NOWHERE = (1 << 64) - 1


class ZarrChunks:
    """The chunks of an array, numbered in C order of their grid; see `hdf5.chunked.Chunks`.

    Parameters
    ----------
    files : Files
        Where they are kept. Closed with this.
    storage : Storage
        How.
    """

    def __init__(self, files: Files, storage: Storage) -> None:
        self._files = files
        self._storage = storage
        layout, order = storage.layout, storage.steps.order
        self._grid, self._size = layout.grid, layout.chunk_bytes
        self._longest = 2 * self._size + 4096
        self._is_turned = order != tuple(range(len(order)))
        self._shards = _Shards(files, storage.shard) if storage.shard else None
        # Those that were decoded are not looked for again.
        self._is_there = np.zeros(math.prod(self._grid), bool)

    def missing(self, first: int, stop: int) -> list[int]:
        """Tell which of some chunks were never written, counted from the first of them."""
        unknown = np.flatnonzero(~self._is_there[first:stop]).tolist()
        return [i for i in unknown if self._place(first + i)[2] is None]

    def view(self, first: int, stop: int) -> Bytes | None:
        """Return None: each is in a file of its own, or compressed."""
        return None

    def decode(self, first: int, stop: int, out: Bytes, to: Numbers, scratch: Scratch) -> None:
        """Decode those of some chunks that are there, each to its place in `out`.

        Raises
        ------
        DataSetException
            If a chunk is damaged, or cannot be read.
        """
        for number in range(first, stop):
            key, begin, n_bytes = self._place(number)
            if n_bytes is None:
                continue
            at = int(to[number - first])
            self._decode(key, begin, n_bytes, out[at : at + self._size], scratch)
            self._is_there[number] = True

    def close(self) -> None:
        """Close the files."""
        self._files.close()

    def _place(self, number: int) -> tuple[str, int, int | None]:
        """Return the file of a chunk, where it begins there and how long it is, None if missing."""
        at: list[int] = []
        for n_chunks in reversed(self._grid):  # as `np.unravel_index`, which takes 30 us
            number, i = divmod(number, n_chunks)
            at.insert(0, i)
        if self._shards is None:
            key = self._storage.key_of(at)
            return key, 0, self._files.size(key)
        within = self._shards.shard.grid
        key = self._storage.key_of([i // n for i, n in zip(at, within, strict=True)])
        return key, *self._shards.place(key, [i % n for i, n in zip(at, within, strict=True)])

    def _decode(self, key: str, begin: int, n_bytes: int, out: Bytes, scratch: Scratch) -> None:
        steps, size = self._storage.steps, self._size
        is_plain = not steps.filters
        expected = size + 4 * steps.n_checksums if is_plain else self._longest
        if n_bytes > expected or (is_plain and n_bytes != expected):
            raise self._damaged(key, f"it has {n_bytes} bytes, expected about {size}")
        # Nothing to undo: straight to its place.
        is_direct = is_plain and not steps.n_checksums and not self._is_turned
        data = out if is_direct else scratch.array((n_bytes + SLACK,), np.uint8, "stored")[:n_bytes]
        self._files.read_into(key, begin, data)
        if is_direct:
            return
        try:
            self._undo(data, out, scratch)
        except Exception as error:
            # Each codec raises its own kind, and struct and NumPy theirs for broken lengths.
            raise self._damaged(key, f"it cannot be decoded ({error})") from error

    def _undo(self, data: Bytes, out: Bytes, scratch: Scratch) -> None:
        steps, size = self._storage.steps, self._size
        for _ in range(steps.n_checksums):
            data = without_checksum(data)
        target = out
        if self._is_turned:
            target = scratch.array((size + SLACK,), np.uint8, "turned")[:size]
        if steps.filters:
            spare = scratch.array((size + SLACK,), np.uint8, "spare")[:size]
            undo(steps.filters, data, target, spare)
        else:
            target[:] = data
        if self._is_turned:
            self._turn(target, out)

    def _turn(self, stored: Bytes, out: Bytes) -> None:
        """Bring the axes of a chunk into the order of the array."""
        layout, order = self._storage.layout, self._storage.steps.order
        turned = stored.view(layout.dtype).reshape([layout.chunk[axis] for axis in order])
        into = out.view(layout.dtype).reshape(layout.chunk)
        np.copyto(into, turned.transpose(np.argsort(order)))

    def _damaged(self, key: str, why: str) -> DataSetException:
        return DataSetException(f"the chunk in {self._files.name(key)} is damaged: {why}")


class _Shards:
    """Where chunks lie in files that hold many of them."""

    def __init__(self, files: Files, shard: Shard) -> None:
        self.shard = shard
        self._files = files
        # One entry a file, which is read when it is first asked for; two threads may both read it.
        self._known: dict[str, npt.NDArray[np.uint64] | None] = {}

    def place(self, key: str, at: list[int]) -> tuple[int, int | None]:
        """Return where a chunk begins in a file, and how long it is, None if it is missing."""
        if key not in self._known:
            self._known[key] = self._read(key)
        index = self._known[key]
        if index is None:
            return 0, None
        begin, n_bytes = (int(number) for number in index[tuple(at)])
        return (0, None) if begin == n_bytes == _NOWHERE else (begin, n_bytes)

    def _read(self, key: str) -> npt.NDArray[np.uint64] | None:
        shard, size = self.shard, self._files.size(key)
        if size is None:
            return None
        n_bytes = shard.index_bytes
        if size < n_bytes:
            raise self._damaged(key, f"it has {size} bytes, expected an index of {n_bytes}")
        stored = np.empty(n_bytes, np.uint8)
        self._files.read_into(key, size - n_bytes if shard.is_at_end else 0, stored)
        try:
            plain = without_checksum(stored) if shard.has_checksum else stored
        except ValueError as error:
            raise self._damaged(key, f"its index: {error}") from error
        index = plain.view("<u8").reshape(math.prod(shard.grid), 2)
        there = index[(index != _NOWHERE).any(axis=1)]
        if (there > size).any() or (there.sum(axis=1) > size).any():
            raise self._damaged(key, f"chunks in its index end behind its {size} bytes")
        return index.reshape(*shard.grid, 2)

    def _damaged(self, key: str, why: str) -> DataSetException:
        return DataSetException(f"the shard {self._files.name(key)} is damaged: {why}")
