"""Reads HDF5 datasets through h5py, one thread at a time."""

from __future__ import annotations

import contextlib
import math
import threading
from pathlib import Path

import h5py

from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.base import Array, Scratch, Source
from udfwidgets.io.dataset.boxes import boxes

with contextlib.suppress(ImportError):
    import hdf5plugin  # noqa: F401  # registers more filters with HDF5 where it is installed


class LockedSource(Source):
    """Frames of an HDF5 dataset of any kind, slower than the other sources.

    Parameters
    ----------
    path : Path
        The HDF5 file.
    name : str
        The dataset in it.
    sig_dims : int
        How many of the last axes of the array make a frame.
    sig : tuple of int
        Shape of the frames as they are handed out.
    """

    def __init__(self, path: Path, name: str, sig_dims: int, sig: tuple[int, ...]) -> None:
        self._where = f"{path}:{name}"
        self._sig_dims = sig_dims
        self._sig = sig
        self._lock = threading.Lock()
        self._file: h5py.File | None = h5py.File(path, "r")
        self._dataset: h5py.Dataset = self._file[name]

    def read(self, start: int, stop: int, scratch: Scratch) -> Array:
        """Read the frames into the scratch."""
        with self._lock:
            if self._file is None:
                raise ValueError("read from a source that is closed")
            shape = self._dataset.shape
            nav, sig = shape[: -self._sig_dims], shape[-self._sig_dims :]
            dtype = self._dataset.dtype.newbyteorder("=")
            out = scratch.array((stop - start, math.prod(sig)), dtype)
            for box in boxes(start, stop, nav):
                target = out[box.first - start : box.first - start + box.size]
                try:
                    self._dataset.read_direct(target.reshape(*box.shape, *sig), box.slices)
                except (OSError, RuntimeError) as error:
                    raise DataSetException(
                        f"{self._where} cannot be read at frames {start} to {stop} ({error})"
                    ) from error
        return out.reshape(stop - start, *self._sig)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None
                self._dataset = None
