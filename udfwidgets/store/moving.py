"""A virtual detector that moves: of a store, only the pixels that have changed are looked at."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from udfwidgets.buffers import Array, BoolArray
from udfwidgets.store.adding import sum_integers, weigh_floats, weigh_integers
from udfwidgets.store.planes import Planes, Positions
from udfwidgets.udf.compiled.words import finished

# What sums of floats may be away from those that are made at once, in parts of them. Beyond it they
# are made anew.
TOLERANCE = 1e-11
_NONE = np.zeros(0, np.int64)
_EPSILON = float(np.finfo(np.float64).eps)


class Change(NamedTuple):
    """Pixels to add up, and their weights."""

    pixels: Positions
    weights: Array


class Sums:
    """Sums over the pixels of one mask at all positions, which follow the mask.

    Parameters
    ----------
    planes : Planes
        Of which.
    weights : numpy.ndarray
        The first mask, flat: booleans are added up exactly, where the data are integers.
    only : (positions,) bool array, optional
        Where sums are wanted: chunks without any of these are left out, and not valid.

    Attributes
    ----------
    valid : (positions,) bool array
        Which positions were in when they were made.
    """

    def __init__(self, planes: Planes, weights: Array, only: BoolArray | None = None) -> None:
        self._planes = planes
        self._wanted = None if only is None else planes.beside(only)
        self.kind = _kind_of(planes, weights)
        self._weights = np.zeros(0, weights.dtype)
        n_chunks, _, width = planes.low.shape
        if self.is_exact:
            self._total = np.zeros((planes.n_words, n_chunks, width), np.int64)
        else:
            self._total = np.zeros((n_chunks, width), self.kind)
        # By how much a sum may be wrong that was reached by adding and taking away.
        self._slack = np.zeros((n_chunks, width))
        self._filled = np.full(n_chunks, -1)
        self.move(weights)

    @property
    def is_exact(self) -> bool:
        """Whether sums are of integers."""
        return bool(self.kind.kind in "iu")

    def suits(self, planes: Planes, weights: Array) -> bool:
        """Whether it can follow to this mask."""
        return planes is self._planes and _kind_of(planes, weights) == self.kind

    def move(self, weights: Array) -> None:
        """Follow the mask."""
        # Of now, here and in the result: what comes in meanwhile may be summed up in part.
        self.valid = self._planes.valid.copy()
        if self._wanted is not None:
            self.valid &= self._wanted
        filled = self._planes.filled(self.valid)
        stale = filled != self._filled
        self._filled = filled
        before, self._weights = self._weights, weights
        if not len(before):
            self._add_up(np.flatnonzero(filled))
            return
        changed = np.flatnonzero(before != weights)
        n_pixels = np.count_nonzero(weights)
        if 2 * len(changed) > n_pixels + np.count_nonzero(weights[changed]):
            stale[:] = True  # all of it is less than the difference
        moving = np.flatnonzero(~stale & (filled > 0))
        if len(changed) and len(moving):
            self._follow(moving, changed, before)
        # Chunks that have more positions than before.
        self._add_up(np.flatnonzero(stale & (filled > 0)))

    def _follow(self, chunks: Positions, changed: Positions, before: Array) -> None:
        gone, new = _some(changed, before), _some(changed, self._weights)
        if self.is_exact:
            self._add(chunks, new.pixels, gone.pixels)
            return
        size = np.zeros_like(self._slack)
        self._weigh(chunks, gone, size, -1)
        self._weigh(chunks, new, size)
        there = self._total[chunks]
        self._slack[chunks] += _EPSILON * (len(changed) * size[chunks] + np.abs(there))
        # Also where it is NaN: one that was infinite does not come back by subtraction.
        fine = self._slack[chunks] <= TOLERANCE * np.abs(there)
        self._add_up(chunks[~fine.all(axis=1)])

    def _add_up(self, chunks: Positions) -> None:
        """Make the sums anew."""
        if not len(chunks):
            return
        all_of_it = _some(np.flatnonzero(self._weights), self._weights)
        self._total[..., chunks, :] = 0
        if self.is_exact:
            self._add(chunks, all_of_it.pixels, _NONE)
            return
        self._slack[chunks] = 0
        self._weigh(chunks, all_of_it, np.zeros_like(self._slack))

    def _add(self, chunks: Positions, new: Positions, gone: Positions) -> None:
        planes = self._planes
        sum_integers(
            planes.low, planes.high, planes.needs, planes.is_signed, chunks, new, gone, self._total
        )

    def _weigh(self, chunks: Positions, change: Change, size: Array, sign: int = 1) -> None:
        planes = self._planes
        if not len(change.pixels):
            return
        weights = sign * change.weights.astype(self.kind)
        rest = chunks, change.pixels, weights, self._total, size
        if planes.in_bytes:
            weigh_integers(planes.low, planes.high, planes.needs, planes.is_signed, *rest)
        else:
            weigh_floats(planes.low, *rest)

    def result(self) -> Array:
        """Return the sums, flat; zero where no frame is in.

        Raises
        ------
        OverflowError
            If the data are integers of 64 bits, and a sum is not.
        """
        valid, n = self.valid, len(self.valid)
        sums = self._total.reshape(*self._total.shape[:-2], -1)[..., :n]
        if not self.is_exact:
            return np.where(valid, sums, 0)
        if len(sums) == 1:
            return np.where(valid, sums[0], 0).astype(self.kind, copy=False)
        low, high = sums
        words = np.where(valid[:, np.newaxis], np.stack([high, low], axis=1), 0)
        return finished(words, self._planes.dtype, self.kind)


def _kind_of(planes: Planes, weights: Array) -> np.dtype[Any]:
    """Return the dtype of sums."""
    kind = planes.dtype.kind
    if weights.dtype.kind == "b" and kind in "bui":
        return np.dtype(np.int64 if kind == "i" else np.uint64)
    is_complex = "c" in (kind, weights.dtype.kind)
    return np.dtype(np.complex128 if is_complex else np.float64)


def _some(pixels: Positions, weights: Array) -> Change:
    """Return those of some pixels that have a weight."""
    there = pixels[weights[pixels] != 0]
    return Change(there, weights[there])


class Asked(Protocol):
    """A store, as far as detectors on it look."""

    def asked(self, mask: npt.ArrayLike) -> tuple[Planes, Array]:
        """Return the memory, and a mask in its pixels."""

    def as_image(self, sums: Array) -> Array:
        """Return flat sums in nav shape."""


class Moving:
    """A virtual detector on a store, which is moved.

    Made by `PixelStore.moving`. It may be asked by several threads; one waits for the other.

    Parameters
    ----------
    store : PixelStore
        Which is asked.
    only : numpy.ndarray of bool, optional
        Of nav shape: positions that are looked at. Others are answered where that costs nothing.

    Attributes
    ----------
    valid : numpy.ndarray of bool
        Which positions the last answer has, of nav shape.
    """

    def __init__(self, store: Asked, only: BoolArray | None = None) -> None:
        self.valid: BoolArray = np.zeros(0, bool)
        self._only = None if only is None else only.reshape(-1)
        self._store = store
        self._lock = threading.Lock()
        self._sums: Sums | None = None

    def moved(self, mask: npt.ArrayLike) -> Array:
        """Return the image of the detector where it is now.

        Parameters
        ----------
        mask : array_like
            As for `PixelStore.image`.
        """
        planes, weights = self._store.asked(mask)
        with self._lock:
            sums = self._sums
            if sums is None or not sums.suits(planes, weights):
                self._sums = sums = Sums(planes, weights, self._only)
            else:
                sums.move(weights)
            self.valid = self._store.as_image(sums.valid)
            return self._store.as_image(sums.result())
