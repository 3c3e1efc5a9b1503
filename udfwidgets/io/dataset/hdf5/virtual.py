"""Looks behind a virtual HDF5 dataset for the files it is made of.

HDF5 itself hands out the fill value for a source that is missing, without a word.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import h5py
import numpy as np

from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.hdf5.chunks import check_promise
from udfwidgets.io.layout.boxes import boxes
from udfwidgets.io.layout.files import size_of

_MAX_DEPTH = 16


def check_circle(
    path: Path, dataset: h5py.Dataset, inside: tuple[tuple[Path, str], ...] = ()
) -> None:
    """Follow a virtual dataset to where its data are, which must not be in itself.

    Nothing but the mappings is asked for: HDF5 would follow them for ever.

    Raises
    ------
    DataSetException
        If they lead back, or through more than 16 virtual datasets, or to what cannot be there.
    """
    if not dataset.is_virtual:
        return
    inside = (*inside, (path, str(dataset.name)))
    if len(inside) > _MAX_DEPTH:
        raise DataSetException(
            f"{inside[0][0]}:{inside[0][1]} is virtual, and so are its sources for more than "
            f"{_MAX_DEPTH} levels; write the data into a dataset"
        )
    wanted = {(source.file_name, source.dset_name) for source in dataset.virtual_sources()}
    for file_name, name in wanted:
        source_path = path if file_name == "." else _locate(path, file_name)
        if source_path is None or "%" in file_name or "%" in name:
            continue
        name = f"/{name.lstrip('/')}"
        if (source_path, name) in inside:
            raise DataSetException(
                f"{inside[0][0]}: {inside[0][1]} takes data from {name} in {source_path}, which "
                "takes them from there again; the file is damaged"
            )
        if source_path == path:
            _check_next(path, dataset.file, name, inside)
        elif h5py.is_hdf5(source_path):
            with h5py.File(source_path, "r") as file:
                _check_next(source_path, file, name, inside)


def _check_next(
    path: Path, file: h5py.File, name: str, inside: tuple[tuple[Path, str], ...]
) -> None:
    source = file.get(name)
    if isinstance(source, h5py.Dataset):
        check_promise(f"{path}:{name}", source)
        check_external(path, source)
        check_circle(path, source, inside)


def check_sources(path: Path, dataset: h5py.Dataset) -> None:
    """Look for each source file of a virtual dataset, and for the dataset in it.

    Raises
    ------
    DataSetException
        That names what is missing.
    """
    wanted: dict[str, set[str]] = {}
    for source in dataset.virtual_sources():
        wanted.setdefault(source.file_name, set()).add(source.dset_name)
    for file_name, names in wanted.items():
        if file_name == ".":
            _check_names(path, path, dataset.file, names)
            continue
        if "%" in file_name:  # numbered files, as many as there are: none of them can be missing
            continue
        source_path = _locate(path, file_name)
        if source_path is None:
            raise DataSetException(
                f"{path}: {dataset.name} takes data from {file_name}, which does not exist; "
                "put it beside this file"
            )
        try:
            with h5py.File(source_path, "r") as file:
                _check_names(path, source_path, file, names)
        except OSError as error:
            raise DataSetException(
                f"{path}: {dataset.name} takes data from {source_path}, which is not a complete "
                f"HDF5 file ({error})"
            ) from error


@dataclass(frozen=True)
class Run:
    """Frames of a virtual dataset that are one whole dataset elsewhere.

    Parameters
    ----------
    first, n_frames : int
        Which frames of the virtual dataset.
    path : Path
        The HDF5 file they are in.
    name : str
        The dataset in it.
    """

    first: int
    n_frames: int
    path: Path
    name: str


def runs_of(path: Path, dataset: h5py.Dataset, sig_dims: int) -> list[Run] | None:
    """Take a virtual dataset apart into the datasets it is made of.

    Returns None if it is not just whole datasets one after the other.
    """
    n_nav = dataset.ndim - sig_dims
    nav = dataset.shape[:n_nav]
    runs = []
    for source in dataset.virtual_sources():
        source_path = path if source.file_name == "." else _locate(path, source.file_name)
        if _is_unlimited(source.vspace):
            return None
        low, high = source.vspace.get_select_bounds()
        length = tuple(h - o + 1 for o, h in zip(low, high, strict=True))
        is_box = source.vspace.get_select_npoints() == math.prod(length)
        if source_path is None or not is_box or length[n_nav:] != dataset.shape[n_nav:]:
            return None
        first, n_frames = int(np.ravel_multi_index(low[:n_nav], nav)), math.prod(length[:n_nav])
        if len(boxes(first, first + n_frames, nav)) != 1:
            return None
        with h5py.File(source_path, "r") as file:
            stored = file[source.dset_name]
            is_same = stored.size == math.prod(length) and stored.dtype == dataset.dtype
            if not is_same or stored.shape[-sig_dims:] != dataset.shape[n_nav:]:
                return None
        runs.append(Run(first, n_frames, source_path, source.dset_name))
    runs.sort(key=lambda run: run.first)
    ends = [0, *accumulate(run.n_frames for run in runs)]
    is_gapless = [run.first for run in runs] == ends[:-1] and ends[-1] == math.prod(nav)
    return runs if is_gapless else None


def check_external(path: Path, dataset: h5py.Dataset) -> None:
    """Look for each raw file that an HDF5 dataset keeps its data in, and whether it is whole.

    HDF5 hands out zeros for what is missing at its end, without a word.

    Raises
    ------
    DataSetException
        That names what is missing.
    """
    left = math.prod(dataset.shape) * dataset.dtype.itemsize
    for file_name, offset, size in dataset.external or []:
        place = _locate(path, file_name)
        if place is None:
            raise DataSetException(
                f"{path}: {dataset.name} keeps its data in {file_name}, which does not exist"
            )
        wanted = min(size, left)
        if size_of(place) < offset + wanted:
            raise DataSetException(
                f"{path}: {dataset.name} keeps {wanted} bytes from byte {offset} of {place}, which "
                f"ends at byte {size_of(place)}; that file is truncated"
            )
        left -= wanted
    if dataset.external and left:
        raise DataSetException(
            f"{path}: {dataset.name} has room for all but {left} of its bytes in the files "
            f"{[name for name, _, _ in dataset.external]}; the file is damaged"
        )


def _locate(path: Path, file_name: str) -> Path | None:
    """Return the place of a source file, looked for where HDF5 looks."""
    places = (path.parent / file_name, path.parent / Path(file_name).name, Path(file_name))
    return next((place for place in places if place.is_file()), None)


def _check_names(path: Path, source_path: Path, file: h5py.File, names: set[str]) -> None:
    for name in names:
        if "%" not in name and name not in file:
            raise DataSetException(
                f"{path} takes data from {name} in {source_path}, which has no such dataset"
            )


def _is_unlimited(space: h5py.h5s.SpaceID) -> bool:
    """Whether a selection goes on as far as its source grows."""
    if space.get_select_type() != h5py.h5s.SEL_HYPERSLABS or not space.is_regular_hyperslab():
        return False
    return any(h5py.h5s.UNLIMITED in lengths for lengths in space.get_regular_hyperslab())
