"""Tells which frames of an HDF5 dataset have come while its file is written in SWMR mode.

In that mode (single writer, multiple readers) a file can be read while a detector writes to it:
the writer puts data into the file before it says in the index of chunks where they lie. So a chunk
that is in the index can be read.

The shape says less: it may have grown before the frames come, or have its final size from the
beginning. A frame counts as arrived when its chunks are in the index, and, where chunks hold
several frames, when one with later frames is, too, because the newest may be half full. The
writer takes back a mark at the start of the file when it closes it; that is the end.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from udfwidgets.errors import DataSetException
from udfwidgets.io.arriving.growing import Arrived, GrowingSource
from udfwidgets.io.dataset.hdf5.chunks import ChunkLayout
from udfwidgets.io.dataset.hdf5.swmr import (
    Handle,
    corner_of,
    frames_of,
    is_written,
    read_chunk,
    swmr_lock,
)
from udfwidgets.io.source import Array, Scratch
from udfwidgets.shapes import Shape

_ADVICE = "for what has come, load it with follow=True and a nav_shape= of no more frames"
# Looking for a chunk takes about 30 us. A latecomer is told of what there is piece by piece.
_LOOK_FOR = 0.02
# The chunk that ends the scan may be half full, and no later one tells when it is not.
_SETTLED = 5.0


class GrowingH5Source(GrowingSource):
    """Follows the index of chunks, and reads those in it as if the file were finished."""

    def __init__(
        self,
        path: Path,
        ds_path: str,
        layout: ChunkLayout,
        nav_dims: int,
        shape: Shape,
        stall_timeout: float | None,
        on_complete: Callable[[], None],
    ) -> None:
        super().__init__(f"{path}:{ds_path}", shape.nav.size, stall_timeout, _ADVICE, on_complete)
        self._path = path
        self._layout = layout
        self._nav_dims = nav_dims
        self._nav = layout.shape[:nav_dims]
        self._nav_grid = layout.grid[:nav_dims]
        self._is_deep = math.prod(layout.chunk[:nav_dims]) > 1
        # Places along the scan, in the order of their first frames, whose chunks are in the index,
        # and those of them that are full, from the first one without a gap.
        self._n_begun = self._n_full = 0
        self._changed: tuple[object, float] = (None, 0.0)
        self._has_closed = False
        self._handle: Handle | None = Handle.of(path, ds_path)
        self._dataset = self._handle.dataset
        try:
            self._frames = frames_of(self._dataset, layout, nav_dims, shape.sig.to_tuple())
        except BaseException:
            self._handle.release()
            raise

    def read(self, start: int, stop: int, scratch: Scratch) -> Array:
        """Read frames that have come."""
        return self._frames.read(start, stop, scratch)

    def close(self) -> None:
        """Let go of the file."""
        self._frames.close()
        with self._lock:
            if self._handle is not None:
                self._handle.release()
                self._handle = None

    def _look(self) -> Arrived:
        if self._handle is None:
            raise ValueError("asked a source that is closed")
        with swmr_lock:
            if not self._has_closed:
                self._has_closed = not is_written(self._path, self._dataset.file.userblock_size)
                # After the flag: if that says that the writer has gone, nothing comes after this.
                self._dataset.refresh()
            deadline = time.monotonic() + _LOOK_FOR
            begun = self._advance_begun(deadline)
            is_settled = begun and (self._has_closed or self._is_settled())
            self._advance_full(is_settled)
            n_frames = min(self._first_frame(self._n_full), self._in_shape())
        has_ended = begun and self._has_closed
        return Arrived(n_frames, "the file has been closed" if has_ended else "")

    def _advance_begun(self, deadline: float) -> bool:
        """Look which chunks are there; False if there was no time for all of them."""
        while self._first_frame(self._n_begun) < self._expected:
            if time.monotonic() > deadline:
                return False
            if not self._is_begun(self._n_begun):
                break
            self._n_begun += 1
        return True

    def _is_begun(self, number: int) -> bool:
        """Tell whether all chunks at a place along the scan are there.

        By reading them, which takes 6 us and the time to copy, and a place without one 25 us: all
        that tells where chunks lie goes through the index from its beginning.
        """
        if number == 0 and not self._dataset.id.get_num_chunks():
            return False  # the size of a chunk is any number as long as there is no index
        nav_at = np.unravel_index(number, self._nav_grid)
        for sig_at in np.ndindex(self._layout.grid[self._nav_dims :]):
            corner = corner_of((*map(int, nav_at), *sig_at), self._layout)
            if any(o >= n for o, n in zip(corner, self._dataset.shape, strict=True)):
                return False
            try:
                read_chunk(self._dataset, corner)
            except (RuntimeError, OSError):
                return False
        return True

    def _advance_full(self, is_settled: bool) -> None:
        newest = self._first_frame(self._n_begun - 1) if self._n_begun else 0
        while self._n_full < self._n_begun:
            if self._is_deep and not is_settled and self._end_frame(self._n_full) > newest:
                break
            self._n_full += 1

    def _first_frame(self, number: int) -> int:
        """Return the first frame at a place along the scan, in scan order."""
        if number >= math.prod(self._nav_grid):
            return self._expected
        at = np.unravel_index(number, self._nav_grid)
        corner = [int(i) * c for i, c in zip(at, self._layout.chunk, strict=False)]
        return int(np.ravel_multi_index(corner, self._nav))

    def _end_frame(self, number: int) -> int:
        """Return the number after the last frame at a place along the scan."""
        at = np.unravel_index(number, self._nav_grid)
        last = [
            min((int(i) + 1) * c, n) - 1
            for i, c, n in zip(at, self._layout.chunk, self._nav, strict=False)
        ]
        return int(np.ravel_multi_index(last, self._nav)) + 1

    def _in_shape(self) -> int:
        """Return how many frames, in scan order, the present shape has room for."""
        first, *rest = (int(n) for n in self._dataset.shape[: self._nav_dims])
        if tuple(rest) == self._nav[1:]:
            return first * math.prod(rest)
        return rest[-1] if all((first, *rest)) else 0  # within the first line

    def _is_settled(self) -> bool:
        """Tell whether the whole scan is there, and the file has not changed for a while."""
        if self._first_frame(self._n_begun) < self._expected:
            return False
        try:
            found = os.stat(self._path)
        except OSError as error:
            raise DataSetException(f"{self._path} is gone: {error.strerror}") from error
        state, now = (found.st_mtime_ns, found.st_size), time.monotonic()
        if state != self._changed[0]:
            self._changed = state, now
        return now - self._changed[1] > _SETTLED
