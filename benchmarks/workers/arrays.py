"""NumPy over tiles of the size of a cache, on all processors."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from benchmarks import detectors
from benchmarks.workers.base import Contender

THREADS = max(2, len(os.sched_getaffinity(0)))


def mapped(scan: dict[str, Any]) -> Any:
    """Return the frames of a raw file, or of a contiguous HDF5 dataset, as a memory map."""
    offset = 0
    if scan["format"] == "hdf5":
        import h5py  # noqa: PLC0415 - only some contenders have it

        with h5py.File(scan["path"], "r") as file:
            offset = file[scan["ds_path"]].id.get_offset()
    shape = (*scan["nav_shape"], *scan["sig_shape"])
    # A view as a plain array: indexing a memmap costs as much as the maximum of a frame.
    return np.memmap(scan["path"], scan["dtype"], "r", offset, shape).view(np.ndarray)


class ThreadedContender(Contender):
    """Shares frames out to one thread per processor; the file stays open between runs."""

    def start(self) -> dict[str, float]:
        self.pool = ThreadPoolExecutor(THREADS)
        return super().start()

    def load(self, scan: dict[str, Any]) -> None:
        self.nav_shape, self.sig_shape = tuple(scan["nav_shape"]), tuple(scan["sig_shape"])
        self.frames = mapped(scan).reshape(-1, *self.sig_shape)
        self.flat = self.frames.reshape(len(self.frames), -1)

    def parts(self, function: Callable[[int, int], Any], n_items: int) -> list[Any]:
        """Call a function with the bounds of each thread's share, in the threads."""
        bounds = np.linspace(0, n_items, THREADS + 1, dtype=int)
        return list(self.pool.map(function, bounds[:-1], bounds[1:]))

    def per_frame(self, dtype: Any, *extra: int) -> Any:
        """Return an empty result of one value, or several, per frame."""
        return np.empty((len(self.frames), *extra), dtype)

    def as_nav(self, result: Any) -> Any:
        return result.reshape(*self.nav_shape, *result.shape[1:])

    def as_sig(self, result: Any) -> Any:
        return result.reshape(self.sig_shape)

    def stop(self) -> None:
        self.pool.shutdown()


class NumPyContender(ThreadedContender):
    """What one writes with NumPy when one knows about caches: tiles of 64 frames."""

    works = ("sums", "mask", "masks8", "stddev", "com")
    depth = 64

    def _tiles(self, function: Callable[[slice, Any], Any]) -> list[list[Any]]:
        """Call a function with each tile; return, for each thread, what it gave."""

        def part(start: int, stop: int) -> list[Any]:
            bounds = [slice(i, min(i + self.depth, stop)) for i in range(start, stop, self.depth)]
            return [function(where, self.flat[where]) for where in bounds]

        return self.parts(part, len(self.frames))

    def sums(self) -> list[Any]:
        of_frames = self.per_frame(np.uint64)

        def part(start: int, stop: int) -> Any:
            total = np.zeros(self.flat.shape[1], np.uint64)
            for i in range(start, stop, self.depth):
                where = slice(i, min(i + self.depth, stop))
                # A whole scan fits uint64, a tile fits uint32, which NumPy adds faster.
                total += self.flat[where].sum(axis=0, dtype=np.uint32)
                of_frames[where] = self.flat[where].sum(axis=1, dtype=np.uint32)
            return total

        total = sum(self.parts(part, len(self.frames)))
        return [self.as_sig(total), self.as_nav(of_frames)]

    def _weighted(self, weights: Any) -> Any:
        matrix = weights.reshape(len(weights), -1).T
        found = self.per_frame(np.float32, len(weights))

        def product(where: slice, tile: Any) -> None:
            np.matmul(tile.astype(np.float32), matrix, out=found[where])

        self._tiles(product)
        return self.as_nav(found)

    def mask(self) -> list[Any]:
        return [self._weighted(detectors.ring(self.sig_shape)[None])]

    def masks8(self) -> list[Any]:
        return [self._weighted(detectors.segments(self.sig_shape))]

    def com(self) -> list[Any]:
        found = self._weighted(detectors.moments(self.sig_shape))
        return [found[..., 1:] / found[..., :1]]

    def stddev(self) -> list[Any]:
        n_pixels = self.flat.shape[1]

        def part(start: int, stop: int) -> Any:
            total, squares = np.zeros((2, n_pixels))
            for i in range(start, stop, self.depth):
                tile = self.flat[i : min(i + self.depth, stop)].astype(np.float32)
                total += tile.sum(axis=0)
                squares += np.einsum("fp,fp->p", tile, tile)
            return np.stack([total, squares])

        mean, square = sum(self.parts(part, len(self.frames))) / len(self.frames)
        return [self.as_sig(np.sqrt(square - mean**2))]
