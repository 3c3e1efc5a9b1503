"""Keeps a copy of the frames in a .npy file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from udfwidgets.buffers import Array, BufferDeclaration
from udfwidgets.replacing import replacing
from udfwidgets.udf.base import UDF


class RecordUDF(UDF):
    """Writes every frame, in the dtype of the dataset, to a NumPy file of the dataset's shape.

    A run begins by making a file of the full size beside the one that is asked for, whose place it
    takes when the run is complete. A run that is not leaves everything as it was. Positions without
    a frame are zeros in the file. It takes no roi. There are no results.

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
        if self.meta.partition_range is not None:
            return
        self._replacing = replacing(self._path, beside=self._unfinished)
        self._replacing.__enter__()
        np.lib.format.open_memmap(
            self._unfinished, "w+", self.meta.input_dtype, self.meta.dataset_shape.axes
        )

    def get_task_data(self) -> Mapping[str, Any]:
        """Find out where in the file the frames begin."""
        return {"begin": _end_of_header(self._unfinished)}

    def run_ended(self, error: BaseException | None) -> None:
        """Give the file its name, or remove it."""
        self._replacing.__exit__(type(error) if error else None, error, None)

    def process_tile(self, tile: Array) -> None:
        """Write a tile to its place."""
        frame_bytes = self.meta.dataset_shape.sig.size * self.meta.input_dtype.itemsize
        # Not a map: to write to one on a disk that is full is no exception but a crash.
        with open(self._unfinished, "r+b") as file:
            file.seek(self.task_data.begin + self.meta.slice.origin[0] * frame_bytes)
            file.write(np.ascontiguousarray(tile).data.cast("B"))

    @property
    def _path(self) -> Path:
        return Path(self.params.filename)

    @property
    def _unfinished(self) -> Path:
        # By its key, as all copies of this run have to find it, also in other processes.
        path = self._path
        return path.with_name(f".{path.stem}.{self.meta.run_key}.unfinished{path.suffix}")


def _end_of_header(path: Path) -> int:
    """Return where the frames begin.

    NumPy would parse the header, which several threads must not do at once: it is Python, and
    Python 3.11 counts the depth of syntax trees for all threads together
    (https://github.com/python/cpython/issues/106905).
    """
    with open(path, "rb") as file:
        major, _ = np.lib.format.read_magic(file)
        length = int.from_bytes(file.read(2 if major == 1 else 4), "little")
        return file.tell() + length
