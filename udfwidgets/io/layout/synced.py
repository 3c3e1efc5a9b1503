"""Shifts the frames of a source along the scan."""

from __future__ import annotations

import numpy as np

from udfwidgets.io.layout.folding import Fold
from udfwidgets.io.source import Array, Scratch, Source


class SyncedSource(Source):
    """Frames of another source, some of them skipped or blank ones put before them.

    Parameters
    ----------
    source : Source
        Numbered as in the file. Closed together with this one.
    fold : Fold
        With the `sync_offset` and the number of frames in the file.
    """

    def __init__(self, source: Source, fold: Fold) -> None:
        self._source = source
        self._offset = fold.sync_offset
        self._n_stored = fold.n_stored

    def read(self, start: int, stop: int, scratch: Scratch) -> Array:
        """Pass on the shifted frames; only a run with blank frames in it is copied once more."""
        first = max(0, start + self._offset)
        last = min(self._n_stored, stop + self._offset)
        if last - first == stop - start:
            return self._source.read(first, last, scratch)
        # A read of one frame is the way to learn the shape and dtype of a run that is all blank.
        is_blank = first >= last
        stored = self._source.read(*((0, 1) if is_blank else (first, last)), scratch)
        out = scratch.array((stop - start, *stored.shape[1:]), stored.dtype, "synced")
        out[...] = np.zeros((), out.dtype)
        if not is_blank:
            begin = first - self._offset - start
            out[begin : begin + last - first] = stored
        return out

    def close(self) -> None:
        """Close the source behind."""
        self._source.close()


def synced(source: Source, fold: Fold) -> Source:
    """Return the source itself where nothing is to be shifted."""
    return source if fold.is_plain else SyncedSource(source, fold)
