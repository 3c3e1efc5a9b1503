"""Sparse scans of LiberTEM: three files of numbers, and a `.toml` that says what is in them.

They are a matrix in compressed sparse rows, of one row for each frame: where the values of each
frame begin, at which pixels they are, and the values themselves. All other pixels are zero.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from udfwidgets.compiling import compiled
from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.folded import FoldedDataSet
from udfwidgets.io.layout.files import (
    PathLike,
    check_unchanged,
    check_whole,
    existing_file,
    map_array,
    read_start,
    size_of,
)
from udfwidgets.io.layout.folding import fold
from udfwidgets.io.source import Array, Scratch, Source
from udfwidgets.names import further

_LONGEST = 1 << 20
# Of a scan, and of a frame, whose pixels take no room in the files.
_MOST = {"nav_shape": 1 << 28, "sig_shape": 1 << 24}
_PARTS = ("indptr", "indices", "data")


class _Part(NamedTuple):
    """One of the files: what is in it, and how much."""

    path: Path
    dtype: np.dtype[Any]
    n_items: int


class RawCSRDataSet(FoldedDataSet):
    """A sparse scan, by the `.toml` that describes it; frames are made dense when they are read.

    Parameters
    ----------
    path : str or os.PathLike
        Of the `.toml`. ``~`` is expanded.
    nav_shape, sig_shape : sequence of int, optional
        Scan and detector axes in place of those that it tells. Of a scan with more frames, some are
        missing.
    sync_offset : int, default 0
        Frames to skip at the start, or if negative, positions to leave without a frame there.
    flyback : int, default 0
        Frames to drop after each line of the scan.
    snake : bool, default False
        Every other line, from the second one on, was recorded backwards.

    Raises
    ------
    DataSetException
        If it does not describe such a scan, or one of the files is missing or truncated.
    """

    def __init__(
        self,
        path: PathLike,
        nav_shape: Sequence[int] | None = None,
        sig_shape: Sequence[int] | None = None,
        sync_offset: int = 0,
        *,
        flyback: int = 0,
        snake: bool = False,
    ) -> None:
        self._path = existing_file(path)
        told = _read_toml(self._path)
        self._parts = {kind: _part(self._path, told["raw_csr"], kind) for kind in _PARTS}
        _check_sizes(self._parts)
        folded = fold(
            str(self._path),
            self._parts["indptr"].n_items - 1,
            _axes(self._path, told["params"], "sig_shape"),
            _axes(self._path, told["params"], "nav_shape"),
            nav_shape=nav_shape,
            sig_shape=sig_shape,
            sync_offset=sync_offset,
            flyback=flyback,
            snake=snake,
        )
        super().__init__(str(self._path), folded, self._parts["data"].dtype)

    @property
    def files(self) -> tuple[Path, ...]:
        """The three files."""
        return tuple(part.path for part in self._parts.values())

    @property
    def named_files(self) -> tuple[Path, ...]:
        """The file that was named, and the three that it names."""
        return (self._path, *self.files)

    def open(self) -> Source:
        """Map the files."""
        for part in self._parts.values():
            check_unchanged(part.path, part.n_items * part.dtype.itemsize)
        return self._placed(_SparseSource(self._parts, self.shape.sig.to_tuple()))


class _SparseSource(Source):
    """Frames made of the values of each that are not zero.

    Parameters
    ----------
    parts : mapping
        The three files.
    sig : tuple of int
        Shape of the frames as they are handed out.
    """

    def __init__(self, parts: Mapping[str, _Part], sig: tuple[int, ...]) -> None:
        self._maps: dict[str, Array] | None = {
            kind: map_array(part.path, part.dtype, 0, (part.n_items,))
            for kind, part in parts.items()
        }
        self._names = {kind: part.path for kind, part in parts.items()}
        self._sig = sig

    def read(self, start: int, stop: int, scratch: Scratch) -> Array:
        """Fill the scratch with zeros, and with the values where they belong."""
        maps = self._maps
        if maps is None:
            raise ValueError("read from a source that is closed")
        begins = maps["indptr"][start : stop + 1].astype(np.int64)
        self._check(begins, start, len(maps["data"]))
        first, last = int(begins[0]), int(begins[-1])
        places, values = (_native(maps[kind][first:last]) for kind in ("indices", "data"))
        out = scratch.array((stop - start, math.prod(self._sig)), values.dtype)
        wrong = _scatter(begins - first, places, values, out)
        for raw in maps.values():
            check_whole(raw)
        if wrong >= 0:
            raise DataSetException(
                f"{self._names['indices']} has pixel {places[wrong]} at position {first + wrong}, "
                f"expected one of the {out.shape[1]} of a frame of shape {self._sig}"
            )
        return out.reshape(stop - start, *self._sig)

    def _check(self, begins: Array, start: int, n_values: int) -> None:
        """Raise unless the values of each frame come after those of the one before."""
        # Compared and not subtracted: differences of hostile numbers wrap around.
        first, last = begins[:-1], begins[1:]
        wrong = np.flatnonzero((last < first) | (first < 0) | (last > n_values))
        if wrong.size:
            at = int(wrong[0])
            raise DataSetException(
                f"{self._names['indptr']} has values {begins[at]} to {begins[at + 1]} for frame "
                f"{start + at}, expected an ascending part of the {n_values} values"
            )

    def close(self) -> None:
        """Drop the maps."""
        self._maps = None


def _native(array: Array) -> Array:
    return array.astype(array.dtype.newbyteorder("="), copy=False)


@compiled()
def _scatter(begins, places, values, out):
    """Fill frames; return which value has no place in one, -1 if all have."""
    n_pixels = out.shape[1]
    for frame in range(out.shape[0]):
        pixels = out[frame]
        pixels[:] = 0
        for i in range(begins[frame], begins[frame + 1]):
            place = np.int64(places[i])
            if place < 0 or place >= n_pixels:
                return i
            # A pixel may come twice.
            pixels[place] += values[i]
    return -1


def _read_toml(path: Path) -> dict[str, dict[str, Any]]:
    """Return the two tables that describe the scan."""
    try:
        # Comes with Python since 3.11.
        loads = importlib.import_module("tomllib").loads
    except ImportError:
        raise DataSetException(f"{path} can be read with Python 3.11 or newer only") from None
    try:
        told = loads(read_start(path, _LONGEST).decode())
    except ValueError as error:  # of TOML, and of UTF-8
        raise DataSetException(f"{path} is no TOML file of a sparse scan: {error}") from error
    found = {name: told.get(name) for name in ("params", "raw_csr")}
    # In any case, as the names of types are.
    kind = str((found["params"] or {}).get("filetype")) if _is_table(found["params"]) else "None"
    found["raw_csr"] = found["raw_csr"] or told.get(kind)
    if kind.lower() != "raw_csr" or not _is_table(found["raw_csr"]):
        raise DataSetException(
            f"{path} has the tables {list(told)} and filetype={kind!r}, expected [params] with "
            'filetype = "raw_csr", nav_shape and sig_shape, and [raw_csr] with the files'
        )
    return {name: table for name, table in found.items() if table is not None}


def _is_table(value: object) -> bool:
    return isinstance(value, dict)


def _axes(path: Path, params: Mapping[str, Any], name: str) -> tuple[int, ...]:
    given = params.get(name)
    is_list = isinstance(given, list) and all(type(n) is int and n > 0 for n in given)
    if not is_list or not given or math.prod(given) > _MOST[name]:
        raise DataSetException(
            f"{path} has {name} = {given!r} in [params], expected positive whole numbers, and at "
            f"most {_MOST[name]} altogether"
        )
    return tuple(given)


def _part(path: Path, told: Mapping[str, Any], kind: str) -> _Part:
    name, text = told.get(f"{kind}_file"), told.get(f"{kind}_dtype")
    if not isinstance(name, str) or not isinstance(text, str):
        raise DataSetException(
            f"{path} has {kind}_file = {name!r} and {kind}_dtype = {text!r} in [raw_csr], expected "
            'the name of a file beside it, and a type such as "<i4"'
        )
    try:
        dtype = np.dtype(text)
    except (TypeError, ValueError):  # the latter for lists of types that make no sense
        dtype = np.dtype("V1")
    kinds = "iufc" if kind == "data" else "iu"
    if dtype.kind not in kinds or dtype.itemsize > 16 or dtype.char in "egG":
        raise DataSetException(
            f"{path} has {kind}_dtype = {text!r}, expected a type of numbers such as '<i4'"
        )
    file = existing_file(path.parent / name)
    n_items, rest = divmod(size_of(file), dtype.itemsize)
    if rest or not n_items:
        raise DataSetException(
            f"{file} has {size_of(file)} bytes, expected whole numbers of {dtype.itemsize} bytes "
            f"each ({dtype}); the file is truncated"
        )
    return _Part(file, dtype, n_items)


def _check_sizes(parts: Mapping[str, _Part]) -> None:
    begins, places, values = (parts[kind] for kind in _PARTS)
    if places.n_items != values.n_items:
        raise DataSetException(
            f"{places.path} has {places.n_items} pixels, {values.path} has {values.n_items} "
            "values, expected as many of both; one of them is truncated"
        )
    last = map_array(begins.path, begins.dtype, 0, (begins.n_items,))[-1]
    if begins.n_items < 2 or int(last) != values.n_items:
        raise DataSetException(
            f"{begins.path} ends with {int(last)} behind {begins.n_items - 1} frames, expected the "
            f"{values.n_items} values of {values.path.name}; one of them is truncated"
        )


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
