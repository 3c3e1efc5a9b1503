"""What one writes with h5py: a loop that reads a row of the scan at a time."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np

from benchmarks.workers.base import Contender


class H5pyContender(Contender):
    """Reads rows of the scan, which are whole chunks, and adds them up with NumPy."""

    works = ("sums",)
    formats = ("hdf5",)

    def load(self, scan: dict[str, Any]) -> None:
        self.stored = h5py.File(scan["path"], "r")[scan["ds_path"]]

    def sums(self) -> list[Any]:
        nav, sig = self.stored.shape[:2], self.stored.shape[2:]
        total, of_frames = np.zeros(sig, np.uint64), np.empty(nav, np.uint64)
        for y in range(nav[0]):
            row = self.stored[y]
            total += row.sum(axis=0, dtype=np.uint32)
            of_frames[y] = row.reshape(len(row), -1).sum(axis=1, dtype=np.uint32)
        return [total, of_frames]
