"""Which frames are read together: pure arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Frames = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Block:
    """Frames that become one tile, or one read of several tiles.

    Attributes
    ----------
    start, stop : int
        Counted among the wanted frames.
    reads : tuple of (int, int)
        Frame numbers to read, the last of each exclusive. There are several only where each
        brings nothing but wanted frames.
    rows : numpy.ndarray of int or None
        Which of the frames read are wanted; None for all of them.
    """

    start: int
    stop: int
    reads: tuple[tuple[int, int], ...]
    rows: Frames | None = None


def blocks(
    frames: Frames, depth: int, frames_per_block: int, gathered: int | None = None
) -> Iterator[Block]:
    """Cut frames into reads of about `depth`.

    Parameters
    ----------
    frames : numpy.ndarray of int
        Numbers of the wanted frames, ascending.
    depth : int
        How many to read together.
    frames_per_block : int
        Frames that the file stores together: no read ends within them.
    gathered : int, optional
        How many to put together from several short reads; by default `depth`.
    """
    together = depth if gathered is None else min(gathered, depth)
    waiting: list[tuple[int, int]] = []
    start = 0
    for begin, stop, first, last in _reads(frames, depth, frames_per_block):
        rows = None if last - first == stop - begin else frames[begin:stop] - first
        # Short ones are put together into one tile.
        is_short = rows is None and last - first < together // 2
        if waiting and not is_short:
            yield Block(start, begin, tuple(waiting))
            waiting, start = [], begin
        waiting.append((first, last))
        if not is_short or stop - start >= together:
            yield Block(start, stop, tuple(waiting), rows)
            waiting, start = [], stop
    if waiting:
        yield Block(start, len(frames), tuple(waiting))


def _reads(frames: Frames, depth: int, per_block: int) -> Iterator[tuple[int, int, int, int]]:
    """Cut frames after about `depth`, and where a whole block of the file is not wanted.

    Yields from where to where a part is among the wanted frames, and what is to be read for it.
    """
    start = 0
    if per_block == 1:
        for first, last in runs(frames):
            for begin in range(first, last, depth):
                end = min(begin + depth, last)
                yield start, start + end - begin, begin, end
                start += end - begin
        return
    for _, last_block in runs(_each_once(frames // per_block)):
        of_run = int(np.searchsorted(frames, last_block * per_block))
        while start < of_run:
            first = int(frames[start])
            # No read ends within what is stored together.
            end = -(-(first + depth) // per_block) * per_block
            stop = min(of_run, int(np.searchsorted(frames, end)))
            yield start, stop, first, int(frames[stop - 1]) + 1
            start = stop


def _each_once(numbers: Frames) -> Frames:
    """Return ascending numbers without those that come again."""
    is_new = np.diff(numbers, prepend=-1) != 0
    return np.asarray(numbers[is_new])


def runs(numbers: Frames) -> list[tuple[int, int]]:
    """Return ascending numbers as runs, each the first one and the last one (exclusive)."""
    if len(numbers) == 0:
        return []
    if numbers[-1] - numbers[0] == len(numbers) - 1:
        return [(int(numbers[0]), int(numbers[-1]) + 1)]
    cuts = np.flatnonzero(np.diff(numbers) != 1)
    first = numbers[np.append(0, cuts + 1)].tolist()
    last = numbers[np.append(cuts, len(numbers) - 1)].tolist()
    return [(a, b + 1) for a, b in zip(first, last, strict=True)]
