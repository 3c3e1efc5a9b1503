"""What a UDF may know about the dataset and the data in hand: `self.meta`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from udfwidgets.buffers import Array, BoolArray
from udfwidgets.shapes import Shape, Slice


@dataclass
class UDFMeta:
    """Facts about the dataset, the partition and the data in hand.

    Attributes
    ----------
    dataset_shape : Shape
        Nav axes, then sig axes.
    dataset_dtype, input_dtype : numpy.dtype
        Of the data on disk, and of the data that the UDF is handed.
    roi : numpy.ndarray of bool or None
        Of nav shape, True where selected.
    tiling_scheme : tuple of Slice
        The parts of the detector that `process_tile` is handed one after the other. While a
        partition is processed it is a `TilingScheme`, which has a `depth` and a `shape`, too.
    tiling_scheme_idx : int
        Which of them is in hand.
    frames : numpy.ndarray of int or None
        Frame numbers selected by the roi, in scan order.
    missing : numpy.ndarray of bool or None
        Scan positions without a frame, of nav shape; None where all have one.
    partition_range : tuple of int
        First and last (exclusive) selected frame of the partition, counted among the selected.
    partition_size : int
        How many frames the partition has: fewer than lie in that range, where a scan is visited
        from coarse to fine.
    device_class : str
        Always 'cpu'.
    array_backend : str
        Always 'numpy'.
    threads_per_worker : int or None
        Threads a UDF may use for itself inside one worker.
    corrections : object or None
        Corrections that are applied to the data before the UDF sees it.
    valid_nav : numpy.ndarray of bool or None
        See `get_valid_nav_mask`.
    in_hand : tuple of int
        First and last (exclusive) frame in hand, counted among the selected.
    rows : numpy.ndarray of int or None
        Which ones, counted in the same way, where they do not follow each other.
    run_key : str
        Shared by all copies of the UDFs of a run, and by those of no other run.
    """

    dataset_shape: Shape
    dataset_dtype: np.dtype[Any]
    input_dtype: np.dtype[Any]
    roi: BoolArray | None = None
    tiling_scheme: tuple[Slice, ...] = ()
    tiling_scheme_idx: int = 0
    frames: Array | None = None
    missing: BoolArray | None = field(default=None, repr=False)
    partition_range: tuple[int, int] | None = None
    partition_size: int = 0
    device_class: str = "cpu"
    array_backend: str = "numpy"
    threads_per_worker: int | None = 1
    corrections: Any = None
    valid_nav: BoolArray | None = field(default=None, repr=False)
    in_hand: tuple[int, int] = (0, 0)
    rows: Array | None = field(default=None, repr=False)
    run_key: str = field(default="", repr=False)

    @property
    def sig_slice(self) -> Slice:
        """The part of the detector in hand."""
        return self.tiling_scheme[self.tiling_scheme_idx]

    @property
    def slice(self) -> Slice:
        """The data in hand: one flat nav axis counted in selected frames, then sig.

        Raises
        ------
        ValueError
            If they are no slice: in `postprocess` and `merge`, and in `process_partition` where
            that was asked for, a partition of a scan from coarse to fine is not.
        """
        if self.rows is not None:
            raise ValueError(
                f"meta.slice cannot tell which {len(self.rows)} frames are in hand, as they do not "
                "follow each other: use meta.coordinates, or run the UDF with order='scan'"
            )
        start, stop = self.in_hand
        box = self.sig_slice
        return Slice((start, *box.origin), Shape((stop - start, *box.shape), box.shape.dims))

    @property
    def partition_shape(self) -> Shape:
        """Shape of the partition: one flat nav axis of selected frames, then sig."""
        if self.partition_range is None:
            raise ValueError("meta.partition_shape exists only while a partition is processed")
        sig = self.dataset_shape.sig
        return Shape((self.partition_size, *sig), sig.dims)

    @property
    def coordinates(self) -> Array:
        """Scan coordinates of the frames in hand, of shape (frames, nav axes), dtype int64."""
        start, stop = self.in_hand
        rows = slice(start, stop) if self.rows is None else self.rows
        if self.frames is not None:
            numbers = self.frames[rows]
        else:
            numbers = np.arange(start, stop) if self.rows is None else self.rows
        return np.stack(np.unravel_index(numbers, self.dataset_shape.nav.axes), axis=1)

    def get_valid_nav_mask(self, full_nav: bool = False) -> BoolArray | None:
        """Return which scan positions have been merged, flat, in scan order.

        It is known in `merge`, without the partition that is being merged, and in `get_results`;
        elsewhere it is None.

        Parameters
        ----------
        full_nav : bool
            With one entry for every position, False outside the roi; otherwise with one for each
            selected position.
        """
        if self.valid_nav is None or self.roi is None or not full_nav:
            return self.valid_nav
        full = np.zeros(self.roi.size, bool)
        full[self.roi.reshape(-1)] = self.valid_nav
        return full

    def take_in_hand(
        self, start: int, stop: int, scheme_idx: int = 0, rows: Array | None = None
    ) -> None:
        """Note which selected frames, and which part of the detector, are processed now."""
        self.in_hand = (start, stop)
        self.rows = rows
        self.tiling_scheme_idx = scheme_idx
