"""Keeps the frames of a stream in a file without a name, for everyone who wants them later."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from udfwidgets.errors import DataSetException
from udfwidgets.io.source import Array


class Spool:
    """Room on the disk for all frames of a scan, written from the front.

    The system keeps what it can of it in memory and gives that back when others need it. The file
    goes when the spool is closed and all maps of it have gone, in a crash, too.

    Parameters
    ----------
    shape : tuple of int
        (n_frames, *sig).
    dtype : numpy.dtype
        In native byte order.
    folder : str or os.PathLike or None
        Where; None for the system's folder for temporary files.

    Raises
    ------
    DataSetException
        If there is no such folder, or no room in it.
    """

    def __init__(
        self, shape: tuple[int, ...], dtype: np.dtype[Any], folder: str | os.PathLike[str] | None
    ) -> None:
        self._folder = Path(tempfile.gettempdir() if folder is None else folder).expanduser()
        n_bytes = int(np.prod(shape, dtype=object)) * dtype.itemsize
        try:
            free = shutil.disk_usage(self._folder).free
            if free < n_bytes:
                raise DataSetException(
                    f"{self._folder} has {free / 1e9:.3g} GB of room, expected {n_bytes / 1e9:.3g} "
                    "GB for the frames of the stream; pass spool_dir= of a larger disk"
                )
            self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115
            self._file.truncate(n_bytes)
        except OSError as error:
            raise DataSetException(
                f"{self._folder} cannot keep the frames of the stream: {error.strerror}; pass "
                "another spool_dir="
            ) from error
        self._frame_bytes = n_bytes // shape[0]
        self._shape = shape
        self._dtype = dtype

    def map(self) -> Array:
        """Return all frames, read-only; those that were not written yet are 0."""
        mapped: np.memmap[Any, Any] = np.memmap(self._file, self._dtype, "r", 0, self._shape)
        # A plain ndarray: slicing an np.memmap goes through Python code each time.
        return np.asarray(mapped)

    def write(self, start: int, frames: Array) -> None:
        """Put contiguous frames in from number `start` on.

        Written and not copied into the map: a disk that is full is then an exception, and not a
        crash.
        """
        view = frames.reshape(-1).view(np.uint8).data
        at = start * self._frame_bytes
        try:
            while view:
                self._file.seek(at)
                n_bytes = self._file.write(view)
                at += n_bytes
                view = view[n_bytes:]
        except OSError as error:
            raise DataSetException(
                f"{self._folder} cannot keep more frames of the stream: {error.strerror}; pass "
                "spool_dir= of a larger disk"
            ) from error

    def close(self) -> None:
        """Take no more frames. A map stays valid for as long as somebody has it."""
        self._file.close()
