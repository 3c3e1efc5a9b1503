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
    if frames_per_block > 1:
        return _whole_blocks(frames, depth, frames_per_block)
    return _single_frames(frames, depth, min(gathered or depth, depth))


def _whole_blocks(frames: Frames, depth: int, per_block: int) -> Iterator[Block]:
    start = 0
    while start < len(frames):
        first = int(frames[start])
        end = -(-(first + depth) // per_block) * per_block
        stop = int(np.searchsorted(frames, end))
        last = int(frames[stop - 1]) + 1
        whole = last - first == stop - start
        yield Block(start, stop, ((first, last),), None if whole else frames[start:stop] - first)
        start = stop


def _single_frames(frames: Frames, depth: int, gathered: int) -> Iterator[Block]:
    """Long runs of frames are read as they are; short ones are put together into one tile."""
    waiting: list[tuple[int, int]] = []
    start = stop = 0
    for first, last in runs(frames):
        while last - first >= max(gathered // 2, 1):
            if waiting:
                yield Block(start, stop, tuple(waiting))
                waiting, start = [], stop
            n_frames = min(depth, last - first)
            stop = start + n_frames
            yield Block(start, stop, ((first, first + n_frames),))
            first, start = first + n_frames, stop
        if last > first:
            waiting.append((first, last))
            stop += last - first
        if stop - start >= gathered:
            yield Block(start, stop, tuple(waiting))
            waiting, start = [], stop
    if waiting:
        yield Block(start, stop, tuple(waiting))


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
