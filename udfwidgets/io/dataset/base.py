"""The contract between a file format and the engine.

A `DataSet` says what is there: a shape, a dtype, and how frames lie together in the file. It holds
no open file, so it can be pickled, kept in a notebook for days, and used by several runs at once.

For each run the engine calls `open()` once and gets a `Source`, which owns the open handles until
`close()`. All workers of the run share it: `read` is called from several threads at the same time
and must not hold the GIL for long.

Frames are numbered in scan order, from 0 to ``shape.nav.size - 1``. A worker asks for runs of
frames, brings a `Scratch` of its own, and is done with what it got before it reads again. A source
may therefore answer with a view of a memory map, or with data decoded into the scratch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from udfwidgets.closing import Closing
from udfwidgets.io.corrections import CorrectionSet
from udfwidgets.io.scratch import Array, Scratch
from udfwidgets.shapes import Shape

__all__ = ["Array", "DataSet", "Scratch", "Source"]


class Source(Closing):
    """The open end of a dataset, shared by the workers of one run."""

    @abstractmethod
    def read(self, start: int, stop: int, scratch: Scratch) -> Array:
        """Return frames `start` to `stop` (exclusive).

        Parameters
        ----------
        start, stop : int
            Frame numbers in scan order, ``0 <= start < stop <= shape.nav.size``.
        scratch : Scratch
            The calling worker's own memory, to decode into.

        Returns
        -------
        numpy.ndarray
            Of shape ``(stop - start, *shape.sig)`` and the dataset's dtype in native byte order.
            Read-only for the caller, valid until the next read with the same scratch.

        Raises
        ------
        DataSetException
            If the file no longer holds what its header promised.
        """

    @property
    def frames(self) -> Array | None:
        """All frames as they would be read, in C order, where they lie in memory or are mapped."""
        return None

    def available(self) -> int | None:
        """Return how many frames, from the first one on, can be read by now; None for all.

        It is asked often, from any thread, and answers at once.

        Raises
        ------
        DataSetException
            If some are missing and none will come any more; not before all that did come were
            told of.
        """
        return None

    def waiting_for(self) -> str:
        """Say in words what is waited for, if frames should come and do not."""
        return ""

    @abstractmethod
    def close(self) -> None:
        """Give back every handle. Closing twice is allowed."""

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} holds open files and cannot be pickled: pickle the dataset, "
            "and open it where it is to be read"
        )


class DataSet(ABC):
    """A 4D-STEM scan that can be opened: its shape, its dtype and how its frames lie together.

    Parameters
    ----------
    shape : Shape
        Nav axes, then sig axes.
    dtype : numpy.dtype
        Of the frames as they are handed out: native byte order, whatever the file has.
    """

    def __init__(self, shape: Shape, dtype: npt.DTypeLike) -> None:
        self._shape = shape
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
    def is_growing(self) -> bool:
        """Whether frames are still coming: they are then visited in scan order, as they come."""
        return False

    @property
    def nbytes(self) -> int:
        """Size of all frames as they are handed out, in bytes."""
        return self.shape.size * self.dtype.itemsize

    def get_correction_data(self) -> CorrectionSet:
        """Return the corrections that the file itself asks for; none, unless a format has them."""
        return CorrectionSet()

    @property
    def diagnostics(self) -> list[dict[str, str]]:
        """Facts about the dataset for people, each with a 'name' and a 'value'."""
        facts = {
            "Format": type(self).__name__,
            "Data type": str(self.dtype),
            "Scan shape": str(self.shape.nav),
            "Frame shape": str(self.shape.sig),
            "Number of frames": str(self.shape.nav.size),
            "Size": f"{self.nbytes / 1e6:.6g} MB",
        }
        return [{"name": name, "value": value} for name, value in facts.items()]

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
