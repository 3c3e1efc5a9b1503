"""The order in which a scan visits its frames: as they were recorded, or from coarse to fine."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from udfwidgets.shapes import Shape

Order = Literal["scan", "progressive"]
Positions = npt.NDArray[np.int64]

# One of so many frames is in the first, coarse picture.
COARSE = 36


@dataclass(frozen=True, eq=False)
class Sight:
    """What of a scan a person looks at. Use one for many runs: it is worked out once.

    Attributes
    ----------
    interest : numpy.ndarray of uint8
        Of nav shape: 0 for what is out of sight, 1 for what can be seen, 2 for what of that is
        looked at.
    """

    interest: npt.NDArray[np.uint8]


def check_order(order: object) -> None:
    """Raise a `ValueError` for an order that does not exist."""
    if order not in (None, "scan", "progressive"):
        raise ValueError(f"order is {order!r}, expected 'scan', 'progressive', or None")


# A few scans at a time are worked on; the array is as long as the scan and shared, never written.
@lru_cache(maxsize=4)
def coarse_to_fine(nav: Shape, frames_per_block: int) -> Positions:
    """Return the frame numbers of a scan in progressive order.

    First comes a lattice of single frames (of blocks, where the file stores frames in blocks)
    that is spread evenly over the scan, then what is left of each row, rows far from each other
    first. Frames of one block stay together.

    Parameters
    ----------
    nav : Shape
        Scan axes.
    frames_per_block : int
        Frames that the file stores together.

    Returns
    -------
    numpy.ndarray of int64
        A permutation, read-only.
    """
    order, _ = _blocks(nav, frames_per_block)
    return _frames(order, nav, frames_per_block)


@lru_cache(maxsize=4)
def in_sight_first(nav: Shape, frames_per_block: int, sight: Sight) -> Positions:
    """Return the frame numbers of a scan in progressive order, with what is in sight first.

    The lattice of what can be seen comes first, then what is looked at, then what else can be seen,
    then the lattice of what is out of sight, and the rest.

    Parameters
    ----------
    nav, frames_per_block
        As for `coarse_to_fine`.
    sight : Sight
        Of which blocks are where a frame of theirs is.

    Returns
    -------
    numpy.ndarray of int64
        A permutation, read-only.
    """
    order, n_lattice = _blocks(nav, frames_per_block)
    per_block = min(frames_per_block, max(nav.size, 1))
    begins = np.arange(0, nav.size, per_block)
    interest = np.maximum.reduceat(sight.interest.reshape(-1), begins)[order]
    in_lattice = np.arange(len(order)) < n_lattice
    ranks = np.select(
        [(interest > 0) & in_lattice, interest == 2, interest == 1, in_lattice], [0, 1, 2, 3], 4
    )
    if nav.size % per_block:
        ranks[-1] = 5  # it stays the last one
    return _frames(order[np.argsort(ranks, kind="stable")], nav, frames_per_block)


def _blocks(nav: Shape, frames_per_block: int) -> tuple[Positions, int]:
    """Return the numbers of blocks in progressive order, and how many of them are the lattice."""
    per_block = min(frames_per_block, max(nav.size, 1))
    n_blocks = -(-nav.size // per_block)
    row = nav[-1] if nav.dims > 1 else nav.size
    # Blocks in a row of the scan; rows that do not hold whole blocks are taken as one long row.
    across = row // per_block if row % per_block == 0 else n_blocks
    down = -(-n_blocks // max(across, 1))
    step_y, step_x = _steps(down, across, per_block)
    blocks = np.arange(down * across).reshape(down, across)
    in_lattice = np.zeros(blocks.shape, bool)
    in_lattice[step_y // 2 :: step_y, step_x // 2 :: step_x] = True
    rows = _spread(down, step_y)
    lattice = [blocks[y][in_lattice[y]] for y in rows]
    n_lattice = sum(int(np.count_nonzero(each < n_blocks)) for each in lattice)
    rest = [blocks[y][~in_lattice[y]] for y in rows]
    order = np.concatenate([*lattice, *rest]) if blocks.size else blocks.reshape(-1)
    order = order[order < n_blocks]
    # A last block that is cut short ends the order, so that blocks begin at multiples.
    if nav.size % per_block:
        n_lattice -= int(n_blocks - 1 in order[:n_lattice])
        order = np.append(order[order != n_blocks - 1], n_blocks - 1)
    return order, n_lattice


def _frames(order: Positions, nav: Shape, frames_per_block: int) -> Positions:
    per_block = min(frames_per_block, max(nav.size, 1))
    frames = (order[:, np.newaxis] * per_block + np.arange(per_block)).reshape(-1)
    frames = frames[frames < nav.size]
    frames.flags.writeable = False
    return frames


def _steps(down: int, across: int, per_block: int) -> tuple[int, int]:
    """Return the lattice's steps, in rows and in blocks, equally far apart in the picture."""
    if down == 1:
        return 1, max(1, min(COARSE, across))
    step_x = max(1, min(round(math.sqrt(COARSE / per_block)), across))
    return max(1, min(round(COARSE / step_x), down)), step_x


def _spread(n: int, step: int) -> list[int]:
    """Return 0 to n - 1: those on the lattice first, and each next one far from the last."""
    offsets = sorted(range(step), key=lambda i: ((i - step // 2) % step != 0, _reversed_bits(i)))
    return [y for offset in offsets for y in _scattered(range(offset, n, step))]


def _scattered(rows: range) -> list[int]:
    return sorted(rows, key=lambda y: _reversed_bits((y - rows.start) // rows.step))


def _reversed_bits(number: int) -> float:
    """Return the binary digits of a number behind the point: van der Corput's sequence."""
    value, weight = 0.0, 0.5
    while number:
        value += weight * (number & 1)
        number, weight = number >> 1, weight / 2
    return value
