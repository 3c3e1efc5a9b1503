"""Reads chunks from an HDF5 file by their positions, and decodes them.

Each worker does so by itself, without HDF5's lock. Chunks that lie together in the file are read in
one go, and where a compiled function knows the filters, they are decoded in one call.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from udfwidgets.errors import DataSetException
from udfwidgets.io.codecs.filters import decoder_of_many, undo
from udfwidgets.io.codecs.lz4 import SLACK
from udfwidgets.io.dataset.hdf5.chunks import ChunkIndex, ChunkLayout
from udfwidgets.io.layout.files import PositionedFile, map_array, size_of
from udfwidgets.io.source import Scratch

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]

# As much is decoded at once as the second-level cache of a core holds together with its source.
_BATCH_BYTES = 1 << 20
# Bytes between two chunks that are rather read as well than left out by a second call.
_GAP_BYTES = 64 << 10


class ChunkStore:
    """The chunks of a dataset, numbered in C order of their grid.

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

    Raises
    ------
    DataSetException
        If a chunk lies beyond the end of the file, or is longer than any filter makes it.
    """

    def __init__(self, path: Path, name: str, layout: ChunkLayout, index: ChunkIndex) -> None:
        self._where = f"{path}:{name}"
        self._path = path
        self._layout = layout
        self._offset = index.offset.ravel()
        self._n_bytes = index.n_bytes.ravel()
        self._mask = index.mask.ravel()
        self._end = self._offset + self._n_bytes
        self._decode_many = decoder_of_many(layout.filters)
        end, size = int(self._end.max()), size_of(path)
        # Told now, and not in the middle of a run, where a map of what is not there kills the
        # process (SIGBUS).
        if end > size:
            raise DataSetException(
                f"{self._where}: the last chunk ends at byte {end}, but the file at byte {size}; "
                "it is truncated"
            )
        longest = int(self._n_bytes.argmax())
        if self._n_bytes[longest] > 2 * layout.chunk_bytes + 4096:
            raise DataSetException(
                f"{self._chunk(longest)}, expected about {layout.chunk_bytes}; the file is damaged"
            )
        self._some_missing = not self._n_bytes.all()
        self._some_masked = bool(self._mask.any())
        # From each chunk to the end of those that follow it without a gap, in the file as well.
        self._run_stop = _run_stops(self._offset, self._n_bytes)
        # `preadv`, no map: with a file that shrinks meanwhile that is an exception, and no crash.
        self._file: PositionedFile | None = PositionedFile(path)
        self._map: Bytes | None = None
        if self._can_view():
            # Nothing to undo: a map spares the copy, as for contiguous data. 2.51 -> 5.77 GB/s.
            self._map = map_array(path, np.uint8, 0, (size,))

    def _can_view(self) -> bool:
        dtype = self._layout.dtype
        is_aligned = not (self._offset % dtype.alignment).any()
        return not self._layout.filters and dtype.isnative and is_aligned

    def missing(self, first: int, stop: int) -> list[int]:
        """Tell which of some chunks were never written, counted from the first of them."""
        if not self._some_missing:
            return []
        missing: list[int] = np.flatnonzero(self._n_bytes[first:stop] == 0).tolist()
        return missing

    def view(self, first: int, stop: int) -> Bytes | None:
        """Return the bytes of chunks as they lie in the file, None if they do not lie so."""
        if self._map is None or self._run_stop[first] < stop:
            return None
        begin, end = int(self._offset[first]), int(self._end[stop - 1])
        if end - begin != (stop - first) * self._layout.chunk_bytes:
            return None
        return self._map[begin:end]

    def decode(self, first: int, stop: int, out: Bytes, to: Numbers, scratch: Scratch) -> None:
        """Decode chunks that follow each other in the grid; missing ones are left out.

        Parameters
        ----------
        first, stop : int
            Numbers of the chunks.
        out : numpy.ndarray of uint8
            With `SLACK` bytes behind the last chunk, which are overwritten.
        to : numpy.ndarray of int64
            Where in `out` each chunk begins, in ascending order. Chunks are written in full
            length and one after the other, so a later one may cover the end of an earlier one.
        scratch : Scratch
            Of the worker.

        Raises
        ------
        DataSetException
            If the file has become shorter, or a chunk is damaged.
        """
        file = self._file
        if file is None:
            raise ValueError("read from a source that is closed")
        if not self._layout.filters:
            self._read_plain(file, first, stop, out, to)
            return
        # Where each chunk is a frame: 0.31 -> 2.69 GB/s with bitshuffle-LZ4 (all of it:
        # docs/decisions/010-reading.md).
        step = max(1, _BATCH_BYTES // self._layout.chunk_bytes)
        for begin in range(first, stop, step):
            end = min(begin + step, stop)
            data, at = self._fetch(file, begin, end, scratch)
            self._undo(begin, end, data, at, out, to[begin - first : end - first], scratch)

    def _read_plain(
        self, file: PositionedFile, first: int, stop: int, out: Bytes, to: Numbers
    ) -> None:
        """Read chunks that went through no filter, each run of them in one go."""
        size = self._layout.chunk_bytes
        wrong = (self._n_bytes[first:stop] != size) & (self._n_bytes[first:stop] != 0)
        if wrong.any():
            raise self._wrong_size(first + int(wrong.argmax()))
        at = first
        while at < stop:
            # Where chunks cover the end of one another, they do not follow without a gap.
            i, end = at - first, min(int(self._run_stop[at]), stop)
            if int(to[end - first - 1] - to[i]) != (end - at - 1) * size:
                end = at + 1
            if self._n_bytes[at]:
                begin = int(to[i])
                file.read_into(out[begin : begin + (end - at) * size], int(self._offset[at]))
            at = end

    def _wrong_size(self, number: int) -> DataSetException:
        return DataSetException(
            f"{self._chunk(number)}, expected {self._layout.chunk_bytes} bytes; the file is damaged"
        )

    def _fetch(
        self, file: PositionedFile, first: int, stop: int, scratch: Scratch
    ) -> tuple[Bytes, Numbers]:
        """Read chunks, and tell where in what was read each begins."""
        offset, n_bytes = self._offset[first:stop], self._n_bytes[first:stop]
        if self._some_missing:
            # They are at 0, where no span should begin.
            offset = np.where(n_bytes, offset, offset.max())
        begin = int(offset.min())
        span, total = int(self._end[first:stop].max()) - begin, int(n_bytes.sum())
        if span <= total + _GAP_BYTES:
            data = scratch.array((max(span, 0) + SLACK,), np.uint8, "stored")
            if total:
                file.read_into(data[:span], begin)
            return data, offset - begin
        data = scratch.array((total + SLACK,), np.uint8, "stored")
        at = np.cumsum(n_bytes) - n_bytes
        for a, n, o in zip(at.tolist(), n_bytes.tolist(), offset.tolist(), strict=True):
            file.read_into(data[a : a + n], o)
        return data, at

    def _undo(
        self,
        first: int,
        stop: int,
        data: Bytes,
        at: Numbers,
        out: Bytes,
        to: Numbers,
        scratch: Scratch,
    ) -> None:
        """Undo the filters of chunks."""
        size = self._layout.chunk_bytes
        n_bytes = self._n_bytes[first:stop]
        if self._decode_many is not None and not self._some_masked:
            # Between calls for single chunks threads wait for each other's GIL: gzip makes 2.06
            # GB/s with them, and 2.34 with one call.
            bad = self._decode_many(data, at, n_bytes, out, to, size)
            if bad >= 0:
                raise DataSetException(
                    f"{self._chunk(first + bad)} cannot be decoded (it does not make {size} "
                    "bytes); it is damaged"
                )
            return
        spare = scratch.array((size + SLACK,), np.uint8, "spare")[:size]
        for i in np.flatnonzero(n_bytes).tolist():
            stored = data[at[i] : at[i] + n_bytes[i]]
            self._undo_one(first + i, stored, out[to[i] : to[i] + size], spare)

    def _undo_one(self, number: int, stored: Bytes, out: Bytes, spare: Bytes) -> None:
        mask = int(self._mask[number])
        filters = self._layout.filters
        # Blosc and others leave a chunk alone where nothing is gained; it is still readable.
        if mask:
            filters = tuple(f for i, f in enumerate(filters) if not mask >> i & 1)
        if not filters:
            if len(stored) != len(out):
                raise self._wrong_size(number)
            out[:] = stored
            return
        try:
            undo(filters, stored, out, spare)
        except Exception as error:
            # Each codec raises its own kind, and struct and NumPy theirs for broken lengths.
            raise DataSetException(
                f"{self._chunk(number)} cannot be decoded ({error}); it is damaged"
            ) from error

    def _chunk(self, number: int) -> str:
        """Name a chunk, for messages."""
        at = tuple(int(i) for i in np.unravel_index(number, self._layout.grid))
        return (
            f"{self._where}: chunk {at} of {self._n_bytes[number]} bytes at byte "
            f"{self._offset[number]}"
        )

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
            self._map = None


def _run_stops(offset: Numbers, n_bytes: Numbers) -> Numbers:
    """Return for each chunk the number after the last one that follows it in the file."""
    n_chunks = len(offset)
    follows = np.append(offset[1:] == (offset + n_bytes)[:-1], False) & (n_bytes > 0)
    last = np.where(follows, n_chunks, np.arange(n_chunks))
    stops: Numbers = np.minimum.accumulate(last[::-1])[::-1] + 1
    return stops
