"""Chooses the fastest source that the storage of an HDF5 dataset allows."""

from __future__ import annotations

import logging
import math
from contextlib import closing
from pathlib import Path

import h5py
import numpy as np

from udfwidgets.errors import DataSetException, text_of
from udfwidgets.io.codecs.filters import can_undo
from udfwidgets.io.dataset.hdf5.chunked import ChunkedSource
from udfwidgets.io.dataset.hdf5.chunks import (
    KnownIndices,
    check_promise,
    chunk_layout,
    frames_per_block,
)
from udfwidgets.io.dataset.hdf5.locked import LockedSource
from udfwidgets.io.dataset.hdf5.store import ChunkStore
from udfwidgets.io.dataset.hdf5.turned import of_whole, open_stack
from udfwidgets.io.dataset.hdf5.virtual import Run, check_external, check_sources, runs_of
from udfwidgets.io.dataset.memory import ArraySource
from udfwidgets.io.layout.copied import CopiedSource
from udfwidgets.io.layout.files import map_array
from udfwidgets.io.layout.joined import JoinedSource
from udfwidgets.io.source import Array, Scratch, Source
from udfwidgets.warned import warn

_logger = logging.getLogger(__name__)

# Each source holds a file descriptor, and 1024 is a usual limit for a process.
_MAX_RUNS = 128


def read_image(dataset: h5py.Dataset) -> Array | None:
    """Return an image by our own decoders: HDF5 by itself does not know what DECTRIS packs with.

    One that cannot be read is None, with a warning.
    """
    where = f"{dataset.file.filename}:{dataset.name}"
    try:
        check_promise(where, dataset)
        with closing(open_source(dataset, dataset.ndim, dataset.shape, KnownIndices())) as source:
            return np.array(source.read(0, 1, Scratch())[0])
    except (DataSetException, OSError) as error:
        warn(f"{where} cannot be read, and is not applied: {text_of(error)}", UserWarning)
        return None


def open_joined(
    datasets: list[h5py.Dataset], sig_dims: int, sig: tuple[int, ...], known: KnownIndices
) -> Source:
    """Open datasets that follow each other along the scan, or a single one.

    Parameters
    ----------
    datasets : list of h5py.Dataset
        Not used after the call.
    sig_dims : int
        How many of their last axes make a frame.
    sig : tuple of int
        Shape of the frames as they are handed out.
    known : KnownIndices
        Of earlier calls.
    """
    if len(datasets) == 1:
        return open_source(datasets[0], sig_dims, sig, known)
    sources: list[tuple[int, Source]] = []
    try:
        for dataset in datasets:
            n_frames = math.prod(dataset.shape[:-sig_dims])
            sources.append((n_frames, open_source(dataset, sig_dims, sig, known)))
    except BaseException:
        for _, source in sources:
            source.close()
        raise
    return JoinedSource(sources)


def open_source(
    dataset: h5py.Dataset, sig_dims: int, sig: tuple[int, ...], known: KnownIndices
) -> Source:
    """Open one dataset; see `open_joined`."""
    # That of the file which holds the dataset: another one behind an external link.
    path = Path(dataset.file.filename)
    storage = dataset.id.get_create_plist().get_layout()
    if storage == h5py.h5d.COMPACT:
        return _of_array(dataset[...], sig_dims, sig)
    if storage == h5py.h5d.VIRTUAL:
        check_sources(path, dataset)
        runs = runs_of(path, dataset, sig_dims)
        if runs and len(runs) <= _MAX_RUNS:
            return _open_runs(runs, sig_dims, sig, known)
    check_external(path, dataset)
    reason = _reason_for_lock(dataset)
    if reason is None and storage == h5py.h5d.CONTIGUOUS:
        array = map_array(path, dataset.dtype, dataset.id.get_offset(), dataset.shape)
        return _of_array(array, sig_dims, sig)
    if reason is None:
        layout = chunk_layout(dataset)
        chunks = ChunkStore(path, dataset.name, layout, known.of(path, dataset, layout))
        return ChunkedSource(layout, chunks, sig_dims, sig)
    _logger.info("%s:%s is read through h5py: %s", path, dataset.name, reason)
    # All of HDF5 runs under one lock, so this is left for what we cannot read ourselves
    # (docs/decisions/010-reading.md has the list).
    again = h5py.File(path, "r")[dataset.name]
    return LockedSource(again, sig_dims, sig, owns_file=True)


