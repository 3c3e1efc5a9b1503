"""Reads HDF5 datasets through h5py, one thread at a time."""

from __future__ import annotations

import contextlib
import math
import threading

import h5py

from udfwidgets.errors import DataSetException
from udfwidgets.io.layout.boxes import boxes
from udfwidgets.io.source import Array, Scratch, Source

with contextlib.suppress(ImportError):
    import hdf5plugin  # noqa: F401  # registers more filters with HDF5 where it is installed


class LockedSource(Source):
    """Frames of an HDF5 dataset of any kind, slower than the other sources.

    Parameters
    ----------
    dataset : h5py.Dataset
        In a file that is open.
    sig_dims : int
        How many of its last axes make a frame.
    sig : tuple of int
        Shape of the frames as they are handed out.
    owns_file : bool
        Close the file at the end.
    """

    def __init__(
        self, dataset: h5py.Dataset, sig_dims: int, sig: tuple[int, ...], *, owns_file: bool
    ) -> None:
        self._where = f"{dataset.file.filename}:{dataset.name}"
        self._sig_dims = sig_dims
        self._sig = sig
        self._owns_file = owns_file
        self._lock = threading.Lock()
        self._dataset: h5py.Dataset | None = dataset

    def read(self, start: int, stop: int, scratch: Scratch) -> Array:
        """Read the frames into the scratch."""
        with self._lock:
            if self._dataset is None:
                raise ValueError("read from a source that is closed")
            shape = self._dataset.shape
            nav, sig = shape[: -self._sig_dims], shape[-self._sig_dims :]
            stored = self._dataset.dtype
            # HDF5 swaps the bytes of numbers, but not those of bit fields.
            is_swapped = not stored.isnative
            out = scratch.array((stop - start, math.prod(sig)), stored)
            if self._dataset.is_virtual:
                # Where sources overlap, HDF5 counts an element twice, and may leave others alone.
                out[...] = self._dataset.fillvalue
            for box in boxes(start, stop, nav):
                target = out[box.first - start : box.first - start + box.size]
                try:
                    self._dataset.read_direct(target.reshape(*box.shape, *sig), box.slices)
                except (OSError, RuntimeError) as error:
                    raise DataSetException(
                        f"{self._where} cannot be read at frames {start} to {stop} ({error})"
                    ) from error
        if is_swapped:
            out = out.byteswap(inplace=True).view(stored.newbyteorder("="))
        return out.reshape(stop - start, *self._sig)

    def close(self) -> None:
        """Let go of the dataset, and of the file."""
        with self._lock:
            if self._dataset is not None and self._owns_file:
                self._dataset.file.close()
            self._dataset = None
