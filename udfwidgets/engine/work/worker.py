"""A worker: reads frames, and hands them tile by tile to all who share them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NoReturn

import numpy as np

from udfwidgets.buffers import Array
from udfwidgets.engine.plan.partitions import READ_BYTES, TILE_BYTES, deepest
from udfwidgets.engine.plan.reading import Block, Frames, blocks
from udfwidgets.engine.work.fusing import Fusion
from udfwidgets.engine.work.scan import Assignment, Scan
from udfwidgets.engine.work.share import Share
from udfwidgets.engine.work.turns import Turn
from udfwidgets.errors import DataSetException
from udfwidgets.io.layout.ahead import fetch
from udfwidgets.io.source import Packed, Scratch, Source, Stretch

# Seconds for which compiled UDFs go through tiles in one call, without the GIL. A run that is
# cancelled takes so long to stop; beside a cell that is busy with Python code, a worker waits for
# the GIL for a millisecond between two calls.
# It was eight tiles, which is a wait after each millisecond (docs/decisions/050-gil.md).
CALL = 0.008
# Seconds after which what is in the background looks whether there is something else to do.
BRIEF_CALL = 0.0005
# Tiles that are decoded before they are handed out: the fewer, the more of the time is Python's.
# Gzip chunks: 2.34 GB/s with one, 2.66 with four (docs/decisions/010-reading.md).
TILES_PER_READ = 4
# And in a call while it is not known how long they take: if they come from memory, CALL's worth.
TILES_PER_CALL = 64


class Worker:
    """Works through assignments, one at a time, with memory that it reuses.

    Parameters
    ----------
    step_aside : callable, optional
        Called with a scan again and again in the middle of its frames: does what comes before, or
        waits for it.
    """

    def __init__(self, step_aside: Callable[[Scan], None] | None = None) -> None:
        self._scratch = Scratch()
        self._turn = Turn()
        self._step_aside = step_aside or _stay

    def work(self, assignment: Assignment) -> float:
        """Read the frames once and let every share see its own; return seconds spent on reading.

        All errors go to the runs: those of a UDF to its own, those of the file to all that want the
        frames which cannot be read.
        """
        try:
            assignment.work_out()
        except BaseException as error:
            # Not those of others, in the middle of whose assignment this may be.
            for run in assignment.taken:
                run.fail(error)
            return 0.0
        shares, reading = assignment.shares, 0.0
        for share in shares:
            share.begin()
        try:
            reading = self._hand_out(assignment)
            for share in shares:
                while share.is_to_repeat:
                    share.begin()
                    alone = replace(assignment, shares=[share], frames=share.frames)
                    reading += self._hand_out(alone)
        except BaseException as error:
            for share in shares:
                share.run.fail(error)
        for share in shares:
            # With its part of the reading: what a partition takes altogether is what paces the
            # pictures.
            share.end(reading * len(share.frames) / len(assignment.frames))
        return reading

    def rest(self) -> None:
        """Keep nothing from others until there is more to do."""
        self._turn.give()

    def _hand_out(self, assignment: Assignment) -> float:
        scan, frames, shares = assignment.scan, assignment.frames, assignment.shares
        partial = [share for share in shares if len(share.frames) < len(frames)]
        fused = Fusion([share for share in shares if share not in partial])
        fused_alone = [(share, Fusion([share])) for share in partial if share.steps]
        by_tile = [share for share in shares if share.wants_tiles]
        # No Python code is going to be called, so the turn of the last assignment is of no use.
        if not by_tile:
            self._turn.give()
        reading, in_memory, packed = 0.0, scan.source.stretches, scan.source.packed
        is_fused_only = not by_tile and not fused_alone
        for first, lying in in_memory or ():
            fetch(lying, _within(frames, first, first + len(lying))[1])
        # Nothing to decode and no Python code to call: compiled code goes through the map by
        # itself, scattered frames included, and no tile passes through Python.
        if in_memory is not None and not by_tile:
            # Of the background one tile, while it is not known how long that takes.
            unknown = 1 if scan.in_background else assignment.depth * TILES_PER_CALL
            wished = _per_call(scan) or unknown
            scan.source.check(frames)
            for fusion, numbers in [(fused, frames), *((f, s.frames) for s, f in fused_alone)]:
                self._drive(assignment, in_memory, fusion, numbers, wished)
        elif packed is not None and is_fused_only and fused.goes_by(packed.n_pixels):
            self._feed_packed(assignment, packed, fused)
        else:
            reading = self._read_and_feed(assignment, fused, fused_alone, by_tile)
        # Those of a single share, too: a run may have the same UDF twice. The second one got zeros.
        for fusion in (fused, *(fusion for _, fusion in fused_alone)):
            fusion.end()
        return reading

    def _drive(
        self,
        assignment: Assignment,
        stretches: Sequence[Stretch],
        fusion: Fusion,
        numbers: Frames,
        wished: int,
    ) -> None:
        """Let a fusion see frames that lie in memory, about as many in a call as is wished."""
        scan, depth, done = assignment.scan, assignment.depth, 0
        for first, frames in stretches:
            begin, own = _within(numbers, first, first + len(frames))
            n_calls = max(1, round(len(own) / max(depth, wished)))
            cuts = [] if scan.in_background else fusion.cut(math.prod(frames.shape[1:]), n_calls)
            if len(cuts) > 1:
                # Of large frames, which are few, each call sees a part: what it adds to, which is
                # as large as a frame or two, goes through the cache only once for all of them.
                for cut in cuts:
                    self._step_aside(scan)
                    fusion.feed(frames, own, begin, depth, cut)
                done += len(own)
                continue
            # Whole tiles, for those in the background write whole lines of the cache.
            per_call = max(1, -(-len(own) // n_calls // depth)) * depth
            for at in range(0, len(own), per_call):
                self._step_aside(scan)
                fusion.feed(frames, own[at : at + per_call], begin + at, depth)
            done += len(own)
        if done < len(numbers):
            # What nobody looked at would be zero in the results.
            raise IndexError(
                f"frames {numbers[0]} to {numbers[-1]} are to be looked at, and "
                f"{len(numbers) - done} of them are not there: the file is shorter than the scan "
                "it was opened as"
            )

    def _feed_packed(self, assignment: Assignment, packed: Packed, fused: Fusion) -> None:
        """Have compiled code decode the frames part by part; no whole frame is in memory."""
        scan, frames, dtype = assignment.scan, assignment.frames, assignment.scan.dataset.dtype
        depth = deepest(TILE_BYTES, packed.n_pixels * dtype.itemsize)
        tile = self._scratch.array((depth, packed.n_pixels), dtype, "packed")
        wished = _per_call(scan)
        # Whole tiles, unless that keeps others waiting.
        per_call = wished // depth * depth or (max(1, wished) if scan.in_background else depth)
        for at in range(0, len(frames), per_call):
            self._step_aside(scan)
            numbers = frames[at : at + per_call]
            if not fused.feed_packed(packed, numbers, at, tile):
                _tell_what_is_wrong(scan.source, numbers, self._scratch)

    def _read_and_feed(
        self,
        assignment: Assignment,
        fused: Fusion,
        fused_alone: Sequence[tuple[Share, Fusion]],
        by_tile: Sequence[Share],
    ) -> float:
        """Read block by block, and let all see it; return seconds spent on reading."""
        scan, frames, depth, reading = assignment.scan, assignment.frames, assignment.depth, 0.0
        largest = max(1, READ_BYTES // max(assignment.frame_bytes, 1))
        most = min(depth * TILES_PER_READ, max(depth, largest))
        for block in blocks(frames, most, scan.frames_per_block, depth):
            if scan.in_background or scan.source.stretches is None:
                self._turn.give()  # there may be Python code to be called
                self._step_aside(scan)
            numbers = frames[block.start : block.stop]
            began = time.perf_counter()
            read = self._read(assignment, block, numbers)
            reading += time.perf_counter() - began
            if read is None:
                continue
            fused.feed(read, np.arange(len(read)), block.start, depth)
            for share, fusion in fused_alone:
                own, row = _own(read, numbers, share)
                if len(own):
                    fusion.feed(own, np.arange(len(own)), row, depth)
            for offset in range(0, len(read), depth) if by_tile else ():
                tile = read[offset : offset + depth]
                for share in by_tile:
                    own = tile
                    if len(share.frames) < len(frames):
                        own, _ = _own(tile, numbers[offset : offset + len(tile)], share)
                    if len(own):
                        share.feed(own, self._scratch, self._turn)
            # The next block is decoded first, which takes longer than a tile of quick code.
            if scan.source.stretches is None:
                self._turn.give()
        return reading

    def _read(self, assignment: Assignment, block: Block, numbers: Frames) -> Array | None:
        """Return the frames of a block; None if nobody wants them any more, or without them.

        An error goes to those runs that want one of the frames.
        """
        # As long as somebody is at work on a run, the source stays open.
        entered = [share for share in assignment.shares if share.run.enter()]
        if not entered:
            return None
        try:
            return read_block(assignment.scan.source, block, self._scratch)
        except BaseException as error:
            for share in entered:
                if np.isin(numbers, share.frames).any():
                    share.run.fail(error)
            return None
        finally:
            for share in entered:
                share.run.leave()


def _stay(_: Scan) -> None:
    """Go on: nothing comes before."""


def _per_call(scan: Scan) -> int:
    """Return how many frames compiled UDFs go through in one call; 0 while that is not known."""
    return scan.frames_within(BRIEF_CALL if scan.in_background else CALL)


def _tell_what_is_wrong(source: Source, numbers: Frames, scratch: Scratch) -> NoReturn:
    """Raise what reading says of frames, one of which could not be decoded."""
    for number in numbers.tolist():
        source.read(number, number + 1, scratch)
    raise DataSetException(f"one of the frames {numbers[0]} to {numbers[-1]} cannot be decoded")


def _within(numbers: Frames, first: int, stop: int) -> tuple[int, Frames]:
    """Return which of the numbers, which ascend, are the first in a stretch, and those in it."""
    # Nearly always all of them.
    if first <= numbers[0] and numbers[-1] < stop:
        return 0, numbers - first if first else numbers
    begin, end = np.searchsorted(numbers, (first, stop))
    return int(begin), numbers[begin:end] - first


def read_block(source: Source, block: Block, scratch: Scratch) -> Array:
    """Return the wanted frames of a block as one array; a view where that is possible."""
    first = source.read(*block.reads[0], scratch)
    if len(block.reads) == 1:
        return first if block.rows is None else first[block.rows]
    # Compiled UDFs see pieces in memory where they lie, and do not come here: a progressive scan
    # takes 1.06 times the time in scan order, and took 1.25 with this copy
    # (docs/decisions/030-progressive.md).
    tile = scratch.array((block.stop - block.start, *first.shape[1:]), first.dtype, slot="gathered")
    tile[: len(first)] = first
    at = len(first)
    for start, stop in block.reads[1:]:
        tile[at : at + stop - start] = source.read(start, stop, scratch)
        at += stop - start
    return tile


def _own(tile: Array, numbers: Frames, share: Share) -> tuple[Array, int]:
    """Return what of a tile belongs to a share, and where that begins in its partition."""
    first, last = np.searchsorted(share.frames, (numbers[0], numbers[-1] + 1))
    if last - first == len(numbers):
        return tile, int(first)
    rows = np.searchsorted(numbers, share.frames[first:last])
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1:
        return tile[rows[0] : rows[-1] + 1], int(first)
    return tile[rows], int(first)
