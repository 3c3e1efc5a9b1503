"""Results that were saved as HDF5, read again: numbers, axes, and where they come from."""

from __future__ import annotations

import os
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from udfwidgets.buffers import Array
from udfwidgets.calibration import Scale
from udfwidgets.keeping.kept import Axis, Kept
from udfwidgets.keeping.saving import save
from udfwidgets.unknown import unknown

# Stands above this floor, as it knows how the page draws.
# Loads xarray and hyperspy, which are extras.
HANDING = "udfwidgets.keeping.handing"
CARD = "udfwidgets.live.reopened.card:SavedCard"
SHOWN = "udfwidgets.live.reopened.card:bundle_of"


@dataclass(frozen=True, eq=False)
class Saved:
    """Results of a file, as they are shown.

    Attributes
    ----------
    name : str
        Of the file, or of a single result.
    kept : tuple of Kept
        What was read.
    calls : tuple of str
        What made them.
    coverage : numpy.ndarray of bool or None
        Which scan positions were in; None where that is not known.
    counts : tuple of int
        How many were in, and how many were selected; zeros where that is not known.
    """

    name: str
    kept: tuple[Kept, ...] = ()
    calls: tuple[str, ...] = ()
    coverage: Array | None = None
    counts: tuple[int, int] = (0, 0)


