"""Writes frames at a fixed distance, each with something before it."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from udfwidgets.io.source import Array
from udfwidgets.io.writing.outline import Outline, Writer


class PlacedWriter(Writer):
    """Writes each frame to its place in a file.

    Parameters
    ----------
    path : Path
        Of the file, which is there and empty.
    outline : Outline
        What is to be written.
    dtype : numpy.dtype
        As stored.
    offset : int
        Where the first frame begins, with what is before its pixels.
    head_bytes : int
        How long that is.
    """

    def __init__(
        self, path: Path, outline: Outline, dtype: np.dtype[Any], offset: int, head_bytes: int
    ) -> None:
        self._path = path
        self._dtype = dtype
        self._offset = offset
        self._head_bytes = head_bytes
        self._stride = head_bytes + outline.shape.sig.size * dtype.itemsize

    def write(self, first: int, frames: Array) -> None:
        """Write frames, and what is before each."""
        rows = np.empty((len(frames), self._stride), np.uint8)
        rows[:, : self._head_bytes] = self.heads(first, len(frames))
        pixels = frames.astype(self._dtype, order="C", copy=False).reshape(len(frames), -1)
        rows[:, self._head_bytes :] = pixels.view(np.uint8)
        self.put(self._offset + first * self._stride, rows)

    def put(self, at: int, content: npt.NDArray[np.uint8]) -> None:
        """Write bytes to a place of the file."""
        # Opened for each: two threads share no position, and what ends leaves nothing open.
        with open(self._path, "r+b") as file:
            file.seek(at)
            file.write(content.data)

    @abstractmethod
    def heads(self, first: int, n_frames: int) -> npt.NDArray[np.uint8]:
        """Return what is before the pixels of some frames, a row for each."""

    def close(self) -> None:
        """Do nothing: there is nothing open."""
