"""Cuts a run of frames into boxes along the scan axes."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Box:
    """A box in the scan whose frames follow each other in scan order.

    Parameters
    ----------
    first : int
        Number of its first frame.
    origin, shape : tuple of int
        Where it begins and how long it is along each nav axis.
    """

    first: int
    origin: tuple[int, ...]
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Number of frames."""
        return math.prod(self.shape)

    @property
    def slices(self) -> tuple[slice, ...]:
        """The box as an index into the nav axes."""
        return tuple(slice(o, o + n) for o, n in zip(self.origin, self.shape, strict=True))


def boxes(start: int, stop: int, nav: tuple[int, ...]) -> list[Box]:
    """Cut the frames `start` to `stop` (exclusive) of a scan into as few boxes as possible.

    At most ``2 * len(nav) - 1``: a run begins within a row, goes on with whole rows and ends
    within a row, and the same for each further axis.

    Examples
    --------
    >>> [box.shape for box in boxes(3, 18, (4, 5))]
    [(1, 2), (2, 5), (1, 3)]
    """
    if not nav:
        return [Box(0, (), ())]
    step = math.prod(nav[1:])
    cut: list[Box] = []
    first = start
    while first < stop:
        row, within = divmod(first, step)
        n_whole = (stop - first) // step
        if within == 0 and n_whole:
            cut.append(Box(first, (row, *(0,) * (len(nav) - 1)), (n_whole, *nav[1:])))
            first += n_whole * step
            continue
        end = min(stop, (row + 1) * step)
        for box in boxes(within, within + end - first, nav[1:]):
            cut.append(Box(row * step + box.first, (row, *box.origin), (1, *box.shape)))
        first = end
    return cut
