"""Reads the binary headers of files, and counts the frames that follow them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from udfwidgets.errors import DataSetException
from udfwidgets.io.layout.strided import count_frames


def read_record(path: Path, dtype: npt.DTypeLike, what: str, offset: int = 0) -> Any:
    """Return the fields at a place of a file, by their names.

    Parameters
    ----------
    path : Path
        Of the file.
    dtype : dtype_like
        Structured: names, types and places of the fields.
    what : str
        They are, for messages.
    offset : int
        Where they begin.

    Raises
    ------
    DataSetException
        If the file ends before the last one, or cannot be read.
    """
    dtype = np.dtype(dtype)
    try:
        with path.open("rb") as file:
            file.seek(offset)
            content = file.read(dtype.itemsize)
    except OSError as error:
        raise DataSetException(f"{path} cannot be read: {error.strerror}") from error
    if len(content) < dtype.itemsize:
        raise DataSetException(
            f"{path} ends at byte {offset + len(content)}, expected {what} of {dtype.itemsize} "
            f"bytes from byte {offset}; the file is truncated"
        )
    return np.frombuffer(content, dtype)[0]


def whole_frames(
    path: Path, n_bytes: int, offset: int, stride: int, frame_bytes: int, promised: int
) -> tuple[int, list[str]]:
    """Return how many of the frames that a header promises are there, and what is to be said.

    Parameters
    ----------
    path, n_bytes
        The file, and its size.
    offset, stride, frame_bytes : int
        Where the pixels of the first frame begin, from there to the next ones, and how many they
        are.
    promised : int
        Number of frames.

    Raises
    ------
    DataSetException
        If there is none.
    """
    n_there = count_frames(n_bytes, offset, stride, frame_bytes) if frame_bytes > 0 else 0
    if min(n_there, promised) < 1:
        raise DataSetException(
            f"{path} has {n_bytes} bytes, expected {promised} frames of {frame_bytes} bytes from "
            f"byte {offset}; the file is truncated, or its header is damaged"
        )
    if n_there < promised:
        return n_there, [f"the file is truncated: it has {n_there} of {promised} frames"]
    return promised, []
