"""What is to be written, and the contract of what writes it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from udfwidgets.closing import Closing
from udfwidgets.io.source import Array
from udfwidgets.shapes import Shape

Axes = Sequence[tuple[float, str]]


@dataclass(frozen=True)
class Outline:
    """What all frames of a scan have in common.

    Parameters
    ----------
    shape : Shape
        Nav axes, then sig axes.
    dtype : numpy.dtype
        Of the frames.
    nav, sig : sequence of (float, str)
        Size of a pixel along each axis, and its unit; empty where nobody knows.
    """

    shape: Shape
    dtype: np.dtype[Any]
    nav: Axes = ()
    sig: Axes = ()

    @property
    def frame_bytes(self) -> int:
        """Size of one frame."""
        return self.shape.sig.size * self.dtype.itemsize


class Writer(Closing):
    """A file that frames are written to, by several threads at once and in any order.

    Raises
    ------
    ValueError
        If the format has no place for such a scan.
    """

    @abstractmethod
    def write(self, first: int, frames: Array) -> None:
        """Write frames that follow each other in the scan, each of them once.

        Parameters
        ----------
        first : int
            Number of the first one.
        frames : numpy.ndarray
            Of shape (n_frames, *sig).
        """

    @abstractmethod
    def finish(self) -> None:
        """Write what is known only when all frames are in."""
