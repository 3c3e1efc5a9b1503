"""Opens a dataset by the name of its file type."""

from __future__ import annotations

import difflib
import os
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from udfwidgets.calibration import Calibration, checked
from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.base import DataSet
from udfwidgets.io.layout.files import (
    PathLike,
    existing_path,
    read_start,
    size_of,
)
from udfwidgets.io.telling import (
    EMPAD_BYTES,
    EXTENSIONS,
    by_content,
    is_zarr,
    scans_in,
    store_around,
)

# Imported by the first file of a type: all of them together take a sixth of the time in which the
# package is imported.
FILETYPES = {
    "memory": "udfwidgets.io.dataset.memory.MemoryDataSet",
    "npy": "udfwidgets.io.dataset.npy.NPYDataSet",
    "raw": "udfwidgets.io.dataset.raw.RawFileDataSet",
    "hdf5": "udfwidgets.io.dataset.hdf5.dataset.H5DataSet",
    "mib": "udfwidgets.io.dataset.mib.dataset.MIBDataSet",
    "dm": "udfwidgets.io.dataset.dm.dataset.DMDataSet",
    "empad": "udfwidgets.io.dataset.empad.EMPADDataSet",
    "blo": "udfwidgets.io.dataset.blo.BloDataSet",
    "seq": "udfwidgets.io.dataset.seq.SEQDataSet",
    "mrc": "udfwidgets.io.dataset.mrc.MRCDataSet",
    "tvips": "udfwidgets.io.dataset.tvips.TVIPSDataSet",
    "zarr": "udfwidgets.io.dataset.zarr.dataset.ZarrDataSet",
    "ser": "udfwidgets.io.dataset.ser.dataset.SERDataSet",
    "k2is": "udfwidgets.io.dataset.k2is.dataset.K2ISDataSet",
    "frms6": "udfwidgets.io.dataset.frms6.dataset.FRMS6DataSet",
    "raw_csr": "udfwidgets.io.dataset.raw_csr.RawCSRDataSet",
    "stream": "udfwidgets.io.dataset.stream.StreamDataSet",
}
#: Names of files in a directory that a message has.
_MOST_LISTED = 8
_GROWING = {
    "hdf5": "udfwidgets.io.dataset.hdf5.growing.GrowingH5DataSet",
    "mib": "udfwidgets.io.dataset.mib.growing.GrowingMIBDataSet",
    "raw": "udfwidgets.io.dataset.growing.GrowingRawFileDataSet",
    "seq": "udfwidgets.io.dataset.growing.GrowingSEQDataSet",
    "tvips": "udfwidgets.io.dataset.growing.GrowingTVIPSDataSet",
}


def load(
    filetype: str,
    *args: Any,
    follow: bool = False,
    calibration: Calibration | None = None,
    **kwargs: Any,
) -> DataSet:
    """Open a dataset.

    Parameters
    ----------
    filetype : str
        ``'auto'``, or a key of `FILETYPES`: ``'memory'``, ``'npy'``, ``'raw'``, ``'hdf5'``,
        ``'mib'``, ``'dm'``, ``'empad'``, ``'blo'``, ``'seq'``, ``'mrc'``, ``'tvips'``,
        ``'zarr'``, ``'ser'``, ``'k2is'``, ``'frms6'``, ``'raw_csr'``, ``'stream'``.
        Upper and lower case are the same.
    *args, **kwargs
        For the class of that type; ``path=`` first, ``data=`` for ``'memory'`` or ``frames=`` for
        ``'stream'``. With ``'auto'``, ``path=`` and what the detected type takes beyond that.
    follow : bool
        Take a file that is still being recorded, ``'hdf5'``, ``'mib'``, ``'seq'``, ``'tvips'`` or
        ``'raw'``: runs wait for frames that have not come yet.
    calibration : Calibration, optional
        How large pixels are, in place of what the file tells; of any type.

    Returns
    -------
    DataSet
        Nothing is held open by it, except by a stream.

    Raises
    ------
    DataSetException
        If the type is unknown or a path, or the file cannot be read as that type.
    TypeError
        If there is an array where the type or a path belongs, or another thing as calibration.
    ValueError
        If the calibration is of another number of axes.

    Examples
    --------
    >>> import numpy as np
    >>> load("memory", data=np.zeros((4, 4, 8, 8), np.uint16))
    <MemoryDataSet nav=(4, 4) sig=(8, 8) uint16>
    """
    given = checked(calibration)
    dataset = _load(filetype, *args, follow=follow, **kwargs)
    if calibration is not None:
        dataset.calibrate(sig=given.sig, nav=given.nav)
    return dataset


