"""Ways to sum the pixels of a mask over an array with NumPy; the strongest one counts."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

# Frames of a tile: what fits into a cache is quicker than all at once.
TILE = 64
THREADS = max(2, len(os.sched_getaffinity(0)))

Way = Callable[[Any, Any], Any]
"""From frames of shape (n, y, x) and a mask to n sums."""


def take(frames: Any, mask: Any) -> Any:
    """Pick the pixels by number."""
    picked = np.take(frames.reshape(len(frames), -1), np.flatnonzero(mask), axis=1)
    return picked.sum(axis=1, dtype=np.uint32)


def boolean(frames: Any, mask: Any) -> Any:
    """Pick them with the mask."""
    return frames[:, mask].sum(axis=1, dtype=np.uint32)


def product(frames: Any, mask: Any) -> Any:
    """Multiply with BLAS: exact, as no sum of these counts is beyond 24 bits."""
    wide = frames.reshape(len(frames), -1).astype(np.float32)
    return wide @ mask.reshape(-1).astype(np.float32)


def box_product(frames: Any, mask: Any) -> Any:
    """Do so within the box around the mask."""
    box = _box(mask)
    return product(np.ascontiguousarray(frames[_ALL + box]), mask[box])


def box_einsum(frames: Any, mask: Any) -> Any:
    """Let einsum multiply within the box, in integers."""
    box = _box(mask)
    return np.einsum(
        "nyx,yx->n", frames[_ALL + box], mask[box].astype(frames.dtype), dtype=np.uint32
    )


def box_take(frames: Any, mask: Any) -> Any:
    """Pick the pixels within the box."""
    box = _box(mask)
    return take(np.ascontiguousarray(frames[_ALL + box]), mask[box])


def rows(frames: Any, mask: Any) -> Any:
    """Add up slices, of which each row of the mask has one or two."""
    total = np.zeros(len(frames), np.uint32)
    for y in np.flatnonzero(mask.any(axis=1)):
        edges = np.flatnonzero(np.diff(mask[y], prepend=False, append=False))
        for begin, end in edges.reshape(-1, 2):
            total += frames[:, y, begin:end].sum(axis=1, dtype=np.uint32)
    return total


def reduceat(frames: Any, mask: Any) -> Any:
    """Add up the slices of a flat frame in one call, and those between them."""
    edges = np.flatnonzero(np.diff(mask.reshape(-1), prepend=False))
    flat = frames.reshape(len(frames), -1)
    return np.add.reduceat(flat, edges, axis=1, dtype=np.uint32)[:, ::2].sum(axis=1)


WAYS: tuple[Way, ...] = (take, boolean, product, box_product, box_einsum, box_take, rows, reduceat)


_ALL = (slice(None),)


def _box(mask: Any) -> tuple[slice, slice]:
    y, x = np.nonzero(mask)
    return slice(y.min(), y.max() + 1), slice(x.min(), x.max() + 1)


class Masking:
    """Sums over an array in memory, tile by tile on all processors.

    Parameters
    ----------
    array : numpy.ndarray
        Of shape (..., y, x).
    """

    def __init__(self, array: Any) -> None:
        self._frames = array.reshape(-1, *array.shape[-2:])
        self._nav = array.shape[:-2]
        self._pool = ThreadPoolExecutor(THREADS)

    def sums(self, way: Way, mask: Any) -> Any:
        """Return the sums, of nav shape."""
        found = np.empty(len(self._frames), np.uint64)

        def part(begin: int, end: int) -> None:
            for at in range(begin, end, TILE):
                tile = slice(at, min(at + TILE, end))
                found[tile] = way(self._frames[tile], mask)

        bounds = np.linspace(0, len(found), THREADS + 1, dtype=int)
        list(self._pool.map(part, bounds[:-1], bounds[1:]))
        return found.reshape(self._nav)

    def strongest(self, masks: Sequence[Any]) -> tuple[str, list[float]]:
        """Return which way is the quickest one for some masks, and its seconds for each."""
        right = self.sums(take, masks[0])
        seconds: dict[str, list[float]] = {}
        for way in WAYS:
            if not np.array_equal(self.sums(way, masks[0]), right):
                continue
            seconds[way.__name__] = [self._seconds(way, mask) for mask in masks]
        name = min(seconds, key=lambda name: float(np.median(seconds[name])))
        return name, seconds[name]

    def _seconds(self, way: Way, mask: Any) -> float:
        begin = time.perf_counter()
        self.sums(way, mask)
        return time.perf_counter() - begin

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()