def open_turned(
    dataset: h5py.Dataset,
    axes: tuple[int, ...],
    sig_dims: int,
    sig: tuple[int, ...],
    known: KnownIndices,
) -> Source:
    """Open an array with its axes in another order; see `turned_axes`."""
    path = Path(dataset.file.filename)
    is_chunked = dataset.chunks is not None
    if not is_chunked and dataset.id.get_offset() is not None and _reason_for_lock(dataset) is None:
        array = map_array(path, dataset.dtype, dataset.id.get_offset(), dataset.shape)
        return CopiedSource(np.transpose(array, axes), sig_dims, sig)
    if axes[1:] == tuple(range(len(axes) - 1)):
        source = open_stack(path, dataset, sig_dims, sig, known)
        if source is not None:
            return source
    _logger.info("%s:%s is read into memory as a whole, to be turned", path, dataset.name)
    return of_whole(dataset, axes, sig_dims, sig)


def block_of(dataset: h5py.Dataset, sig_dims: int) -> int:
    """Return how many frames are cheapest to read together; see `DataSet.frames_per_block`."""
    if dataset.is_virtual:
        path = Path(dataset.file.filename)
        check_sources(path, dataset)
        runs = runs_of(path, dataset, sig_dims)
        if not runs:
            return 1
        with h5py.File(runs[0].path, "r") as file:
            return block_of(file[runs[0].name], sig_dims)
    if dataset.chunks is None:
        return 1
    return frames_per_block(chunk_layout(dataset), dataset.ndim - sig_dims)


def is_by_itself(path: Path, dataset: h5py.Dataset) -> bool:
    """Whether all of a dataset is in this file, and is read without HDF5."""
    # What HDF5 itself has open is not kept between runs: its lock would keep others from writing.
    storage = dataset.id.get_create_plist().get_layout()
    if storage not in (h5py.h5d.CONTIGUOUS, h5py.h5d.CHUNKED):
        return False
    return Path(dataset.file.filename) == path and _reason_for_lock(dataset) is None


def _open_runs(runs: list[Run], sig_dims: int, sig: tuple[int, ...], known: KnownIndices) -> Source:
    files: list[h5py.File] = []
    try:
        for run in runs:
            files.append(h5py.File(run.path, "r"))
        datasets = [file[run.name] for file, run in zip(files, runs, strict=True)]
        return open_joined(datasets, sig_dims, sig, known)
    finally:
        for file in files:
            file.close()


def _of_array(array: Array, sig_dims: int, sig: tuple[int, ...]) -> Source:
    if array.dtype.isnative:
        return ArraySource(array.reshape(-1, *sig))
    return CopiedSource(array, sig_dims, sig)


def _reason_for_lock(dataset: h5py.Dataset) -> str | None:
    """Say why a dataset must be read through h5py, None if it need not be."""
    storage = dataset.id.get_create_plist().get_layout()
    if storage == h5py.h5d.VIRTUAL:
        return "it is virtual, and more than datasets one after the other"
    if dataset.external:
        return "its data are in external raw files"
    if dataset.id.get_type() != h5py.h5t.py_create(dataset.dtype, logical=True):
        return "NumPy has no dtype of the same bits"
    if storage == h5py.h5d.CONTIGUOUS:
        return None if dataset.id.get_offset() is not None else "nothing was written to it"
    if dataset.file.userblock_size:
        # Versions of HDF5 differ in whether positions of chunks count from the user block.
        return "the file has a user block"
    filters = chunk_layout(dataset).filters
    if not can_undo(filters):
        return f"filters {[f.number for f in filters]} are undone by HDF5 only"
    return None
