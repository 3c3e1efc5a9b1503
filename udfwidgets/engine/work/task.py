"""A task: all UDFs of a run at work on one partition."""

from __future__ import annotations

import logging
import traceback
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from udfwidgets.buffers import Array, Buffers
from udfwidgets.engine.plan.partitions import Partition, Plan
from udfwidgets.engine.work.applied import AppliedUDF
from udfwidgets.engine.work.turns import Turn, is_quick, timed
from udfwidgets.engine.work.writers import WritesIntoData, note_writer
from udfwidgets.io.source import Scratch
from udfwidgets.udf.base import UDF, UDFMethod
from udfwidgets.udf.compiled.fused import Step, drive, is_known
from udfwidgets.udf.compiled.steps import joined

_log = logging.getLogger(__name__)

# What UDFs get unless they ask for something else.
_USUAL = np.dtype(np.float32)


class Task:
    """All UDFs of a run at work on one partition.

    Parameters
    ----------
    udfs : sequence of UDF
        Bound to the dataset; they are copied, not changed.
    plan : Plan
        What is read.
    partition : Partition
        What they work on.
    stopped : callable
        Whether to leave off.
    """

    def __init__(
        self,
        udfs: Sequence[UDF],
        plan: Plan,
        partition: Partition,
        stopped: Callable[[], bool],
    ) -> None:
        self._applied = applied = list[AppliedUDF]()
        try:
            for udf in udfs:
                applied.append(AppliedUDF(udf, plan, partition))
        # Those that have begun are cleaned up, also where a later one cannot begin.
        except BaseException:
            self.dismiss()
            raise
        steps = [one.step for one in applied if one.step is not None]
        #: What compiled UDFs do with frames as they are in the file, see `drive`; `feed` leaves
        #: them out. Those that are corrected first are for this run alone.
        self.steps = steps if plan.corrector is None else []
        self._corrected = [] if plan.corrector is None else joined(steps, plan.corrected_dtype)
        self._by_tile = [
            one for one in applied if one.step is None and one.method is not UDFMethod.PARTITION
        ]
        self._by_partition = [one for one in applied if one.method is UDFMethod.PARTITION]
        self._users = Counter(one.dtype for one in self._by_tile)
        self._corrector = plan.corrector
        self._stopped = stopped
        self._fed = 0
        self._gathered: Array | None = None
        if self._by_partition:
            self._gathered = np.empty((len(partition), *plan.shape.sig), plan.corrected_dtype)

    @property
    def wants_tiles(self) -> bool:
        """Whether there are UDFs for `feed`, beside those that are compiled."""
        return bool(self._by_tile or self._by_partition or self._corrected)

    def feed(self, frames: Array, scratch: Scratch, turn: Turn) -> None:
        """Let the UDFs that are not compiled see the next frames of the partition.

        A UDF may write to what it is handed only if nobody else sees the same memory: not the user
        whose array it is, and no other UDF.

        Raises
        ------
        WritesIntoData
            If one tries all the same, for the first time.
        """
        tile = frames if self._corrector is None else self._corrector.apply(frames, scratch)
        row, self._fed = self._fed, self._fed + len(frames)
        if self._gathered is not None:
            self._gathered[row : self._fed] = tile
        if self._corrected:
            rows = np.arange(len(tile))
            drive(tile, rows, len(tile), self._corrected, row)
        if tile is frames or len(self._by_tile) > 1:
            tile = _read_only(tile)
        # Once per tile and dtype, for all that want it. Nobody gets another dtype because of the
        # company: a sum of integers stays one (docs/decisions/003-dtypes.md).
        converted = {tile.dtype: tile}
        for one in self._by_tile:
            if self._is_done(one, tile, row, turn):
                continue
            by_turns = _goes_by_turns(one, tile)
            if one.dtype in converted:
                if by_turns:
                    turn.take(tile)
            else:
                own = scratch.array(tile.shape, one.dtype, slot=one.dtype.str)
                if by_turns:
                    turn.take(tile, own)
                else:
                    np.copyto(own, tile, casting="unsafe")
                shared = self._users[one.dtype] > 1
                converted[one.dtype] = _read_only(own) if shared else own
            # Slow code keeps nobody waiting: it may well do most of its work without the GIL, so it
            # runs on all threads at once.
            if not by_turns:
                turn.give()
            seen = converted[one.dtype]
            if one.writes and not seen.flags.writeable:
                seen = scratch.array(seen.shape, one.dtype, slot="its own")
                np.copyto(seen, converted[one.dtype])
            with timed(one.udf_class, len(frames)):
                self._show(one, seen, row)

    def _is_done(self, one: AppliedUDF, tile: Array, row: int, turn: Turn) -> bool:
        """Let one that brings compiled code see a tile, if it does."""
        if not one.is_compiled:
            return False
        turn.give()
        return one.feed_compiled(tile, row, self._stopped)

    def _show(self, one: AppliedUDF, tile: Array, row: int) -> None:
        try:
            one.feed(tile, row, self._stopped)
            return
        except Exception as error:
            if one.writes or not note_writer(one.udf_class, error):
                raise
            # A compiler may keep the error, and with it the frames and the file they are in.
            traceback.clear_frames(error.__traceback__)
        raise WritesIntoData

    def adopt(self, step: Step, results: Sequence[Array]) -> None:
        """Take the results of another step for those of one, which was not done."""
        for one in self._applied:
            if one.step is step:
                one.adopt(results)

    def end(self) -> list[Buffers] | None:
        """Let the UDFs finish, and return the buffers of each; None if they left off."""
        for one in self._by_partition:
            if self._gathered is not None and not self._stopped():
                # A copy of its own: a partition is usually worked on in place.
                one.feed(self._gathered.astype(one.dtype), 0, self._stopped)
        return None if self._stopped() else [one.end() for one in self._applied]

    def dismiss(self) -> None:
        """Have the UDFs that did not come to the end of the partition give back what they hold."""
        for one in self._applied:
            try:
                one.dismiss()
            except Exception:
                # The run has failed, or is cancelled: it has something else to tell.
                _log.exception("the cleanup of %s failed", one.udf_class.__name__)


def _goes_by_turns(one: AppliedUDF, tile: Array) -> bool:
    """Whether a UDF is quick Python code, for frames as its threads can bring into the cache."""
    if one.method is not UDFMethod.FRAME or not is_quick(one.udf_class):
        return False
    # Others would have to be compiled first.
    wants_usual = one.dtype == tile.dtype or one.dtype == _USUAL
    return wants_usual and is_known(tile.dtype) and tile.flags.c_contiguous


def _read_only(array: Array) -> Array:
    # A view with a flag could be made writable again by whom it is handed to.
    return np.asarray(array.data.toreadonly())
