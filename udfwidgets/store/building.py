"""Building: the UDF that writes frames into a store, and how much of it is done at once."""

# Compiled functions have no types.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache
from typing import Any, NoReturn

import numba
import numpy as np
import numpy.typing as npt

from udfwidgets.buffers import Array, BufferDeclaration
from udfwidgets.compiling import compiled
from udfwidgets.store.binning import Grid, add_blocks
from udfwidgets.store.planes import Planes, Positions
from udfwidgets.store.vectors import LINE
from udfwidgets.store.writing import put_floats, put_integers
from udfwidgets.udf.base import UDF
from udfwidgets.udf.compiled.fused import Step, compiled_step
from udfwidgets.udf.compiled.kernels import flat

# Bytes of a partition: a thread is through with them in three milliseconds. Runs that begin
# meanwhile wait for as long; with a quarter of it, a third of the time went into what is done for
# each.
# By time it came to a few frames on a busy machine, and to nothing else but their overhead.
BRIEF = 16 * 1024 * 1024
# Frames that it has at least: with fewer, more lines of the cache are written in several goes.
FEWEST = 16
# Seconds between two looks at how much memory is taken.
LOOK = 0.05


class BriefPace:
    """Partitions that are done at once, whatever others do.

    Parameters
    ----------
    frame_bytes : int
        Size of a frame.
    """

    def __init__(self, frame_bytes: int) -> None:
        wanted = BRIEF // max(frame_bytes, 1)
        #: Frames that the next partition should have: whole lines, or a half or quarter of one.
        self.size = max(step * (wanted // step) for step in (LINE, LINE // 2, FEWEST)) or FEWEST

    def took(self, n_frames: int) -> None:
        """Take no notice."""

    def learn(self, n_frames: int, seconds: float, merging: float) -> None:
        """Take no note of how long a partition took."""


class OverBudgetError(Exception):
    """Higher bytes of more pixels are needed than there is room for."""


class Target:
    """Where the frames of a scan go.

    Parameters
    ----------
    planes : Planes
        The memory.
    grid : Grid
        In which pixels.
    budget : int
        Bytes that may be taken.
    """

    def __init__(self, planes: Planes, grid: Grid, budget: int) -> None:
        #: None when the run has ended, and the memory is given back.
        self.planes: Planes | None = planes
        self.grid = grid
        self._budget = budget
        self._looked_at = time.monotonic()

    def note(self, planes: Planes, positions: Positions) -> None:
        """Take note that some positions are in.

        Raises
        ------
        OverBudgetError
            If there is more by now than there is room for.
        """
        planes.valid[positions] = True
        # Once in a while: it takes as long as a tenth of a partition.
        if time.monotonic() - self._looked_at > LOOK:
            self._looked_at = time.monotonic()
            if planes.nbytes > self._budget:
                raise OverBudgetError

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a store is in the memory of its own process: build it on a Context with threads, as "
            "Context.make_with('threads')"
        )


class StoreUDF(UDF):
    """Writes each frame into a store; there are no results.

    Parameters
    ----------
    target : Target
        Where to.
    """

    takes_any_frames = True

    def __init__(self, target: Target) -> None:
        super().__init__(target=target)

    def get_preferred_input_dtype(self) -> npt.DTypeLike:
        """Keep the data as they are."""
        return self.USE_NATIVE_DTYPE

    def get_tiling_preferences(self) -> Mapping[str, Any]:
        """Ask for as many frames as are written together."""
        return {"depth": LINE, "total_size": self.TILE_SIZE_BEST_FIT}

    def get_result_buffers(self) -> Mapping[str, BufferDeclaration]:
        """Declare nothing but where each row of a partition belongs."""
        return {"row": self.buffer("nav", dtype=np.int64, use="private")}

    def preprocess(self) -> None:
        """Note the positions, to be found by tiles that are not compiled."""
        if self.meta.partition_range is not None:
            self.results.row[:] = self._positions()

    def process_tile(self, tile: Array) -> None:
        """Write the frames of a tile."""
        target, frames = self.params.target, flat(tile)
        if target.grid.binning > 1:
            frames = target.grid.binned(frames)
        target.planes.put(frames, self.results.row)

    def fused_step(self) -> Step:
        """Return what `process_tile` does, for all tiles of a partition."""
        target = self.params.target
        planes, grid = target.planes, target.grid
        address = put_into_planes(self.meta.input_dtype, planes.dtype, grid.binning > 1)
        layout = planes.layout
        shape = [*layout.low[:2], *layout.high, layout.high_at, grid.width, grid.binning]
        aux = np.array([*shape, *self._positions()], np.int64)
        # Unlike any other: nobody could take what this one writes.
        return Step(address, planes.memory, aux, planes.needs, key=object())

    def postprocess(self) -> None:
        """Say that the partition is in."""
        target = self.params.target
        target.note(target.planes, self._positions())

    def merge(self, dest: Any, src: Any) -> None:
        """Do nothing."""

    def _positions(self) -> Positions:
        start, stop = self.meta.in_hand
        rows = self.meta.rows
        return np.arange(start, stop) if rows is None else np.asarray(rows, np.int64)


# What is in `aux` before the positions: the shapes of the lowest plane, without the length of a
# line, and of the higher ones, where these begin, the width of a frame, the binning.
_HEAD = 9


@cache
def put_into_planes(dtype: np.dtype[Any], kept: np.dtype[Any], is_binned: bool) -> int:
    """Return the step that writes into planes."""
    in_bytes = kept.kind in "bui"
    if is_binned:
        step = _put_blocks_of_integers if in_bytes else _put_blocks_of_floats
        # What the last argument points to is not looked at, its dtype is.
        return compiled_step(step, dtype, "u1" if in_bytes else kept, "i8", "u1")
    if in_bytes:
        return compiled_step(_put_integers, f"u{dtype.itemsize}", "u1", "i8", "u1")
    return compiled_step(_put_floats, dtype, dtype, "i8", "u1")


@compiled()
def _where(aux, row, n_frames):
    return numba.carray(aux, (_HEAD + row + n_frames,))[_HEAD + row :]


@compiled()
def _planes_at(out, aux, more):
    """Return the planes of integers, and where they are needed."""
    n_chunks, n_pixels, n_high, n_wide, _, width, at = numba.carray(aux, (_HEAD,))[:7]
    size = n_high * n_wide * n_pixels * width
    low = numba.carray(out, (n_chunks, n_pixels, LINE))
    high = numba.carray(out, (at + size,))[at:].reshape((n_high, n_wide, n_pixels, width))
    return low, high, numba.carray(more, (n_high, n_wide, n_pixels))


def _put_integers(pixels, n_frames, n_pixels, stride, row, first, out, aux, more, n_aux, n_more):
    tile = numba.carray(pixels, (n_frames, stride))
    low, high, needs = _planes_at(out, aux, more)
    put_integers(tile, _where(aux, row, n_frames), low, high, needs)


def _put_floats(pixels, n_frames, n_pixels, stride, row, first, out, aux, more, n_aux, n_more):
    tile = numba.carray(pixels, (n_frames, stride))
    shape = numba.carray(aux, (_HEAD,))
    low = numba.carray(out, (shape[0], shape[1], LINE))
    put_floats(tile, _where(aux, row, n_frames), low)


def _put_blocks_of_integers(
    pixels, n_frames, n_pixels, stride, row, first, out, aux, more, n_aux, n_more
):
    tile = numba.carray(pixels, (n_frames, stride))
    shape = numba.carray(aux, (_HEAD,))
    low, high, needs = _planes_at(out, aux, more)
    where = _where(aux, row, n_frames)
    if shape[2] == 3:
        narrow = np.empty((n_frames, shape[1]), np.uint32)
        add_blocks(tile, n_pixels, shape[7], shape[8], narrow)
        put_integers(narrow, where, low, high, needs)
    else:
        wide = np.empty((n_frames, shape[1]), np.uint64)
        add_blocks(tile, n_pixels, shape[7], shape[8], wide)
        put_integers(wide, where, low, high, needs)


def _put_blocks_of_floats(
    pixels, n_frames, n_pixels, stride, row, first, out, aux, more, n_aux, n_more
):
    tile = numba.carray(pixels, (n_frames, stride))
    shape = numba.carray(aux, (_HEAD,))
    low = numba.carray(out, (shape[0], shape[1], LINE))
    blocks = np.empty((n_frames, shape[1]), low.dtype)
    add_blocks(tile, n_pixels, shape[7], shape[8], blocks)
    put_floats(blocks, _where(aux, row, n_frames), low)
