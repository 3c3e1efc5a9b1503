"""Finds the scan among the arrays of a Zarr store, and what is said of its pixels.

Groups of OME-Zarr name their arrays, the one with all pixels first, and the units of all axes.
Those that hyperspy writes have a group `axis-0` and so on beside the array, one for each axis.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.hdf5.find import choose
from udfwidgets.io.dataset.zarr.files import Files

_MAX_DEPTH = 32
_UNITS = {"nanometer": "nm", "angstrom": "Å", "micrometer": "µm", "picometer": "pm", "meter": "m"}


@dataclass(frozen=True)
class Node:
    """An array or a group.

    Parameters
    ----------
    key : str
        Where it is, "" for the whole store.
    document : mapping
        Its metadata.
    attributes : mapping
        What else is said of it.
    """

    key: str
    document: Mapping[str, Any]
    attributes: Mapping[str, Any]

    @property
    def is_array(self) -> bool:
        """Whether it is an array."""
        return self.document.get("node_type") == "array" or "chunks" in self.document

    @property
    def shape(self) -> tuple[int, ...]:
        """Of an array; nothing if it is a group, or says something else."""
        given = self.document.get("shape") if self.is_array else None
        is_list = isinstance(given, list) and all(type(n) is int and n >= 0 for n in given)
        return tuple(given or ()) if is_list else ()

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of an array of numbers, that of objects for all else."""
        try:
            found = np.dtype(self.document.get("dtype") or self.document.get("data_type"))
        except (TypeError, ValueError):
            return np.dtype(object)
        return found if found.kind in "buifc" else np.dtype(object)

    @property
    def ndim(self) -> int:
        """How many axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """How many numbers."""
        return math.prod(self.shape)

    @property
    def is_scan(self) -> bool:
        """Whether it can be a scan."""
        return self.ndim >= 3 and self.size > 0 and self.dtype.kind != "O"


def node(files: Files, key: str) -> Node | None:
    """Return what is at a place of a store, None if that is nothing of Zarr.

    Raises
    ------
    DataSetException
        If its metadata are damaged.
    """
    prefix = f"{key}/" if key else ""
    document = files.document(f"{prefix}zarr.json")
    if document is not None:
        return Node(key, document, _mapping(document.get("attributes")))
    document = files.document(f"{prefix}.zarray") or files.document(f"{prefix}.zgroup")
    if document is None:
        return None
    return Node(key, document, files.document(f"{prefix}.zattrs") or {})


def find_array(path: Path, files: Files) -> tuple[Node, tuple[str, ...]]:
    """Return the array that holds the scan, and notes on what is left out.

    Raises
    ------
    DataSetException
        If there is none, or no reason to prefer one of several.
    """
    root = node(files, "")
    if root is None:
        raise DataSetException(
            f"{path} has no zarr.json, .zgroup or .zarray in it, expected a Zarr store"
        )
    if root.is_array:
        return root, ()
    found = {each.key: each for each in _walk(files, root)}
    named = {key for each in found.values() for key in _multiscale(each)[0]}
    scans = {key: each for key, each in found.items() if each.is_scan}
    if not scans:
        arrays = [f"{each.key} {each.shape}" for each in found.values() if each.is_array]
        raise DataSetException(
            f"{path} has no array of numbers with three or four axes, expected a scan; found "
            f"{', '.join(arrays) or 'no array at all'}"
        )
    key, notes = choose(path, {k: each for k, each in scans.items() if k in named} or scans)
    return scans[key], notes


def _walk(files: Files, group: Node, depth: int = 0) -> Iterator[Node]:
    yield group
    if group.is_array or depth == _MAX_DEPTH:
        return
    for name in files.children(group.key):
        child = node(files, f"{group.key}/{name}" if group.key else name)
        if child is not None:
            yield from _walk(files, child, depth + 1)


def calibration_of(files: Files, array: Node) -> list[tuple[float, str]]:
    """Return the size of a pixel and its unit along each axis, nothing where none is told."""
    parent = array.key.rpartition("/")[0]
    group = node(files, parent) if array.key else None
    if group is None:
        return []
    arrays, axes = _multiscale(group)
    if array.key in arrays[:1]:
        return axes if len(axes) == array.ndim else []
    prefix = f"{parent}/" if parent else ""
    nodes = [node(files, f"{prefix}axis-{i}") for i in range(array.ndim)]
    told = [(each.attributes.get("scale"), each.attributes.get("units")) for each in nodes if each]
    return _complete(told) if len(told) == array.ndim else []


def _multiscale(group: Node) -> tuple[list[str], list[tuple[float, str]]]:
    """Return the key of the first array that a group of OME-Zarr names, and its axes."""
    given = _mapping(group.attributes.get("ome")) or group.attributes
    scales = given.get("multiscales")
    try:
        first = scales[0]["datasets"][0]  # type: ignore[index]
        key = f"{group.key}/{first['path']}" if group.key else str(first["path"])
        units = [axis.get("unit") for axis in scales[0]["axes"]]  # type: ignore[index]
        steps = [t["scale"] for t in first["coordinateTransformations"] if t["type"] == "scale"]
        return [key], _complete(list(zip(steps[0], units, strict=True)))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return [], []


def _complete(told: list[tuple[Any, Any]]) -> list[tuple[float, str]]:
    """Return sizes and units, nothing if one of them is no number."""
    if any(isinstance(size, bool) or not isinstance(size, (int, float)) for size, _ in told):
        return []
    return [(float(size), _UNITS.get(str(unit), str(unit or ""))) for size, unit in told]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
