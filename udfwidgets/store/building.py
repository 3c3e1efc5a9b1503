"""Building: the UDF that writes frames into a store, and how much of it is done at once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NoReturn

import numba
import numpy as np
import numpy.typing as npt

from udfwidgets.buffers import Array, BufferDeclaration
from udfwidgets.store.kernels import LINE, put_floats, put_integers
from udfwidgets.store.planes import Planes, Positions
from udfwidgets.udf.base import UDF
from udfwidgets.udf.compiled.fused import Step, compiled_step
from udfwidgets.udf.compiled.kernels import flat

# Seconds that a partition should take. Runs that begin meanwhile wait for as long.
BRIEF = 0.0015
# Frames that it has at least: with fewer, more lines of the cache are written in several goes.
FEWEST = 16


class BriefPace:
    """Sizes partitions so that a thread is free again at once."""

    def __init__(self) -> None:
        self._size = LINE

    @property
    def size(self) -> int:
        """Frames that the next partition should have: whole lines, or half and quarter ones."""
        return self._size

    def learn(self, n_frames: int, seconds: float, merging: float) -> None:
        """Take note of a partition, see `udfwidgets.engine.plan.cadence.Pace`."""
        wanted = int(n_frames * BRIEF / max(seconds, 1e-9))
        lines = min(wanted // LINE, 2 * self._size // LINE)
        self._size = lines * LINE if lines else max(FEWEST, min(wanted // FEWEST * FEWEST, LINE))


class Target:
    """Where the frames of a scan go.

    Parameters
    ----------
    planes : Planes
        The memory.
    """

    def __init__(self, planes: Planes) -> None:
        #: None when the run has ended, and the memory is given back.
        self.planes: Planes | None = planes

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
        self.params.target.planes.put(flat(tile), self.results.row)

    def fused_step(self) -> Step:
        """Return what `process_tile` does, for all tiles of a partition."""
        planes = self.params.target.planes
        address = put_into_planes(self.meta.input_dtype)
        layout = np.array([*planes.array.shape, *self._positions()], np.int64)
        # Unlike any other: nobody could take what this one writes.
        return Step(address, planes.array, layout, planes.needs, key=object())

    def postprocess(self) -> None:
        """Say that the partition is in."""
        self.params.target.planes.valid[self._positions()] = True

    def merge(self, dest: Any, src: Any) -> None:
        """Do nothing."""

    def _positions(self) -> Positions:
        start, stop = self.meta.in_hand
        rows = self.meta.rows
        return np.arange(start, stop) if rows is None else np.asarray(rows, np.int64)


@cache
def put_into_planes(dtype: np.dtype[Any]) -> int:
    """Return the step that writes into planes: `aux` is their shape, and each row's position."""
    if dtype.kind in "bui":
        return compiled_step(_put_integers, f"u{dtype.itemsize}", "u1", "i8", "u1")
    return compiled_step(_put_floats, dtype, dtype, "i8", "u1")


def _put_integers(pixels, n_frames, n_pixels, row, out, aux, more, n_aux, n_more):  # type: ignore[no-untyped-def]
    tile = numba.carray(pixels, (n_frames, n_pixels))
    shape = numba.carray(aux, (4,))
    planes = numba.carray(out, (shape[0], shape[1], shape[2], shape[3]))
    needs = numba.carray(more, (shape[0] - 1, shape[1], shape[2]))
    positions = numba.carray(aux, (4 + row + n_frames,))[4 + row :]
    put_integers(tile, positions, planes, needs)


def _put_floats(pixels, n_frames, n_pixels, row, out, aux, more, n_aux, n_more):  # type: ignore[no-untyped-def]
    tile = numba.carray(pixels, (n_frames, n_pixels))
    shape = numba.carray(aux, (4,))
    planes = numba.carray(out, (shape[0], shape[1], shape[2], shape[3]))
    needs = numba.carray(more, (0, shape[1], shape[2]))
    positions = numba.carray(aux, (4 + row + n_frames,))[4 + row :]
    put_floats(tile, positions, planes, needs)
