"""Files of nothing but pixels, memory-mapped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.folded import FoldedDataSet
from udfwidgets.io.dataset.memory import ArraySource
from udfwidgets.io.layout.copied import CopiedSource
from udfwidgets.io.layout.files import PathLike, check_unchanged, existing_file, map_array, size_of
from udfwidgets.io.layout.folding import axes, fold
from udfwidgets.io.source import Source
from udfwidgets.names import further


class RawFileDataSet(FoldedDataSet):
    """Frames one after the other in C order, perhaps after a header of known size.

    Parameters
    ----------
    path : str or os.PathLike
        ``~`` is expanded.
    dtype : dtype_like
        As stored, such as ``'uint16'`` or, for big-endian data, ``'>u2'``.
    nav_shape : sequence of int, optional
        Scan shape. Without it, the frames must make a square. A scan of fewer frames than the
        file holds uses the first ones, and a warning is logged; of one with more frames, some are
        missing.
    sig_shape : sequence of int
        Detector shape.
    offset : int, default 0
        Bytes before the first frame.
    sync_offset : int, default 0
        Frames to skip at the start, or if negative, positions to leave without a frame there.
    flyback : int, default 0
        Frames to drop after each line of the scan.
    snake : bool, default False
        Every other line, from the second one on, was recorded backwards.

    Raises
    ------
    DataSetException
        If the file holds no frame, or it is not clear how many there should be.
    """

    def __init__(
        self,
        path: PathLike,
        dtype: npt.DTypeLike,
        nav_shape: Sequence[int] | None = None,
        sig_shape: Sequence[int] | None = None,
        *,
        offset: int = 0,
        sync_offset: int = 0,
        flyback: int = 0,
        snake: bool = False,
    ) -> None:
        if sig_shape is None:
            raise TypeError("raw data need sig_shape=, the shape of one frame")
        if offset < 0:
            raise ValueError(f"offset={offset}, expected the number of bytes before the frames")
        self._stored_dtype = np.dtype(dtype)
        if self._stored_dtype.kind not in "buifc":
            raise ValueError(f"dtype={self._stored_dtype}, expected a dtype of numbers")
        sig = axes(sig_shape, "sig_shape")
        self._path = existing_file(path)
        self._file_size = size_of(self._path)
        self._offset = offset
        frame_bytes = math.prod(sig) * self._stored_dtype.itemsize
        n_stored, rest = divmod(max(0, self._file_size - offset), frame_bytes)
        # A file that ends within a frame is a scan that was stopped, but which one has to be said.
        if not n_stored or (rest and nav_shape is None):
            raise DataSetException(
                f"{self._path} has {self._file_size} bytes, expected offset={offset} and a whole "
                f"number of frames of {frame_bytes} bytes ({sig}, {self._stored_dtype}); "
                f"{rest} bytes are left from byte {self._file_size - rest}; pass nav_shape= if the "
                "scan was stopped"
            )
        folded = fold(
            str(self._path),
            n_stored,
            sig,
            None,
            nav_shape=nav_shape,
            sync_offset=sync_offset,
            flyback=flyback,
            snake=snake,
        )
        super().__init__(str(self._path), folded, self._stored_dtype, _about_rest(rest))

    @property
    def files(self) -> tuple[Path, ...]:
        """The one file."""
        return (self._path,)

    def open(self) -> Source:
        """Map the file."""
        check_unchanged(self._path, self._file_size)
        sig = self.shape.sig.to_tuple()
        stored = map_array(
            self._path, self._stored_dtype, self._offset, (self._fold.n_stored, *sig)
        )
        source: Source
        if self._stored_dtype.isnative:
            source = ArraySource(stored)
        else:
            source = CopiedSource(stored, len(sig), sig)
        return self._placed(source)


def _about_rest(n_bytes: int) -> list[str]:
    if not n_bytes:
        return []
    return [f"the last {n_bytes} bytes are no whole frame, and are left out"]


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
