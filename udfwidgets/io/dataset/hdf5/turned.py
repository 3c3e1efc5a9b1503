"""Stacks whose frames are along the last axis, as Velox keeps them: (y, x, frame)."""

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


def is_turned(file: h5py.File, ds_path: str) -> bool:
    """Tell whether a dataset is a stack of images in a file of Velox."""
    version = file.get("Version")
    if not _IMAGE.match(ds_path) or not isinstance(version, h5py.Dataset):
        return False
    return "Velox" in text_of_dataset(version)


def stored_shape(dataset: h5py.Dataset, turned: bool) -> tuple[int, ...]:
    """Return the shape of a dataset, frames first."""
    shape: tuple[int, ...] = dataset.shape
    return (shape[-1], *shape[:-1]) if turned else shape


def open_turned(
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


def of_whole(dataset: h5py.Dataset, sig_dims: int, sig: tuple[int, ...]) -> Source:
    """Read a stack that lies in another way into memory, and turn it there."""
    return CopiedSource(np.moveaxis(dataset[...], -1, 0), sig_dims, sig)


def _turned(layout: ChunkLayout) -> ChunkLayout:
    shape, chunk = layout.shape, layout.chunk
    return replace(layout, shape=(shape[-1], *shape[:-1]), chunk=(chunk[-1], *chunk[:-1]))
