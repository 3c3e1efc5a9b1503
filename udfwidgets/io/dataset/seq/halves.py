"""Frames of a Celeritas: their upper halves are in one file, their lower ones in another."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from udfwidgets.errors import DataSetException
from udfwidgets.io.layout.boxes import boxes
from udfwidgets.io.layout.files import check_whole
from udfwidgets.io.layout.maps import Maps
from udfwidgets.io.layout.strided import Piece
from udfwidgets.io.source import Array, Scratch, Source

_NAME = re.compile(r"(.+)_(Top|Bottom)(.*)\.seq")
_OTHER = {"Top": "Bottom", "Bottom": "Top"}


class Halves(NamedTuple):
    """Where both halves are.

    Parameters
    ----------
    top, bottom : Piece
        The buffers of each file, of which both have as many.
    per_buffer : int
        How many frames are in one.
    """

    top: Piece
    bottom: Piece
    per_buffer: int

    @property
    def n_frames(self) -> int:
        """How many frames are whole."""
        return self.top.n_frames * self.per_buffer


def both_halves(path: Path) -> tuple[str, Path, Path] | None:
    """Return what both names begin with, the upper and the lower half; None if it is no half.

    Raises
    ------
    DataSetException
        If several files could be the other half.
    """
    named = _NAME.fullmatch(path.name)
    if named is None:
        return None
    name, half, rest = named.groups()
    wanted = f"{name}_{_OTHER[half]}"
    found = [each for each in path.parent.iterdir() if _belongs(each.name, name, _OTHER[half])]
    # Both are named after the moment at which they were begun, which is not always the same one.
    found = [each for each in found if each.name == f"{wanted}{rest}.seq"] or found
    if len(found) > 1:
        listed = ", ".join(sorted(each.name for each in found))
        raise DataSetException(
            f"{path} has several files beside it that could be its other half: {listed}; move "
            "those of other scans away"
        )
    if not found:
        return None
    return (name, path, found[0]) if half == "Top" else (name, found[0], path)


def missing_half(path: Path) -> str:
    """Return what the other half would be called; empty if it is no half by its name."""
    named = _NAME.fullmatch(path.name)
    return "" if named is None else f"{named[1]}_{_OTHER[named[2]]}*.seq"


def _belongs(name: str, begin: str, half: str) -> bool:
    named = _NAME.fullmatch(name)
    return named is not None and named.groups()[:2] == (begin, half)


class HalvesSource(Source):
    """Frames that are put together while they are copied, without the GIL.

    Parameters
    ----------
    halves : Halves
        Where they are.
    dtype : numpy.dtype
        Of the pixels in the files.
    stored : tuple of int
        Shape of half a frame.
    sig : tuple of int
        Shape of the frames as they are handed out.
    """

    def __init__(
        self, halves: Halves, dtype: np.dtype[Any], stored: tuple[int, int], sig: tuple[int, ...]
    ) -> None:
        self._halves, self._stored_dtype, self._stored, self._sig = halves, dtype, stored, sig
        self._maps = Maps()

    def read(self, start: int, stop: int, scratch: Scratch) -> Array:
        """Copy both halves of frames into the scratch."""
        height, width = self._stored
        out = scratch.array((stop - start, 2 * height, width), self._stored_dtype.newbyteorder("="))
        top, bottom = (self._buffers(piece) for piece in self._halves[:2])
        for box in boxes(start, stop, top.shape[:2]):
            target = out[box.first - start : box.first - start + box.size]
            target = target.reshape(*box.shape, 2 * height, width)
            np.copyto(target[..., height - 1 :: -1, :], top[box.slices])
            np.copyto(target[..., height:, :], bottom[box.slices])
        for piece in self._halves[:2]:
            check_whole(self._raw(piece))
        return out.reshape(stop - start, *self._sig)

    def _raw(self, piece: Piece) -> Array:
        return self._maps.of(piece.path, piece.n_bytes)

    def _buffers(self, piece: Piece) -> Array:
        """Return all halves of a file where they lie, along buffers and within."""
        item, (height, width) = self._stored_dtype.itemsize, self._stored
        found: Array = np.ndarray(
            (piece.n_frames, self._halves.per_buffer, height, width),
            self._stored_dtype,
            self._raw(piece).data,
            piece.offset,
            (piece.stride, height * width * item, width * item, item),
        )
        return found

    def close(self) -> None:
        """Drop the maps."""
        self._maps.close()
