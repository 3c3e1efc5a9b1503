"""Arrays with their axes in another order.

Velox keeps stacks as (y, x, frame); RosettaSciIO writes EMD files with the last axis first.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np

from udfwidgets.io.codecs.filters import can_undo
from udfwidgets.io.dataset.hdf5.chunked import ChunkedSource
from udfwidgets.io.dataset.hdf5.chunks import ChunkIndex, ChunkLayout, KnownIndices, chunk_layout
from udfwidgets.io.dataset.hdf5.store import ChunkStore
from udfwidgets.io.dataset.hdf5.texts import text_of_dataset
from udfwidgets.io.layout.copied import CopiedSource
from udfwidgets.io.source import Source

_IMAGE = re.compile(r"/?Data/Image/[^/]+/Data$")
_SIGNAL = re.compile(r"/?signals/[^/]+/data$")


def turned_axes(file: h5py.File, ds_path: str) -> tuple[int, ...] | None:
    """Return which axis comes first, and so on; None where they lie in the order of the scan."""
    dataset = file.get(ds_path)
    if not isinstance(dataset, h5py.Dataset):
        return None
    axes = range(dataset.ndim)
    if _IMAGE.match(ds_path) and _is_of_velox(file):
        return (axes[-1], *axes[:-1])
    return tuple(axes[::-1]) if _SIGNAL.match(ds_path) and _is_signal(dataset.parent) else None


def _is_of_velox(file: h5py.File) -> bool:
    version = file.get("Version")
    return isinstance(version, h5py.Dataset) and "Velox" in text_of_dataset(version)


def _is_signal(group: h5py.Group) -> bool:
    """Tell a group of EMD 0.2 that RosettaSciIO or hyperspy wrote, by what only they say."""
    return "emd_group_type" in group.attrs and "signal_type" in group.attrs


def stored_shape(dataset: h5py.Dataset, axes: tuple[int, ...] | None) -> tuple[int, ...]:
    """Return the shape of a dataset, frames first."""
    shape: tuple[int, ...] = dataset.shape
    return shape if axes is None else tuple(shape[axis] for axis in axes)


def open_stack(
    path: Path, dataset: h5py.Dataset, sig_dims: int, sig: tuple[int, ...], known: KnownIndices
) -> Source | None:
    """Open a stack that is chunked frame by frame, as Velox does; None if it is not.

    A chunk of one frame holds the same bytes wherever the axis of frames is.
    """
    if dataset.chunks is None or dataset.chunks[-1] != 1:
        return None
    layout = chunk_layout(dataset)
    if not can_undo(layout.filters) or dataset.file.userblock_size:
        return None
    index = known.of(path, dataset, layout)
    turned = ChunkIndex(
        np.moveaxis(index.offset, -1, 0),
        np.moveaxis(index.n_bytes, -1, 0),
        np.moveaxis(index.mask, -1, 0),
    )
    layout = _turned(layout)
    chunks = ChunkStore(path, dataset.name, layout, turned)
    return ChunkedSource(layout, chunks, sig_dims, sig)


def of_whole(
    dataset: h5py.Dataset, axes: tuple[int, ...], sig_dims: int, sig: tuple[int, ...]
) -> Source:
    """Read an array that lies in another way into memory, and turn it there."""
    return CopiedSource(np.transpose(dataset[...], axes), sig_dims, sig)


def _turned(layout: ChunkLayout) -> ChunkLayout:
    shape, chunk = layout.shape, layout.chunk
    return replace(layout, shape=(shape[-1], *shape[:-1]), chunk=(chunk[-1], *chunk[:-1]))
