"""Masks in the form in which compiled loops apply them: as the runs of pixels that they weight."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from udfwidgets.buffers import Array
from udfwidgets.compiling import compiled
from udfwidgets.masks import is_scipy_sparse
from udfwidgets.udf.compiled.kernels import ANY_ORDER

# Pixels of weight 0 that are rather multiplied than gone around: a new run costs about as much.
GAP = 16
# Masks that cover more than this of the frame, if there are several, are taken two at a time.
FILLED = 0.5
# Pixels of a few frames and masks that fit into the first-level cache together.
BLOCK = 256
# Longer runs are cut: of so many pixels of 16 bits the sum stays below 2**31.
LONGEST = 1 << 15
# A sum beyond it, or NaN, is made once more without the pixels of weight 0: 0 times infinity is
# NaN. It is asked for by comparison: where sums may be taken in any order, x - x == 0 always holds.
LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True, eq=False)
class Detector:
    """Several masks, to be multiplied with frames and added up over the pixels.

    Products are added up in 64-bit floating point, which is exact for integer data and masks of
    integers up to 2**53. What a mask leaves out has no part in its sum, be it NaN or infinite. Many
    dense masks with weights in 32 bits are multiplied with short pieces of a frame in 32 bits,
    which is twice as fast, where that is exact as well, or where weights are fractions, of which
    products are rounded anyway.

    Parameters
    ----------
    runs : (runs, 5) int64 array
        Mask, first pixel, last pixel (exclusive), where its weights begin, and whether all of
        them are 1.
    weights : (n,) float64 or complex128 array
        The weights of all runs, one after the other.
    matrix : (masks, pixels) array or None
        All of the weights, with an even number of masks, if there are few zeros among them; in
        float32 where that will do.
    """

    runs: npt.NDArray[np.int64]
    weights: Array
    matrix: Array | None

    @classmethod
    def of(cls, masks: Any, dtype: npt.DTypeLike, frames: npt.DTypeLike) -> Detector:
        """Return the detector of masks, for frames of a dtype.

        Parameters
        ----------
        masks : (masks, pixels) array
            Dense or sparse.
        dtype : dtype
            To add up in: float64 or complex128.
        frames : dtype
            Of the pixels that come.
        """
        count, n_pixels = masks.shape
        if is_scipy_sparse(masks):
            stored = masks.tocsr().tocoo()
            rows, columns, values = stored.row, stored.col, stored.data.astype(dtype)
        else:
            rows, columns = masks.nonzero()
            values = masks[rows, columns].astype(dtype)
        order = np.lexsort((columns, rows))
        runs, weights = _runs(rows[order], columns[order], values[order])
        matrix = None
        if count > 2 and len(rows) > FILLED * count * n_pixels:
            matrix = np.zeros((count + count % 2, n_pixels), dtype)
            matrix[rows, columns] = values
            if masks.dtype == np.float32 and _will_do_in_32_bits(matrix, np.dtype(frames)):
                matrix = matrix.astype(np.float32)
        return cls(runs, weights, matrix)

    @cached_property
    def key(self) -> object:
        """Equal for detectors with the same masks."""
        # Compared for each partition with those of other runs: short, and made once.
        digest = hashlib.blake2b(self.runs.tobytes())
        digest.update(self.weights.tobytes())
        # Those that are multiplied in 32 bits make something else.
        digest.update(str(None if self.matrix is None else self.matrix.dtype).encode())
        return digest.digest()

    def add(self, frames: Array, out: Array) -> None:
        """Add the product of each frame (frames, pixels) with each mask to out (frames, masks)."""
        n_pixels = frames.shape[1]
        if self.matrix is not None and len(frames) >= 4:
            add_matrix(frames, 0, n_pixels, self.matrix, out)
        else:
            narrow = np.zeros(1, narrow_dtype(frames.dtype, out.dtype))
            add_runs(frames, 0, n_pixels, self.runs, self.weights, narrow, out)


def narrow_dtype(frames: np.dtype[Any], wide: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype in which pixels of weight 1 are added up, at most `LONGEST` of them."""
    # Twice as many fit into a register as of 64 bits, and nothing is converted and multiplied.
    return np.dtype(np.int32) if frames.kind in "bui" and frames.itemsize <= 2 else wide


