"""Reads Zarr arrays through the package zarr, where its codecs are not known here."""

from __future__ import annotations

import math
import threading

import numpy as np

from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.zarr.package import Package
from udfwidgets.io.layout.boxes import boxes
from udfwidgets.io.source import Array, Scratch, Source


class PackageSource(Source):
    """Frames of an array of any kind, slower than by our own decoders.

    Parameters
    ----------
    package : Package
        With the array; closed with this.
    sig_dims : int
        How many of its last axes make a frame.
    sig : tuple of int
        Shape of the frames as they are handed out.
    """

    def __init__(self, package: Package, sig_dims: int, sig: tuple[int, ...]) -> None:
        self._package: Package | None = package
        self._lock = threading.Lock()
        self._array = package.array
        self._sig_dims = sig_dims
        self._sig = sig

    def read(self, start: int, stop: int, scratch: Scratch) -> Array:
        """Read the frames into the scratch."""
        package = self._package
        if package is None:
            raise ValueError("read from a source that is closed")
        shape, dtype = self._array.shape, np.dtype(self._array.dtype).newbyteorder("=")
        nav, sig = shape[: -self._sig_dims], shape[-self._sig_dims :]
        out = scratch.array((stop - start, math.prod(sig)), dtype)
        for box in boxes(start, stop, nav):
            target = out[box.first - start : box.first - start + box.size]
            found = package.read(box.slices)
            try:
                np.copyto(target.reshape(*box.shape, *sig), found)
            except (TypeError, ValueError) as error:
                raise DataSetException(f"frames {start} to {stop} came as {found!r:.60}") from error
        return out.reshape(stop - start, *self._sig)

    def close(self) -> None:
        """Close the array."""
        with self._lock:
            if self._package is not None:
                self._package.close()
                self._package = None
