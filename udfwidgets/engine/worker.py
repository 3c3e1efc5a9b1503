"""A worker: reads frames, and hands them tile by tile to all who share them."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from udfwidgets.buffers import Array
from udfwidgets.engine.plan import READ_BYTES
from udfwidgets.engine.reading import Block, Frames, blocks
from udfwidgets.engine.scan import Assignment
from udfwidgets.engine.share import Share
from udfwidgets.io.dataset.base import Scratch, Source
from udfwidgets.udf.fused import drive

# Tiles that compiled UDFs go through in one call: about a millisecond, and without the GIL.
TILES_PER_CALL = 8


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
        scan, frames, shares = assignment.scan, assignment.frames, assignment.shares
        depth, reading = assignment.depth, 0.0
        by_tile = [share for share in shares if share.wants_tiles]
        # What lies in memory is read in any length at no cost: there is one call for many tiles.
        n_tiles = TILES_PER_CALL if scan.source.hands_out_views and not by_tile else 1
        largest = max(1, READ_BYTES // max(assignment.frame_bytes, 1))
        for block in blocks(frames, min(n_tiles * depth, largest), scan.frames_per_block):
            if all(share.run.is_stopping() for share in shares):
                break
            began = time.perf_counter()
            read = read_block(scan.source, block, self._scratch)
            reading += time.perf_counter() - began
            numbers = frames[block.start : block.stop]
            self._drive(read, numbers, assignment)
            for offset in range(0, len(read), depth) if by_tile else ():
                tile = read[offset : offset + depth]
                in_tile = numbers[offset : offset + len(tile)]
                for share in by_tile:
                    own = _own(tile, in_tile, share, assignment)
                    if len(own):
                        share.feed(own, self._scratch)
        return reading

    def _drive(self, read: Array, numbers: Frames, assignment: Assignment) -> None:
        """Do all that is compiled with some frames, for those together that want all of them."""
        together: list[Share] = []
        for share in assignment.shares:
            own = _own(read, numbers, share, assignment)
            if own is read:
                together.append(share)
            elif len(own):
                _drive_for([share], own, assignment.depth)
        _drive_for(together, read, assignment.depth)


def _drive_for(shares: Sequence[Share], frames: Array, depth: int) -> None:
    entered = [share for share in shares if share.run.enter()]
    try:
        began = time.perf_counter()
        steps = {share: share.steps(len(frames)) for share in entered}
        count = sum(map(len, steps.values()))
        if count:
            drive(np.ascontiguousarray(frames), depth, [s for own in steps.values() for s in own])
            seconds = (time.perf_counter() - began) / count
            for share, own in steps.items():
                share.seconds += seconds * len(own)
    finally:
        for share in entered:
            share.run.leave()


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
