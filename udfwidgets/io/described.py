"""What a dataset tells of itself to code that looks: its meta data and its partitions."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from typing_extensions import Self

from udfwidgets.shapes import Shape, Slice

_log = logging.getLogger(__name__)

# Only to be looked at: a run sizes its partitions while it goes on.
_PARTITION_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True, eq=False)
class DataSetMeta:
    """Facts about a dataset, under the names that code written for LiberTEM reads.

    Attributes
    ----------
    shape : Shape
        Nav axes, then sig axes.
    array_backends : sequence of str
        ``('numpy',)``.
    image_count : int
        Frames in the file, where that is known, otherwise scan positions.
    raw_dtype, dtype : numpy.dtype
        Of the frames as they are handed out.
    metadata : mapping or None
        Whatever else a format has to tell.
    sync_offset : int
        By how many frames the scan is shifted against the file.
    """

    shape: Shape
    array_backends: Sequence[str] = ("numpy",)
    image_count: int = 0
    raw_dtype: Any = None
    dtype: Any = None
    metadata: Any = None
    sync_offset: int = 0

    def __getitem__(self, key: Any) -> Any:
        return self.metadata[key]


@dataclass(frozen=True)
class Partition:
    """Frames that follow each other in the scan; a view for code that looks, not to read from.

    Attributes
    ----------
    slice : Slice
        Where they are: one flat nav axis, then sig.
    dtype : numpy.dtype
        Of the frames.
    """

    slice: Slice
    dtype: np.dtype[Any]

    @property
    def shape(self) -> Shape:
        """One flat nav axis, then sig."""
        return self.slice.shape

    def get_frame_count(self, roi: npt.ArrayLike | None = None) -> int:
        """Return how many frames it has, or how many of them a mask of nav shape selects."""
        n_frames: int = self.shape.nav.size
        if roi is None:
            return n_frames
        start = self.slice.origin[0]
        return int(np.count_nonzero(np.ravel(roi)[start : start + n_frames]))


class RoiMaker:
    """Makes rois: ``dataset.roi[5, :]`` is True where NumPy would select with that index.

    Parameters
    ----------
    nav : tuple of int
        Scan axes.
    """

    def __init__(self, nav: tuple[int, ...]) -> None:
        self._nav = nav

    def __getitem__(self, index: Any) -> npt.NDArray[np.bool_]:
        roi = np.zeros(self._nav, bool)
        roi[index] = True
        return roi


class Described(ABC):
    """The part of a `DataSet` that only tells of it."""

    @property
    @abstractmethod
    def shape(self) -> Shape:
        """Nav axes, then sig axes."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype[Any]:
        """Of the frames as they are handed out."""

    @property
    def meta(self) -> DataSetMeta:
        """Facts about the dataset."""
        fold = getattr(self, "_fold", None)
        return DataSetMeta(
            shape=self.shape,
            image_count=getattr(fold, "n_stored", self.shape.nav.size),
            raw_dtype=self.dtype,
            dtype=self.dtype,
            sync_offset=getattr(fold, "sync_offset", 0),
        )

    @property
    def roi(self) -> RoiMaker:
        """Indexed like an array of the scan, gives the roi that selects the same."""
        return RoiMaker(self.shape.nav.axes)

    def initialize(self, executor: Any = None) -> Self:
        """Return the dataset: it is what it will be since it was made, by whatever executor."""
        return self

    def check_valid(self) -> bool:
        """Return True: what is wrong is found when a dataset is made."""
        return True

    def supports_correction(self) -> bool:
        """Return True: frames of every format are corrected on the fly."""
        return True

    def set_num_cores(self, cores: int) -> None:
        """Take a number without effect: a run makes its partitions to suit its workers."""
        _log.debug("set_num_cores(%s) is without effect: partitions are sized by the run", cores)

    def get_num_partitions(self) -> int:
        """Return how many partitions `get_partitions` gives."""
        return -(-self.shape.nav.size // self._frames_per_partition())

    def get_partitions(self) -> Iterator[Partition]:
        """Return the scan in parts of at most 512 MiB, as a view; a run makes its own."""
        n_frames, step, sig = self.shape.nav.size, self._frames_per_partition(), self.shape.sig
        for start in range(0, n_frames, step):
            length = min(step, n_frames - start)
            box = Slice((start, *(0 for _ in sig)), Shape((length, *sig), sig.dims))
            yield Partition(box, self.dtype)

    def _frames_per_partition(self) -> int:
        return max(1, _PARTITION_BYTES // max(1, self.shape.sig.size * self.dtype.itemsize))
