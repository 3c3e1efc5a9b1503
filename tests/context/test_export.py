"""Exports are read back and are what was exported; those that fail leave nothing."""

from __future__ import annotations

import _thread
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.io.contract import read_all
from tests.io.writers.blo import write_blo
from udfwidgets import Context
from udfwidgets.convert import main
from udfwidgets.engine.ends.bar import ProgressReporter
from udfwidgets.errors import DataSetException

zarr = [pytest.param(".zarr", marks=pytest.mark.skipif(not find_spec("zarr"), reason="no zarr"))]
TRUTH = np.random.default_rng(3).integers(0, 200, (4, 7, 10, 10)).astype("u2")


@pytest.fixture
def ctx() -> Iterator[Context]:
    with Context.make_with("threads", cpus=2) as ctx:
        yield ctx


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("dtype", ["u1", "u2", ">u4"])
@pytest.mark.parametrize("suffix", [".npy", ".h5", ".nxs", ".mib", ".hdr", ".blo", *zarr])
def test_every_pixel_comes_back(ctx: Context, tmp_path: Path, suffix: str, dtype: str) -> None:
    truth = TRUTH.astype(dtype)
    path = tmp_path / f"scan{suffix}"
    ctx.export_dataset(ctx.load("memory", data=truth), path)
    back = ctx.load("auto", path=path, **({"nav_shape": (4, 7)} if suffix == ".mib" else {}))
    assert back.shape.to_tuple() == truth.shape
    assert back.dtype == truth.dtype.newbyteorder("=")
    np.testing.assert_array_equal(read_all(back), truth.reshape(28, 10, 10))
    pair = ["scan.hdr", "scan.mib"]
    assert names(tmp_path) == (pair if suffix in (".mib", ".hdr") else [f"scan{suffix}"])


@pytest.mark.parametrize("dtype", ["bool", "i1", "f4", "f8", "c8", "i8"])
@pytest.mark.parametrize("suffix", [".h5", *zarr])
def test_numbers_of_other_kinds(ctx: Context, tmp_path: Path, suffix: str, dtype: str) -> None:
    truth = (TRUTH - 100).astype(dtype)[:, :, :9]
    ctx.export_dataset(ctx.load("memory", data=truth), tmp_path / f"a{suffix}")
    back = ctx.load("auto", path=tmp_path / f"a{suffix}")
    assert back.dtype == truth.dtype
    np.testing.assert_array_equal(read_all(back), truth.reshape(28, 9, 10))


@pytest.mark.parametrize("suffix", [".h5", *zarr])
@pytest.mark.parametrize("nav", [(28,), (2, 7, 2), (1, 28)])
def test_scans_of_other_axes(
    ctx: Context, tmp_path: Path, suffix: str, nav: tuple[int, ...]
) -> None:
    truth = np.random.default_rng(1).integers(0, 9, (*nav, 130, 140)).astype("u4")
    ctx.export_dataset(ctx.load("memory", data=truth), tmp_path / f"a{suffix}")
    back = ctx.load("auto", path=tmp_path / f"a{suffix}")
    assert back.shape.to_tuple() == truth.shape
    assert back.frames_per_block > 1
    np.testing.assert_array_equal(read_all(back), truth.reshape(28, 130, 140))


_WITHOUT_PLUGIN = """
import sys
sys.modules["hdf5plugin"] = None
import numpy as np
from udfwidgets import Context
with Context() as ctx:
    ctx.export_dataset(ctx.load("auto", path=sys.argv[1]), sys.argv[2])
"""


@pytest.mark.parametrize("has_plugin", [True, False])
def test_hdf5_is_what_its_plugin_reads(ctx: Context, tmp_path: Path, has_plugin: bool) -> None:
    if has_plugin:
        ctx.export_dataset(ctx.load("memory", data=TRUTH), tmp_path / "a.h5")
    else:
        np.save(tmp_path / "a.npy", TRUTH)
        paths = [str(tmp_path / "a.npy"), str(tmp_path / "a.h5")]
        subprocess.run([sys.executable, "-c", _WITHOUT_PLUGIN, *paths], check=True, timeout=60)
    with h5py.File(tmp_path / "a.h5") as file:
        counts = file["entry/data/counts"]
        np.testing.assert_array_equal(counts[...], TRUTH)
        assert file["entry/data"].attrs["signal"] == "counts"
        assert counts.attrs["long_name"] == "counts"
        assert counts._filters["32008"][2:] == (2, 16384, 2)


