"""Results as HDF5, TIFF and NumPy files, read back by others."""

from __future__ import annotations

import pickle
from datetime import datetime

import h5py
import numpy as np
import pytest
import tifffile

from tests.io.writers.blo import write_blo
from udfwidgets import ApplyMasksUDF, Context, StdDevUDF, SumSigUDF, SumUDF
from udfwidgets.calibration import Calibration
from udfwidgets.keeping.saving import FORMATS

DATA = np.random.default_rng(5).poisson(9, (6, 7, 4, 4)).astype("u2")
SUMS = DATA.sum(axis=(2, 3), dtype="f8")
TRACES = np.einsum("yxii->yx", DATA)
#: A pixel is higher than it is wide: axes that are mixed up show.
GIVEN = Calibration(sig=(0.4, "mrad"), nav=[(2.5, "nm"), (2.0, "nm")])


@pytest.fixture(scope="module")
def ctx():
    with Context.make_with("inline") as context:
        yield context


@pytest.fixture
def scan(ctx, tmp_path):
    np.save(tmp_path / "scan.npy", DATA)
    return ctx.load("npy", path=tmp_path / "scan.npy")


def masks():
    return ApplyMasksUDF(mask_factories=[lambda: np.ones((4, 4)), lambda: np.eye(4)])


def test_hdf5_is_drawn_by_those_who_know_nexus(ctx, scan, tmp_path):
    path = ctx.run_udf(scan, [masks()])[0].save(tmp_path / "a.h5", calibration=GIVEN)
    with h5py.File(path) as file:
        # As h5web and silx find what to show.
        group = file[file.attrs["default"]]
        assert (file.attrs["NX_class"], group.attrs["NX_class"]) == ("NXroot", "NXentry")
        group = group[group.attrs["default"]]
        assert group.attrs["NX_class"] == "NXdata"
        signal, axes = group[group.attrs["signal"]], list(group.attrs["axes"])
        assert axes == ["mask", "y", "x"]
        assert [group.attrs[f"{name}_indices"] for name in axes] == [0, 1, 2]
        assert group.attrs["interpretation"] == signal.attrs["interpretation"] == "image"
        np.testing.assert_allclose(signal[0], SUMS)
        np.testing.assert_allclose(signal[1], TRACES, rtol=1e-6)
        np.testing.assert_allclose(group["y"], np.arange(6) * 2.5)
        np.testing.assert_allclose(group["x"], np.arange(7) * 2.0)
        assert group["y"].attrs["units"] == group["x"].attrs["units"] == "nm"
        assert "units" not in group["mask"].attrs
        assert "valid" not in group


def test_hdf5_says_where_results_come_from(ctx, scan, tmp_path):
    result = ctx.run_udf(scan, masks())
    # What was read, and not what is there when it is saved.
    written = (tmp_path / "scan.npy").stat()
    np.save(tmp_path / "scan.npy", DATA[:2])
    with h5py.File(result.save(tmp_path / "a.h5")) as file:
        entry = file["entry"]
        source, process = entry["source"], entry["process_0"]
        assert source["files"].asstr()[0] == str(tmp_path / "scan.npy")
        assert source["bytes"][0] == written.st_size
        modified = datetime.fromisoformat(source["modified"].asstr()[0]).timestamp()
        assert modified == pytest.approx(written.st_mtime, abs=1e-5)
        assert source["nav_shape"][:].tolist() == [6, 7]
        assert process["udf"].asstr()[()] == "ApplyMasksUDF"
        assert "use_sparse=None" in process["call"].asstr()[()]
        assert process["parameters/mask_factories"].asstr()[()].startswith("[<function")
        assert process["versions/numpy"].asstr()[()] == np.__version__
        assert entry["coverage/data"][:].all()
        assert entry["coverage"].attrs["merged"] == entry["coverage"].attrs["selected"] == 42


