"""Which format the name of a file asks for: data are written here, pictures are drawn elsewhere."""

from __future__ import annotations

import importlib.metadata
import os
import pkgutil
import platform
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from udfwidgets.buffers import BufferWrapper
from udfwidgets.calibration import Calibration, checked
from udfwidgets.keeping import nexus, tiff
from udfwidgets.keeping.kept import Kept, kept
from udfwidgets.replacing import replacing
from udfwidgets.warned import warn

#: By the extension of a name, in the words of an error.
FORMATS: Mapping[str, str] = {
    ".npy": "numbers",
    ".h5": "numbers, axes, and where they come from",
    ".hdf5": "",
    ".nxs": "",
    ".tif": "32-bit floats with the size of a pixel",
    ".tiff": "",
    ".png": "a picture with axes and colour bar",
    ".svg": "",
    ".pdf": "",
}
PICTURES = (".png", ".svg", ".pdf")
SINGLE = (".npy", ".tif", ".tiff")
# Stands above this floor, as it knows how the page draws.
DRAW = "udfwidgets.live.picture.paper:draw"
PANELS = "udfwidgets.live.picture.panel:panels_of"

PathLike = str | os.PathLike[str]


def save_results(
    results: Sequence[BufferWrapper],
    path: PathLike,
    *,
    overwrite: bool = False,
    calibration: Calibration | None = None,
    title: str = "",
) -> Path:
    """Write results in the format that the name of the file asks for; see `save`.

    Parameters
    ----------
    results : sequence of BufferWrapper
        A file of ``.npy`` or ``.tif`` takes one.
    path, overwrite
        As for `save`.
    calibration : Calibration, optional
        How large pixels are, in place of what the dataset tells.
    title : str
        In place of the name of a single result.
    """
    check(path, overwrite, calibration)
    title = title if len(results) == 1 else ""
    ready = [kept(result, calibration, title) for result in results]
    return save(ready, path, overwrite=overwrite)


def save(
    results: Sequence[Kept],
    path: PathLike,
    *,
    overwrite: bool = False,
    panels: Callable[[], Sequence[Any]] | None = None,
) -> Path:
    """Write results in the format that the name of the file asks for.

    Parameters
    ----------
    results : sequence of Kept
        A file of ``.npy`` or ``.tif`` takes one.
    path : str or path
        ``~`` is expanded. The file gets its name when it is complete.
    overwrite : bool
        Replace a file that exists.
    panels : callable, optional
        Returns what a picture shows; by default all results that can be shown.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    ValueError
        If there is no such format, or it cannot take these results.
    FileExistsError
        If there is such a file and `overwrite` is not set.
    ImportError
        If it is a picture, and matplotlib is not installed.
    """
    target = check(path, overwrite)
    write = _writer(target.suffix.lower(), results, panels)
    with replacing(target, overwrite=overwrite) as unfinished:
        write(unfinished)
    return target


def check(path: PathLike, overwrite: bool, calibration: Any = None) -> Path:
    """Return where to write, before anything is made to be written.

    Raises
    ------
    TypeError, ValueError, FileExistsError, FileNotFoundError
        If that cannot be.
    """
    checked(calibration)
    target = Path(path).expanduser()
    if target.suffix.lower() not in FORMATS:
        raise ValueError(
            f"cannot save {target.name!r}: expected a name that ends in {', '.join(FORMATS)}"
        )
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{target.parent} is no folder: make it first")
    if target.is_dir():
        raise IsADirectoryError(f"{target} is a folder: give the name of a file")
    if target.exists() and not overwrite:
        raise FileExistsError(f"{target} exists: pass overwrite=True to replace it")
    return target


def _writer(
    suffix: str, ready: Sequence[Kept], panels: Callable[[], Sequence[Any]] | None
) -> Callable[[Path], None]:
    """Return what writes a file, once all that can be found wrong beforehand is."""
    if not ready:
        raise ValueError("there are no results to save")
    if suffix in PICTURES:
        return _picture(suffix, ready, panels)
    if suffix not in SINGLE:
        return lambda path: nexus.write(path, ready, versions())
    if len(ready) > 1:
        names = ", ".join(repr(each.title) for each in ready)
        raise ValueError(
            f"a file of {suffix} takes one result, and there are {len(ready)}: {names}. Save one "
            "of them, as in save(path, 'name'), or all of them as .h5"
        )
    if suffix == ".npy":
        return lambda path: _write_npy(path, ready[0])
    return lambda path: tiff.write(path, ready[0], f"udfwidgets {versions()['udfwidgets']}")


def _picture(
    suffix: str, ready: Sequence[Kept], panels: Callable[[], Sequence[Any]] | None
) -> Callable[[Path], None]:
    try:
        draw = pkgutil.resolve_name(DRAW)
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "matplotlib":
            raise
        raise ImportError(
            f"a {suffix} file is drawn with matplotlib, which is not installed: pip install "
            "matplotlib, or 'udfwidgets[figures]'; .h5, .npy and .tif do without",
            name=error.name,
        ) from error
    shown = panels() if panels is not None else pkgutil.resolve_name(PANELS)(ready)
    if not shown:
        raise ValueError(
            f"{', '.join(each.title for each in ready)} cannot be drawn: save as .h5 or .npy"
        )
    return lambda path: draw(path, suffix[1:], shown, _told_of(ready))


def _told_of(ready: Sequence[Kept]) -> str:
    """Return in a line where a picture comes from."""
    origins = [each.origin for each in ready if each.origin is not None]
    calls = dict.fromkeys(origin.call for origin in origins)
    files = dict.fromkeys(file.path for origin in origins[:1] for file in origin.data.files[:1])
    return "; ".join([f"udfwidgets {versions()['udfwidgets']}", *calls, *files])


def _write_npy(path: Path, ready: Kept) -> None:
    data = ready.data
    if data.dtype.hasobject:
        raise ValueError(f"{ready.title} has objects, and a .npy file takes numbers")
    merged, selected = (0, 0) if ready.origin is None else ready.origin.counts
    if merged < selected:
        warn(
            f"{selected - merged} of {selected} scan positions are not merged, and a .npy file "
            "does not tell which: save as .h5, or wait for the end of the run"
        )
    with path.open("wb") as file:
        np.save(file, data, allow_pickle=False)


def versions() -> dict[str, str]:
    """Return the versions of what makes a result, our own first."""
    names = ("udfwidgets", "numpy", "numba")
    found = {name: importlib.metadata.version(name) for name in names}
    return {**found, "python": platform.python_version()}
