"""Scans in Zarr stores, decoded by the workers wherever the codecs are known here."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.folded import FoldedDataSet
from udfwidgets.io.dataset.hdf5.chunked import ChunkedSource
from udfwidgets.io.dataset.hdf5.chunks import ChunkLayout, frames_per_block
from udfwidgets.io.dataset.zarr.chunks import ZarrChunks
from udfwidgets.io.dataset.zarr.files import Files, open_files
from udfwidgets.io.dataset.zarr.find import Node, calibration_of, find_array, node
from udfwidgets.io.dataset.zarr.layout import (
    Storage,
    UnknownStepError,
    least_stored,
    storage_of,
)
from udfwidgets.io.dataset.zarr.package import Package
from udfwidgets.io.dataset.zarr.through import PackageSource
from udfwidgets.io.layout.files import PathLike, existing_path
from udfwidgets.io.layout.folding import fold, split_axes
from udfwidgets.io.source import Source

_logger = logging.getLogger(__name__)


class ZarrDataSet(FoldedDataSet):
    """An array of a Zarr store, version 2 or 3: a directory or a zip.

    Chunks and shards are read and decoded in the worker threads for Blosc, Zstd, LZ4, gzip, zlib
    and shuffle, in C and Fortran order. Everything else is read by the package zarr, and a line is
    logged. That package is needed for all of them: it says what an array is.

    Parameters
    ----------
    path : str or os.PathLike
        ``~`` is expanded.
    ds_path : str, optional
        Path of the array in the store. Without it, what OME-Zarr names is taken, or else the
        largest array of the highest rank.
    nav_shape, sig_shape, sig_dims, sync_offset, flyback, snake
        As for `H5DataSet`.

    Raises
    ------
    DataSetException
        If it is not a whole Zarr store, if it is not clear which array is meant, or if the package
        zarr is not installed.
    """

    def __init__(
        self,
        path: PathLike,
        ds_path: str | None = None,
        nav_shape: Sequence[int] | None = None,
        sig_shape: Sequence[int] | None = None,
        sig_dims: int = 2,
        *,
        sync_offset: int = 0,
        flyback: int = 0,
        snake: bool = False,
    ) -> None:
        self._path = existing_path(path)
        with open_files(self._path) as files:
            array, notes = _chosen(self._path, files, ds_path)
            self._ds_path, self._document = array.key, array.document
            calibration = calibration_of(files, array)
            where = f"{self._path}:{self._ds_path}" if self._ds_path else str(self._path)
            self._storage, layout = self._look(where, files)
        nav, sig = split_axes(where, layout.shape, sig_dims, sig_shape)
        self._sig_dims = len(sig)
        self._metadata = _metadata(calibration, len(nav))
        folded = fold(
            where,
            math.prod(nav),
            sig,
            nav,
            nav_shape=nav_shape,
            sig_shape=sig_shape,
            sync_offset=sync_offset,
            flyback=flyback,
            snake=snake,
        )
        self._block = frames_per_block(layout, len(nav))
        super().__init__(where, folded, layout.dtype, said=notes)

    @property
    def ds_path(self) -> str:
        """Path of the array in the store."""
        return self._ds_path

    @property
    def frames_per_block(self) -> int:
        """Depth of the chunks along the scan, bounded to 64 MB of frames."""
        return self._block

    @property
    def files(self) -> tuple[Path, ...]:
        """The zip, if it is one that is read here."""
        return (self._path,) if self._storage and self._path.is_file() else ()

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]} ds_path={self._ds_path!r}>"

    def open(self) -> Source:
        """Open what can read the array."""
        existing_path(self._path)
        files = open_files(self._path)
        try:
            found = node(files, self._ds_path)
            if found is None or found.document != self._document:
                raise DataSetException(
                    f"{self._path}:{self._ds_path} is now another array than when it was loaded, "
                    "or gone; load it again"
                )
        except BaseException:
            files.close()
            raise
        sig = self.shape.sig.to_tuple()
        if self._storage is not None:
            chunks = ZarrChunks(files, self._storage)
            return self._placed(ChunkedSource(self._storage.layout, chunks, self._sig_dims, sig))
        files.close()
        return self._placed(PackageSource(Package(self._path, self._ds_path), self._sig_dims, sig))

    def _look(self, where: str, files: Files) -> tuple[Storage | None, ChunkLayout]:
        """Ask the package what the array is, and find out how it can be read."""
        with Package(self._path, self._ds_path) as package:
            array = package.array
            shape, dtype, chunk = tuple(array.shape), np.dtype(array.dtype), tuple(array.chunks)
            fill = array.metadata.fill_value
        if dtype.kind not in "buifc" or not math.prod(shape) or not math.prod(chunk):
            raise DataSetException(
                f"{where} has dtype {dtype}, shape {shape} and chunks of {chunk}, expected an "
                "array of numbers"
            )
        least = least_stored(shape, chunk, dtype.itemsize)
        if (stored := files.stored(self._ds_path, least)) < least:
            raise DataSetException(
                f"{where}: promises an array of {shape} in chunks of {chunk}, but all that is "
                f"stored are {stored} bytes; it is damaged, or was hardly filled"
            )
        try:
            storage = storage_of(self._document, self._ds_path, array, fill)
            if not files.is_plain:
                raise UnknownStepError("members of the zip that are compressed once more")
        except UnknownStepError as reason:
            _logger.info("%s is read by the package zarr: %s", where, reason)
            return None, ChunkLayout(shape, chunk, dtype, (), np.zeros((), dtype))
        return storage, storage.layout


def _chosen(path: Path, files: Files, ds_path: str | None) -> tuple[Node, tuple[str, ...]]:
    if ds_path is None:
        return find_array(path, files)
    found = node(files, ds_path.strip("/"))
    if found is None or not found.is_array:
        listed = "" if found is None else f", a group of {files.children(found.key)[:10]}"
        raise DataSetException(f"{path} has no array {ds_path!r}{listed}; see ds_path=")
    return found, ()


def _metadata(calibration: list[tuple[float, str]], n_nav: int) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for kind, axes in (("nav", calibration[:n_nav]), ("sig", calibration[n_nav:])):
        if axes:
            told[f"{kind}_scales"] = tuple(size for size, _ in axes)
            told[f"{kind}_units"] = tuple(unit for _, unit in axes)
    return told
