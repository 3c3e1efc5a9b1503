"""Says which frame of a file belongs to which scan position: pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from udfwidgets.shapes import Shape

# So far from the number of any frame that the two never look like a run.
NO_FRAME = -2
# Positions that are looked at together.
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Fold:
    """How a file's frames become a dataset.

    Parameters
    ----------
    shape : Shape
        Of the dataset.
    n_stored : int
        Frames in the file, those included that were lost between others.
    sync_offset : int
        Number of the file's frame that becomes frame 0. If negative, so many positions come before
        the first frame of the file.
    flyback : int
        Frames of the file after each line of the scan that belong to no position.
    snake : bool
        Every other line, from the second one on, was recorded backwards.
    lost : tuple of (int, int)
        Frames that were lost, ascending: of each gap the first one and the last one (exclusive).
    notes : tuple of str
        What was guessed, and has been told; see `DataSet.notes`.
    """

    shape: Shape
    n_stored: int
    sync_offset: int = 0
    flyback: int = 0
    snake: bool = False
    lost: tuple[tuple[int, int], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_shifted(self) -> bool:
        """Whether frame i of the dataset is frame ``i + sync_offset`` of the file."""
        return not self.flyback and not self.snake

    @cached_property  # every run that opens the dataset asks
    def n_missing(self) -> int:
        """Scan positions that no frame of the file belongs to."""
        there = self._used(0, self.n_stored) - sum(self._used(*gap) for gap in self.lost)
        return self.shape.nav.size - there

    def missing(self) -> npt.NDArray[np.bool_]:
        """Return which scan positions no frame belongs to, of nav shape."""
        nav = self.shape.nav
        missing = np.empty(nav.size, np.bool_)
        # Numbers take eight times as much as what is told of them.
        for start in range(0, nav.size, _BLOCK):
            stop = min(start + _BLOCK, nav.size)
            missing[start:stop] = self.numbers(start, stop) < 0
        return missing.reshape(nav.axes)

    def numbers(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        """Return the numbers of the file's frames that the positions `start` to `stop` get.

        Those without a frame get `NO_FRAME`.
        """
        positions = np.arange(start, stop)
        numbers = positions + self.sync_offset
        if not self.is_shifted:
            line, place = np.divmod(positions, self._width)
            if self.snake:
                place = np.where(line % 2, self._width - 1 - place, place)
            numbers = line * (self._width + self.flyback) + place + self.sync_offset
        nothing = (numbers < 0) | (numbers >= self.n_stored)
        if self.lost:
            nothing |= np.searchsorted(np.ravel(self.lost), numbers, side="right") % 2 == 1
        numbers[nothing] = NO_FRAME
        return numbers

    @property
    def _width(self) -> int:
        return self.shape.nav.axes[-1]

    def _used(self, first: int, last: int) -> int:
        """Return how many of some frames belong to a position."""
        return self._used_before(last) - self._used_before(first)

    def _used_before(self, number: int) -> int:
        step = self._width + self.flyback
        n_lines = self.shape.nav.size // self._width
        whole, rest = divmod(min(max(number - self.sync_offset, 0), n_lines * step), step)
        return whole * self._width + min(rest, self._width)
