"""Hands out the frames of a source at the scan positions that they belong to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from udfwidgets.io.layout.placing import Fold
from udfwidgets.io.source import Array, Packed, Scratch, Source, Stretch


class PlacedSource(Source):
    """Frames of another source in the order of the scan; blank ones where there are none.

    Nobody asks for blank frames, but they may lie between others that are read together.

    Parameters
    ----------
    source : Source
        Numbered as in the file. Closed together with this one.
    fold : Fold
        Which of its frames are where.
    dtype : numpy.dtype
        Of the frames.
    """

    def __init__(self, source: Source, fold: Fold, dtype: np.dtype[Any]) -> None:
        self._source = source
        self._fold = fold
        self._dtype = dtype
        self._is_closed = False

    @property
    def stretches(self) -> Sequence[Stretch] | None:
        """Those of the source, where they follow each other as in the scan."""
        lying, offset = self._source.stretches, self._fold.sync_offset
        if lying is None or not self._fold.is_shifted:
            return None
        n_before = [max(0, offset - each.first) for each in lying]
        return [
            Stretch(each.first + n - offset, each.frames[n:])
            for each, n in zip(lying, n_before, strict=True)
            if n < len(each.frames)
        ]

    @property
    def packed(self) -> Packed | None:
        """That of the source, where frames follow each other as in the scan."""
        packed = self._source.packed if self._fold.is_shifted else None
        shift = self._fold.sync_offset
        return packed if packed is None else packed._replace(shift=packed.shift + shift)

    def check(self, numbers: npt.NDArray[np.int64]) -> None:
        """Let the source look at its own."""
        self._source.check(numbers + self._fold.sync_offset)

    def read(self, start: int, stop: int, scratch: Scratch) -> Array:
        """Pass on what lies in the file as in the scan; everything else is copied once more."""
        if self._is_closed:
            raise ValueError("read from a source that is closed")
        numbers = self._fold.numbers(start, stop)
        runs = list(_runs(numbers))
        first, last = int(numbers[0]), int(numbers[-1])
        if len(runs) == 1 and 0 <= first <= last:
            return self._source.read(first, last + 1, scratch)
        out = scratch.array((stop - start, *self._fold.shape.sig), self._dtype, "placed")
        for begin, end in runs:
            first, last = int(numbers[begin]), int(numbers[end - 1])
            if first < 0:
                out[begin:end] = np.zeros((), out.dtype)
                continue
            stored = self._source.read(min(first, last), max(first, last) + 1, scratch)
            out[begin:end] = stored if first <= last else stored[::-1]
        return out

    def close(self) -> None:
        """Close the source behind."""
        self._is_closed = True
        self._source.close()


def _runs(numbers: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Cut numbers where they do not go on by one, up or down; blanks are a run of their own."""
    cuts = np.flatnonzero(np.abs(np.diff(numbers)) > 1) + 1
    edges = [0, *cuts.tolist(), len(numbers)]
    return pairwise(edges)


def placed(source: Source, fold: Fold, dtype: np.dtype[Any]) -> Source:
    """Return the source itself where frame i of the scan is simply frame i of the file."""
    is_plain = fold.is_shifted and fold.sync_offset == 0 and fold.n_missing == 0
    return source if is_plain else PlacedSource(source, fold, dtype)
