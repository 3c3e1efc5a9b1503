"""The contract between a format and the workers that read: a source of frames.

For each run the engine opens its dataset once and gets a `Source`, which owns the open handles
until `close()`. All workers of the run share it: `read` is called from several threads at the same
time and must not hold the GIL for long.

Frames are numbered in scan order, from 0 to ``shape.nav.size - 1``. A worker asks for runs of
frames, brings a `Scratch` of its own, and is done with what it got before it reads again. A source
may therefore answer with a view of a memory map, or with data decoded into the scratch.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt

from udfwidgets.closing import Closing
from udfwidgets.io.scratch import Array, Scratch

__all__ = ["Array", "Packed", "Scratch", "Source", "Stretch"]


class Stretch(NamedTuple):
    """Frames that lie at the same distance from one another.

    Parameters
    ----------
    first : int
        Number of its first frame.
    frames : numpy.ndarray
        Of shape (n_frames, *sig), in native byte order, each frame in C order.
    """

    first: int
    frames: Array


class Packed(NamedTuple):
    """Frames that compiled code decodes by itself, some of their pixels at a time.

    So large frames are worked on while they are in the cache of a core, of which a whole one may
    be a multiple.

    Parameters
    ----------
    address : int
        Of ``int64 decode(int64 *about, int64 *numbers, int64 n_frames, int64 part, char *out)``,
        which writes a part of each frame, one behind the other. If a file is not what it should
        be, it returns something else than 0; `Source.read` says then what is wrong.
    about : numpy.ndarray of int64
        What it needs to know.
    n_parts, n_pixels : int
        How many parts a frame has, and how many pixels each of them.
    files : sequence of numpy.ndarray
        What it decodes, which is there as long as this is.
    shift : int
        What is added to the numbers of frames.
    """

    address: int
    about: npt.NDArray[np.int64]
    n_parts: int
    n_pixels: int
    files: Sequence[Array]
    shift: int = 0


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
    def stretches(self) -> Sequence[Stretch] | None:
        """All frames as they would be read, where they lie in memory or are mapped; else None.

        One behind the other in scan order. Only positions that no frame exists for may be in none
        of them. Compiled UDFs go along them without a call of `read`.
        """
        return None

    @property
    def packed(self) -> Packed | None:
        """How compiled UDFs decode frames without a call of `read`; None if they cannot."""
        return None

    def check(self, numbers: npt.NDArray[np.int64]) -> None:
        """Look at what belongs to some frames and is no pixels, as `read` does; ascending numbers.

        Raises
        ------
        DataSetException
            If one of them is not what its header should say.
        """

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