class SavedResult:
    """One result as it was saved.

    Parameters
    ----------
    kept : Kept
        What was read.
    call : str
        The call that makes the UDF it is of.
    source : Saved, optional
        The file it is from.

    Attributes
    ----------
    title : str
        Such as 'SumUDF: intensity'.
    kind : {'nav', 'sig', 'single'}
        Whose axes it has.
    axes : tuple of Axis
        Slices first, if there are any; each with its name, length and scale.
    """

    def __init__(self, kept: Kept, call: str = "", source: Saved | None = None) -> None:
        self._kept = kept
        self._shown = replace(source or Saved(""), name=kept.title, kept=(kept,), calls=(call,))
        self.title, self.kind, self.axes = kept.title, kept.kind, kept.axes
        self.call = call

    @property
    def data(self) -> Array:
        """The numbers, along `axes`; floats are NaN where nothing had been merged."""
        return self._kept.values

    @property
    def valid_mask(self) -> Array:
        """True where something had been merged, of the shape of `data`."""
        valid = self._kept.valid
        return np.ones(self.data.shape, bool) if valid is None else valid

    def show(self) -> Any:
        """Return a card of it, see `SavedResults.show`; a notebook shows one of its own accord."""
        return pkgutil.resolve_name(CARD)(self._shown)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Save it in another format: a picture of it, or its numbers; see `BufferWrapper.save`."""
        return save([self._kept], path, overwrite=overwrite)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.data, dtype) if copy else np.asarray(self.data, dtype)

    def to_xarray(self) -> Any:
        """Return it as a `xarray.DataArray`; see `BufferWrapper.to_xarray`."""
        return pkgutil.resolve_name(f"{HANDING}:xarray_of")(self._kept)

    def to_hyperspy(self) -> Any:
        """Return it as a signal of hyperspy; see `BufferWrapper.to_hyperspy`."""
        return pkgutil.resolve_name(f"{HANDING}:hyperspy_of")(self._kept)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        return dict(pkgutil.resolve_name(SHOWN)(self._shown, repr(self)))

    def __repr__(self) -> str:
        axes = ", ".join(f"{axis.name}={axis.length}" for axis in self.axes)
        return f"<SavedResult {self.title!r} {self.data.dtype} {axes}>"


class SavedResults(Mapping[str, SavedResult]):
    """The results of a file, by their titles; a notebook shows them on a card, as after their run.

    Attributes
    ----------
    path : Path
        Of the file.
    provenance : dict
        Where they come from: the dataset with its files, and for each UDF its parameters.
    coverage : numpy.ndarray of bool or None
        Which scan positions were in; None where that is not known.
    """

    def __init__(
        self,
        path: Path,
        results: Mapping[str, SavedResult],
        provenance: Mapping[str, Any],
        source: Saved,
    ) -> None:
        self.path, self.provenance, self.coverage = path, dict(provenance), source.coverage
        self._results = dict(results)
        calls = dict.fromkeys(result.call for result in results.values() if result.call)
        kept = tuple(result._kept for result in results.values())
        self._shown = replace(source, kept=kept, calls=tuple(calls))

    def __getitem__(self, title: str) -> SavedResult:
        if title not in self._results:
            raise KeyError(unknown(title, self._results, "result "))
        return self._results[title]

    def __iter__(self) -> Iterator[str]:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)

    def show(self) -> Any:
        """Return a card of them: live images, with contrast, zoom, ruler, `images` and `fft`.

        It is that of a run that is over, and goes when nothing shows it any more, or with `close`.
        A notebook makes one of its own accord where these results are the last line of a cell.
        """
        return pkgutil.resolve_name(CARD)(self._shown)

    def to_xarray(self) -> Any:
        """Return them as a `xarray.Dataset`, one variable for each title."""
        kept = {title: result._kept for title, result in self._results.items()}
        return pkgutil.resolve_name(f"{HANDING}:dataset_of")(kept)

    def __repr__(self) -> str:
        return f"<SavedResults of {self.path.name}: {', '.join(self._results)}>"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        return dict(pkgutil.resolve_name(SHOWN)(self._shown, repr(self)))


def load_result(path: str | os.PathLike[str]) -> SavedResults:
    """Read results that were saved as ``.h5``, ``.hdf5`` or ``.nxs``.

    Parameters
    ----------
    path : str or path
        ``~`` is expanded.

    Returns
    -------
    SavedResults
        By title: ``load_result("scan.h5")["SumUDF: intensity"].data``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is none that udfwidgets has saved.
    """
    source = Path(path).expanduser()
    if not source.is_file():
        raise FileNotFoundError(f"{source} is no file")
    try:
        with h5py.File(source, "r") as file:
            return _results_in(source, file)
    except (OSError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{source} is no file that udfwidgets has saved as .h5, .hdf5 or .nxs: {error}"
        ) from error


def _results_in(path: Path, file: h5py.File) -> SavedResults:
    if not str(file.attrs.get("creator", "")).startswith("udfwidgets"):
        raise ValueError(f"it was made by {file.attrs.get('creator', 'something else')!r:.80}")
    entry = file["entry"]
    source = _source(path, entry)
    results = [_result(entry, group, source) for group in entry.values() if "kind" in group.attrs]
    named = {result.title: result for result in results}
    told = {
        name: _plain(group)
        for name, group in entry.items()
        if group.attrs.get("NX_class") in ("NXprocess", "NXcollection")
    }
    return SavedResults(path, named, {**told, "saved": file.attrs["file_time"]}, source)


def _source(path: Path, entry: h5py.Group) -> Saved:
    if "coverage" not in entry:
        return Saved(path.name)
    group = entry["coverage"]
    counts = int(group.attrs["merged"]), int(group.attrs["selected"])
    return Saved(path.name, coverage=group["data"][()].astype(bool), counts=counts)


def _result(entry: h5py.Group, group: h5py.Group, source: Saved) -> SavedResult:
    values = group["data"][()]
    valid = group["valid"][()].astype(bool) if "valid" in group else None
    axes = tuple(_axis(group[name]) for name in group.attrs["axes"])
    title, n_slices = group["title"].asstr()[()], int(group.attrs["n_slices"])
    kept = Kept(
        title,
        group.attrs["kind"],
        values,
        valid,
        axes,
        values,
        n_slices,
        colormap=group.attrs["colormap"],
        unit=group["data"].attrs.get("units", ""),
    )
    process = group.attrs.get("process", "")
    call = entry[process]["call"].asstr()[()] if process else ""
    return SavedResult(kept, call, source)


def _axis(positions: h5py.Dataset) -> Axis:
    name, unit = positions.name.rpartition("/")[2], positions.attrs.get("units", "")
    length = positions.shape[0]
    if not unit:
        return Axis(name, length)
    # One pixel alone does not tell how large it is.
    size = float(positions.attrs["pixel_size"])
    return Axis(name, length, Scale(size, unit))


def _plain(group: h5py.Group) -> dict[str, Any]:
    return {
        name: _plain(each) if isinstance(each, h5py.Group) else _value(each)
        for name, each in group.items()
    }


def _value(dataset: h5py.Dataset) -> Any:
    values = dataset.asstr()[()] if h5py.check_string_dtype(dataset.dtype) else dataset[()]
    return values.tolist() if isinstance(values, (np.ndarray, np.generic)) else values
