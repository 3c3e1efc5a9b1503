"""A worker: reads the tiles of a partition and hands them to the UDFs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from udfwidgets.buffers import Array
from udfwidgets.engine.plan import READ_BYTES, Block, Partition, Plan
from udfwidgets.engine.shift import Buffers, Shift
from udfwidgets.io.dataset.base import Scratch, Source
from udfwidgets.udf.base import UDF, UDFMethod


class Worker:
    """Works through partitions, one at a time, with memory that it reuses.

    Parameters
    ----------
    plan : Plan
        What to read.
    source : Source
        Where to read it from; shared with the other workers.
    """

    def __init__(self, plan: Plan, source: Source) -> None:
        self._plan = plan
        self._source = source
        self._scratch = Scratch()

    def process(
        self, udfs: Sequence[UDF], partition: Partition, stopped: Callable[[], bool]
    ) -> list[Buffers] | None:
        """Return the buffers of each UDF for one partition, or None if stopped on the way.

        `stopped` is asked before each tile. An exception from a UDF carries a note that names the
        UDF and the frames it was given.
        """
        shifts = [Shift(udf, self._plan, partition) for udf in udfs]
        if any(shift.method is UDFMethod.PARTITION for shift in shifts):
            self._hand_out(shifts, self._gather(partition), partition.start, stopped)
        else:
            for block in self._plan.blocks(partition, self._read_depth()):
                if stopped():
                    return None
                self._hand_out(shifts, self._read(block), block.start, stopped)
        return None if stopped() else [shift.end() for shift in shifts]

    def _read_depth(self) -> int:
        largest = max(1, READ_BYTES // max(self._plan.frame_bytes, 1))
        return min(self._plan.tile_depth, largest)

    def _read(self, block: Block) -> Array:
        frames = self._source.read(block.first, block.last, self._scratch)
        return frames if block.rows is None else frames[block.rows]

    def _gather(self, partition: Partition) -> Array:
        """Return all frames of a partition as one array."""
        plan = self._plan
        gathered = np.empty((len(partition), *plan.shape.sig), plan.dtype)
        for block in plan.blocks(partition, self._read_depth()):
            gathered[block.start - partition.start : block.stop - partition.start] = self._read(
                block
            )
        return gathered

    def _hand_out(
        self, shifts: list[Shift], frames: Array, start: int, stopped: Callable[[], bool]
    ) -> None:
        depth = self._plan.tile_depth
        by_tile = [shift for shift in shifts if shift.method is not UDFMethod.PARTITION]
        for offset in range(0, len(frames), depth):
            if stopped():
                return
            if by_tile:
                self._hand_out_tile(
                    by_tile, frames[offset : offset + depth], start + offset, stopped
                )
        for shift in shifts:
            if shift.method is UDFMethod.PARTITION:
                # A copy of its own: a partition is usually worked on in place.
                shift.feed(self._corrected(frames).astype(shift.dtype), start, stopped)

    def _hand_out_tile(
        self, shifts: list[Shift], frames: Array, start: int, stopped: Callable[[], bool]
    ) -> None:
        """Hand a tile to all UDFs, each in its dtype.

        A UDF may write to a tile only if nobody else sees the same memory: not the user whose
        array it is, and no other UDF of the run.
        """
        tile = self._corrected(frames)
        if tile is frames or len(shifts) > 1:
            tile = _read_only(tile)
        users = Counter(shift.dtype for shift in shifts)
        converted = {tile.dtype: tile}
        for shift in shifts:
            if shift.dtype not in converted:
                own = self._convert(tile, shift.dtype)
                converted[shift.dtype] = own if users[shift.dtype] == 1 else _read_only(own)
            shift.feed(converted[shift.dtype], start, stopped)

    def _corrected(self, tile: Array) -> Array:
        corrector = self._plan.corrector
        return tile if corrector is None else corrector.apply(tile, self._scratch)

    def _convert(self, tile: Array, dtype: np.dtype[Any]) -> Array:
        converted = self._scratch.array(tile.shape, dtype, slot=dtype.str)
        np.copyto(converted, tile, casting="unsafe")
        return converted


def _read_only(array: Array) -> Array:
    view: Array = array.view()
    view.flags.writeable = False
    return view
