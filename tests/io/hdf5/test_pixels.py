"""How large pixels are, in the words of each kind of HDF5 file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from udfwidgets.calibration import Scale
from udfwidgets.io.load import load

SHAPE = (3, 5, 4, 6)
STEPS = (2.0, 2.5, 0.4, 0.25)
TOLD = [Scale(2.0, "nm"), Scale(2.5, "nm"), Scale(0.4, "1/Å"), Scale(0.25, "1/Å")]


def nexus(file: h5py.File) -> None:
    data = file.create_group("entry/data")
    file.attrs["default"], file["entry"].attrs["default"] = "entry", "data"
    data.attrs.update(signal="counts", axes=["y", "x", "ky", "kx"])
    data["counts"] = np.ones(SHAPE, "u2")
    for name, n, step, unit in zip(
        ("y", "x", "ky", "kx"), SHAPE, STEPS, ("nm", "nm", "1/angstrom", "angstrom^-1"), strict=True
    ):
        data[name] = 10 - np.arange(n) * step
        data[name].attrs["units"] = unit


def nexus_of_indices(file: h5py.File) -> None:
    nexus(file)
    data = file["entry/data"]
    data.attrs["axes"] = ["kx", "ky", "x", "y"]
    data.attrs.update(kx_indices=3, ky_indices=2, x_indices=1, y_indices=0)


def old_nexus(file: h5py.File) -> None:
    nexus(file)
    del file["entry/data"].attrs["axes"]
    file["entry/data/counts"].attrs["axes"] = "y:x:ky:kx"


def edges(file: h5py.File) -> None:
    nexus(file)
    for name, n, step in zip(("y", "x", "ky", "kx"), SHAPE, STEPS, strict=True):
        unit = file["entry/data"][name].attrs["units"]
        del file["entry/data"][name]
        file["entry/data"][name] = np.arange(n + 1) * step
        file["entry/data"][name].attrs["units"] = unit


def emd(first: int, *, whole: bool) -> Callable[[h5py.File], None]:
    def write(file: h5py.File) -> None:
        group = file.create_group("cube/scan")
        group.attrs["emd_group_type"] = 1 if first else "array"
        group["data"] = np.ones(SHAPE, "u2")
        units = ("[n_m]", "[n_m]", "[A^-1]", "[A^-1]") if first else ("nm", "nm", "A^-1", "A^-1")
        for number, (n, step, unit) in enumerate(zip(SHAPE, STEPS, units, strict=True)):
            dim = f"dim{number + first}"
            group[dim] = np.arange(n if whole else 2) * step
            group[dim].attrs.update(name=dim, units=unit)

    return write


def hspy(file: h5py.File) -> None:
    group = file.create_group("Experiments/it")
    group["data"] = np.ones(SHAPE, "u2")
    units = ("nm", "nm", "$A^{-1}$", "$A^{-1}$")
    for number, (n, step, unit) in enumerate(zip(SHAPE, STEPS, units, strict=True)):
        axis = group.create_group(f"axis-{number}")
        axis.attrs.update(scale=step, units=unit, size=n, offset=3.0)


WRITERS = {
    "NeXus": nexus,
    "NeXus, axes by number": nexus_of_indices,
    "NeXus, as it was": old_nexus,
    "NeXus, edges": edges,
    "EMD 0.x": emd(1, whole=True),
    "EMD 1.0": emd(0, whole=True),
    "py4DSTEM": emd(0, whole=False),
    "hyperspy": hspy,
}


def written(path: Path, write: Callable[[h5py.File], None]) -> Path:
    with h5py.File(path, "w") as file:
        write(file)
    return path


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("follow", [False, True], ids=["whole", "growing"])
def test_pixels_are_as_large_as_the_file_says(tmp_path: Path, kind: str, follow: bool) -> None:
    def write(file: h5py.File) -> None:
        WRITERS[kind](file)
        if follow:
            name = next(
                n
                for n in ("entry/data/counts", "cube/scan/data", "Experiments/it/data")
                if n in file
            )
            group, attributes = file[name].parent, dict(file[name].attrs)
            del file[name]
            group.create_dataset(
                name.rpartition("/")[2],
                data=np.ones(SHAPE, "u2"),
                chunks=(1, 1, 4, 6),
                maxshape=(None, *SHAPE[1:]),
            )
            file[name].attrs.update(attributes)

    path = written(tmp_path / "a.h5", write)
    dataset = load("hdf5", path, follow=follow, **({"nav_shape": SHAPE[:2]} if follow else {}))
    found = [*dataset.calibration.scales("nav", 2), *dataset.calibration.scales("sig", 2)]
    assert [each.unit for each in found] == [each.unit for each in TOLD]
    assert [each.size for each in found] == pytest.approx([each.size for each in TOLD])


def nothing(file: h5py.File) -> None:
    file["data"] = np.ones(SHAPE, "u2")


def in_pixels(file: h5py.File) -> None:
    emd(0, whole=False)(file)
    for number in range(4):
        file[f"cube/scan/dim{number}"].attrs["units"] = "pixels"


def not_regular(file: h5py.File) -> None:
    nexus(file)
    for name in ("y", "x", "ky", "kx"):
        file["entry/data"][name][-1] += 5


def dangling(file: h5py.File) -> None:
    nexus(file)
    for name in ("y", "x", "ky", "kx"):
        del file["entry/data"][name]
        file["entry/data"][name] = h5py.ExternalLink("nowhere.h5", "/axis")


def of_other_lengths(file: h5py.File) -> None:
    nexus(file)
    for name in ("y", "x", "ky", "kx"):
        del file["entry/data"][name]
        file["entry/data"][name] = np.arange(20.0)
        file["entry/data"][name].attrs["units"] = "nm"


@pytest.mark.parametrize("write", [nothing, in_pixels, not_regular, dangling, of_other_lengths])
def test_what_says_nothing_is_not_made_up(
    tmp_path: Path, write: Callable[[h5py.File], None]
) -> None:
    dataset = load("hdf5", written(tmp_path / "a.h5", write))
    assert dataset.calibration.scales("nav", 2) == (None, None)
    assert dataset.calibration.scales("sig", 2) == (None, None)


def test_some_axes_may_be_known_and_others_not(tmp_path: Path) -> None:
    def write(file: h5py.File) -> None:
        nexus(file)
        del file["entry/data/y"]
        file["entry/data"].attrs["axes"] = [".", "x", "ky", "kx"]

    dataset = load("hdf5", written(tmp_path / "a.h5", write))
    assert dataset.calibration.scales("nav", 2) == (None, TOLD[1])
    assert dataset.calibration.scales("sig", 2)[0].unit == "1/Å"
