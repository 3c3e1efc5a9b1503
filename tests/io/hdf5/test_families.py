"""Files of each family, as its writer makes them: the scan is found, with what is told of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import numpy.typing as npt
import pytest

from tests.io.contract import Case, DataSetContract, read_all
from udfwidgets.api import Context
from udfwidgets.errors import DataSetException
from udfwidgets.io.corrections import CorrectionSet
from udfwidgets.io.dataset.hdf5.dataset import H5DataSet
from udfwidgets.io.load import load
from udfwidgets.udf.sum import SumUDF

Array = npt.NDArray[Any]
TRUTH = np.random.default_rng(9).poisson(30, (3, 5, 8, 9)).astype("u2")
STACK = TRUTH.reshape(15, 8, 9)


def dectris(path: Path, n_frames: int = 15, stack: Array = STACK, **told: Any) -> None:
    """Write a master of DECTRIS and its data files: each trigger starts a line."""
    told = {"ntrigger": 3, "nimages": 5, **told}
    detector, data = "entry/instrument/detector", "entry/data"
    with h5py.File(path, "w") as file:
        for name, kind in (("entry", "NXentry"), (data, "NXdata"), (detector, "NXdetector")):
            file.require_group(name).attrs["NX_class"] = kind
        for name in ("ntrigger", "nimages", "pixel_mask", "flatfield"):
            if name in told:
                file[f"{detector}/detectorSpecific/{name}"] = told[name]
        if "flatfield_correction_applied" in told:
            file[f"{detector}/flatfield_correction_applied"] = told["flatfield_correction_applied"]
        for number, begin in enumerate(range(0, n_frames, 6), 1):
            part = path.with_name(path.name.replace("master", f"data_{number:06d}"))
            with h5py.File(part, "w") as stored:
                shown = stack[begin : min(begin + 6, n_frames)]
                chunks = (1, *stack.shape[1:])
                stored.create_dataset("entry/data/data", data=shown, chunks=chunks)
            file[f"{data}/data_{number:06d}"] = h5py.ExternalLink(part.name, "entry/data/data")


def nexus(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["default"] = "entry1"
        file["entry1/merlin/data"] = STACK.reshape(TRUTH.shape)
        group = file["entry1/merlin"]
        file["entry1"].attrs["default"] = "merlin"
        group.attrs["NX_class"], group.attrs["signal"] = "NXdata", "data"
        group.attrs["axes"] = ["y", "x", ".", "."]
        group["data"].attrs["interpretation"] = "image"
        file["entry1/sums"] = TRUTH.sum(axis=(2, 3))


def diamond(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["entry/detector/data"] = STACK
        file["entry/detector"].attrs["signal"] = "data"
        file["entry/diamond_scan/scan_shape"] = np.array([3, 5], "i4")


def old_py4dstem(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["version_major"] = 0
        group = file.create_group("4DSTEM_experiment/data/datacubes/datacube_0")
        group.attrs["emd_group_type"] = 1
        group["data"] = TRUTH
        for number, length in enumerate(TRUTH.shape, 1):
            group[f"dim{number}"] = np.arange(length)
        other = file.create_group("4DSTEM_experiment/data/realslices/large")
        other.attrs["emd_group_type"] = 1
        other["data"] = np.zeros((100, 100, 9))


def emd_of_rosettasciio(path: Path, chunks: bool | None = None) -> None:
    """Write the last axis first, as it does."""
    with h5py.File(path, "w") as file:
        file.attrs["version_major"], file.attrs["version_minor"] = "0", "2"
        group = file.create_group("signals/__unnamed__")
        group.attrs["emd_group_type"], group.attrs["signal_type"] = 1, ""
        group.create_dataset("data", data=TRUTH.T, chunks=chunks)
        for number, unit in enumerate(("[1_/_n_m]", "[1_/_n_m]", "[n_m]", "[n_m]"), 1):
            group[f"dim{number}"] = np.arange(2) * number
            group[f"dim{number}"].attrs["units"] = unit


def new_py4dstem(path: Path) -> None:
    with h5py.File(path, "w") as file:
        root = file.create_group("datacube_root")
        root.attrs.update({"emd_group_type": "root", "python_class": "Root"})
        cube = root.create_group("datacube")
        cube.attrs.update({"emd_group_type": "array", "python_class": "DataCube"})
        cube["data"] = TRUTH


def velox(path: Path, height: Any = "3") -> None:
    size = {"Scan": {"ScanSize": {"width": "5", "height": height}}}
    text = np.frombuffer(json.dumps(size).encode().ljust(200, b"\0"), "u1")
    with h5py.File(path, "w") as file:
        file["Version"] = np.array([b'{"format": "Velox", "version": "1.11"}'])
        image = "Data/Image/0123456789abcdef0123456789abcdef"
        turned = np.ascontiguousarray(np.moveaxis(STACK, 0, -1))
        file.create_dataset(f"{image}/Data", data=turned, chunks=(8, 9, 1))
        file[f"{image}/Metadata"] = np.repeat(text[:, np.newaxis], 15, axis=1)


def hyperspy(path: Path, data: Array = TRUTH, n_nav: int = 2) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["file_format"], file.attrs["file_format_version"] = "HyperSpy", "3.3"
        group = file.create_group("Experiments/__unnamed__")
        group["data"] = data
        for number, length in enumerate(data.shape):
            axis = group.create_group(f"axis-{number}")
            axis.attrs["size"], axis.attrs["navigate"] = length, number < n_nav


def fpd(path: Path) -> None:
    with h5py.File(path, "w") as file:
        for name, data in (("data", TRUTH[:, :, np.newaxis]), ("sum_im", TRUTH.sum(axis=(2, 3)))):
            group = file.create_group(f"fpd_expt/fpd_{name}")
            group.attrs["emd_group_type"] = 1
            group["data"] = data
            for number, length in enumerate(data.shape, 1):
                group[f"dim{number}"] = number * np.arange(length)
                group[f"dim{number}"].attrs["units"] = "nm"


FAMILIES: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "DECTRIS": ("scan_master.h5", dectris, "/entry/data"),
    "NeXus": ("scan.nxs", nexus, "/entry1/merlin/data"),
    "Diamond": ("scan.nxs", diamond, "/entry/detector/data"),
    "EMD 0.x": ("scan.h5", old_py4dstem, "/4DSTEM_experiment/data/datacubes/datacube_0/data"),
    "EMD 1.0": ("scan.emd", new_py4dstem, "/datacube_root/datacube/data"),
    "EMD 0.2": ("scan.emd", emd_of_rosettasciio, "/signals/__unnamed__/data"),
    "Velox": ("scan.emd", velox, "/Data/Image/0123456789abcdef0123456789abcdef/Data"),
    "hspy": ("scan.hspy", hyperspy, "/Experiments/__unnamed__/data"),
    "fpd": ("scan.hdf5", fpd, "/fpd_expt/fpd_data/data"),
}


class TestFamilies(DataSetContract):
    @pytest.fixture(params=FAMILIES)
    def case(self, request: pytest.FixtureRequest, tmp_path: Path) -> Case:
        name, write, ds_path = FAMILIES[request.param]
        write(tmp_path / name)
        dataset = load("auto", path=tmp_path / name)
        assert isinstance(dataset, H5DataSet)
        assert dataset.ds_path == ds_path
        assert not dataset.get_correction_data().have_corrections()
        return Case(dataset, TRUTH)


def test_a_scan_that_was_stopped_has_the_shape_that_was_told(tmp_path: Path) -> None:
    dectris(tmp_path / "scan_master.h5", n_frames=11)
    with pytest.warns(UserWarning, match="4 of 15 frames are missing"):
        dataset = load("auto", path=tmp_path / "scan_master.h5")
    assert dataset.shape.nav.to_tuple() == (3, 5)
    np.testing.assert_array_equal(read_all(dataset)[:11], STACK[:11])


@pytest.mark.parametrize(("lines", "frames"), [(15, 1), (1, 15), (2, 5), (30, 5), (0, 0)])
def test_numbers_that_are_no_scan_of_so_many_frames_tell_nothing(
    tmp_path: Path, lines: int, frames: int
) -> None:
    path = tmp_path / "scan_master.h5"
    dectris(path, ntrigger=lines, nimages=frames)
    assert load("auto", path=path).shape.nav.to_tuple() == (15,)
    assert load("auto", path=path, nav_shape=(5, 3)).shape.nav.to_tuple() == (5, 3)


def test_a_part_says_where_the_whole_is(tmp_path: Path) -> None:
    dectris(tmp_path / "scan_master.h5")
    with pytest.warns(UserWarning, match=r"a part of the scan that scan_master\.h5 .* load that"):
        dataset = load("auto", path=tmp_path / "scan_data_000002.h5")
    np.testing.assert_array_equal(read_all(dataset), STACK[6:12])


def test_pixels_that_are_masked_are_put_right(tmp_path: Path) -> None:
    mask = np.zeros((8, 9), "u4")
    mask[1, 2], mask[4:7] = 2, 1  # a dead pixel, and a gap of three rows
    dectris(tmp_path / "scan_master.h5", pixel_mask=mask)
    dataset = load("auto", path=tmp_path / "scan_master.h5")
    with Context.make_with("inline") as ctx:
        found = ctx.run_udf(dataset=dataset, udf=SumUDF())["intensity"].data
        plain = ctx.run_udf(dataset=dataset, udf=SumUDF(), corrections=CorrectionSet())
        plain = plain["intensity"].data
    total = STACK.sum(axis=0, dtype="f8")
    around = np.delete(total[0:3, 1:4].ravel(), 4)
    expected = np.where(mask, 0, total)
    expected[1, 2] = around.mean()
    for row, near in ((4, 3), (6, 7)):
        padded = np.pad(total[near], 1, constant_values=np.nan)
        expected[row] = np.nanmean([padded[:-2], padded[1:-1], padded[2:]], axis=0)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    np.testing.assert_allclose(plain, total, rtol=1e-6)


@pytest.mark.parametrize(
    ("place", "classes"),
    [
        ("entry/detector", {"entry/detector": "NXdetector"}),  # which has the data as well
        ("entry/instrument/merlin", {}),
        ("entry/microscope/merlin", {"entry/microscope": "NXinstrument"}),
    ],
)
def test_detectors_are_found_by_their_class(
    tmp_path: Path, place: str, classes: dict[str, str]
) -> None:
    mask = np.eye(8, 9, dtype="u4")
    diamond(tmp_path / "scan.nxs")
    with h5py.File(tmp_path / "scan.nxs", "a") as file:
        file[f"{place}/pixel_mask"] = mask
        file[f"{place}/flatfield"] = np.full((8, 9), 2.0)
        file[f"{place}/flatfield_correction_applied"] = False
        for name, kind in classes.items():
            file[name].attrs["NX_class"] = kind
    told = load("auto", path=tmp_path / "scan.nxs").get_correction_data()
    np.testing.assert_array_equal(told.get_excluded_pixels(), mask != 0)
    np.testing.assert_array_equal(told.get_gain_map(), np.full((8, 9), 2.0))


def test_factors_are_those_of_the_detector_that_has_not_applied_them(tmp_path: Path) -> None:
    diamond(tmp_path / "scan.nxs")
    with h5py.File(tmp_path / "scan.nxs", "a") as file:
        for name, is_applied in (("first", True), ("second", False)):
            file[f"entry/instrument/{name}/detectorSpecific/flatfield_correction_applied"] = (
                is_applied
            )
        file["entry/instrument/first/flatfield"] = np.full((8, 9), 2.0)
    assert not load("auto", path=tmp_path / "scan.nxs").get_correction_data().have_corrections()
    with h5py.File(tmp_path / "scan.nxs", "a") as file:
        file["entry/instrument/second/flatfield"] = np.full((8, 9), 3.0)
    told = load("auto", path=tmp_path / "scan.nxs").get_correction_data()
    np.testing.assert_array_equal(told.get_gain_map(), np.full((8, 9), 3.0))


def test_a_flat_field_of_which_nothing_is_known_is_left_alone(tmp_path: Path) -> None:
    diamond(tmp_path / "scan.nxs")
    with h5py.File(tmp_path / "scan.nxs", "a") as file:
        file["entry/instrument/merlin/flatfield"] = np.full((8, 9), 2.0)
        file["entry/instrument/merlin/flatfield_applied"] = False
    assert not load("auto", path=tmp_path / "scan.nxs").get_correction_data().have_corrections()


def test_groups_of_no_class_are_no_detectors(tmp_path: Path) -> None:
    diamond(tmp_path / "scan.nxs")
    with h5py.File(tmp_path / "scan.nxs", "a") as file:
        file["entry/detector/pixel_mask"] = file["entry/more/other/pixel_mask"] = np.eye(8, 9)
    dataset = load("auto", path=tmp_path / "scan.nxs")
    assert not dataset.get_correction_data().have_corrections()


def test_pixels_that_fpd_has_put_right_are_left_alone(tmp_path: Path) -> None:
    fpd(tmp_path / "scan.hdf5")
    with h5py.File(tmp_path / "scan.hdf5", "a") as file:
        file["fpd_expt/fpd_mask/data"] = np.eye(8, 9, dtype=bool)
        file["fpd_expt/fpd_mask"].attrs["mask_method"] = "interpolated"
    dataset = load("auto", path=tmp_path / "scan.hdf5")
    assert not dataset.get_correction_data().have_corrections()


@pytest.mark.parametrize("applied", [0, 1, None])
def test_factors_are_those_that_have_not_been_applied(tmp_path: Path, applied: int | None) -> None:
    factors = np.linspace(0.9, 1.1, 72, dtype="f4").reshape(8, 9)
    told = {} if applied is None else {"flatfield_correction_applied": applied}
    dectris(tmp_path / "scan_master.h5", flatfield=factors, **told)
    gain = load("auto", path=tmp_path / "scan_master.h5").get_correction_data().get_gain_map()
    if applied == 0:
        np.testing.assert_array_equal(gain, factors)
    else:
        assert gain is None


def test_images_of_another_size_are_no_mask(tmp_path: Path) -> None:
    dectris(tmp_path / "scan_master.h5", pixel_mask=np.ones((9, 8), "u4"))
    dataset = load("auto", path=tmp_path / "scan_master.h5")
    assert not dataset.get_correction_data().have_corrections()


def test_a_mask_is_folded_with_the_frames(tmp_path: Path) -> None:
    mask = np.eye(8, 9, dtype="u4")
    dectris(tmp_path / "scan_master.h5", pixel_mask=mask)
    dataset = load("auto", path=tmp_path / "scan_master.h5", sig_shape=(72,))
    excluded = dataset.get_correction_data().get_excluded_pixels()
    np.testing.assert_array_equal(excluded, mask.ravel() != 0)


def test_spectra_have_one_axis(tmp_path: Path) -> None:
    hyperspy(tmp_path / "scan.hspy", TRUTH[..., 0], n_nav=2)
    assert load("auto", path=tmp_path / "scan.hspy").shape.sig.to_tuple() == (8,)
    with h5py.File(tmp_path / "scan.nxs", "w") as file:
        file["entry/data"] = TRUTH[..., 0]
        file["entry/data"].attrs["interpretation"] = "spectrum"
    dataset = load("auto", path=tmp_path / "scan.nxs")
    assert dataset.shape.nav.to_tuple() == (3, 5)
    np.testing.assert_array_equal(read_all(dataset), TRUTH[..., 0].reshape(15, 8))
    assert load("hdf5", path=tmp_path / "scan.nxs", sig_dims=2).shape.nav.to_tuple() == (3,)


def test_the_axis_of_colours_has_no_scale(tmp_path: Path) -> None:
    fpd(tmp_path / "scan.hdf5")
    told = load("auto", path=tmp_path / "scan.hdf5").metadata
    assert told["nav_scales"] == (1, 2)
    assert told["sig_scales"] == (4, 5)


@pytest.mark.parametrize("chunks", [None, True])
def test_axes_that_are_stored_last_first_are_turned(tmp_path: Path, chunks: bool | None) -> None:
    emd_of_rosettasciio(tmp_path / "scan.emd", chunks)
    dataset = load("auto", path=tmp_path / "scan.emd")
    np.testing.assert_array_equal(read_all(dataset), STACK)
    told = dataset.metadata
    assert told["nav_scales"] + told["sig_scales"] == (4, 3, 2, 1)
    assert told["nav_units"] + told["sig_units"] == ("nm", "nm", "1/nm", "1/nm")


def test_cubes_of_the_same_size_are_listed(tmp_path: Path) -> None:
    old_py4dstem(tmp_path / "scan.h5")
    with h5py.File(tmp_path / "scan.h5", "a") as file:
        file.copy(
            "4DSTEM_experiment/data/datacubes/datacube_0",
            "4DSTEM_experiment/data/datacubes/datacube_1",
        )
    with pytest.raises(DataSetException, match=r"ds_path=:\n.*datacube_0/data.*\n.*datacube_1"):
        load("auto", path=tmp_path / "scan.h5")


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"Scan": 1}', b'{"Scan": {"ScanSize": {}}}'])
def test_metadata_that_say_nothing_are_passed_over(tmp_path: Path, text: bytes) -> None:
    velox(tmp_path / "scan.emd")
    with h5py.File(tmp_path / "scan.emd", "a") as file:
        image = file["Data/Image/0123456789abcdef0123456789abcdef"]
        del image["Metadata"]
        image["Metadata"] = np.repeat(np.frombuffer(text.ljust(9, b"\0"), "u1")[:, None], 15, 1)
    assert load("auto", path=tmp_path / "scan.emd").shape.nav.to_tuple() == (15,)


@pytest.mark.parametrize("is_known", [True, False])
def test_a_packed_mask_is_read_or_left_out_with_a_warning(tmp_path: Path, is_known: bool) -> None:
    mask = np.eye(8, 9, dtype="u4")
    path = tmp_path / "scan_master.h5"
    dectris(path)
    filters = hdf5plugin.Bitshuffle(cname="lz4") if is_known else hdf5plugin.Zfp(reversible=True)
    with h5py.File(path, "a") as file:
        group = file["entry/instrument/detector/detectorSpecific"]
        group.create_dataset("pixel_mask", data=mask.astype("i4"), chunks=(8, 9), **filters)
    code = f"""
import sys, warnings
sys.modules["hdf5plugin"] = None  # which is not there for users either
import numpy as np
from udfwidgets.io.load import load
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    excluded = load("auto", path={str(path)!r}).get_correction_data().get_excluded_pixels()
print(None if excluded is None else int(np.count_nonzero(excluded)))
print([str(each.message) for each in told])
"""
    # In a process of its own, in which HDF5 has no filters but its own.
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found, told = run.stdout.splitlines()
    assert found == ("8" if is_known else "None")
    assert ("pixel_mask cannot be read, and is not applied" in told) != is_known


def test_a_scan_of_no_finite_size_is_none(tmp_path: Path) -> None:
    velox(tmp_path / "scan.emd", float("inf"))
    assert load("hdf5", path=tmp_path / "scan.emd").shape.nav.to_tuple() == (15,)