@pytest.mark.parametrize("suffix", [".blo", *zarr])
def test_the_size_of_pixels_is_kept(ctx: Context, tmp_path: Path, suffix: str) -> None:
    dataset = ctx.load("auto", path=write_blo(tmp_path / "in.blo", TRUTH))
    ctx.export_dataset(dataset, tmp_path / f"out{suffix}")
    back = ctx.load("auto", path=tmp_path / f"out{suffix}")
    for name in ("nav_scales", "nav_units", "sig_scales", "sig_units"):
        assert back.metadata[name] == dataset.metadata[name]


def test_nexus_tells_the_size_of_pixels(ctx: Context, tmp_path: Path) -> None:
    ctx.export_dataset(
        ctx.load("auto", path=write_blo(tmp_path / "in.blo", TRUTH)), tmp_path / "out.h5"
    )
    with h5py.File(tmp_path / "out.h5") as file:
        data = file["entry/data"]
        axes = list(data.attrs["axes"])
        assert axes == ["scan_0", "scan_1", "detector_0", "detector_1"]
        np.testing.assert_allclose(data["scan_0"], np.arange(4) * 2.5)
        np.testing.assert_allclose(data["detector_1"], np.arange(10) * 0.4)
        assert [data[axis].attrs["units"] for axis in axes] == ["nm", "nm", "cm", "cm"]


@pytest.mark.parametrize("suffix", [".h5", ".hdr", ".blo", *zarr])
def test_missing_frames_are_zeros(ctx: Context, tmp_path: Path, suffix: str) -> None:
    with pytest.warns(UserWarning, match="8 of 28 frames are missing"):
        dataset = ctx.load("memory", data=TRUTH.reshape(28, 10, 10)[:20], nav_shape=(4, 7))
    with pytest.warns(UserWarning, match="8 of 28 frames are missing, and zeros"):
        ctx.export_dataset(dataset, tmp_path / f"a{suffix}")
    back = read_all(ctx.load("auto", path=tmp_path / f"a{suffix}"))
    np.testing.assert_array_equal(back[:20], TRUTH.reshape(28, 10, 10)[:20])
    assert not back[20:].any()


def damaged(folder: Path) -> Path:
    """Write a scan of which the last frames cannot be read."""
    path = folder / "damaged.h5"
    with h5py.File(path, "w") as file:
        chunks = file.create_dataset("a", data=TRUTH, chunks=(1, 1, 10, 10), compression="gzip")
        at = chunks.id.get_chunk_info_by_coord((3, 6, 0, 0)).byte_offset
    content = bytearray(path.read_bytes())
    content[at : at + 8] = bytes(8)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("suffix", [".npy", ".h5", ".mib", ".blo", *zarr])
def test_an_export_that_fails_leaves_what_was_there(
    ctx: Context, tmp_path: Path, suffix: str
) -> None:
    path = damaged(tmp_path)
    out = tmp_path / f"a{suffix}"
    with pytest.raises(DataSetException, match="damaged"):
        ctx.export_dataset(ctx.load("auto", path=path), out)
    assert names(tmp_path) == ["damaged.h5"]
    ctx.export_dataset(ctx.load("memory", data=TRUTH + 1), out)
    before = names(tmp_path)
    with pytest.raises(DataSetException, match="damaged"):
        ctx.export_dataset(ctx.load("auto", path=path), out, overwrite=True)
    assert names(tmp_path) == before
    back = ctx.load("auto", path=out, **({"nav_shape": (4, 7)} if suffix == ".mib" else {}))
    np.testing.assert_array_equal(read_all(back), TRUTH.reshape(28, 10, 10) + 1)


class Interrupts(ProgressReporter):
    """Presses Ctrl+C at the first step."""

    def __init__(self) -> None:
        self._is_done = False

    def start(self, state: object) -> None:
        pass

    def update(self, state: object) -> None:
        if not self._is_done:
            self._is_done = True
            _thread.interrupt_main()

    def end(self, state: object) -> None:
        pass


def test_an_export_that_is_interrupted_leaves_nothing(ctx: Context, tmp_path: Path) -> None:
    # No memory is taken for it before it is read.
    dataset = ctx.load("memory", data=np.zeros((256, 256, 48, 48), "u2"))
    with pytest.raises(KeyboardInterrupt):
        ctx.export_dataset(dataset, tmp_path / "a.h5", progress=Interrupts())
    assert names(tmp_path) == []


