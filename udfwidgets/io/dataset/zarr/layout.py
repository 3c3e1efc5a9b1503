"""How a Zarr array is cut into chunks, what each went through, and by which key it is kept.

Version 2 has one compressor and filters before it; version 3 a row of codecs, of which one may be
"sharding": then a file holds many chunks, and an index at its beginning or end says where.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import index
from typing import Any

import numpy as np

from udfwidgets.errors import DataSetException
from udfwidgets.io.codecs import filters
from udfwidgets.io.codecs.filters import Filter, can_undo
from udfwidgets.io.dataset.hdf5.chunks import ChunkLayout
from udfwidgets.io.source import Array

# What an array may promise for nothing, and how many times as much as it has bytes beyond that.
_FREE_CHUNKS, _FREE_BYTES, _BYTES_PER_BYTE = 1 << 22, 256 << 20, 1 << 16
_BLOSC_COMPRESSORS = {"blosclz", "lz4", "lz4hc", "zlib", "zstd"}
_NUMBERS = {
    "blosc": filters.BLOSC,
    "gzip": filters.GZIP,
    "lz4": filters.LZ4_BLOCK,
    "shuffle": filters.SHUFFLE,
    "zlib": filters.DEFLATE,
    "zstd": filters.ZSTD,
}


class UnknownStepError(Exception):
    """Something in an array that only the package zarr can undo."""


@dataclass(frozen=True)
class Shard:
    """A file that holds many chunks.

    Parameters
    ----------
    grid : tuple of int
        Chunks along each axis.
    is_at_end : bool
        Whether the index is behind the chunks.
    has_checksum : bool
        Whether the index ends with one.
    """

    grid: tuple[int, ...]
    is_at_end: bool
    has_checksum: bool

    @property
    def index_bytes(self) -> int:
        """Length of the index: place and size of each chunk, in numbers of 64 bits."""
        return math.prod(self.grid) * 16 + 4 * self.has_checksum


@dataclass(frozen=True)
class Steps:
    """What a chunk went through.

    Parameters
    ----------
    order : tuple of int
        Its axes, in the order in which they are stored.
    dtype : numpy.dtype
        As stored.
    filters : tuple of Filter
        In the order of writing.
    n_checksums : int
        How many are behind the data.
    """

    order: tuple[int, ...]
    dtype: np.dtype[Any]
    filters: tuple[Filter, ...]
    n_checksums: int = 0


@dataclass(frozen=True)
class Storage:
    """How the chunks of an array are kept.

    Parameters
    ----------
    layout : ChunkLayout
        Of those that are decoded by themselves: with shards, of those within them.
    steps : Steps
        What each of these went through.
    key : str
        Before the numbers of a chunk.
    separator : str
        Between them.
    shard : Shard, optional
        Where many of them share a file.
    """

    layout: ChunkLayout
    steps: Steps
    key: str
    separator: str
    shard: Shard | None

    def key_of(self, at: Sequence[int]) -> str:
        """Return the key of a file by its place in the grid of files."""
        return self.key + self.separator.join(map(str, at))


def storage_of(document: Mapping[str, Any], key: str, array: Array, fill: Any) -> Storage:
    """Read what an array says of its chunks.

    Parameters
    ----------
    document : mapping
        Its metadata, which the package zarr has taken.
    key : str
        Of the array.
    array : array_like
        Has its shape and dtype.
    fill : scalar or None
        What chunks hold that were never written.

    Raises
    ------
    UnknownStepError
        If the package has to read it.
    DataSetException
        If it makes no sense.
    """
    try:
        return _storage_of(document, key, tuple(array.shape), np.dtype(array.dtype), fill)
    except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise DataSetException(
            f"the metadata of the array {key!r} make no sense ({type(error).__name__}: {error}); "
            "they are damaged"
        ) from error


def _storage_of(
    document: Mapping[str, Any], key: str, shape: tuple[int, ...], dtype: np.dtype[Any], fill: Any
) -> Storage:
    prefix = f"{key}/" if key else ""
    if document["zarr_format"] == 2:
        chunk = _whole(document["chunks"])
        steps, shard = _of_version_2(document, len(shape), dtype), None
        separator = document.get("dimension_separator") or "."
    else:
        grid = _named(document["chunk_grid"])
        if grid.name != "regular" or document.get("storage_transformers"):
            raise UnknownStepError(f"a grid of chunks that is {grid.name}")
        chunk = _whole(grid.options["chunk_shape"])
        chunk, steps, shard = _of_version_3(document["codecs"], chunk, dtype)
        separator, prefix = _encoding(document["chunk_key_encoding"], prefix)
    if not can_undo(steps.filters):
        raise UnknownStepError("filters that have to be undone one after the other")
    if any(n < 1 for n in chunk):
        raise ValueError(f"chunks of {chunk}")
    filled = np.array(0 if fill is None else fill).astype(dtype)
    layout = ChunkLayout(shape, chunk, steps.dtype, steps.filters, filled)
    return Storage(layout, steps, prefix, separator, shard)


def least_stored(shape: Sequence[int], chunk: Sequence[int], itemsize: int) -> int:
    """Return how many bytes have to be stored for an array to be what it says; 0 for small ones.

    It is held against what is there before anything is made of it: chunks are decoded as a whole,
    and a table has an entry for each of them.
    """
    n_chunks = math.prod(-(-n // c) for n, c in zip(shape, chunk, strict=True))
    n_bytes = max(math.prod(shape), math.prod(chunk)) * itemsize
    for_bytes = -(-n_bytes // _BYTES_PER_BYTE) if n_bytes > _FREE_BYTES else 0
    return max(for_bytes, n_chunks if n_chunks > _FREE_CHUNKS else 0)


@dataclass(frozen=True)
class _Named:
    name: str
    options: Mapping[str, Any]


def _named(given: Any) -> _Named:
    """Return a part of the metadata of version 3, which may be no more than a name."""
    if isinstance(given, str):
        return _Named(given, {})
    return _Named(str(given["name"]).removeprefix("numcodecs."), given.get("configuration") or {})


def _whole(given: Any) -> tuple[int, ...]:
    """Return whole numbers, a TypeError if one of them is something else."""
    return tuple(int(index(n)) for n in given)


def _encoding(given: Any, prefix: str) -> tuple[str, str]:
    encoding = _named(given)
    if encoding.name == "v2":
        return encoding.options.get("separator", "."), prefix
    if encoding.name != "default":
        raise UnknownStepError(f"keys of chunks that are {encoding.name}")
    separator = encoding.options.get("separator", "/")
    return separator, f"{prefix}c{separator}"


def _of_version_2(document: Mapping[str, Any], n_dims: int, dtype: np.dtype[Any]) -> Steps:
    axes = tuple(range(n_dims))
    order = axes if document["order"] == "C" else axes[::-1]
    given = [*(document.get("filters") or ()), document.get("compressor")]
    return Steps(order, dtype, tuple(_filter(step["id"], step) for step in given if step))


def _of_version_3(
    codecs: Sequence[Any], chunk: tuple[int, ...], dtype: np.dtype[Any]
) -> tuple[tuple[int, ...], Steps, Shard | None]:
    """Return the shape of the smallest chunks, what they went through, and where they are."""
    first = _named(codecs[0])
    if first.name != "sharding_indexed":
        return chunk, _steps(codecs, len(chunk), dtype), None
    inner = _whole(first.options["chunk_shape"])
    head, *tail = (_named(codec) for codec in first.options["index_codecs"])
    is_plain = head.name == "bytes" and head.options.get("endian") == "little"
    if len(codecs) > 1 or not is_plain or [c.name for c in tail] not in ([], ["crc32c"]):
        raise UnknownStepError("shards that are encoded once more")
    if any(c < 1 or n < c or n % c for n, c in zip(chunk, inner, strict=True)):
        raise ValueError(f"shards of {chunk} with chunks of {inner}")
    grid = tuple(n // c for n, c in zip(chunk, inner, strict=True))
    is_at_end = first.options.get("index_location", "end") == "end"
    shard = Shard(grid, is_at_end, bool(tail))
    return inner, _steps(first.options["codecs"], len(chunk), dtype), shard


def _steps(codecs: Sequence[Any], n_dims: int, dtype: np.dtype[Any]) -> Steps:
    order, after, n_checksums = tuple(range(n_dims)), [], 0
    given = [_named(codec) for codec in codecs]
    if given[0].name == "transpose":
        order = _whole(given.pop(0).options["order"])
        if sorted(order) != list(range(n_dims)):
            raise ValueError(f"axes in the order {order}")
    as_bytes = given.pop(0)
    if as_bytes.name != "bytes":
        raise UnknownStepError(f"the codec {as_bytes.name}")
    is_big = as_bytes.options.get("endian") == "big"
    for codec in given:
        if codec.name == "crc32c":
            n_checksums += 1
        elif n_checksums:
            raise UnknownStepError("a checksum that is encoded once more")
        else:
            after.append(_filter(codec.name, codec.options))
    return Steps(order, dtype.newbyteorder(">" if is_big else "<"), tuple(after), n_checksums)


def _filter(name: str, options: Mapping[str, Any]) -> Filter:
    """Return a filter by the name and the options that Zarr has for it."""
    is_strange = name == "blosc" and options.get("cname", "lz4") not in _BLOSC_COMPRESSORS
    if name not in _NUMBERS or is_strange:
        raise UnknownStepError(f"the codec {name}")
    values = (int(options.get("elementsize", 4)),) if name == "shuffle" else ()
    return Filter(_NUMBERS[name], values)
