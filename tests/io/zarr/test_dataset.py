from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zarr

from tests.io.contract import Case, DataSetContract, read_all
from tests.io.zarr.writing import OURS, THEIRS, TRUTH, Array, read_elsewhere, write
from udfwidgets import Context, SumUDF
from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.zarr import ZarrDataSet
from udfwidgets.io.dataset.zarr.through import PackageSource
from udfwidgets.io.load import load

Write = Callable[[Path, Array], Path]


class TestZarr(DataSetContract):
    @pytest.fixture(params=["2 blosc, cut, F", "3 shards", "3 in a zip", "2 delta"])
    def case(self, request: pytest.FixtureRequest, tmp_path: Path) -> Case:
        path = {**OURS, **THEIRS}[request.param](tmp_path, TRUTH)
        return Case(ZarrDataSet(path), TRUTH)


@pytest.mark.parametrize("dtype", ["u1", "<i2", ">u2", "f4", ">f8", "bool", "c8"])
@pytest.mark.parametrize("kind", ["2 zstd", "3 zstd"])
def test_all_dtypes(tmp_path: Path, kind: str, dtype: str) -> None:
    truth = TRUTH.astype(dtype)
    dataset = load("auto", OURS[kind](tmp_path, truth))
    assert dataset.dtype == truth.dtype.newbyteorder("=")
    np.testing.assert_array_equal(read_all(dataset), truth.reshape(15, 6, 8))


@pytest.mark.parametrize("kind", [*OURS, *THEIRS])
def test_all_kinds_are_what_the_package_reads(tmp_path: Path, kind: str) -> None:
    path = {**OURS, **THEIRS}[kind](tmp_path, TRUTH)
    dataset = load("auto", path)
    with dataset.open() as source:
        assert isinstance(source, PackageSource) == (kind in THEIRS)
    np.testing.assert_array_equal(read_all(dataset), read_elsewhere(path).reshape(15, 6, 8))
    np.testing.assert_array_equal(read_all(dataset), TRUTH.reshape(15, 6, 8))


@pytest.mark.parametrize("kind", ["2 blosc, cut, F", "3 shards", "2 bz2"])
def test_chunks_that_were_never_written_hold_the_fill_value(tmp_path: Path, kind: str) -> None:
    path = {**OURS, **THEIRS}[kind](tmp_path, np.zeros_like(TRUTH))
    group = zarr.open(path)
    array = group.create_array("other", shape=TRUTH.shape, dtype="u2", fill_value=7, **(
        {"chunks": (1, 2, 6, 8)} if "shards" not in kind else
        {"chunks": (1, 2, 6, 8), "shards": (2, 4, 6, 8)}
    ))  # fmt: skip
    array[1, 2:4] = TRUTH[1, 2:4]
    np.testing.assert_array_equal(read_all(ZarrDataSet(path, "other")), array[:].reshape(15, 6, 8))


def test_workers_read_it(tmp_path: Path) -> None:
    truth = np.random.default_rng(1).integers(0, 99, (16, 24, 16, 16)).astype("u2")
    path = write(tmp_path / "a.zarr", truth, chunks=(1, 8, 16, 16))
    with Context() as ctx:
        result = ctx.run_udf(dataset=ctx.load("auto", path=path), udf=SumUDF())
    np.testing.assert_array_equal(result["intensity"].data, truth.sum(axis=(0, 1)))


def test_the_array_itself_is_a_store(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zarr") / "scan"
    np.testing.assert_array_equal(read_all(load("auto", path)), TRUTH.reshape(15, 6, 8))


def test_a_stack_is_folded(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zarr", TRUTH.reshape(15, 6, 8), chunks=(4, 6, 8))
    dataset = load("auto", path, nav_shape=(3, 5))
    assert dataset.shape.nav.to_tuple() == (3, 5)
    np.testing.assert_array_equal(read_all(dataset), TRUTH.reshape(15, 6, 8))


def test_several_arrays_ask_for_a_choice(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zarr")
    zarr.open(path).create_array("group/other", data=TRUTH + 1)
    with pytest.raises(DataSetException, match=r"2 .* choose one with ds_path=(.|\n)*group/other"):
        load("auto", path)
    np.testing.assert_array_equal(
        read_all(load("auto", path, ds_path="group/other")), TRUTH.reshape(15, 6, 8) + 1
    )
    with pytest.raises(DataSetException, match="no array 'group', a group of"):
        load("auto", path, ds_path="group")


@pytest.mark.parametrize("version", [2, 3])
def test_ome_zarr_names_array_and_units(tmp_path: Path, version: int) -> None:
    path = write(tmp_path / "a.zarr", key="0", zarr_format=version)
    group = zarr.open(path)
    group.create_array("1", data=TRUTH + 1)
    scale = {"type": "scale", "scale": [2.0, 2.5, 0.5, 0.25]}
    multiscales = [
        {
            "axes": [{"name": n, "unit": u} for n, u in zip("abyx", _UNITS, strict=True)],
            "datasets": [
                {"path": "0", "coordinateTransformations": [scale]},
                {"path": "1", "coordinateTransformations": [scale]},
            ],
        }
    ]
    told = {"multiscales": multiscales}
    group.attrs.update(told if version == 2 else {"ome": told})
    dataset = load("auto", path)
    np.testing.assert_array_equal(read_all(dataset), TRUTH.reshape(15, 6, 8))
    assert dataset.metadata == {
        "nav_scales": (2.0, 2.5),
        "nav_units": ("nm", "nm"),
        "sig_scales": (0.5, 0.25),
        "sig_units": ("1/nm", "1/nm"),
    }


_UNITS = ("nanometer", "nm", "1/nm", "1/nm")


def test_hspy_tells_of_its_axes(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zspy", key="Experiments/it/data", zarr_format=2)
    group = zarr.open(path)["Experiments/it"]
    for axis, (scale, unit) in enumerate(((2.0, "nm"), (2.5, "nm"), (0.5, "1/nm"), (0.25, "1/nm"))):
        group.create_group(f"axis-{axis}").attrs.update({"scale": scale, "units": unit})
    dataset = load("auto", path)
    assert dataset.ds_path == "Experiments/it/data"
    assert dataset.metadata["nav_scales"] == (2.0, 2.5)
    assert dataset.metadata["sig_units"] == ("1/nm", "1/nm")


def test_a_store_that_was_written_anew_is_loaded_anew(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zarr")
    dataset = load("auto", path)
    shutil.rmtree(path)
    with pytest.raises(DataSetException, match="does not exist"):
        dataset.open()
    write(path, TRUTH[:2])
    with pytest.raises(DataSetException, match="load it again"):
        dataset.open()


def test_what_is_needed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.zarr")
    monkeypatch.setitem(__import__("sys").modules, "zarr", None)
    with pytest.raises(DataSetException, match=r"pip install 'udfwidgets\[zarr\]'"):
        load("auto", path)


def test_a_directory_of_something_else_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(DataSetException, match="is a directory"):
        load("auto", tmp_path)
    with pytest.raises(DataSetException, match=r"has no zarr\.json, \.zgroup or \.zarray"):
        load("zarr", tmp_path)
    (tmp_path / "zarr.json").write_text(json.dumps({"zarr_format": 3, "node_type": "group"}))
    with pytest.raises(DataSetException, match="found no array at all"):
        load("auto", tmp_path)