class Breaks(Interrupts):
    """Ends the run at the first step."""

    def update(self, state: object) -> None:
        raise OSError("the lamp is broken")


@pytest.mark.parametrize("suffix", [".npy", ".h5", ".hdr", ".blo", *zarr])
def test_an_export_that_is_cancelled_leaves_nothing(
    ctx: Context, tmp_path: Path, suffix: str
) -> None:
    dataset = ctx.load("memory", data=np.zeros((64, 64, 32, 32), "u2"))
    with pytest.raises(OSError, match="the lamp is broken"):
        ctx.export_dataset(dataset, tmp_path / f"a{suffix}", progress=Breaks())
    assert names(tmp_path) == []


@pytest.mark.parametrize("suffix", [".npy", ".h5", ".hdr", ".blo", *zarr])
def test_a_scan_does_not_replace_itself(ctx: Context, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    ctx.export_dataset(ctx.load("memory", data=TRUTH), path)
    dataset = ctx.load("auto", path=path)
    with pytest.raises(ValueError, match="is what is read"):
        ctx.export_dataset(dataset, path, overwrite=True)
    with pytest.raises(FileExistsError, match="overwrite=True"):
        ctx.export_dataset(ctx.load("memory", data=TRUTH), path)
    ctx.export_dataset(ctx.load("memory", data=TRUTH + 1), path, overwrite=True)
    np.testing.assert_array_equal(
        read_all(ctx.load("auto", path=path)), TRUTH.reshape(28, 10, 10) + 1
    )


@pytest.mark.parametrize(
    ("suffix", "truth", "message"),
    [
        (".mib", TRUTH.astype("f4"), "holds whole numbers .* got float32"),
        (".mib", TRUTH.astype("i2"), "holds whole numbers .* got int16"),
        (".hdr", TRUTH[0], "of a scan of two axes, got .7,. and"),
        (".blo", TRUTH[:, :, :9], "holds square patterns .* and .9, 10."),
        (".blo", TRUTH.astype("u8"), "holds whole numbers .* got uint64"),
        (".tif", TRUTH, r"ends in .npy, .blo, .h5, .hdf5, .hdr, .mib, .nxs, .zarr"),
    ],
)
def test_what_a_format_has_no_place_for_is_refused(
    ctx: Context, tmp_path: Path, suffix: str, truth: np.ndarray, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ctx.export_dataset(ctx.load("memory", data=truth), tmp_path / f"a{suffix}")
    assert names(tmp_path) == []


def test_no_folder_of_something_else_is_replaced(ctx: Context, tmp_path: Path) -> None:
    (tmp_path / "a.zarr").mkdir()
    (tmp_path / "a.zarr" / "precious").touch()
    with pytest.raises(FileExistsError, match="no Zarr store"):
        ctx.export_dataset(ctx.load("memory", data=TRUTH), tmp_path / "a.zarr", overwrite=True)
    assert (tmp_path / "a.zarr" / "precious").exists()


def test_processes_leave_it_to_this_one(tmp_path: Path) -> None:
    with Context.make_with("processes", cpus=1) as ctx:
        ctx.export_dataset(ctx.load("memory", data=TRUTH), tmp_path / "a.h5")
        back = ctx.load("auto", path=tmp_path / "a.h5")
    np.testing.assert_array_equal(read_all(back), TRUTH.reshape(28, 10, 10))


def test_convert(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "in.npy", TRUTH.reshape(28, 10, 10))
    given = [str(tmp_path / "in.npy"), str(tmp_path / "out.h5"), "--nav-shape", "4,7"]
    assert main(given) == 0
    assert "100%" in capsys.readouterr().err
    assert main(given) == 1
    assert "pass overwrite=True" in capsys.readouterr().err
    assert main([*given, "--overwrite", "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    with Context() as ctx:
        back = ctx.load("auto", path=tmp_path / "out.h5")
    assert back.shape.to_tuple() == TRUTH.shape
    np.testing.assert_array_equal(read_all(back), TRUTH.reshape(28, 10, 10))


def test_convert_is_a_command() -> None:
    command = [sys.executable, "-m", "udfwidgets.convert", "nothing.mib", "out.h5"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "nothing.mib does not exist" in done.stderr
    assert "Traceback" not in done.stderr
