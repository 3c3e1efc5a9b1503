"""Finds and maps files on disk, and says plainly what is wrong with them."""

from __future__ import annotations

import difflib
import itertools
import mmap
import os
import threading
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from udfwidgets.errors import DataSetException
from udfwidgets.io.layout.guard import GuardedMap
from udfwidgets.io.source import Array

PathLike = str | os.PathLike[str]
Opened = TypeVar("Opened")
#: Names of a folder that are compared with one that is missing.
MOST_NAMES = 2_000
_told: ContextVar[list[GuardedMap] | None] = ContextVar("told", default=None)


def noting_maps(opens: Callable[[], Opened]) -> tuple[Opened, list[GuardedMap]]:
    """Return what a call returns, and all files that were mapped in it, on this thread."""
    noted: list[GuardedMap] = []
    token = _told.set(noted)
    try:
        return opens(), noted
    finally:
        _told.reset(token)


def existing_file(path: PathLike) -> Path:
    """Return an absolute path with ``~`` expanded, after looking that a file is there.

    Raises
    ------
    DataSetException
        If there is nothing at the path, or a directory.
    """
    resolved = existing_path(path)
    if resolved.is_dir():
        raise DataSetException(f"{resolved} is a directory, expected a file; name a file in it")
    return resolved


def existing_path(path: PathLike) -> Path:
    """Return an absolute path with ``~`` expanded, after looking that something is there.

    Raises
    ------
    DataSetException
        If there is nothing at the path.
    """
    if not isinstance(path, (str, os.PathLike)):
        # Not its repr, which for an array may be long.
        raise TypeError(
            f"path is of type {type(path).__name__}, expected a str or os.PathLike; for an array "
            "use load('memory', data=...)"
        )
    resolved = Path(os.path.abspath(Path(path).expanduser()))
    if not resolved.exists():
        raise DataSetException(f"{resolved} does not exist: {_what_is_there(Path(path), resolved)}")
    return resolved


def _what_is_there(asked: Path, resolved: Path) -> str:
    """Return how far a path leads, what is there that is called alike, and where it begins."""
    folder = next(each for each in resolved.parents if each.is_dir())
    missing = resolved.relative_to(folder).parts[0]
    if (folder / missing).exists():
        return f"{folder / missing} is a file"
    text = f"{folder} has no {missing!r}"
    try:
        # Of a folder with a million files, some.
        names = [each.name for each in itertools.islice(folder.iterdir(), MOST_NAMES)]
    except OSError:
        names = []
    if near := difflib.get_close_matches(missing, names, 1):
        text += f"; did you mean {near[0]!r}?"
    if not asked.expanduser().is_absolute():
        text += f"; {str(asked)!r} was looked for from {Path.cwd()}, where Python runs"
    return text


def size_of(path: Path) -> int:
    """Return the size of a file in bytes, a `DataSetException` if it cannot be told."""
    try:
        return path.stat().st_size
    except OSError as error:
        raise DataSetException(f"{path} cannot be read: {error.strerror}") from error


def check_unchanged(path: Path, size: int) -> None:
    """Raise a `DataSetException` if a file no longer has the size it had when it was loaded."""
    found = size_of(path)
    if found != size:
        raise DataSetException(
            f"{path} has {found} bytes, but had {size} when it was loaded; load it again"
        )


def read_start(path: Path, n_bytes: int) -> bytes:
    """Return up to the first `n_bytes` of a file."""
    try:
        with path.open("rb") as file:
            return file.read(n_bytes)
    except OSError as error:
        raise DataSetException(f"{path} cannot be read: {error.strerror}") from error


def map_array(
    path: Path, dtype: npt.DTypeLike, offset: int, shape: tuple[int, ...], order: str = "C"
) -> Array:
    """Map a part of a file into memory, read-only.

    The map, and the file descriptor inside it, goes when the last view of the array goes. If the
    file becomes shorter meanwhile, zeros are read, and the map `is_torn`.

    Raises
    ------
    DataSetException
        If the file is too short, or cannot be read.
    """
    dtype = np.dtype(dtype)
    needed = offset + int(np.prod(shape, dtype=object)) * dtype.itemsize
    found = size_of(path)
    if found < needed:
        raise DataSetException(
            f"{path} ends at byte {found}, expected {needed} bytes for an array of shape "
            f"{shape} and dtype {dtype} from byte {offset}; the file is truncated"
        )
    begin = offset - offset % mmap.ALLOCATIONGRANULARITY
    try:
        with path.open("rb") as file:
            mapped = GuardedMap.of(path, file.fileno(), needed - begin, begin)
    except (OSError, ValueError) as error:
        raise DataSetException(f"{path} cannot be mapped into memory: {error}") from error
    if (told := _told.get()) is not None:
        told.append(mapped)
    array: Array = np.ndarray(
        shape, dtype, mapped, offset - begin, order="F" if order == "F" else "C"
    )
    return array


def check_whole(mapped: Array) -> None:
    """Raise a `DataSetException` if a map from `map_array` is torn."""
    base = mapped.base
    if isinstance(base, GuardedMap) and base.is_torn:
        raise DataSetException(torn(base.path))


def torn(path: Path) -> str:
    """Return in words what is wrong with a file whose map is torn."""
    return (
        f"{path} cannot be read any more: it became shorter while it was read, or its disk "
        "failed; load it again when it is complete"
    )


class PositionedFile:
    """A file that several threads read at once, each at its own position.

    Parameters
    ----------
    path : Path
        Opened at once, closed by `close`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        try:
            self._file = path.open("rb", buffering=0)
        except OSError as error:
            raise DataSetException(f"{path} cannot be read: {error.strerror}") from error

    def read_into(self, target: npt.NDArray[np.uint8], offset: int) -> None:
        """Fill `target` with the bytes from `offset` on.

        Raises
        ------
        DataSetException
            If the file ends before the target is full.
        """
        done = 0
        view = target.data
        while done < len(view):
            n_bytes = self._read_some(view[done:], offset + done)
            if n_bytes == 0:
                raise DataSetException(
                    f"{self._path} ends at byte {offset + done}, expected {len(view)} bytes "
                    f"from byte {offset}; the file is truncated"
                )
            done += n_bytes

    def _read_some(self, view: memoryview, offset: int) -> int:
        try:
            if hasattr(os, "preadv"):
                return os.preadv(self._file.fileno(), [view], offset)
            with self._lock:  # Windows has no positioned read
                self._file.seek(offset)
                return self._file.readinto(view) or 0
        except OSError as error:
            raise DataSetException(
                f"{self._path} cannot be read at byte {offset}: {error.strerror}"
            ) from error

    def close(self) -> None:
        """Give back the file descriptor. Closing twice is allowed."""
        self._file.close()
