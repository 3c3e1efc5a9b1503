"""A worker: reads frames, and hands them tile by tile to all who share them."""

from __future__ import annotations

import time

import numpy as np

from udfwidgets.buffers import Array
from udfwidgets.engine.plan import READ_BYTES
from udfwidgets.engine.reading import Block, Frames, blocks
from udfwidgets.engine.scan import Assignment
from udfwidgets.engine.share import Share
from udfwidgets.io.dataset.base import Scratch, Source


class Worker:
    """Works through assignments, one at a time, with memory that it reuses."""

    def __init__(self) -> None:
        self._scratch = Scratch()

    def work(self, assignment: Assignment) -> float:
        """Read the frames once and let every share see its own; return seconds spent on reading.

        All errors go to the runs: those of a UDF to its own, those of the file to all of them.
        """
        shares, reading = assignment.shares, 0.0
        for share in shares:
            share.begin()
        try:
            reading = self._hand_out(assignment)
        except BaseException as error:
            for share in shares:
                share.run.fail(error)
        for share in shares:
            share.end()
        return reading

    def _hand_out(self, assignment: Assignment) -> float:
        scan, frames, depth = assignment.scan, assignment.frames, assignment.depth
        largest = max(1, READ_BYTES // max(assignment.frame_bytes, 1))
        reading = 0.0
        for block in blocks(frames, min(depth, largest), scan.frames_per_block):
            if all(share.run.is_stopping() for share in assignment.shares):
                break
            began = time.perf_counter()
            read = read_block(scan.source, block, self._scratch)
            reading += time.perf_counter() - began
            for offset in range(0, len(read), depth):
                tile = read[offset : offset + depth]
                start = block.start + offset
                numbers = frames[start : start + len(tile)]
                for share in assignment.shares:
                    own = _own(tile, numbers, share, assignment)
                    if len(own):
                        share.feed(own, self._scratch)
        return reading


def read_block(source: Source, block: Block, scratch: Scratch) -> Array:
    """Return the wanted frames of a block as one array; a view where that is possible."""
    first = source.read(*block.reads[0], scratch)
    if len(block.reads) == 1:
        return first if block.rows is None else first[block.rows]
    tile = scratch.array((block.stop - block.start, *first.shape[1:]), first.dtype, slot="gathered")
    tile[: len(first)] = first
    at = len(first)
    for start, stop in block.reads[1:]:
        tile[at : at + stop - start] = source.read(start, stop, scratch)
        at += stop - start
    return tile


def _own(tile: Array, numbers: Frames, share: Share, assignment: Assignment) -> Array:
    """Return the part of a tile that belongs to a share; a view where that is possible."""
    if len(share.frames) == len(assignment.frames):
        return tile
    first, last = np.searchsorted(share.frames, (numbers[0], numbers[-1] + 1))
    if last - first == len(numbers):
        return tile
    rows = np.searchsorted(numbers, share.frames[first:last])
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1:
        return tile[rows[0] : rows[-1] + 1]
    return tile[rows]
