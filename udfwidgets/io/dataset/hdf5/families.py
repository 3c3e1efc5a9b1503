"""What HDF5 files tell of a scan beside its pixels, each family in its own place.

::

    DECTRIS     detectorSpecific in the detector: ntrigger times nimages frames
    Diamond     scan_shape in a group of the entry that is named after the scan
    Velox       the size of the scan, in the JSON beside the images
    NeXus       interpretation, an attribute of the data: whether a frame is an image or a spectrum
    hyperspy    groups axis-0, axis-1 and so on, each of which tells whether it is navigated along

Pixels that are bad are told by `pixel_mask` in a detector of NeXus, which DECTRIS' is, too. The
mask of fpd is left alone: it tells which pixels had been put right before they were written.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from udfwidgets.io.corrections import CorrectionSet
from udfwidgets.io.dataset.hdf5.texts import member, text_of_attribute

_MOST_BYTES, _MOST_GROUPS, _MOST_AXES = 1 << 20, 64, 32
# As DECTRIS says it, whose factors pixels are multiplied with. What NeXus means is not said: many
# write the image of a flat field, to divide by.
_APPLIED = "flatfield_correction_applied"
_SPECIFIC = "detectorSpecific"
_SIG_DIMS = {"image": 2, "spectrum": 1}

Shape = tuple[int, ...]


def sig_dims_of(file: h5py.File, ds_path: str) -> int:
    """Return how many of the last axes belong to a frame; 2 where nothing is told."""
    dataset = file.get(ds_path)
    if not isinstance(dataset, h5py.Dataset):
        return 2
    told = _SIG_DIMS.get(text_of_attribute(dataset, "interpretation"))
    if told is None:
        told = _of_hyperspy(_beside(file, ds_path), dataset.ndim)
    return told if told is not None and 0 < told < dataset.ndim else 2


def _of_hyperspy(group: h5py.Group, n_axes: int) -> int | None:
    """Return how many axes are not navigated along, if each is told of and they are the last."""
    axes = [member(group, f"axis-{number}") for number in range(min(n_axes, _MOST_AXES))]
    told = [_flag(axis, "navigate") for axis in axes]
    is_of_scan = [each for each in told if each is not None]
    n_nav = sum(is_of_scan)
    is_told = len(is_of_scan) == len(axes)
    return len(axes) - n_nav if is_told and all(is_of_scan[:n_nav]) else None


def _flag(group: Any, name: str) -> bool | None:
    """Return an attribute that is true or false; others are not even read."""
    if not isinstance(group, h5py.Group) or name not in group.attrs:
        return None
    attribute = group.attrs.get_id(name)
    is_flag = attribute.shape in ((), (1,)) and attribute.dtype.kind in "biu"
    return bool(np.all(group.attrs[name])) if is_flag else None


def without_single(nav: Shape) -> Shape:
    """Leave out axes of length 1 where there are more than two, such as the colour of fpd."""
    long = tuple(n for n in nav if n > 1)
    return long if len(nav) > 2 and len(long) == 2 else nav


def scales_without_single(told: Mapping[str, Any], nav: Shape) -> Mapping[str, Any]:
    """Leave out what is told of the axes that `without_single` leaves out."""
    if len(without_single(nav)) == len(nav) or len(told.get("nav_scales", ())) != len(nav):
        return told
    of_long = {
        name: tuple(each for each, n in zip(told[name], nav, strict=True) if n > 1)
        for name in ("nav_scales", "nav_units")
    }
    return {**told, **of_long}


def scan_shape_of(file: h5py.File, ds_path: str, n_frames: int) -> Shape | None:
    """Return the shape of the scan that a stack of frames was recorded in, None if none is told."""
    for find in (_of_dectris, _of_diamond, _of_velox):
        nav = find(file, ds_path)
        # Of a scan that was stopped there are fewer.
        if nav is not None and min(nav) > 1 and (math.prod(nav) - n_frames) in range(n_frames):
            return nav
    return None


def _of_dectris(file: h5py.File, ds_path: str) -> Shape | None:
    for detector in _detectors(file, ds_path):
        lines, frames = (_whole(detector, name) for name in ("ntrigger", "nimages"))
        if lines and frames:
            return lines, frames
    return None


def _of_diamond(file: h5py.File, ds_path: str) -> Shape | None:
    for group in _groups(_entry(file, ds_path)):
        told = member(group, "scan_shape")
        is_list = isinstance(told, h5py.Dataset) and told.ndim == 1 and told.dtype.kind in "iu"
        if is_list and 1 < told.size <= _MOST_AXES:
            return tuple(int(n) for n in told[...])
    return None


def _of_velox(file: h5py.File, ds_path: str) -> Shape | None:
    told = member(_beside(file, ds_path), "Metadata")
    is_json = isinstance(told, h5py.Dataset) and told.ndim == 2 and told.dtype == np.uint8
    if not is_json or not 0 < told.shape[0] <= _MOST_BYTES or not told.shape[1]:
        return None
    with suppress(ValueError, KeyError, TypeError, OverflowError):
        # A column for each frame, of which the first is as good as any.
        size = json.loads(told[:, 0].tobytes().split(b"\0")[0])["Scan"]["ScanSize"]
        return int(size["height"]), int(size["width"])
    return None


def corrections_of(
    file: h5py.File, ds_path: str, sig: Shape, read: Callable[[h5py.Dataset], Any]
) -> CorrectionSet:
    """Return what puts bad pixels right, and factors of a detector that have not been applied.

    A pixel that is masked becomes the mean of its good neighbours, and where it has none, as within
    the gaps between modules, zero. `read` returns an image, or None if it cannot be read.
    """
    found = list(_detectors(file, ds_path))
    mask = _first_image(found, "pixel_mask", sig, "iu", read)
    gain = _first_image(_without_factors(found), "flatfield", sig, "f", read)
    if mask is None or not mask.any():
        mask = None
    else:
        mask = mask != 0
        gain = np.where(_is_amid(mask), 0, 1 if gain is None else gain)
    if gain is not None and (gain == 1).all():
        gain = None
    return CorrectionSet(gain=gain, excluded_pixels=mask, allow_empty=True)


def _without_factors(found: list[h5py.Group]) -> list[h5py.Group]:
    """Return the groups of those detectors whose factors have not been applied."""
    names = {_own_name(group) for group in found if _whole(group, _APPLIED) == 0}
    return [group for group in found if _own_name(group) in names]


def _own_name(group: h5py.Group) -> str:
    return str(group.name).removesuffix(f"/{_SPECIFIC}")


def folded_corrections(told: CorrectionSet, sig: Shape) -> CorrectionSet:
    """Return corrections for frames that are folded into another shape."""
    gain, excluded = told.get_gain_map(), told.get_excluded_pixels()
    return CorrectionSet(
        gain=None if gain is None else gain.reshape(sig),
        excluded_pixels=None if excluded is None else excluded.reshape(sig),
        allow_empty=True,
    )


def _is_amid(mask: Any) -> Any:
    """Tell which masked pixels have none beside them that is not."""
    has_near = np.pad(~mask, 1)
    for axis in range(mask.ndim):
        has_near = has_near | np.roll(has_near, 1, axis) | np.roll(has_near, -1, axis)
    return ~has_near[(slice(1, -1),) * mask.ndim]


def note_on_master(path: Path) -> tuple[str, ...]:
    """Say so if a file is one of those that a master file of DECTRIS joins."""
    stem, found, _ = path.stem.rpartition("_data_")
    master = path.with_name(f"{stem}_master{path.suffix}")
    if not found or not master.exists():
        return ()
    return (f"it is a part of the scan that {master.name} beside it has; load that for all of it",)


def _detectors(file: h5py.File, ds_path: str) -> Iterator[h5py.Group]:
    """Yield the detector that has the data, those of instruments, and what DECTRIS has in them."""
    beside, entry = _beside(file, ds_path), _entry(file, ds_path)
    if text_of_attribute(beside, "NX_class") == "NXdetector":
        yield beside
    instruments = [member(entry, "instrument")]
    # One of another name, by its class.
    instruments += [
        group
        for group in _groups(entry)
        if text_of_attribute(group, "NX_class") == "NXinstrument" and group not in instruments
    ]
    for instrument in instruments:
        for group in _groups(instrument):
            yield group
            specific = member(group, _SPECIFIC)
            if isinstance(specific, h5py.Group):
                yield specific


def _entry(file: h5py.File, ds_path: str) -> Any:
    return member(file, ds_path.strip("/").partition("/")[0])


def _beside(file: h5py.File, ds_path: str) -> h5py.Group:
    return file[ds_path.rstrip("/").rpartition("/")[0] or "/"]


def _groups(group: Any) -> Iterator[h5py.Group]:
    if isinstance(group, h5py.Group) and len(group) <= _MOST_GROUPS:
        for name in group:
            found = member(group, name)
            if isinstance(found, h5py.Group):
                yield found


def _whole(group: h5py.Group, name: str) -> int | None:
    """Return a whole number that a dataset holds."""
    told = member(group, name)
    is_number = isinstance(told, h5py.Dataset) and told.size == 1 and told.dtype.kind in "iub"
    return int(told[...].reshape(-1)[0]) if is_number else None


def _first_image(
    groups: list[h5py.Group], name: str, sig: Shape, kinds: str, read: Callable[[Any], Any]
) -> Any:
    """Return an array of the shape of a frame that is in one of some groups."""
    for group in groups:
        told = member(group, name)
        is_image = isinstance(told, h5py.Dataset) and told.shape == sig
        if is_image and told.dtype.kind in kinds:
            return read(told)
    return None