def _will_do_in_32_bits(matrix: Array, frames: np.dtype[Any]) -> bool:
    """Whether blocks of frames can be multiplied with weights in float32.

    Sums of whole numbers have to be exact, so they must stay below 2**24, for the largest pixels.
    """
    if not np.can_cast(frames, np.float32):
        return False
    if frames.kind == "f":
        return True
    # Masks with fractions may be rounded; those of whole numbers promise exact sums.
    whole = matrix[(matrix % 1 == 0).all(axis=1)]
    largest = 1 if frames.kind == "b" else max(np.iinfo(frames).max, -int(np.iinfo(frames).min))
    return bool(BLOCK * largest * np.abs(whole).max(initial=0) <= 1 << 24)


def _runs(rows: Array, columns: Array, values: Array) -> tuple[npt.NDArray[np.int64], Array]:
    """Return runs and weights of the pixels that are not zero, sorted by mask and pixel."""
    new = np.ones(len(rows), bool)
    new[1:] = (np.diff(rows) != 0) | (np.diff(columns) > GAP)
    new[1:] |= np.diff(columns // LONGEST) != 0
    first = np.flatnonzero(new)
    last = np.append(first, len(rows))[1:] - 1
    begin, end = columns[first], columns[last] + 1
    offsets = np.cumsum(end - begin) - (end - begin)
    weights = np.zeros(int(np.sum(end - begin)), values.dtype)
    run = np.cumsum(new) - 1
    weights[offsets[run] + columns - begin[run]] = values
    is_one = np.logical_and.reduceat(weights == 1, offsets)
    return np.stack([rows[first], begin, end, offsets, is_one], axis=1).astype(np.int64), weights


@compiled()
def _without_zeros(pixels: Array, weights: Array, zero: Any) -> Any:
    """Return the sum of weighted pixels in the type of `zero`, without those of weight 0."""
    total = zero
    for i in range(pixels.shape[0]):
        if weights[i] != 0:
            total += (zero + pixels[i]) * weights[i]
    return total


@compiled(fastmath=ANY_ORDER)
def add_runs(
    tile: Array, first: int, n_pixels: int, runs: Array, weights: Array, narrow: Array, out: Array
) -> None:
    """Add the products of each frame with each mask to `out`, run by run.

    Parameters
    ----------
    tile : (frames, pixels) array
        In any dtype that casts to that of the weights.
    first, n_pixels : int
        Which pixels of a frame they are.
    runs, weights : array
        See `Detector`.
    narrow : array
        Only its dtype is used, that of `narrow_dtype`: pixels of weight 1 are added up in it.
    out : (frames, masks) array
        In the dtype of the weights.
    """
    n_frames = tile.shape[0]
    wide, small = weights.dtype.type, narrow.dtype.type
    last, frame = first + n_pixels, 0
    # Four frames at a time: one load of the weights for four of the data.
    while frame + 4 <= n_frames:
        for run in range(runs.shape[0]):
            mask, begin, end, offset, is_one = runs[run]
            if end <= first or begin >= last:
                continue
            if begin < first:
                begin, offset = first, offset + first - begin
            begin, end = begin - first, min(end, last) - first
            a, b = tile[frame, begin:end], tile[frame + 1, begin:end]
            c, d = tile[frame + 2, begin:end], tile[frame + 3, begin:end]
            if is_one:
                of_a, of_b, of_c, of_d = small(0), small(0), small(0), small(0)
                for i in range(end - begin):
                    of_a, of_b = small(of_a + small(a[i])), small(of_b + small(b[i]))
                    of_c, of_d = small(of_c + small(c[i])), small(of_d + small(d[i]))
                out[frame, mask] += wide(of_a)
                out[frame + 1, mask] += wide(of_b)
                out[frame + 2, mask] += wide(of_c)
                out[frame + 3, mask] += wide(of_d)
                continue
            w = weights[offset : offset + end - begin]
            in_a, in_b, in_c, in_d = wide(0), wide(0), wide(0), wide(0)
            for i in range(end - begin):
                in_a += wide(a[i]) * w[i]
                in_b += wide(b[i]) * w[i]
                in_c += wide(c[i]) * w[i]
                in_d += wide(d[i]) * w[i]
            if not abs(in_a + in_b + in_c + in_d) <= LARGEST:
                in_a, in_b = _without_zeros(a, w, wide(0)), _without_zeros(b, w, wide(0))
                in_c, in_d = _without_zeros(c, w, wide(0)), _without_zeros(d, w, wide(0))
            out[frame, mask] += in_a
            out[frame + 1, mask] += in_b
            out[frame + 2, mask] += in_c
            out[frame + 3, mask] += in_d
        frame += 4
    while frame < n_frames:
        for run in range(runs.shape[0]):
            mask, begin, end, offset, _ = runs[run]
            if end <= first or begin >= last:
                continue
            if begin < first:
                begin, offset = first, offset + first - begin
            begin, end = begin - first, min(end, last) - first
            a, w = tile[frame, begin:end], weights[offset : offset + end - begin]
            in_a = wide(0)
            for i in range(end - begin):
                in_a += wide(a[i]) * w[i]
            if not abs(in_a) <= LARGEST:
                in_a = _without_zeros(a, w, wide(0))
            out[frame, mask] += in_a
        frame += 1


@compiled(fastmath=ANY_ORDER)
def add_matrix(tile: Array, first: int, n_pixels: int, masks: Array, out: Array) -> None:
    """Add the products of each frame with each mask to `out`: a small matrix product.

    A few frames are converted at a time, into the first-level cache, and multiplied with two masks
    at a time, so that a number is used several times once it is in a register.

    Parameters
    ----------
    tile : (frames, pixels) array
        In any dtype that casts to that of the masks.
    first, n_pixels : int
        Which pixels of a frame they are.
    masks : (masks, pixels) array
        An even number, one more than there are columns in `out` if that is odd. Blocks of pixels
        are added up in their dtype.
    out : (frames, masks) array
        In the dtype of the masks, or a wider one.
    """
    n_frames = tile.shape[0]
    wide, widest = masks.dtype.type, out.dtype.type
    block = np.zeros((4, BLOCK), masks.dtype)
    a, b, c, d = block[0], block[1], block[2], block[3]
    for begin in range(0, n_pixels, BLOCK):
        size, place = min(BLOCK, n_pixels - begin), first + begin
        for frame in range(0, n_frames, 4):
            count = min(4, n_frames - frame)
            for k in range(count):
                pixels, converted = tile[frame + k, begin : begin + size], block[k]
                for i in range(size):
                    converted[i] = wide(pixels[i])
            for mask in range(0, masks.shape[0], 2):
                u, v = masks[mask, place : place + size], masks[mask + 1, place : place + size]
                au, bu, cu, du = wide(0), wide(0), wide(0), wide(0)
                av, bv, cv, dv = wide(0), wide(0), wide(0), wide(0)
                for i in range(size):
                    au += a[i] * u[i]
                    bu += b[i] * u[i]
                    cu += c[i] * u[i]
                    du += d[i] * u[i]
                    av += a[i] * v[i]
                    bv += b[i] * v[i]
                    cv += c[i] * v[i]
                    dv += d[i] * v[i]
                for k in range(count):
                    # Within a block sums may be in 32 bits; from block to block they are added up
                    # in 64.
                    in_u, in_v = widest((au, bu, cu, du)[k]), widest((av, bv, cv, dv)[k])
                    if not abs(in_u) + abs(in_v) <= LARGEST:
                        pixels = tile[frame + k, begin : begin + size]
                        in_u = _without_zeros(pixels, u, widest(0))
                        in_v = _without_zeros(pixels, v, widest(0))
                    out[frame + k, mask] += in_u
                    if mask + 1 < out.shape[1]:
                        out[frame + k, mask + 1] += in_v
