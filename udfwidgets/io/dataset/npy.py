"""NumPy's own `.npy` files, memory-mapped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.folded import FoldedDataSet
from udfwidgets.io.dataset.memory import ArraySource
from udfwidgets.io.layout.copied import CopiedSource
from udfwidgets.io.layout.files import PathLike, check_unchanged, existing_file, map_array, size_of
from udfwidgets.io.layout.folding import fold, split_axes
from udfwidgets.io.source import Source
from udfwidgets.names import further

_HEADER_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


class NPYDataSet(FoldedDataSet):
    """An array in a `.npy` file.

    Frames in native byte order and C order are views of the memory map, others are copied.

    Parameters
    ----------
    path : str or os.PathLike
        ``~`` is expanded.
    sig_dims : int, default 2
        How many of the last axes belong to the detector.
    nav_shape, sig_shape : sequence of int, optional
        Scan and detector axes to fold the array into. Of a scan with more frames, some are missing.
    sync_offset : int, default 0
        Frames to skip at the start, or if negative, positions to leave without a frame there.
    flyback : int, default 0
        Frames to drop after each line of the scan.
    snake : bool, default False
        Every other line, from the second one on, was recorded backwards.

    Raises
    ------
    DataSetException
        If the file is not a `.npy` file of numbers with at least one frame, or does not fold as
        asked for.
    """

    def __init__(
        self,
        path: PathLike,
        sig_dims: int = 2,
        nav_shape: Sequence[int] | None = None,
        sig_shape: Sequence[int] | None = None,
        *,
        sync_offset: int = 0,
        flyback: int = 0,
        snake: bool = False,
    ) -> None:
        self._path = existing_file(path)
        self._file_size = size_of(self._path)
        self._stored, self._order, self._stored_dtype, self._offset = _read_header(self._path)
        nav, sig = split_axes(str(self._path), self._stored, sig_dims, sig_shape)
        self._sig_dims = len(sig)
        n_promised = math.prod(nav)
        n_stored = self._count_whole_frames(n_promised, math.prod(sig))
        folded = fold(
            str(self._path),
            n_stored,
            sig,
            nav,
            nav_shape=nav_shape,
            sig_shape=sig_shape,
            sync_offset=sync_offset,
            flyback=flyback,
            snake=snake,
        )
        notes = []
        if n_stored < n_promised:
            notes = [f"the file is truncated: it has {n_stored} of {n_promised} frames"]
        super().__init__(str(self._path), folded, self._stored_dtype, notes)
        self.open().close()  # a truncated file is found now, not in the middle of a run

    @property
    def files(self) -> tuple[Path, ...]:
        """The one file."""
        return (self._path,)

    def open(self) -> Source:
        """Map the file."""
        check_unchanged(self._path, self._file_size)
        n_stored, sig = self._fold.n_stored, self.shape.sig.to_tuple()
        shape = self._stored
        if n_stored < math.prod(shape[: -self._sig_dims]):
            shape = (n_stored, *shape[-self._sig_dims :])
        stored = map_array(self._path, self._stored_dtype, self._offset, shape, self._order)
        source: Source
        if self._order == "C" and self._stored_dtype.isnative:
            source = ArraySource(stored.reshape(n_stored, *sig))
        else:
            source = CopiedSource(stored, self._sig_dims, sig)
        return self._placed(source)

    def _count_whole_frames(self, n_promised: int, n_pixels: int) -> int:
        """Return how many frames the file has, fewer than it promises where it is truncated."""
        n_there = (self._file_size - self._offset) // (n_pixels * self._stored_dtype.itemsize)
        # In Fortran order a piece of the file has a piece of every frame.
        is_by_frame = self._order == "C" and n_there > 0
        return min(n_promised, n_there) if is_by_frame else n_promised


def _read_header(path: Path) -> tuple[tuple[int, ...], str, np.dtype[np.generic], int]:
    expected = "expected the header of a .npy file of numbers"
    try:
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            if version not in _HEADER_READERS:
                raise DataSetException(f"{path} has .npy version {version}, expected 1.0 or 2.0")
            shape, is_fortran, dtype = _HEADER_READERS[version](file)
            offset = file.tell()
    except OSError as error:
        raise DataSetException(f"{path} cannot be read: {error.strerror}") from error
    except DataSetException:
        raise
    except Exception as error:
        # The header is a Python literal, parsed by NumPy: a broken one fails in many ways.
        raise DataSetException(f"{path} has something else ({error}), {expected}") from error
    if dtype.kind not in "buifc":
        raise DataSetException(f"{path} holds dtype {dtype}, {expected}")
    if any(type(n) is not int or n < 0 for n in shape):
        raise DataSetException(f"{path} gives the shape {shape}, {expected}")
    return shape, "F" if is_fortran and len(shape) > 1 else "C", dtype, offset


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