def _load(filetype: str, *args: Any, follow: bool, **kwargs: Any) -> DataSet:
    if not isinstance(filetype, str) or _is_path(filetype):
        raise _not_a_type(filetype)
    key = filetype.lower()
    if key == "auto":
        return _load_auto(*args, follow=follow, **kwargs)
    if key not in FILETYPES:
        near = difflib.get_close_matches(key, FILETYPES, 1)
        raise DataSetException(
            f"filetype {filetype!r} is not known, expected 'auto' or one of {sorted(FILETYPES)}"
            + (f"; did you mean {near[0]!r}?" if near else "")
        )
    return _class(key, follow)(*args, **kwargs)


def _class(key: str, follow: bool) -> Callable[..., DataSet]:
    if follow and key not in _GROWING:
        raise DataSetException(
            f"a dataset of type {key!r} cannot be followed while it is recorded, expected one of "
            f"{sorted(_GROWING)}; leave out follow=True"
        )
    opens: Callable[..., DataSet] = pkgutil.resolve_name((_GROWING if follow else FILETYPES)[key])
    return opens


def _load_auto(
    path: PathLike | None = None, *args: Any, follow: bool = False, **kwargs: Any
) -> DataSet:
    if path is None or not isinstance(path, (str, os.PathLike)):
        raise TypeError(
            f"load('auto', ...) needs path=, got {_brief(path)}; for an array use "
            "load('memory', data=...)"
        )
    return _class(detect(path), follow)(path, *args, **kwargs)


def get_dataset_cls(filetype: str) -> Callable[..., DataSet]:
    """Return the class that opens a type of files.

    Raises
    ------
    DataSetException
        If the type is unknown.
    """
    if filetype.lower() not in FILETYPES:
        raise DataSetException(f"unknown file type {filetype!r}, expected one of {list(FILETYPES)}")
    return _class(filetype.lower(), follow=False)


def get_extensions() -> set[str]:
    """Return the extensions by which a type is told where the first bytes do not."""
    return {extension.lstrip(".") for extension in EXTENSIONS}


def get_search_order(path: PathLike) -> list[str]:
    """Return all types, the one that the extension of a path speaks for first."""
    likely = EXTENSIONS.get(Path(path).suffix.lower())
    return sorted(FILETYPES, key=lambda filetype: filetype != likely)


def _is_path(filetype: str) -> bool:
    if filetype.lower() in ("auto", *FILETYPES):
        return False
    has_separator = "/" in filetype or os.sep in filetype
    return has_separator or bool(os.path.splitext(filetype)[1]) or os.path.isfile(filetype)


def _not_a_type(given: object) -> Exception:
    """Return the error for a path or an array that stands where the file type belongs."""
    if isinstance(given, (str, os.PathLike)):
        return DataSetException(
            f"{os.fspath(given)!r} is given as the file type, and looks like a path: use "
            f"load('auto', path={os.fspath(given)!r})"
        )
    return TypeError(
        f"the file type is {_brief(given)}, expected 'auto' or one of {sorted(FILETYPES)}; for "
        "an array use load('memory', data=...)"
    )


def _brief(value: object) -> str:
    """Describe what was received without its contents, which may be a whole scan."""
    if value is None:
        return "None"
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    described = f" of shape {shape} and dtype {dtype}" if shape is not None else ""
    return f"{type(value).__name__}{described}"


def detect(path: PathLike) -> str:
    """Tell the type of a file by its first bytes, or else by its extension.

    Raises
    ------
    DataSetException
        If neither is known.
    """
    found = existing_path(path)
    if is_zarr(found):
        return "zarr"
    is_file = found.is_file()
    filetype = (by_content(found) or EXTENSIONS.get(found.suffix.lower())) if is_file else None
    if filetype is not None:
        return filetype
    if (store := store_around(found)) is not None:
        raise DataSetException(f"{found} is a part of the Zarr store {store}: load that")
    if found.is_dir():
        raise DataSetException(_about_directory(found))
    if not is_file:
        raise DataSetException(f"{found} is neither a file nor a directory, expected one of them")
    raise DataSetException(_about_file(found))


def _about_file(file: Path) -> str:
    n_frames, rest = divmod(size_of(file), EMPAD_BYTES)
    is_of_empad = n_frames and not rest and file.suffix.lower() == ".raw"
    empad = f"load('empad', path=..., nav_shape=...) if these are {n_frames} frames of one, or "
    return (
        f"{file} begins with {read_start(file, 8)!r}, expected a file of one of the types "
        f"{sorted(set(EXTENSIONS.values()))}; name its type instead of 'auto', for instance "
        f"{empad if is_of_empad else ''}load('raw', path=..., dtype=..., nav_shape=..., "
        "sig_shape=...)"
    )


def _about_directory(folder: Path) -> str:
    names = scans_in(folder)
    if not names:
        return f"{folder} is a directory, and nothing in it is known as a scan; name a file"
    more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    return (
        f"{folder} is a directory, expected a file; name one of those in it: "
        f"{', '.join(names[:_MOST_LISTED])}{more}"
    )
