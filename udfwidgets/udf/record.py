"""Keeps a copy of the frames in a .npy file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from udfwidgets.buffers import Array, BufferDeclaration
from udfwidgets.udf.base import UDF


class RecordUDF(UDF):
    """Writes every frame, in the dtype of the dataset, to a NumPy file of the dataset's shape.

    A run begins by making the file in its full size, in place of any that is there; one of the
    same shape and dtype is written over frame by frame. Positions without a frame are zeros in the
    file. It takes no roi. There are no results.

    Parameters
    ----------
    filename : str or path
        Of the file, usually ending in ``.npy``.
    """

    def __init__(self, filename: str | os.PathLike[str]) -> None:
        super().__init__(filename=filename)

    def get_preferred_input_dtype(self) -> npt.DTypeLike:
        """Read the data as they are."""
        return self.USE_NATIVE_DTYPE

    def get_result_buffers(self) -> Mapping[str, BufferDeclaration]:
        """Declare nothing: the file is all there is."""
        if self.meta.roi is not None:
            raise RuntimeError(
                "recording with a roi is not supported: leave out the roi, or record a dataset "
                "that holds the selected frames only"
            )
        return {}

    def preprocess(self) -> None:
        """Make the file when the run begins, before the first partition."""
        if self.meta.partition_range is None and not self._is_ready():
            np.lib.format.open_memmap(
                self._path, "w+", self.meta.input_dtype, self.meta.dataset_shape.axes
            )

    def get_task_data(self) -> Mapping[str, Any]:
        """Find out where in the file the frames begin."""
        return {"begin": _end_of_header(self._path)}

    def process_tile(self, tile: Array) -> None:
        """Write a tile to its place."""
        frame_bytes = self.meta.dataset_shape.sig.size * self.meta.input_dtype.itemsize
        # Not a map: to write to one on a disk that is full is no exception but a crash.
        with open(self._path, "r+b") as file:
            file.seek(self.task_data.begin + self.meta.slice.origin[0] * frame_bytes)
            file.write(np.ascontiguousarray(tile).data.cast("B"))

    def _is_ready(self) -> bool:
        """Whether there is a file of which every frame is going to be written over."""
        if self.meta.missing is not None:
            return False
        try:
            there = np.load(self._path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return False  # none there, or no such file
        wanted = (self.meta.dataset_shape.axes, self.meta.input_dtype)
        return (there.shape, there.dtype) == wanted and bool(there.flags.c_contiguous)

    @property
    def _path(self) -> str:
        path: str = os.fspath(self.params.filename)
        return path


def _end_of_header(path: str) -> int:
    """Return where the frames begin.

    NumPy would parse the header, which several threads must not do at once: it is Python, and
    Python 3.11 counts the depth of syntax trees for all threads together
    (https://github.com/python/cpython/issues/106905).
    """
    with open(path, "rb") as file:
        major, _ = np.lib.format.read_magic(file)
        length = int.from_bytes(file.read(2 if major == 1 else 4), "little")
        return file.tell() + length
