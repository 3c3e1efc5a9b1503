"""Detector corrections: dark frame, gain map, and dead pixels patched from their neighbours."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from udfwidgets.compiling import compiled
from udfwidgets.io.scratch import Array, Scratch
from udfwidgets.masked import without_mask
from udfwidgets.shapes import Shape
from udfwidgets.told.names import Listed

Indices = npt.NDArray[np.int64]

#: Has modules of names below it, as a package has.
__path__: list[str] = []


class CorrectionSet(Listed):
    """What is wrong with a detector, to be put right while the data pass.

    A frame becomes ``(frame - dark) * gain``; then each excluded pixel becomes the mean of those
    of its neighbours, diagonal ones included, that are not excluded themselves.

    Parameters
    ----------
    dark : array_like, optional
        Counts without beam, of sig shape; subtracted first.
    gain : array_like, optional
        Factors, of sig shape.
    excluded_pixels : array_like or sparse array, optional
        Of sig shape, non-zero where a pixel is dead or hot: an array, or a SciPy or pydata
        sparse one.
    allow_empty : bool
        Leave a pixel as it is that has no good neighbour, instead of refusing it.

    Raises
    ------
    ValueError
        If the arrays are not of one shape, an excluded pixel has no good neighbour, or an array has
        masked values.
    """

    def __init__(
        self,
        dark: npt.ArrayLike | None = None,
        gain: npt.ArrayLike | None = None,
        excluded_pixels: Any = None,
        allow_empty: bool = False,
    ) -> None:
        self._dark = None if dark is None else np.array(_unmasked(dark, "the dark frame"))
        self._gain = None if gain is None else np.array(_unmasked(gain, "the gain map"))
        self._excluded = _as_mask(excluded_pixels)
        self._allow_empty = allow_empty
        arrays = [a for a in (self._dark, self._gain, self._excluded) if a is not None]
        if len({array.shape for array in arrays}) > 1:
            shapes = ", ".join(str(array.shape) for array in arrays)
            raise ValueError(f"corrections have the shapes {shapes}: all need the sig shape")
        if self._excluded is not None and not allow_empty:
            pixels, _, counts = _neighbours(self._excluded)
            lonely = pixels[counts == 0]
            if lonely.size:
                where = np.unravel_index(lonely[0], self._excluded.shape)
                raise ValueError(
                    f"the excluded pixel {tuple(map(int, where))} has no neighbour that is not "
                    "excluded: pass allow_empty=True to leave such pixels as they are"
                )

    _unlisted = ("resolve",)

    def __repr__(self) -> str:
        told = ["dark frame"] * (self._dark is not None) + ["gain map"] * (self._gain is not None)
        if self._excluded is not None:
            told.append(f"{np.count_nonzero(self._excluded)} excluded pixels")
        return f"<CorrectionSet: {', '.join(told) or 'nothing to correct'}>"

    def get_dark_frame(self) -> Array | None:
        """Return the dark frame."""
        return self._dark

    def get_gain_map(self) -> Array | None:
        """Return the gain map."""
        return self._gain

    def get_excluded_pixels(self) -> npt.NDArray[np.bool_] | None:
        """Return the excluded pixels as a bool array of sig shape."""
        return self._excluded

    def have_corrections(self) -> bool:
        """Return whether there is anything to correct."""
        return any(a is not None for a in (self._dark, self._gain, self._excluded))

    def resolve(self, sig: Shape, dtype: np.dtype[Any]) -> Corrector:
        """Return what applies the corrections to data of a dtype.

        Raises
        ------
        ValueError
            If the corrections are not of sig shape; both are named.
        """
        for array in (self._dark, self._gain, self._excluded):
            if array is not None and array.shape != sig.axes:
                raise ValueError(
                    f"corrections have the shape {array.shape}, the frames have sig shape "
                    f"{sig.axes}: they need to be equal"
                )
        excluded = np.zeros(sig.axes, bool) if self._excluded is None else self._excluded
        pixels, near, counts = _neighbours(excluded)
        has_some = counts > 0
        patches = pixels[has_some], near[has_some], counts[has_some]
        return Corrector(self._dark, self._gain, patches, sig, dtype)


class Corrector:
    """Applies corrections to tiles of one dtype and shape.

    Parameters
    ----------
    dark, gain : numpy.ndarray or None
        Of sig shape.
    patches : tuple of numpy.ndarray
        Pixels to patch, for each those it is patched from, and how many of these count; all are
        numbered in the flat frame.
    sig : Shape
        Detector axes.
    dtype : numpy.dtype
        Of the data as they are read.

    Attributes
    ----------
    dtype : numpy.dtype
        Of the corrected data: floating point, 32 bits for small integers.
    """

    def __init__(
        self,
        dark: Array | None,
        gain: Array | None,
        patches: tuple[Indices, Indices, Indices],
        sig: Shape,
        dtype: np.dtype[Any],
    ) -> None:
        self.dtype = np.result_type(np.float32, dtype)
        zeros, ones = np.zeros(sig.size, self.dtype), np.ones(sig.size, self.dtype)
        self._dark = zeros if dark is None else dark.reshape(-1).astype(self.dtype)
        self._gain = ones if gain is None else gain.reshape(-1).astype(self.dtype)
        # Nothing is multiplied by ones.
        self._factors = self._gain[: 0 if gain is None else None]
        self._pixels, self._near, self._counts = patches

    def apply(self, tile: Array, scratch: Scratch) -> Array:
        """Return a corrected copy of a tile (frames, *sig) in the worker's scratch memory."""
        corrected = scratch.array(tile.shape, self.dtype, slot="corrected")
        flat = corrected.reshape(len(tile), -1)
        if tile.dtype.kind in "ui" and tile.dtype.isnative:
            _put_right(tile.reshape(flat.shape), self._dark, self._factors, flat)
        else:
            np.subtract(tile.reshape(flat.shape), self._dark, out=flat, casting="unsafe")
            np.multiply(flat, self._gain, out=flat)
        if self._pixels.size:
            patch = _patch_long if self.dtype in _LONG else _patch
            patch(flat, self._pixels, self._near, self._counts)
        return corrected


