"""A dataset whose frames come at the pace of a detector, whatever the disk could do."""

from __future__ import annotations

import threading
import time

import numpy as np
import numpy.typing as npt

from udfwidgets.io.corrections import CorrectionSet
from udfwidgets.io.dataset.base import DataSet
from udfwidgets.io.source import Array, Scratch, Source


class PacedDataSet(DataSet):
    """Hands out the frames of another dataset, and no more of them per second than asked for.

    A scan that would be read in the blink of an eye takes as long as its acquisition: for live
    pictures that one can follow, and for trying out feedback without an instrument.

    Parameters
    ----------
    dataset : DataSet
        Where the frames are.
    frames_per_second : float
        Of all workers of a run together; each run starts a clock of its own.
    """

    def __init__(self, dataset: DataSet, frames_per_second: float) -> None:
        if not frames_per_second > 0:
            raise ValueError(f"frames_per_second is {frames_per_second}, expected more than 0")
        super().__init__(dataset.shape, dataset.dtype)
        self._dataset, self._calibration = dataset, dataset.calibration
        self._frames_per_second = frames_per_second

    @property
    def frames_per_block(self) -> int:
        """As in the other dataset."""
        return self._dataset.frames_per_block

    @property
    def missing(self) -> npt.NDArray[np.bool_] | None:
        """As in the other dataset."""
        return self._dataset.missing

    @property
    def notes(self) -> tuple[str, ...]:
        """As in the other dataset."""
        return self._dataset.notes

    def get_correction_data(self) -> CorrectionSet:
        """As in the other dataset."""
        return self._dataset.get_correction_data()

    def open(self) -> Source:
        """Open the other dataset and start the clock."""
        return _PacedSource(self._dataset.open(), self._frames_per_second)


class _PacedSource(Source):
    def __init__(self, source: Source, frames_per_second: float) -> None:
        self._source = source
        self._seconds_per_frame = 1 / frames_per_second
        self._lock = threading.Lock()
        self._due = time.monotonic()

    def read(self, start: int, stop: int, scratch: Scratch) -> Array:
        """Wait until the detector would have delivered the frames, and read them."""
        with self._lock:
            # A consumer that was away does not get what it missed all at once.
            self._due = max(self._due, time.monotonic()) + (stop - start) * self._seconds_per_frame
            due = self._due
        # Waiting is what this source is for; it holds no lock meanwhile.
        time.sleep(max(0.0, due - time.monotonic()))
        return self._source.read(start, stop, scratch)

    def close(self) -> None:
        """Close the other source."""
        self._source.close()
