"""NumPy's own `.npy` files, memory-mapped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.base import DataSet
from udfwidgets.io.dataset.memory import ArraySource
from udfwidgets.io.layout.copied import CopiedSource
from udfwidgets.io.layout.files import PathLike, check_unchanged, existing_file, map_array, size_of
from udfwidgets.io.layout.folding import fold, split_axes
from udfwidgets.io.layout.synced import synced
from udfwidgets.io.source import Source

_HEADER_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


class NPYDataSet(DataSet):
    """An array in a `.npy` file.

    Frames in native byte order and C order are views of the memory map, others are copied.

    Parameters
    ----------
    path : str or os.PathLike
        ``~`` is expanded.
    sig_dims : int, default 2
        How many of the last axes belong to the detector.
    nav_shape, sig_shape : sequence of int, optional
        Scan and detector axes to fold the array into.
    sync_offset : int, default 0
        Frames to skip at the start, or if negative, blank frames to put there.

    Raises
    ------
    DataSetException
        If the file is not a complete `.npy` file of numbers, or does not fold as asked for.
    """

    def __init__(
        self,
        path: PathLike,
        sig_dims: int = 2,
        nav_shape: Sequence[int] | None = None,
        sig_shape: Sequence[int] | None = None,
        *,
        sync_offset: int = 0,
    ) -> None:
        self._path = existing_file(path)
        self._file_size = size_of(self._path)
        self._stored, self._order, self._stored_dtype, self._offset = _read_header(self._path)
        nav, sig = split_axes(str(self._path), self._stored, sig_dims, sig_shape)
        self._sig_dims = len(sig)
        n_stored = int(np.prod(nav, dtype=object))
        self._fold = fold(
            str(self._path),
            n_stored,
            sig,
            nav,
            nav_shape=nav_shape,
            sig_shape=sig_shape,
            sync_offset=sync_offset,
        )
        super().__init__(self._fold.shape, self._stored_dtype)
        self.open().close()  # a truncated file is found now, not in the middle of a run

    @property
    def files(self) -> tuple[Path, ...]:
        """The one file."""
        return (self._path,)

    def open(self) -> Source:
        """Map the file."""
        check_unchanged(self._path, self._file_size)
        stored = map_array(self._path, self._stored_dtype, self._offset, self._stored, self._order)
        sig = self.shape.sig.to_tuple()
        source: Source
        if self._order == "C" and self._stored_dtype.isnative:
            source = ArraySource(stored.reshape(self._fold.n_stored, *sig))
        else:
            source = CopiedSource(stored, self._sig_dims, sig)
        return synced(source, self._fold)


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
