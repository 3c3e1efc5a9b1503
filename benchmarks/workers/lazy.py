"""Peers that describe a calculation first and let Dask do it block by block."""

from __future__ import annotations

import importlib
from typing import Any

import dask
import dask.array as da
import h5py
import numpy as np

from benchmarks import detectors
from benchmarks.workers.base import Contender


def as_dask(scan: dict[str, Any]) -> Any:
    """Return a scan as a Dask array, in blocks of the size that Dask chooses."""
    if scan["format"] == "zarr":
        return da.from_zarr(scan["path"])
    if scan["format"] == "hdf5":
        stored = h5py.File(scan["path"], "r")[scan["ds_path"]]
    else:
        shape = (*scan["nav_shape"], *scan["sig_shape"])
        stored = np.memmap(scan["path"], scan["dtype"], "r", shape=shape)
    return da.from_array(stored, chunks=("auto", "auto", -1, -1))


class DaskContender(Contender):
    """dask.array with its threads."""

    works = ("sums", "mask", "masks8", "stddev", "com")
    formats = ("raw", "hdf5", "zarr")

    def load(self, scan: dict[str, Any]) -> None:
        self.scan = as_dask(scan)
        self.sig_shape = tuple(scan["sig_shape"])

    def sums(self) -> list[Any]:
        return self._do(self.scan.sum(axis=(0, 1)), self.scan.sum(axis=(2, 3)))

    def _weighted(self, weights: Any) -> Any:
        blocks = self.scan.astype(np.float32).reshape(*self.scan.shape[:2], -1)
        return da.matmul(blocks, weights.reshape(len(weights), -1).T)

    def mask(self) -> list[Any]:
        return self._do(self._weighted(detectors.ring(self.sig_shape)[None]))

    def masks8(self) -> list[Any]:
        return self._do(self._weighted(detectors.segments(self.sig_shape)))

    def com(self) -> list[Any]:
        found = self._weighted(detectors.moments(self.sig_shape))
        return self._do(found[..., 1:] / found[..., :1])

    def stddev(self) -> list[Any]:
        return self._do(self.scan.std(axis=(0, 1)))

    def _do(self, *lazy: Any) -> list[Any]:
        return list(dask.compute(*lazy))


class HyperspyContender(Contender):
    """Lazy signals of hyperspy."""

    works = ("sums", "stddev")

    def start(self) -> dict[str, float]:
        self.signals = importlib.import_module("hyperspy.api").signals
        return super().start()

    def load(self, scan: dict[str, Any]) -> None:
        self.signal = self.signals.Signal2D(as_dask(scan)).as_lazy()
        axes = self.signal.axes_manager
        self.nav, self.sig = axes.navigation_axes, axes.signal_axes

    def sums(self) -> list[Any]:
        both = self.signal.sum(axis=self.nav), self.signal.sum(axis=self.sig)
        return list(dask.compute(*[lazy.data for lazy in both]))

    def stddev(self) -> list[Any]:
        return list(dask.compute(self.signal.std(axis=self.nav).data))
