"""A dataset that already is an array in memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.folded import FoldedDataSet
from udfwidgets.io.layout.folding import fold, split_axes
from udfwidgets.io.source import Array, Scratch, Source, Stretch
from udfwidgets.masked import without_mask
from udfwidgets.names import further


class MemoryDataSet(FoldedDataSet):
    """A NumPy array, or anything that becomes one, as a dataset.

    Parameters
    ----------
    data : array_like
        Nav axes first. It is not copied, except into native byte order or C order where needed.
    sig_dims : int, default 2
        How many of the last axes belong to the detector.
    nav_shape : tuple of int, optional
        Scan axes to fold the first axes into. Of a scan with fewer frames than the array, the first
        ones are used; of one with more, some are missing.
    sig_shape : tuple of int, optional
        Detector axes to fold the last axes into: those that hold as many pixels. Its length then
        takes the place of `sig_dims`.
    sync_offset : int, default 0
        Frames to skip at the start, or if negative, positions to leave without a frame there.
    flyback : int, default 0
        Frames to drop after each line of the scan.
    snake : bool, default False
        Every other line, from the second one on, was recorded backwards.
    num_partitions, tileshape : object, optional
        Taken from code written for LiberTEM; here partitions and tiles are sized during the run.

    Raises
    ------
    DataSetException
        If the array is not numeric, is empty, or does not fold as asked for.
    ValueError
        If an axis, or `sig_dims`, is less than 1, or some of the values are masked.
    """

    def __init__(
        self,
        data: npt.ArrayLike,
        sig_dims: int = 2,
        *,
        nav_shape: Sequence[int] | None = None,
        sig_shape: Sequence[int] | None = None,
        sync_offset: int = 0,
        flyback: int = 0,
        snake: bool = False,
        num_partitions: int | None = None,
        tileshape: Sequence[int] | None = None,
    ) -> None:
        array = np.asarray(
            without_mask(
                data,
                "data",
                "pass data.filled(...), and leave frames out with a roi, pixels with masks or "
                "corrections",
            )
        )
        if array.dtype.kind not in "buifc":
            raise DataSetException(
                f"data is of dtype {array.dtype}, expected numbers (integer, float or complex)"
            )
        where = "the array passed as data="
        # With a sig_shape, split_axes looks for the axes that it fits, however many they are.
        at_least = sig_dims if sig_shape is None else 1
        nav, sig = split_axes(where, array.shape, at_least, sig_shape)
        n_frames = math.prod(nav)
        folded = fold(
            where,
            n_frames,
            sig,
            nav,
            nav_shape=nav_shape,
            sig_shape=sig_shape,
            sync_offset=sync_offset,
            flyback=flyback,
            snake=snake,
        )
        super().__init__(where, folded, array.dtype)
        native = np.ascontiguousarray(array, dtype=self.dtype)
        self._frames: Array = native.reshape(n_frames, *self.shape.sig)

    @property
    def data(self) -> Array:
        """The array, in full shape; a copy with zeros where frames are missing or moved."""
        with self.open() as source:
            return source.read(0, self.shape.nav.size, Scratch()).reshape(self.shape)

    def open(self) -> Source:
        """Return a source of views; nothing is read and nothing needs closing."""
        return self._placed(ArraySource(self._frames))


class ArraySource(Source):
    """Frames that are views of one array, in memory or memory-mapped.

    Parameters
    ----------
    frames : numpy.ndarray
        Of shape (n_frames, *sig), in native byte order.
    """

    def __init__(self, frames: Array) -> None:
        self._frames: Array | None = frames

    @property
    def stretches(self) -> Sequence[Stretch] | None:
        """The array, until it is closed."""
        frames = self._frames
        return [Stretch(0, frames)] if frames is not None and frames.flags.c_contiguous else None

    def read(self, start: int, stop: int, scratch: Scratch) -> Array:
        """Return a view, without touching the data."""
        if self._frames is None:
            raise ValueError("read from a source that is closed")
        return self._frames[start:stop]

    def close(self) -> None:
        """Drop the reference to the array."""
        self._frames = None


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
