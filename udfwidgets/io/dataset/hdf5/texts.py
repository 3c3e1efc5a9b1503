"""Reads the texts in attributes of HDF5 files without trust in what they say of their length.

A text of variable length is a number of bytes, and a place in a heap. HDF5 makes room for as many
bytes as the number says, 2 GiB and more, and walks for ever through some damaged heaps. So they
are looked up here, with a look at each size before it is used (docs/decisions/135-texts.md).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from udfwidgets.errors import DataSetException

_MOST_BYTES = 1 << 20
#: Of one attribute: no scan has more axes.
_MOST_TEXTS = 32
_ATTRIBUTE, _CONTINUATION = 0x0C, 0x10
_SHARED = 0x02

# From a position, as many bytes as there are of those that are asked for.
_Read = Callable[[int, int], bytes]


def text_of_attribute(item: h5py.Group | h5py.Dataset, name: str) -> str:
    """Return the text of an attribute, or of an array of one; empty if there is none.

    Raises
    ------
    DataSetException
        If it is not where the file says it is.
    """
    texts = texts_of_attribute(item, name)
    return texts[0] if len(texts) == 1 else ""


def texts_of_attribute(item: h5py.Group | h5py.Dataset, name: str) -> tuple[str, ...]:
    """Return the texts of an attribute, one or an array of a few; none if there is none.

    Raises
    ------
    DataSetException
        If one is not where the file says it is.
    """
    if not h5py.h5a.exists(item.id, name.encode()):
        return ()
    attribute = h5py.h5a.open(item.id, name.encode())
    n_texts = attribute.get_space().get_select_npoints()
    if not 0 < n_texts <= _MOST_TEXTS or attribute.get_storage_size() > _MOST_BYTES:
        return ()
    if _is_variable(attribute.get_type()):
        with _Stored(item.file) as stored:
            records = stored.attribute(h5py.h5o.get_info(item.id).addr, name.encode())
            if records is not None:
                step, what = stored.record_bytes, f"the attribute {name!r} of {item.name}"
                starts = range(0, n_texts * step, step)
                return tuple(stored.text(records[at : at + step], what) for at in starts)
    return tuple(map(_text, np.atleast_1d(item.attrs[name]).ravel()))


def member(group: Any, name: str) -> Any:
    """Return what has a name in a group; None also behind a link that leads nowhere."""
    with suppress(OSError, KeyError):
        return group.get(name) if name and isinstance(group, h5py.Group) else None
    return None


def text_of_dataset(dataset: h5py.Dataset) -> str:
    """Return the text that a dataset of one element holds; empty if it is none.

    Raises
    ------
    DataSetException
        If it is not where the file says it is.
    """
    if dataset.size != 1 or dataset.id.get_type().get_size() > _MOST_BYTES:
        return ""
    if not _is_variable(dataset.id.get_type()):
        return _text(dataset[()])
    begin = dataset.id.get_offset()
    if begin is None and dataset.chunks == (1,) and dataset.id.get_num_chunks() == 1:
        begin = dataset.id.get_chunk_info(0).byte_offset
    has_filters = bool(dataset.id.get_create_plist().get_nfilters())
    # Versions of HDF5 differ in whether positions count from the user block.
    if begin is None or has_filters or dataset.file.userblock_size:
        return _text(dataset[()])
    with _Stored(dataset.file) as stored:
        return stored.text(stored.read(begin, stored.record_bytes), str(dataset.name))


class _Stored:
    """The bytes of a file that HDF5 has open, by the addresses that HDF5 uses."""

    def __init__(self, file: h5py.File) -> None:
        plist = file.id.get_create_plist()
        self._path = Path(file.filename)
        self._base = plist.get_userblock()
        self._addr_bytes, self._size_bytes = plist.get_sizes()
        self.record_bytes = 8 + self._addr_bytes

    def __enter__(self) -> _Stored:
        self._file = self._path.open("rb")
        self._n_bytes = os.fstat(self._file.fileno()).st_size
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read(self, begin: int, n_bytes: int) -> bytes:
        if self._base + begin >= self._n_bytes:  # some places are too far for `seek`
            return b""
        self._file.seek(self._base + begin)
        return self._file.read(min(n_bytes, _MOST_BYTES))

    def attribute(self, addr: int, name: bytes) -> bytes | None:
        """Return the bytes of an attribute, None if it is not in the header of its object."""
        for kind, flags, body in _messages(self.read, addr, self._addr_bytes, self._size_bytes):
            if kind == _ATTRIBUTE and not flags & _SHARED and len(body) > 8:
                version, _, *lengths = struct.unpack_from("<BBHHH", body)
                begin = 9 if version == 3 else 8
                if version == 1:
                    padded = [-(-length // 8) * 8 for length in lengths]
                else:
                    padded = lengths
                if body[begin : begin + lengths[0]].rstrip(b"\0") == name:
                    return body[begin + sum(padded) :]
        return None

    def text(self, record: bytes, what: str) -> str:
        """Look up a text by its length, the address of its heap, and its number there."""
        to_number = 4 + self._addr_bytes
        length = int.from_bytes(record[:4], "little")
        addr = int.from_bytes(record[4:to_number], "little")
        number = int.from_bytes(record[to_number : to_number + 4], "little")
        if not length or not addr:
            return ""
        found = self._in_heap(addr, number)
        if found is None or length > len(found):
            raise DataSetException(
                f"{self._path} is damaged: {what} is a text of {length} bytes, which is not where "
                "the file says it is"
            )
        return _text(found[:length].split(b"\0")[0])

    def _in_heap(self, addr: int, number: int) -> bytes | None:
        head = self.read(addr, 8 + self._size_bytes)
        n_bytes = int.from_bytes(head[8:], "little")
        if head[:4] != b"GCOL":
            return None
        heap = self.read(addr, n_bytes)
        at, first = len(head), 8 + self._size_bytes
        while at + first <= len(heap):
            index = int.from_bytes(heap[at : at + 2], "little")
            size = int.from_bytes(heap[at + 8 : at + first], "little")
            at += first
            if index == number:
                return heap[at : at + size] if size <= len(heap) - at else None
            at += -(-size // 8) * 8
        return None


def _messages(
    read: _Read, addr: int, addr_bytes: int, size_bytes: int
) -> Iterator[tuple[int, int, bytes]]:
    """Yield kind, flags and bytes of each message in the header of an object."""
    start = read(addr, 64)
    is_new = start[:4] == b"OHDR"
    if is_new:
        flags = start[5]
        at = 6 + 16 * bool(flags & 32) + 4 * bool(flags & 16)
        width = 1 << (flags & 3)
        blocks = [(addr + at + width, int.from_bytes(start[at : at + width], "little"))]
        head = 6 if flags & 4 else 4
    else:
        blocks = [(addr + 16, int.from_bytes(start[8:12], "little"))]
        head = 8
    # No header has as many blocks, but a damaged one may lead back to itself.
    for _ in range(256):
        if not blocks:
            return
        block = read(*blocks.pop(0))
        at = 0
        while at + head <= len(block):
            kind, length, flags = struct.unpack_from("<BHB" if is_new else "<HHB", block, at)
            body = block[at + head : at + head + length]
            at += head + length
            if kind == _CONTINUATION:
                begin = int.from_bytes(body[:addr_bytes], "little")
                n_bytes = int.from_bytes(body[addr_bytes : addr_bytes + size_bytes], "little")
                # The newer one has a signature before it, and a checksum behind.
                blocks.append((begin + 4, n_bytes - 8) if is_new else (begin, n_bytes))
            else:
                yield kind, flags, body


def _is_variable(stored: h5py.h5t.TypeID) -> bool:
    return isinstance(stored, h5py.h5t.TypeStringID) and bool(stored.is_variable_str())


def _text(value: Any) -> str:
    if isinstance(value, np.ndarray):  # some writers give an array of one
        value = value.flat[0] if value.size == 1 else ""
    if isinstance(value, str):
        # What is no UTF-8 comes from h5py as characters that can neither be looked up nor printed.
        value = value.encode("utf-8", "surrogateescape")
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")
