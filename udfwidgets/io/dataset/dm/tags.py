"""Reads the tree of tags that a DigitalMicrograph file is.

The file begins with its version (3 or 4), the length of the tree and its byte order. A tag is a
kind (20: a group of tags, 21: data), a name, which may be empty, and from version 4 on its length.
Data say in a few numbers what they are: a number, a structure, a text, or an array of numbers or of
structures. All of that is big-endian, only values are in the byte order that the file tells; sizes
have four bytes in version 3, eight in version 4.

What an array holds is not read, but where it lies.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from udfwidgets.errors import DataSetException

_GROUP, _DATA = 20, 21
_STRUCTURE, _TEXT, _ARRAY = 15, 18, 20
_NUMBERS = {
    2: "i2", 3: "i4", 4: "u2", 5: "u4", 6: "f4", 7: "f8",
    8: "u1", 9: "u1", 10: "i1", 11: "i8", 12: "u8",
}  # fmt: skip
# Deeper, or more, than in any file of a microscope.
_DEEPEST, _MOST, _LONGEST_INFO = 64, 1 << 18, 1 << 10
# Texts are arrays of 16 bits, as images may be; names and units are shorter.
_LONGEST_TEXT = 1 << 12


@dataclass(frozen=True)
class Lying:
    """An array in the file.

    Parameters
    ----------
    offset : int
        Where it begins.
    n_bytes : int
        How long it is.
    text : str
        What it says, of a short array of 16 bits: texts are kept so.
    """

    offset: int
    n_bytes: int
    text: str = ""


Value = int | float | str | Lying | tuple[int | float, ...]
Tags = dict[tuple[str, ...], Value]


def read_tags(path: Path) -> tuple[str, Tags]:
    """Return the byte order of the values (``'<'`` or ``'>'``), and all tags by their path.

    A tag without a name has its number among those of its group.

    Raises
    ------
    DataSetException
        If it is no such file, is damaged, or ends before its last tag.
    """
    try:
        with path.open("rb") as file:
            return _Reader(path, file).read()
    except OSError as error:
        raise DataSetException(f"{path} cannot be read: {error.strerror}") from error


class _Reader:
    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path, self._file = path, file
        self._n_bytes = path.stat().st_size
        self._word = "i"
        self._order = "<"
        self._tags: Tags = {}
        self._n_read = 0

    def read(self) -> tuple[str, Tags]:
        version = self._next(">i")
        if version not in (3, 4):
            raise DataSetException(
                f"{self._path} begins with version {version}, expected 3 or 4 of DigitalMicrograph"
            )
        self._word = "q" if version == 4 else "i"
        self._next(">" + self._word)
        is_little = self._next(">i")
        if is_little not in (0, 1):
            raise self._damaged(f"{is_little} as its byte order, expected 0 or 1")
        self._order = "<" if is_little else ">"
        self._group((), 0)
        return self._order, self._tags

    def _group(self, path: tuple[str, ...], depth: int) -> None:
        if depth > _DEEPEST:
            raise self._damaged(f"groups in groups beyond {_DEEPEST}")
        self._skip(2)  # whether it is sorted, and open
        n_tags = self._next(">" + self._word)
        n_unnamed = 0
        for _ in range(max(0, n_tags)):
            self._n_read += 1
            if self._n_read > _MOST:
                raise self._damaged(f"more than {_MOST} tags")
            kind, length = self._next(">B"), self._next(">H")
            name = self._take(length).decode("latin-1")
            if not name:
                name, n_unnamed = str(n_unnamed), n_unnamed + 1
            if self._word == "q":
                self._next(">q")
            if kind == _GROUP:
                self._group((*path, name), depth + 1)
            elif kind == _DATA:
                own = (*path, name)
                self._tags[own] = self._value()
            else:
                raise self._damaged(f"a tag of kind {kind}, expected {_GROUP} or {_DATA}")

    def _value(self) -> Value:
        if self._take(4) != b"%%%%":
            raise self._damaged("no %%%% before a value")
        n_info = self._next(">" + self._word)
        if not 0 < n_info <= _LONGEST_INFO:
            raise self._damaged(f"a value that is described in {n_info} numbers")
        info = struct.unpack(f">{n_info}{self._word}", self._take(n_info * self._word_bytes))
        kind = info[0]
        if kind in _NUMBERS and n_info == 1:
            return self._numbers([kind])[0]
        if kind == _STRUCTURE:
            return self._numbers(self._fields(info))
        if kind == _TEXT and n_info == 2:
            return self._text(info[1])
        if kind == _ARRAY and n_info >= 3:
            return self._array(info[1:-1], info[-1])
        raise self._damaged(f"a value of kind {kind}")

    @property
    def _word_bytes(self) -> int:
        return 8 if self._word == "q" else 4

    def _fields(self, info: tuple[int, ...]) -> list[int]:
        """Return the kinds of the numbers in a structure: ``15, 0, n, 0, kind, 0, kind, ...``."""
        kinds = list(info[4::2])
        if len(info) < 3 or info[2] != len(kinds) or any(kind not in _NUMBERS for kind in kinds):
            raise self._damaged("a structure of something else than numbers")
        return kinds

    def _numbers(self, kinds: list[int]) -> tuple[int | float, ...]:
        dtypes = [np.dtype(self._order + _NUMBERS[kind]) for kind in kinds]
        content = self._take(sum(dtype.itemsize for dtype in dtypes))
        values: list[int | float] = []
        for dtype in dtypes:
            values.append(np.frombuffer(content, dtype, 1)[0].item())
            content = content[dtype.itemsize :]
        return tuple(values)

    def _text(self, length: int) -> Value:
        if not 0 <= length <= _LONGEST_TEXT:
            return self._passed(length)
        return self._take(length).decode("latin-1")

    def _array(self, element: tuple[int, ...], length: int) -> Value:
        if element[0] == _STRUCTURE:
            kinds = self._fields(element)
        elif len(element) == 1 and element[0] in _NUMBERS:
            kinds = [element[0]]
        else:
            raise self._damaged(f"an array of elements of kind {element[0]}")
        n_bytes = length * sum(np.dtype(_NUMBERS[kind]).itemsize for kind in kinds)
        if kinds != [4] or not 0 <= length <= _LONGEST_TEXT or n_bytes > self._left:
            return self._passed(n_bytes)
        at, content = self._file.tell(), self._take(n_bytes)
        encoding = "utf-16-le" if self._order == "<" else "utf-16-be"
        return Lying(at, n_bytes, content.decode(encoding, "replace").rstrip("\0"))

    def _passed(self, n_bytes: int) -> Lying:
        """Go past some bytes; only the last ones of a file may be missing."""
        if n_bytes < 0:
            raise self._damaged(f"an array of {n_bytes} bytes")
        at = self._file.tell()
        self._file.seek(at + min(n_bytes, self._left))
        return Lying(at, n_bytes)

    @property
    def _left(self) -> int:
        return max(0, self._n_bytes - self._file.tell())

    def _next(self, kind: str) -> int:
        number: int = struct.unpack(kind, self._take(struct.calcsize(kind)))[0]
        return number

    def _skip(self, n_bytes: int) -> None:
        self._take(n_bytes)

    def _take(self, n_bytes: int) -> bytes:
        content = self._file.read(n_bytes)
        if len(content) < n_bytes:
            raise self._damaged("its end, expected more tags; it is truncated")
        return content

    def _damaged(self, found: str) -> DataSetException:
        return DataSetException(
            f"{self._path} has {found}, at byte {self._file.tell()}; it is no complete "
            "DigitalMicrograph file"
        )