# Compiled code does not know them.
_LONG = {np.dtype(np.longdouble), np.dtype(np.clongdouble)} - {
    np.dtype(np.float64),
    np.dtype(np.complex128),
}


def _patch_long(frames: Array, pixels: Indices, near: Indices, counts: Indices) -> None:
    """Do what `_patch` does, pixel by pixel."""
    for pixel, others, count in zip(pixels, near, counts, strict=True):
        frames[:, pixel] = frames[:, others[:count]].sum(axis=1) / count


def correct(
    buffer: Array,
    dark_image: npt.ArrayLike | None = None,
    gain_map: npt.ArrayLike | None = None,
    excluded_pixels: Any = None,
    repair_descriptor: None = None,
    inplace: bool = False,
    sig_shape: tuple[int, ...] | None = None,
    allow_empty: bool = False,
) -> Array:
    """Return frames corrected as `CorrectionSet` would.

    Parameters
    ----------
    buffer : numpy.ndarray
        Frames, of shape (nav axes, sig axes).
    dark_image, gain_map : array_like, optional
        As for `CorrectionSet`.
    excluded_pixels : array_like of int, optional
        Places of pixels to patch, of shape (sig axes, pixels).
    repair_descriptor : None
        Taken from code written for LiberTEM; pass `excluded_pixels`.
    inplace : bool
        Write the result into `buffer`, and return that.
    sig_shape : tuple of int, optional
        Needed if there is neither dark image nor gain map.
    allow_empty : bool
        As for `CorrectionSet`.

    Raises
    ------
    ValueError
        If the shape of a frame is not known, or a `repair_descriptor` is given.
    """
    given = next((np.shape(a) for a in (dark_image, gain_map) if a is not None), sig_shape)
    if given is None or repair_descriptor is not None:
        raise ValueError(
            "correct() needs dark_image=, gain_map= or sig_shape= to know a frame, and takes "
            "excluded_pixels= instead of a repair_descriptor="
        )
    sig = Shape(given, len(given))
    mask = None
    if excluded_pixels is not None:
        mask = np.zeros(sig.axes, bool)
        mask[tuple(np.asarray(excluded_pixels))] = True
    corrector = CorrectionSet(dark_image, gain_map, mask, allow_empty).resolve(sig, buffer.dtype)
    frames = corrector.apply(buffer.reshape(-1, *sig), Scratch()).reshape(buffer.shape)
    if not inplace:
        return frames
    np.copyto(buffer, frames, casting="unsafe")
    return buffer


# NumPy brings integers and floats together in small pieces: 1.3 GB/s.
@compiled()
def _put_right(frames: Array, dark: Array, factors: Array, out: Array) -> None:
    """Subtract the dark frame, and multiply by the factors, if there are any."""
    wide, n_pixels = out.dtype.type, dark.shape[0]
    for number in range(frames.shape[0]):
        frame, corrected = frames[number], out[number]
        if factors.shape[0]:
            for i in range(n_pixels):
                corrected[i] = wide(wide(frame[i]) - dark[i]) * factors[i]
        else:
            for i in range(n_pixels):
                corrected[i] = wide(frame[i]) - dark[i]


@compiled()
def _patch(frames: Array, pixels: Indices, near: Indices, counts: Indices) -> None:
    """Replace pixels of each frame by the mean of others; `near` has `counts` entries a row."""
    for frame in range(frames.shape[0]):
        for number in range(pixels.shape[0]):
            total = frames[frame, near[number, 0]]
            for other in range(1, counts[number]):
                total += frames[frame, near[number, other]]
            frames[frame, pixels[number]] = total / counts[number]


def _unmasked(array: Any, what: str) -> Any:
    instead = "fill it, and pass excluded_pixels=array.mask to patch what is masked"
    return without_mask(array, what, instead)


def _as_mask(pixels: Any) -> npt.NDArray[np.bool_] | None:
    if pixels is None:
        return None
    pixels = _unmasked(pixels, "the array of excluded pixels")
    mask: npt.NDArray[np.bool_] = np.asarray(
        pixels.todense() if hasattr(pixels, "todense") else pixels
    ).astype(bool)
    return mask


def _neighbours(excluded: npt.NDArray[np.bool_]) -> tuple[Indices, Indices, Indices]:
    """Return the excluded pixels, numbered in the flat frame, and for each its good neighbours.

    These are in a row for each, of which so many count as the last array says.
    """
    places = np.argwhere(excluded)
    steps = [step for step in product((-1, 0, 1), repeat=excluded.ndim) if any(step)]
    near = np.zeros((len(places), len(steps)), np.int64)
    is_good = np.zeros(near.shape, bool)
    for column, step in enumerate(steps):
        around = places + step
        is_inside = ((around >= 0) & (around < excluded.shape)).all(axis=1)
        near[:, column] = np.ravel_multi_index(tuple(around.T), excluded.shape, mode="clip")
        is_good[:, column] = is_inside & ~excluded.reshape(-1)[near[:, column]]
    first = np.argsort(~is_good, axis=1, kind="stable")
    return (
        np.flatnonzero(excluded),
        np.take_along_axis(near, first, axis=1),
        np.count_nonzero(is_good, axis=1),
    )
