"""HDF5 files in the form of NeXus, which h5web, hyperspy and silx draw without being told how.

::

    /entry                  NXentry   default = the first result
        SumUDF_intensity    NXdata    signal = data, axes = [y, x]
            data, y, x      with units where they are known
            valid           where something has been merged, unless that is everywhere
        coverage            NXdata    which scan positions were in
        process_0           NXprocess the UDF, its parameters, and the versions of what ran it
        source              NXcollection   the dataset: what it is, and its files
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from udfwidgets.keeping.kept import Axis, Kept, axes_of
from udfwidgets.origin import DataOrigin, Origin
from udfwidgets.warned import warn

#: Kinds of dtypes that HDF5 has.
WRITTEN = "biufcS"


def write(path: Path, results: Sequence[Kept], software: Mapping[str, str]) -> None:
    """Write results, and where they come from.

    Parameters
    ----------
    path : Path
        Of the file.
    results : sequence of Kept
        Those whose elements are no numbers are left out, as a warning says.
    software : mapping
        Versions of what made them, that of udfwidgets first.

    Raises
    ------
    ValueError
        If none of them can be written.
    """
    fit = [each for each in results if each.values.dtype.kind in WRITTEN]
    left_out = [f"{each.title} ({each.values.dtype})" for each in results if each not in fit]
    if not fit:
        raise ValueError(f"an HDF5 file takes numbers, and not {', '.join(left_out)}")
    if left_out:
        warn(f"not written, as HDF5 has no such dtype: {', '.join(left_out)}")
    with h5py.File(path, "w") as file:
        now = datetime.datetime.now(datetime.timezone.utc).astimezone().isoformat("T", "seconds")
        maker, version = next(iter(software.items()))
        file.attrs.update(NX_class="NXroot", default="entry", file_time=now)
        file.attrs["creator"] = f"{maker} {version}"
        # In the order in which it is written: that of the UDFs.
        entry = _group(file, "entry", "NXentry", track_order=True)
        for kept in fit:
            _write_result(entry, kept)
        entry.attrs["default"] = next(iter(entry))
        for number, origin in _processes(fit).items():
            _write_process(entry, f"process_{number}", origin, software, now)
        known = [kept.origin for kept in fit if kept.origin is not None]
        if known:
            _write_source(entry, known[0].data)
            _write_coverage(entry, known[0], fit)


def _group(parent: h5py.Group, name: str, nx_class: str, **options: Any) -> h5py.Group:
    group = parent.create_group(name, **options)
    group.attrs["NX_class"] = nx_class
    return group


def _write_result(entry: h5py.Group, kept: Kept) -> None:
    group = _data(entry, _name(kept.title, entry), kept.values, kept.axes, kept.title)
    group.attrs.update(kind=kept.kind, n_slices=kept.n_slices, colormap=kept.colormap)
    if kept.values.ndim - kept.n_slices == 2:
        # hyperspy looks for it at the group, and h5web at the data.
        group.attrs["interpretation"] = group["data"].attrs["interpretation"] = "image"
    if kept.unit:
        group["data"].attrs["units"] = kept.unit
    if kept.valid is not None:
        group["valid"] = kept.valid.astype(np.uint8)
    if kept.origin is not None:
        group.attrs.update(result=kept.origin.result, process=f"process_{kept.origin.number}")


def _data(
    entry: h5py.Group, name: str, values: Any, axes: Sequence[Axis], title: str
) -> h5py.Group:
    """Write an array with its axes, in the form of NXdata."""
    group = _group(entry, name, "NXdata")
    group.attrs["signal"] = "data"
    group.attrs["axes"] = [axis.name for axis in axes]
    group["title"] = title
    group["data"] = values
    group["data"].attrs["long_name"] = title
    for place, axis in enumerate(axes):
        group.attrs[f"{axis.name}_indices"] = place
        positions = group.create_dataset(axis.name, data=axis.positions)
        unit = "" if axis.scale is None else axis.scale.unit
        positions.attrs["long_name"] = f"{axis.name} ({unit or 'index'})"
        if axis.scale is not None:
            positions.attrs["units"], positions.attrs["pixel_size"] = unit, axis.scale.size
    return group


def _name(title: str, entry: h5py.Group) -> str:
    """Return a name that NeXus allows, and that no other result has."""
    name = re.sub(r"[^A-Za-z0-9_]+", "_", title).strip("_") or "result"
    taken, number = name, 1
    while taken in entry:
        taken, number = f"{name}_{number}", number + 1
    return taken


def _processes(results: Sequence[Kept]) -> dict[int, Origin]:
    """Return the UDFs by their number, each as one of its results tells of it."""
    known = [kept.origin for kept in results if kept.origin is not None]
    return {origin.number: origin for origin in known}


def _write_process(
    entry: h5py.Group, name: str, origin: Origin, software: Mapping[str, str], now: str
) -> None:
    process = _group(entry, name, "NXprocess")
    maker, version = next(iter(software.items()))
    process["program"], process["version"], process["date"] = maker, version, now
    process["udf"], process["call"] = origin.udf, origin.call
    process["corrected"] = origin.corrected
    parameters = _group(process, "parameters", "NXparameters")
    for each, value in origin.parameters.items():
        parameters[_name(each, parameters)] = value
    versions = _group(process, "versions", "NXcollection")
    for each, value in software.items():
        versions[each] = value


def _write_source(entry: h5py.Group, data: DataOrigin) -> None:
    source = _group(entry, "source", "NXcollection")
    source["dataset"] = data.text
    source["nav_shape"], source["sig_shape"] = np.array(data.nav), np.array(data.sig)
    if data.files:
        source["files"] = [file.path for file in data.files]
        source["bytes"] = np.array([file.n_bytes for file in data.files])
        source["modified"] = [_iso(file.modified) for file in data.files]


def _write_coverage(entry: h5py.Group, origin: Origin, results: Sequence[Kept]) -> None:
    covered = origin.coverage
    # Those of a map, where there is one: somebody may have given them.
    maps = [each.axes[each.n_slices :] for each in results if each.kind == "nav"]
    axes = next((axes for axes in maps if len(axes) == covered.ndim), axes_of(covered.shape))
    group = _data(entry, "coverage", covered.astype(np.uint8), axes, "scan positions that are in")
    group.attrs["merged"], group.attrs["selected"] = origin.counts


def _iso(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).isoformat()
