"""What one worker does with one partition: read tiles and hand them to the UDFs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from udfwidgets.buffers import Array
from udfwidgets.engine.plan import READ_BYTES, Block, Partition, Plan
from udfwidgets.io.dataset.base import Scratch, Source
from udfwidgets.udf.auxiliary import AuxData
from udfwidgets.udf.base import UDF, UDFMeta, UDFMethod, parameters_of
from udfwidgets.udf.views import Views

Buffers = Mapping[str, Array]


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


class Shift:
    """One UDF at work on one partition, with a copy of the UDF of its own.

    Parameters
    ----------
    udf : UDF
        A UDF that has been tied to the dataset by `declare`; it is copied, not changed.
    plan : Plan
        What is read.
    partition : Partition
        What this shift works on.
    """

    def __init__(self, udf: UDF, plan: Plan, partition: Partition) -> None:
        self.method = udf.get_method()
        self.dtype = udf.meta.input_dtype
        self._plan = plan
        self._partition = partition
        # What to cut out of the detector axes, and out of a tile.
        self._cuts = [(box.get(), (slice(None), *box.get())) for box in plan.scheme]
        self._arrays = {
            name: declaration.allocate(len(partition), plan.shape.sig)
            for name, declaration in udf.declarations.items()
            if declaration.stored
        }
        self._udf = udf.copy()
        self._meta = self._udf.meta = replace(
            udf.meta, partition_range=(partition.start, partition.stop)
        )
        self._udf.declarations = udf.declarations
        self._results = self._udf.results = Views(udf.declarations, self._arrays)
        self._params = self._udf.params = params_for(self._udf, plan, partition)
        self._meta.take_in_hand(partition.start, partition.stop)
        with Blame(self._udf):
            self._udf.task_data = Views({}, {}, self._udf.get_task_data())
            self._udf.preprocess()

    def feed(self, tile: Array, start: int, stopped: Callable[[], bool]) -> None:
        """Let the UDF see a tile whose first frame is the selected frame `start`.

        A UDF that works by frames leaves off between two of them when `stopped`.
        """
        with Blame(self._udf):
            if self.method is UDFMethod.TILE:
                self._feed_tile(tile, start)
            elif self.method is UDFMethod.FRAME:
                self._feed_frames(tile, start, stopped)
            else:
                self._meta.take_in_hand(start, start + len(tile))
                self._udf.process_partition(tile)  # type: ignore[attr-defined]

    def _feed_tile(self, tile: Array, start: int) -> None:
        row, stop = start - self._partition.start, start + len(tile)
        for number, (box, cut) in enumerate(self._cuts):
            self._meta.take_in_hand(start, stop, number)
            self._results.show_tile(row, row + len(tile), box)
            self._params.show_tile(row, row + len(tile), box)
            self._udf.process_tile(tile[cut])  # type: ignore[attr-defined]

    def _feed_frames(self, tile: Array, start: int, stopped: Callable[[], bool]) -> None:
        process = self._udf.process_frame  # type: ignore[attr-defined]
        take, results, params = self._meta.take_in_hand, self._results, self._params
        row = start - self._partition.start
        for offset, frame in enumerate(tile):
            if stopped():
                return
            take(start + offset, start + offset + 1)
            results.show_frame(row + offset)
            params.show_frame(row + offset)
            process(frame)

    def end(self) -> Buffers:
        """Let the UDF finish the partition and return its buffers."""
        self._results.show_all()
        self._params.show_all()
        self._meta.take_in_hand(self._partition.start, self._partition.stop)
        with Blame(self._udf):
            self._udf.postprocess()
            self._udf.cleanup()
        return self._arrays


def params_for(udf: UDF, plan: Plan, partition: Partition | None = None) -> Views:
    """Return the parameters of a UDF, its auxiliary data cut to a partition (or to the roi)."""
    given = parameters_of(udf)
    auxiliary = {name: value for name, value in given.items() if isinstance(value, AuxData)}
    arrays = {name: aux.resolve(plan.shape, plan.roi) for name, aux in auxiliary.items()}
    if partition is not None:
        for name, aux in auxiliary.items():
            if aux.declaration.kind == "nav":
                arrays[name] = arrays[name][partition.start : partition.stop]
    declarations = {name: aux.declaration for name, aux in auxiliary.items()}
    return Views(declarations, arrays, {k: v for k, v in given.items() if k not in auxiliary})


class Blame:
    """Notes on an exception that leaves the block which UDF and which frames it came from.

    Parameters
    ----------
    udf : UDF
        At work; its `meta` says which frames it has in hand.
    """

    def __init__(self, udf: UDF) -> None:
        self._udf = udf

    def __enter__(self) -> None:
        pass

    def __exit__(self, exc_type: object, exc: BaseException | None, traceback: object) -> None:
        if exc is None:
            return
        meta = self._udf.meta
        note = (
            f"raised by {type(self._udf).__name__} while it worked on "
            f"{_frames(*meta.in_hand, meta)} of a scan with nav {meta.dataset_shape.nav}"
        )
        if meta.partition_range is not None:
            note += f", in the partition of {_frames(*meta.partition_range, meta)}"
        add_note(exc, note)


def _frames(start: int, stop: int, meta: UDFMeta) -> str:
    """Return in words which frames of the scan some of the selected frames are."""
    if start == stop:
        return "no frames"
    if meta.frames is not None:
        start, stop = meta.frames[start], meta.frames[stop - 1] + 1
    return f"frame {start}" if stop == start + 1 else f"frames {start} to {stop - 1}"


def add_note(exc: BaseException, note: str) -> None:
    """Attach a note to an exception; Python 3.10 does not print it but keeps it."""
    if hasattr(exc, "add_note"):
        exc.add_note(note)
    else:
        exc.__notes__ = [*getattr(exc, "__notes__", []), note]  # type: ignore[attr-defined]
