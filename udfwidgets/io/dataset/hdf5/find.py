"""Finds the 4D-STEM scan among the datasets of an HDF5 file.

Files say in several ways which dataset is the one: NeXus by `default` attributes that lead from the
root to an `NXdata` group, and by that group's `signal`; EMD and py4DSTEM by groups with an
`emd_group_type`. A DECTRIS master file links to stacks `data_000001`, `data_000002` and so on,
which together are the scan. Only where nothing is said, the largest one is taken,
and the others are logged.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np

from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.hdf5.texts import text_of_attribute

_logger = logging.getLogger(__name__)

_MAX_DEPTH = 32
_NUMBERED = re.compile(r"/data_[0-9]{6}$")


def find_dataset(path: Path, file: h5py.File) -> tuple[str, tuple[str, ...]]:
    """Return the path of the dataset that holds the scan, and notes on what is left out.

    Raises
    ------
    DataSetException
        If there is none, or no reason to prefer one of several.
    """
    by_default = _follow_default(file)
    if by_default is not None:
        return by_default, ()
    found = dict(walk(path, file))
    images = {name: _sized(d) for name, d in found.items() if is_scan(d)}
    if not images:
        listed = "".join(f"\n  {name} {d.shape} {d.dtype}" for name, d in found.items())
        raise DataSetException(
            f"{path} has no dataset of numbers with three or four axes, expected a scan; "
            f"found{listed or ' no dataset at all'}"
        )
    hints = _hinted(file, found)
    images, hints = _stacked(images, hints)
    return choose(path, {name: d for name, d in images.items() if name in hints} or images)


class Sized(Protocol):
    """What may be a scan."""

    @property
    def shape(self) -> tuple[int, ...]:
        """All axes."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the numbers."""

    @property
    def ndim(self) -> int:
        """How many axes."""

    @property
    def size(self) -> int:
        """How many numbers."""


def choose(path: Path, pool: Mapping[str, Sized]) -> tuple[str, tuple[str, ...]]:
    """Return the name of the largest one of the highest rank, and notes on the others.

    Raises
    ------
    DataSetException
        If there is no reason to prefer one of several.
    """
    best = max((d.ndim, d.size) for d in pool.values())
    names = [name for name, d in pool.items() if (d.ndim, d.size) == best]
    if len(names) > 1:
        listed = "".join(f"\n  {name} {pool[name].shape} {pool[name].dtype}" for name in names)
        raise DataSetException(
            f"{path} has {len(names)} datasets that could be the scan, choose one with "
            f"ds_path=:{listed}"
        )
    return names[0], _tell_others(path, names[0], pool)


