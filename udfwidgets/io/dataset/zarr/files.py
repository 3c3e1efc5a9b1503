"""What is kept in a Zarr store, by its key: files below a directory, or members of a zip."""

from __future__ import annotations

import json
import os
import stat
import zipfile
import zlib
from abc import abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from udfwidgets.closing import Closing
from udfwidgets.errors import DataSetException
from udfwidgets.io.layout.files import PositionedFile

Bytes = npt.NDArray[np.uint8]

# Metadata with all that a microscope tells are some hundred kB.
_LONGEST_DOCUMENT = 64 << 20
_LOCAL_HEADER_BYTES = 30


class Files(Closing):
    """The files of a store; several threads ask for them at once."""

    @abstractmethod
    def size(self, key: str) -> int | None:
        """Return how many bytes are kept by a key, None if there is nothing."""

    @abstractmethod
    def read_into(self, key: str, begin: int, target: Bytes) -> None:
        """Fill `target` with what is kept by a key, from a byte on.

        Raises
        ------
        DataSetException
            If it ends before, or cannot be read.
        """

    @abstractmethod
    def children(self, key: str) -> list[str]:
        """Return the names of what is directly below a key."""

    @abstractmethod
    def name(self, key: str) -> str:
        """Name a key, for messages."""

    @abstractmethod
    def stored(self, key: str, enough: int) -> int:
        """Return how many bytes all files below a key have, or of some that have enough."""

    @property
    def is_plain(self) -> bool:
        """Whether the bytes lie in the file as they are."""
        return True

    def document(self, key: str) -> dict[str, Any] | None:
        """Return a JSON object, None if there is nothing by the key.

        Raises
        ------
        DataSetException
            If it is something else.
        """
        n_bytes = self.size(key)
        if n_bytes is None:
            return None
        if n_bytes > _LONGEST_DOCUMENT:
            raise DataSetException(
                f"{self.name(key)} has {n_bytes} bytes, expected some kB of JSON; it is damaged"
            )
        content = np.empty(n_bytes, np.uint8)
        self.read_into(key, 0, content)
        try:
            found = json.loads(content.tobytes())
        except (ValueError, RecursionError) as error:
            raise DataSetException(
                f"{self.name(key)} is no JSON ({error}); it is damaged"
            ) from None
        if not isinstance(found, dict):
            raise DataSetException(
                f"{self.name(key)} holds a {type(found).__name__}, expected an object of JSON; it "
                "is damaged"
            )
        return found


class FolderFiles(Files):
    """Files below a directory, which are open only while they are read."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def size(self, key: str) -> int | None:
        """Return the size of a file."""
        path = f"{self._root}/{key}"
        try:
            status = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            raise DataSetException(f"{path} cannot be read: {error}") from error
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def read_into(self, key: str, begin: int, target: Bytes) -> None:
        """Open a file, and read from it."""
        file = PositionedFile(self._root / key)
        try:
            file.read_into(target, begin)
        finally:
            file.close()

    def children(self, key: str) -> list[str]:
        """List a directory."""
        try:
            return sorted(path.name for path in (self._root / key).iterdir())
        except NotADirectoryError:
            return []
        except OSError as error:
            raise DataSetException(f"{self._root / key} cannot be read: {error}") from error

    def name(self, key: str) -> str:
        """Return the path of a file."""
        return str(self._root / key)

    def stored(self, key: str, enough: int) -> int:
        """Look at as many files as are enough: there may be very many."""
        found = 0
        for folder, _, names in os.walk(self._root / key):
            for name in names:
                if found >= enough:
                    return found
                found += self.size(os.path.relpath(os.path.join(folder, name), self._root)) or 0
        return found

    def close(self) -> None:
        """Do nothing: there is nothing open."""


class ZipFiles(Files):
    """Members of a zip, which is open as long as this is.

    Raises
    ------
    DataSetException
        If it is no whole zip.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with zipfile.ZipFile(path) as file:
                self._members = {info.filename: info for info in file.infolist()}
        except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            raise DataSetException(
                f"{path} is no complete zip ({error}); it is truncated or damaged"
            ) from error
        self._file = PositionedFile(path)

    @property
    def is_plain(self) -> bool:
        """Whether no member is compressed or encrypted once more."""
        members = self._members.values()
        return all(m.compress_type == zipfile.ZIP_STORED and not m.flag_bits & 1 for m in members)

    def size(self, key: str) -> int | None:
        """Return the size of a member."""
        member = self._members.get(key)
        return None if member is None else member.file_size

    def read_into(self, key: str, begin: int, target: Bytes) -> None:
        """Read from where the member lies, or decompress it first."""
        member = self._members[key]
        if begin + len(target) > member.file_size:
            raise DataSetException(
                f"{self.name(key)} has {member.file_size} bytes, expected {len(target)} from byte "
                f"{begin}"
            )
        if member.compress_type != zipfile.ZIP_STORED:
            content = self._decompressed(member)[begin : begin + len(target)]
            target[:] = np.frombuffer(content, np.uint8)
            return
        header = np.empty(_LOCAL_HEADER_BYTES, np.uint8)
        self._file.read_into(header, member.header_offset)
        # Name and extra field may be others here than in the list at the end.
        lengths = header[26:30].view("<u2").tolist()
        start = member.header_offset + _LOCAL_HEADER_BYTES + sum(lengths)
        self._file.read_into(target, start + begin)

    def _decompressed(self, member: zipfile.ZipInfo) -> bytes:
        try:
            with zipfile.ZipFile(self._path) as file:
                return file.read(member)
        except (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
            raise DataSetException(
                f"{self.name(member.filename)} cannot be read ({error}); it is damaged"
            ) from error

    def children(self, key: str) -> list[str]:
        """Look through all names."""
        prefix = f"{key}/" if key else ""
        below = (name[len(prefix) :] for name in self._members if name.startswith(prefix))
        return sorted({name.split("/")[0] for name in below if name})

    def name(self, key: str) -> str:
        """Return the path of the zip, and the key."""
        return f"{self._path}:{key}"

    def stored(self, key: str, enough: int) -> int:
        """Add up what the list at the end says."""
        members = self._members.items()
        return sum(member.compress_size for name, member in members if name.startswith(key))

    def close(self) -> None:
        """Close the zip."""
        self._file.close()


def open_files(path: Path) -> Files:
    """Open a directory or a zip."""
    return FolderFiles(path) if path.is_dir() else ZipFiles(path)
