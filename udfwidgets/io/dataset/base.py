"""The contract of a dataset: what is there, and how it is opened.

A `DataSet` says what is there: a shape, a dtype, and how frames lie together in the file. It holds
no open file, so it can be pickled, kept in a notebook for days, and used by several runs at once.
For each run the engine calls `open()` and gets a `Source`, which holds the file.
"""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from udfwidgets.io.arguments import DataSetType
from udfwidgets.io.calibrated import Calibrated
from udfwidgets.io.corrections import CorrectionSet
from udfwidgets.io.described import Described
from udfwidgets.io.source import Array, Scratch, Source
from udfwidgets.names import further
from udfwidgets.shapes import Shape
from udfwidgets.told.names import Listed

__all__ = ["Array", "DataSet", "Scratch", "Source"]


class DataSet(Listed, Described, Calibrated, metaclass=DataSetType):
    """A 4D-STEM scan that can be opened: its shape, its dtype and how its frames lie together.

    Parameters
    ----------
    shape : Shape
        Nav axes, then sig axes.
    dtype : numpy.dtype
        Of the frames as they are handed out: native byte order, whatever the file has.
    notes : tuple of str, optional
        See the property.
    """

    # What formats tell the engine.
    _unlisted = ("frames_per_block", "is_growing", "open")

    def __init__(self, shape: Shape, dtype: npt.DTypeLike, notes: tuple[str, ...] = ()) -> None:
        self._shape = shape
        self._notes = notes
        self._dtype: np.dtype[Any] = np.dtype(dtype).newbyteorder("=")

    @property
    def shape(self) -> Shape:
        """Nav axes, then sig axes."""
        return self._shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the frames as they are handed out."""
        return self._dtype

    @property
    def frames_per_block(self) -> int:
        """How many frames, from a multiple of this number on, are cheapest to read together.

        1 where each frame stands alone; the depth of a chunk where frames are compressed
        together. The engine keeps its partitions and reads on multiples of it.
        """
        return 1

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that the data are in, where these may stay open for a while after a run.

        The next run goes on with the same `Source` then, if none of them has changed. By default
        there are none, and every run opens the dataset anew.
        """
        return ()

    @property
    def named_files(self) -> tuple[Path, ...]:
        """The files that it was loaded from, for what is written down of its results."""
        return self.files

    @property
    def is_growing(self) -> bool:
        """Whether frames are still coming: they are then visited in scan order, as they come."""
        return False

    @property
    def missing(self) -> npt.NDArray[np.bool_] | None:
        """Which scan positions no frame exists for, of nav shape; None where all have one.

        UDFs are not handed anything for them, and their results are not valid there.
        """
        return None

    @property
    def nbytes(self) -> int:
        """Size of all frames as they are handed out, in bytes."""
        return self.shape.size * self.dtype.itemsize

    def get_correction_data(self) -> CorrectionSet:
        """Return the corrections that the file itself asks for; none, unless a format has them."""
        return CorrectionSet()

    @property
    def notes(self) -> tuple[str, ...]:
        """What people should know before they trust the scan: what was guessed, or left out.

        Empty where all is as expected.
        """
        return self._notes

    @property
    def diagnostics(self) -> list[dict[str, str]]:
        """Facts about the dataset for people, each with a 'name' and a 'value'."""
        n_missing = 0 if self.missing is None else int(np.count_nonzero(self.missing))
        facts = {
            "Format": type(self).__name__,
            "Data type": str(self.dtype),
            "Scan shape": str(self.shape.nav),
            "Frame shape": str(self.shape.sig),
            "Number of frames": str(self.shape.nav.size - n_missing),
            "Size": f"{self.nbytes / 1e6:.6g} MB",
        }
        if n_missing:
            facts["Missing frames"] = str(n_missing)
        told = [*facts.items(), *(("Note", note) for note in self.notes)]
        return [{"name": name, "value": value} for name, value in told]

    @abstractmethod
    def open(self) -> Source:
        """Open the data for one run.

        Raises
        ------
        DataSetException
            If the file has gone, or has changed since the dataset was made.
        """

    def __repr__(self) -> str:
        return f"<{type(self).__name__} nav={self.shape.nav} sig={self.shape.sig} {self.dtype}>"


#: Has modules of names below it, as a package has.
__path__: list[str] = []

if not TYPE_CHECKING:
    __getattr__ = further(__name__)
