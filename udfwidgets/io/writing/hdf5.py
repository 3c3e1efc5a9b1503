"""Writes HDF5: a NeXus file with the scan in chunks of Bitshuffle and LZ4.

HDF5 needs no plugin to write chunks that are compressed already, and compresses nothing under its
lock then.
"""

from __future__ import annotations

import threading
from pathlib import Path

import h5py
import numpy as np

from udfwidgets.io.codecs.filters import BITSHUFFLE
from udfwidgets.io.source import Array
from udfwidgets.io.writing.chunked import ChunkedWriter
from udfwidgets.io.writing.outline import Outline
from udfwidgets.io.writing.packing import BLOCK_BYTES, bitshuffle_lz4

_VERSION, _LZ4 = (0, 3), 2


class HDF5Writer(ChunkedWriter):
    """Writes a scan of numbers of any kind."""

    def __init__(self, path: Path, outline: Outline) -> None:
        super().__init__(outline)
        self._itemsize = outline.dtype.itemsize
        self._sig_zeros = (0,) * len(outline.shape.sig.to_tuple())
        self._writing = threading.Lock()
        self._file = h5py.File(path, "w")
        try:
            data = nexus_data(self._file, "written by udfwidgets")
            self._counts = self._create(data, outline)
            data["counts"].attrs["long_name"] = "counts"
            _write_axes(data, outline)
        except BaseException:
            self._file.close()
            raise

    def _create(self, data: h5py.Group, outline: Outline) -> h5py.h5d.DatasetID:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk(self.chunk)
        values: tuple[int, ...] = (BLOCK_BYTES // self._itemsize, _LZ4)
        if not h5py.h5z.filter_avail(BITSHUFFLE):
            # What the plugin would put before these; optional, or HDF5 would ask for it.
            values = (*_VERSION, self._itemsize, *values)
        plist.set_filter(BITSHUFFLE, h5py.h5z.FLAG_OPTIONAL, values)
        space = h5py.h5s.create_simple(outline.shape.to_tuple())
        kind = h5py.h5t.py_create(outline.dtype, logical=True)
        return h5py.h5d.create(data.id, b"counts", kind, space, plist)

    def store(self, at: tuple[int, ...], chunk: Array) -> None:
        """Compress a chunk, and hand it to HDF5."""
        packed = bitshuffle_lz4(chunk.reshape(-1).view(np.uint8), self._itemsize)
        corner = (*(i * n for i, n in zip(at, self.chunk, strict=False)), *self._sig_zeros)
        with self._writing:
            self._counts.write_direct_chunk(corner, packed)

    def finish(self) -> None:
        """Write what HDF5 still has in memory."""
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        with self._writing:
            self._file.close()


def nexus_data(file: h5py.File, title: str) -> h5py.Group:
    """Make the groups of a NeXus file, and return the one for `counts`."""
    file.attrs["default"] = "entry"
    entry = file.create_group("entry")
    entry.attrs["NX_class"] = "NXentry"
    entry.attrs["default"] = "data"
    entry["title"] = title
    data = entry.create_group("data")
    data.attrs["NX_class"] = "NXdata"
    data.attrs["signal"] = "counts"
    return data


def _write_axes(data: h5py.Group, outline: Outline) -> None:
    """Say where each line of pixels is, as NeXus does."""
    nav, sig = outline.shape.nav.to_tuple(), outline.shape.sig.to_tuple()
    names = []
    for kind, lengths, axes in (("scan", nav, outline.nav), ("detector", sig, outline.sig)):
        for number, length in enumerate(lengths):
            names.append(f"{kind}_{number}" if axes else ".")
            if axes:
                size, unit = axes[number]
                data[names[-1]] = np.arange(length) * size
                data[names[-1]].attrs["units"] = unit
    data.attrs["axes"] = names
