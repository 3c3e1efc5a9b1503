"""How large pixels are, as HDF5 files say it: those of NeXus, EMD, py4DSTEM and hyperspy.

::

    NeXus       the group of the data names its axes; each is a list of positions, with units
    EMD, 0.x    dim1, dim2 and so on lie beside the data: lists of positions, with units
    EMD, 1.0    as before, from dim0 on; of regular ones, as by py4DSTEM, only the first two
    hyperspy    groups axis-0, axis-1 and so on beside the data, with scale and units
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import h5py
import numpy as np

from udfwidgets.io.dataset.hdf5.texts import member, text_of_attribute, texts_of_attribute

#: Size and unit of a pixel along one axis; 1 and nothing where the file does not say it.
Told: TypeAlias = tuple[float, str]

_UNKNOWN: Told = (1.0, "")
#: Positions of an axis that are looked at.
_MOST = 1 << 16
#: Of a step: positions that differ from it by more are not regular.
_TOLERANCE = 1e-2


def metadata_of(
    file: h5py.File, ds_path: str, n_sig: int, order: Sequence[int] | None = None
) -> Mapping[str, Any]:
    """Return what is said of the pixels of a dataset; see `Calibrated.metadata`.

    Parameters
    ----------
    file : h5py.File
        Open for reading.
    ds_path : str
        Of the dataset.
    n_sig : int
        How many of its last axes belong to the detector.
    order : sequence of int, optional
        Which of its axes comes first, and so on, where they lie in another order.
    """
    dataset = file[ds_path]
    if not isinstance(dataset, h5py.Dataset):
        return {}  # stacks that are joined: their axes are those of no one file
    prefix, _, key = ds_path.rstrip("/").rpartition("/")
    told = list(_axes_of(file[prefix or "/"], key, dataset))
    told = told if order is None else [told[axis] for axis in order]
    if all(unit == "" for _, unit in told):
        return {}
    n_nav = len(told) - n_sig
    metadata: dict[str, Any] = {}
    for kind, axes in (("nav", told[:n_nav]), ("sig", told[n_nav:])):
        metadata[f"{kind}_scales"] = tuple(size for size, _ in axes)
        metadata[f"{kind}_units"] = tuple(unit for _, unit in axes)
    return metadata


def _axes_of(group: h5py.Group, key: str, dataset: h5py.Dataset) -> Iterator[Told]:
    """Yield what is said of each axis."""
    shape = dataset.shape
    if isinstance(member(group, "axis-0"), h5py.Group):
        for number in range(len(shape)):
            yield _of_hyperspy(member(group, f"axis-{number}"))
        return
    first = 0 if "dim0" in group else 1
    if f"dim{first}" in group:
        names = {number: f"dim{number + first}" for number in range(len(shape))}
    else:
        names = _names_of_nexus(group, key, dataset)
    for number, length in enumerate(shape):
        yield _of_positions(member(group, names.get(number, "")), length)


def _names_of_nexus(group: h5py.Group, key: str, dataset: h5py.Dataset) -> dict[int, str]:
    """Return the names of axes by their numbers, as NeXus says them at the group, or once did."""
    names: tuple[str, ...] = ()
    if text_of_attribute(group, "signal") == key:
        names = texts_of_attribute(group, "axes")
    if not names:
        names = tuple(text_of_attribute(dataset, "axes").strip("[]").replace(",", ":").split(":"))
    placed = {}
    for place, name in enumerate(names):
        number = _number(group, f"{name}_indices")
        placed[place if number is None else int(number)] = name
    return placed


def _of_positions(axis: Any, length: int) -> Told:
    """Return the step between positions, if these are regular."""
    is_list = isinstance(axis, h5py.Dataset) and axis.ndim == 1 and axis.dtype.kind in "iuf"
    # Two stand for all, and some axes have one more: the edges of the pixels.
    if not is_list or axis.size not in (2, length, length + 1) or not 1 < axis.size <= _MOST:
        return _UNKNOWN
    steps = np.diff(np.asarray(axis[...], np.float64))
    step = float(np.abs(steps.mean()))
    if not np.isfinite(step) or np.abs(np.abs(steps) - step).max() > _TOLERANCE * step:
        return _UNKNOWN
    return step, _spelled(text_of_attribute(axis, "units"))


def _spelled(unit: str) -> str:
    """Return a unit without the brackets and lines between its letters that EMD 0.2 has."""
    found = re.fullmatch(r"\[(.*)\]", unit)
    return unit if found is None else found[1].replace("_", "")


def _of_hyperspy(axis: Any) -> Told:
    size = _number(axis, "scale") if isinstance(axis, h5py.Group) else None
    return _UNKNOWN if size is None else (abs(size), text_of_attribute(axis, "units"))


def _number(item: h5py.Group, name: str) -> float | None:
    """Return an attribute that is one number."""
    if not name.isprintable() or not h5py.h5a.exists(item.id, name.encode()):
        return None
    attribute = h5py.h5a.open(item.id, name.encode())
    is_number = isinstance(attribute.get_type(), (h5py.h5t.TypeIntegerID, h5py.h5t.TypeFloatID))
    if not is_number or attribute.get_space().get_select_npoints() != 1:
        return None
    return float(np.ravel(item.attrs[name])[0])
