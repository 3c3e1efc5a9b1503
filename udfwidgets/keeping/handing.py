"""Results as objects of other packages: arrays of xarray, signals of hyperspy.

Both packages are large, and imported when somebody asks for such an object.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from udfwidgets.buffers import BufferWrapper
from udfwidgets.calibration import Calibration
from udfwidgets.keeping.kept import Axis, Kept, kept

#: A package, which is an extra of ours, too, and what of it is used.
XARRAY, HYPERSPY = ("xarray", ""), ("hyperspy", ".api")


def xarray_of(result: BufferWrapper | Kept, calibration: Calibration | None = None) -> Any:
    """Return a result as a `xarray.DataArray`; see `BufferWrapper.to_xarray`."""
    xarray = _package(XARRAY, "to_xarray")
    return _array(xarray, _kept(result, calibration), "")


def dataset_of(
    results: Mapping[str, BufferWrapper] | Mapping[str, Kept],
    calibration: Calibration | None = None,
) -> Any:
    """Return results as a `xarray.Dataset`; see `Results.to_xarray`."""
    xarray = _package(XARRAY, "to_xarray")
    arrays = {
        name: _array(xarray, _kept(result, calibration), name) for name, result in results.items()
    }
    # Of what is merged at other positions there would be several coordinates of one name.
    valid = {
        f"{name}_valid": array.coords["valid"]
        for name, array in arrays.items()
        if "valid" in array.coords and not array.coords["valid"].all()
    }
    given = {**arrays, **valid}
    return xarray.Dataset({name: array.reset_coords(drop=True) for name, array in given.items()})


def hyperspy_of(result: BufferWrapper | Kept, calibration: Calibration | None = None) -> Any:
    """Return a result as a signal of hyperspy; see `BufferWrapper.to_hyperspy`."""
    hyperspy = _package(HYPERSPY, "to_hyperspy")
    shown = _kept(result, calibration)
    axes = [
        {
            "name": axis.name,
            "size": axis.length,
            "navigate": number < shown.n_slices,
            **({} if axis.scale is None else {"scale": axis.scale.size, "units": axis.scale.unit}),
        }
        for number, axis in enumerate(shown.axes)
    ]
    n_own, prefix = len(axes) - shown.n_slices, "Complex" if np.iscomplexobj(shown.values) else ""
    name = f"Signal{n_own}D" if n_own in (1, 2) else ("Signal" if prefix else "BaseSignal")
    kind = getattr(hyperspy.signals, prefix + name)
    told = {
        "General": {"title": shown.title},
        "Signal": {"quantity": shown.unit},
        "udfwidgets": _told(shown),
    }
    return kind(np.array(shown.values), axes=axes, metadata=told)


def _array(xarray: Any, shown: Kept, variable: str) -> Any:
    names = [_name(axis, shown, number, variable) for number, axis in enumerate(shown.axes)]
    coordinates: dict[str, Any] = {
        name: (name, axis.positions, {} if axis.scale is None else {"units": axis.scale.unit})
        for name, axis in zip(names, shown.axes, strict=True)
    }
    if shown.valid is not None:
        coordinates["valid"] = (names, shown.valid)
    units = {"units": shown.unit} if shown.unit else {}
    told = {"long_name": shown.title, **units, **_told(shown)}
    values = np.array(shown.values)
    return xarray.DataArray(values, coordinates, names, variable or shown.title, told)


def _name(axis: Axis, shown: Kept, number: int, variable: str) -> str:
    """Return the name of an axis: those of scan and detector are alike in all results."""
    if number >= shown.n_slices and shown.kind != "single":
        return f"{shown.kind}_{axis.name}"
    return f"{variable}_{axis.name}" if variable else axis.name


def _told(shown: Kept) -> dict[str, str]:
    """Return in texts where it comes from."""
    if shown.origin is None:
        return {}
    files: Sequence[Any] = shown.origin.data.files
    return {"call": shown.origin.call, "files": ", ".join(str(file.path) for file in files)}


def _kept(result: BufferWrapper | Kept, calibration: Calibration | None) -> Kept:
    return kept(result, calibration) if isinstance(result, BufferWrapper) else result


def _package(package: tuple[str, str], method: str) -> Any:
    name, module = package
    try:
        return pkgutil.resolve_name(name + module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != name:
            raise
        raise ModuleNotFoundError(
            f"{method}() needs the package {name}, which is not installed: pip install {name}, or "
            f"'udfwidgets[{name}]'",
            name=name,
        ) from error