@dataclass(frozen=True)
class _Sized:
    """A dataset, or stacks that follow each other, as one candidate for the scan."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)


def _sized(dataset: h5py.Dataset) -> _Sized:
    return _Sized(tuple(dataset.shape), dataset.dtype)


def _stacked(images: dict[str, _Sized], hints: set[str]) -> tuple[dict[str, _Sized], set[str]]:
    """Put numbered stacks together: the group that they are in stands for them."""
    groups: dict[str, list[str]] = {}
    for name in images:
        if _NUMBERED.search(name):
            groups.setdefault(name.rpartition("/")[0] or "/", []).append(name)
    joined = dict(images)
    for group, names in groups.items():
        if len(names) > 1:
            stacks = [joined.pop(name) for name in sorted(names)]
            n_frames = sum(stack.shape[0] for stack in stacks)
            joined[group] = _Sized((n_frames, *stacks[0].shape[1:]), stacks[0].dtype)
            if hints.intersection(names):
                hints = {*hints, group}
    return joined, hints


def _tell_others(path: Path, chosen: str, pool: Mapping[str, Sized]) -> tuple[str, ...]:
    """Log which datasets were not taken, and return it as a note if one has as many axes."""
    others = [f"{name} {d.shape}" for name, d in pool.items() if name != chosen]
    if not others:
        return ()
    note = (
        f"{path}: {chosen} {pool[chosen].shape} is taken as the largest; ds_path= would choose "
        f"another of: {', '.join(others)}"
    )
    is_close = [d.ndim for d in pool.values()].count(pool[chosen].ndim) > 1
    _logger.log(logging.WARNING if is_close else logging.INFO, "%s", note)
    return (note,) if is_close else ()


def numbered(group: h5py.Group) -> list[str]:
    """Return the names of the stacks in a group that DECTRIS has numbered, in order."""
    return sorted(name for name in group if _NUMBERED.search(f"/{name}"))


def is_scan(dataset: h5py.Dataset) -> bool:
    """Tell whether a dataset can be a scan."""
    return dataset.dtype.kind in "buifc" and dataset.ndim >= 3 and math.prod(dataset.shape) > 0


def walk(path: Path, file: h5py.File) -> Iterator[tuple[str, h5py.Dataset]]:
    """Yield each dataset of a dtype that NumPy has, once and with its path.

    External links are followed.

    Raises
    ------
    DataSetException
        If an external link leads to a file or a dataset that is not there.
    """
    seen: set[Any] = set()

    def inside(group: h5py.Group, prefix: str, depth: int) -> Iterator[tuple[str, h5py.Dataset]]:
        for key in group:
            if not isinstance(key, str):
                _logger.warning("%s: %r is left out, as its name is no UTF-8", path, key)
                continue
            name = f"{prefix}/{key}"
            item = _resolve(path, group, key, name)
            if item is None:
                continue
            info = h5py.h5o.get_info(item.id)
            identity = (info.fileno, info.addr)
            if identity in seen:  # a hard link that leads back, or a second way to the same
                continue
            seen.add(identity)
            if isinstance(item, h5py.Dataset) and _is_of_numpy(item):
                yield name, item
            elif isinstance(item, h5py.Group) and depth < _MAX_DEPTH:
                yield from inside(item, name, depth + 1)

    yield from inside(file, "", 0)


def _resolve(path: Path, group: h5py.Group, key: str, name: str) -> Any:
    link = group.get(key, getlink=True)
    try:
        return group[key]
    except (KeyError, OSError) as error:
        if isinstance(link, h5py.ExternalLink):
            raise DataSetException(
                f"{path}: {name} is a link to {link.path} in {link.filename}, which cannot be "
                f"opened ({error}); put that file where the link says"
            ) from error
        return None  # a soft link to nowhere holds no data, and hides none


def _follow_default(file: h5py.File) -> str | None:
    group, path = file, ""
    for _ in range(_MAX_DEPTH):
        name = text_of_attribute(group, "default")
        child = group.get(name) if name else None
        if not isinstance(child, h5py.Group):
            break
        group, path = child, f"{path}/{name}"
    # By the way it was found: behind a link, names are those of the other file.
    name = text_of_attribute(group, "signal")
    signal = group.get(name) if name else None
    if not isinstance(signal, h5py.Dataset) or not is_scan(signal):
        return None
    if len(numbered(group)) > 1 and name in numbered(group):
        return path or "/"
    return f"{path}/{name}"


def _hinted(file: h5py.File, found: dict[str, h5py.Dataset]) -> set[str]:
    """Return the paths of datasets that a NeXus or EMD group declares to be its data."""
    names = set()
    for name, dataset in found.items():
        prefix, _, key = name.rpartition("/")
        group = file[prefix or "/"]
        is_signal = text_of_attribute(group, "signal") == key or "signal" in dataset.attrs
        is_emd = "emd_group_type" in group.attrs and key in ("data", "datacube")
        if is_signal or is_emd:
            names.add(name)
    return names


def _is_of_numpy(dataset: h5py.Dataset) -> bool:
    try:
        return dataset.dtype is not None
    except TypeError:  # a time, for instance
        return False
