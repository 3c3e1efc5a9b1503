"""Files of nothing but pixels, memory-mapped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.strided import StridedDataSet
from udfwidgets.io.layout.files import PathLike, existing_file, size_of
from udfwidgets.io.layout.folding import axes, fold
from udfwidgets.io.layout.strided import Piece
from udfwidgets.names import further


class RawFileDataSet(StridedDataSet):
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
        stored_dtype, sig = check_told(dtype, sig_shape, offset)
        path = existing_file(path)
        n_bytes = size_of(path)
        frame_bytes = math.prod(sig) * stored_dtype.itemsize
        n_stored, rest = divmod(max(0, n_bytes - offset), frame_bytes)
        # A file that ends within a frame is a scan that was stopped, but which one has to be said.
        if not n_stored or (rest and nav_shape is None):
            raise DataSetException(
                f"{path} has {n_bytes} bytes, expected offset={offset} and a whole number of "
                f"frames of {frame_bytes} bytes ({sig}, {stored_dtype}); {rest} bytes are left "
                f"from byte {n_bytes - rest}; pass nav_shape= if the scan was stopped"
            )
        folded = fold(
            str(path),
            n_stored,
            sig,
            None,
            nav_shape=nav_shape,
            sync_offset=sync_offset,
            flyback=flyback,
            snake=snake,
        )
        piece = Piece(path, n_bytes, offset, frame_bytes, n_stored)
        notes = _about_rest(rest)
        n_nav = folded.shape.nav.size
        # Bytes of another dtype are frames as well, only more or fewer.
        if n_stored != n_nav and sync_offset == flyback == 0:
            notes.append(
                f"{n_bytes} bytes are {n_stored} frames of {sig} {stored_dtype}, and nav_shape="
                f"{folded.shape.nav.axes} takes {n_nav}: are dtype, sig_shape and nav_shape right?"
            )
        super().__init__(str(path), [piece], folded, stored_dtype, notes)


def check_told(
    dtype: npt.DTypeLike, sig_shape: Sequence[int] | None, offset: int
) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """Return dtype and shape of a frame, after a look at what is told of the file."""
    if sig_shape is None:
        raise TypeError("raw data need sig_shape=, the shape of one frame")
    if offset < 0:
        raise ValueError(f"offset={offset}, expected the number of bytes before the frames")
    try:
        stored_dtype = np.dtype(dtype)
    except TypeError:
        raise TypeError(
            f"dtype={dtype!r} is not known, expected such as 'uint16' or '>f4'"
        ) from None
    if stored_dtype.kind not in "buifc":
        raise ValueError(f"dtype={stored_dtype}, expected a dtype of numbers")
    return stored_dtype, axes(sig_shape, "sig_shape")


def _about_rest(n_bytes: int) -> list[str]:
    if not n_bytes:
        return []
    return [f"the last {n_bytes} bytes are no whole frame, and are left out"]


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
