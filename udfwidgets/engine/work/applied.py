"""One UDF applied to one partition."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from copy import copy
from typing import NoReturn

import numpy as np

from udfwidgets.buffers import Array, Buffers
from udfwidgets.engine.blame import Blame
from udfwidgets.engine.plan.partitions import Partition, Plan
from udfwidgets.engine.work.returned import tell_of_returned
from udfwidgets.engine.work.writers import is_writer
from udfwidgets.shapes import Shape, TilingScheme
from udfwidgets.udf.base import UDF, UDFMethod, parameters_of
from udfwidgets.udf.compiled.frames import FrameError, frame_loops
from udfwidgets.udf.compiled.fused import Step, is_known
from udfwidgets.udf.contract.auxiliary import shown_params
from udfwidgets.udf.contract.views import Views


class AppliedUDF:
    """One UDF at work on one partition, with a copy of the UDF of its own.

    Parameters
    ----------
    udf : UDF
        A UDF that has been bound to the dataset; it is copied, not changed.
    plan : Plan
        What is read.
    partition : Partition
        What it is applied to.
    """

    def __init__(self, udf: UDF, plan: Plan, partition: Partition) -> None:
        self.method = udf.get_method()
        self.dtype = udf.meta.input_dtype
        self.udf_class = type(udf)
        #: Whether it is handed copies that it may write to.
        self.writes = is_writer(self.udf_class)
        # Said by the class itself: the code of a subclass may look.
        self._takes_any_frames = vars(type(udf)).get("takes_any_frames", False)
        self._plan = plan
        self._partition = partition
        self._cuts = plan.cuts
        self._is_dismissed = False
        self._arrays = {
            name: declaration.allocate(len(partition), plan.shape.sig)
            for name, declaration in udf.declarations.items()
            if declaration.stored
        }
        # What `process_frame` is compiled to, if its author has said that it can be.
        self._loops = frame_loops(type(udf)) if self.method is UDFMethod.FRAME else None
        self._udf = udf.copy()
        self._meta = self._udf.meta = copy(udf.meta)
        self._meta.partition_range = partition.start, partition.stop
        self._meta.partition_size = size = len(partition)
        self._meta.tiling_scheme = TilingScheme(plan.scheme, min(plan.tile_depth, size))
        self._udf.declarations = udf.declarations
        flat = Shape((size, *plan.shape.sig), plan.shape.sig.dims)
        self._results = self._udf.results = Views(
            udf.declarations, self._arrays, scan=(flat, None, np.zeros(size, bool))
        )
        self._params = self._udf.params = shown_params(
            parameters_of(udf), plan.shape, plan.roi, partition.index
        )
        self._take_all_in_hand()
        with Blame(self._udf):
            self._udf.task_data = Views({}, {}, self._udf.get_task_data())
            self._udf.preprocess()
            #: What it does with tiles in the dtype that they come in, where that is compiled.
            self.step = self._fused()

    def _fused(self) -> Step | None:
        # In the class itself, here as well: a subclass may do something else with its tiles.
        fuse = vars(type(self._udf)).get("fused_step")
        native, whole = self._plan.corrected_dtype, len(self._cuts) == 1
        can_be = self.method is UDFMethod.TILE and whole
        if fuse is None or not can_be or self.dtype != native or not is_known(native):
            return None
        step: Step | None = fuse(self._udf)
        return step

    def feed(self, tile: Array, row: int, stopped: Callable[[], bool]) -> None:
        """Let the UDF see a tile whose first frame is in row `row` of the partition.

        A UDF that works by frames leaves off between two of them when `stopped`.
        """
        with Blame(self._udf):
            if self.method is UDFMethod.TILE:
                for first, last in self._together(row, row + len(tile)):
                    self._feed_tile(tile[first - row : last - row], first)
            elif self.method is UDFMethod.FRAME:
                self._feed_frames(tile, row, stopped)
            else:
                self._take_all_in_hand()
                returned = self._udf.process_partition(tile)  # type: ignore[attr-defined]
                if returned is not None:
                    tell_of_returned(self._udf, self._plan)

    @property
    def is_compiled(self) -> bool:
        """Whether its author has said that `process_frame` can be compiled."""
        return self._loops is not None

    def feed_compiled(self, tile: Array, row: int, stopped: Callable[[], bool]) -> bool:
        """Let a compiled `process_frame` see a tile as it is in the file.

        Returns
        -------
        bool
            Whether it could be compiled; if not, `feed` has to be called.
        """
        assert self._loops is not None, "only called where `is_compiled`"
        shown = {"results": self._results, "params": self._params, "task_data": self._udf.task_data}
        rows = slice(row, row + len(tile))
        loop = self._loops.bound(shown, tile, self.dtype, rows, own=self.writes)
        if loop is None:
            return False
        try:
            loop.run(stopped)
        except FrameError as error:
            self._raise_again(tile, row, error)
        if self._loops.returns:
            tell_of_returned(self._udf, self._plan)
        return True

    def _raise_again(self, tile: Array, row: int, error: FrameError) -> NoReturn:
        """Raise what Python says of a frame, with the line it is in; or else what numba said."""
        frame = tile[error.row : error.row + 1].astype(self.dtype)
        with Blame(self._udf):
            self._feed_frames(frame, row + error.row, lambda: False)
            assert error.__cause__ is not None, "raised from another one"
            raise error.__cause__ from None

    def _take_all_in_hand(self) -> None:
        partition = self._partition
        self._meta.take_in_hand(partition.start, partition.stop, rows=partition.rows)

    def _together(self, row: int, stop: int) -> list[tuple[int, int]]:
        """Return rows of the partition as runs that follow each other in the scan as well.

        A UDF may look up in `meta.slice` which frames it has in hand, so they must be a slice.
        """
        rows = self._partition.rows
        if rows is None or self._takes_any_frames:
            return [(row, stop)]
        breaks = np.flatnonzero(np.diff(rows[row:stop]) != 1) + row + 1
        return list(itertools.pairwise([row, *breaks.tolist(), stop]))

    def _feed_tile(self, tile: Array, row: int) -> None:
        start, end = self._selected(row), self._selected(row + len(tile) - 1) + 1
        for number, (box, cut) in enumerate(self._cuts):
            self._meta.take_in_hand(start, end, number)
            self._results.show_tile(row, row + len(tile), box)
            self._params.show_tile(row, row + len(tile), box)
            returned = self._udf.process_tile(tile[cut])  # type: ignore[attr-defined]
            if returned is not None:
                tell_of_returned(self._udf, self._plan)

    def _selected(self, row: int) -> int:
        rows = self._partition.rows
        return self._partition.start + row if rows is None else int(rows[row])

    def _feed_frames(self, tile: Array, row: int, stopped: Callable[[], bool]) -> None:
        process = self._udf.process_frame  # type: ignore[attr-defined]
        # Looked up once: this goes round every two or three microseconds.
        meta, rows, first = self._meta, self._partition.rows, self._partition.start + row
        stop = row + len(tile)
        # No call per frame, only two assignments: 5.0 -> 5.3 GB/s for `frame.max()`.
        shown = [
            each
            for views in (self._results, self._params)
            for each in views.frame_by_frame(row, stop)
        ]
        meta.take_in_hand(self._selected(row), self._selected(row) + 1)
        returned = None
        for i, frame in enumerate(tile):
            if stopped():
                return
            selected = first + i if rows is None else int(rows[row + i])
            meta.in_hand = (selected, selected + 1)
            for names, name, array in shown:
                names[name] = array[i]
            returned = process(frame)
        if returned is not None:  # of the last one: a look at each would cost time
            tell_of_returned(self._udf, self._plan)

    def adopt(self, results: Sequence[Array]) -> None:
        """Take the results of a step that is done for those of its own; they are not written to."""
        assert self.step is not None, "only called for its step"
        for own, result in zip(self.step.buffers or self.step.results, results, strict=True):
            for name, array in self._arrays.items():
                if array is own:
                    self._arrays[name] = result

    def end(self) -> Buffers:
        """Let the UDF finish the partition and return its buffers."""
        if self.step is not None and self.step.buffers:
            self.adopt(self.step.results)  # does nothing where those of another step were adopted
        self._results.show_all()
        self._params.show_all()
        self._take_all_in_hand()
        with Blame(self._udf):
            self._udf.postprocess()
        self.dismiss()
        return self._arrays

    def dismiss(self) -> None:
        """Have the UDF give back what it holds, unless it has."""
        if not self._is_dismissed:
            self._is_dismissed = True
            with Blame(self._udf):
                self._udf.cleanup()