def test_what_is_not_merged_is_told(ctx, scan, tmp_path):
    roi = np.zeros((6, 7), bool)
    roi[2:5, 1:] = True
    result = ctx.run_udf(scan, SumSigUDF(), roi=roi)["intensity"]
    with h5py.File(result.save(tmp_path / "a.h5")) as file:
        group = file["entry/SumSigUDF_intensity"]
        np.testing.assert_array_equal(group["valid"][:], roi)
        np.testing.assert_array_equal(file["entry/coverage/data"][:], roi)
        np.testing.assert_allclose(group["data"][:], np.where(roi, SUMS, np.nan))
    page = tifffile.imread(result.save(tmp_path / "a.tif"))
    np.testing.assert_array_equal(page, np.where(roi, SUMS, np.nan).astype("f4"))
    result.save(tmp_path / "a.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), result.data)


def test_units_of_the_file_are_those_of_its_results(ctx, tmp_path):
    patterns = DATA.astype("u1")
    scan = ctx.load("blo", path=write_blo(tmp_path / "a.blo", patterns))
    with h5py.File(ctx.run_udf(scan, [SumSigUDF()])[0].save(tmp_path / "a.h5")) as file:
        group = file["entry/SumSigUDF_intensity"]
        y, x = scan.metadata["nav_scales"]
        assert y != x
        np.testing.assert_allclose(group["y"][1], y)
        np.testing.assert_allclose(group["x"][1], x)
        assert group["x"].attrs["units"] == "nm"
        np.testing.assert_allclose(file["entry/coverage/y"][1], y)


@pytest.mark.parametrize(
    ("unit", "spelt"), [("nm", "nm"), ("1/nm", "1/nm"), ("µm", "micron"), ("Å", "angstrom")]
)
def test_tiff_has_the_size_of_a_pixel(ctx, scan, tmp_path, unit, spelt):
    given = Calibration(nav=[(0.025, unit), (0.0123, unit)])
    path = ctx.run_udf(scan, masks())["intensity"].save(tmp_path / "a.tif", calibration=given)
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        assert page.dtype == np.float32
        x, y = (page.tags[name].value for name in ("XResolution", "YResolution"))
        assert x[0] / x[1] == pytest.approx(1 / 0.0123)
        assert y[0] / y[1] == pytest.approx(1 / 0.025)
        assert file.imagej_metadata["unit"] == spelt
        np.testing.assert_allclose(file.asarray()[0], SUMS)
        np.testing.assert_allclose(file.asarray()[1], TRACES, rtol=1e-6)


def test_tiff_refuses_what_it_cannot_tell(ctx, scan, tmp_path):
    result = ctx.run_udf(scan, SumSigUDF())["intensity"]
    with pytest.raises(ValueError, match="handier unit"):
        result.save(tmp_path / "a.tif", calibration=Calibration(nav=(2e-10, "m")))
    phase = ctx.run_udf(scan, ApplyMasksUDF(lambda: np.full((4, 4), 1j)))["intensity"]
    (tmp_path / "b.tif").write_text("before")
    with pytest.raises(ValueError, match=r"ApplyMasksUDF: intensity .* complex"):
        phase.save(tmp_path / "b.tif", overwrite=True)
    # Half of it is written by then.
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.tif", "scan.npy"]
    assert (tmp_path / "b.tif").read_text() == "before"
    np.testing.assert_allclose(np.load(phase.save(tmp_path / "a.npy")).imag[..., 0], SUMS)
    with h5py.File(phase.save(tmp_path / "a.nxs")) as file:
        np.testing.assert_allclose(file["entry/ApplyMasksUDF_intensity/data"][0].imag, SUMS)


def test_all_results_of_a_udf(ctx, scan, tmp_path):
    results = ctx.run_udf(scan, [SumUDF(), StdDevUDF()])[1]
    with h5py.File(results.save(tmp_path / "a.h5")) as file:
        groups = [n for n, g in file["entry"].items() if "kind" in g.attrs]
        assert groups == [f"StdDevUDF_{name}" for name in results]
        np.testing.assert_allclose(
            file["entry/StdDevUDF_std/data"], DATA.std(axis=(0, 1)), rtol=1e-5
        )
        assert list(file["entry/StdDevUDF_num_frames/data"]) == [42]
    with pytest.raises(ValueError, match=r"takes one result, and there are 6: 'StdDevUDF: varsum'"):
        results.save(tmp_path / "a.npy")
    np.testing.assert_array_equal(
        np.load(results.save(tmp_path / "a.npy", "std")), results["std"].data
    )


def test_names_that_cannot_be_written(ctx, scan, tmp_path):
    result = ctx.run_udf(scan, SumUDF())["intensity"]
    with pytest.raises(ValueError, match=r"'a.jpg': expected a name that ends in .*\.h5") as error:
        result.save(tmp_path / "a.jpg")
    assert all(each in str(error.value) for each in FORMATS)
    with pytest.raises(FileNotFoundError, match="nowhere is no folder"):
        result.save(tmp_path / "nowhere" / "a.npy")
    (tmp_path / "b.npy").mkdir()
    with pytest.raises(IsADirectoryError):
        result.save(tmp_path / "b.npy")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        result.save(tmp_path / "scan.npy")
    with pytest.raises(TypeError, match=r"\(1, 'nm'\), expected a .*Calibration"):
        result.save(tmp_path / "a.npy", calibration=(1, "nm"))
    with pytest.raises(ValueError, match="3 scales for sig"):
        result.save(tmp_path / "a.npy", calibration=Calibration(sig=[None] * 3))


def test_results_that_went_to_another_process_know_where_they_come_from(ctx, scan, tmp_path):
    result = pickle.loads(pickle.dumps(ctx.run_udf(scan, masks())))  # the masks are lambdas
    with h5py.File(result.save(tmp_path / "a.h5")) as file:
        assert file["entry/source/bytes"][0] == (tmp_path / "scan.npy").stat().st_size
        assert file["entry/process_0/parameters/mask_factories"].asstr()[()].startswith("[<func")
