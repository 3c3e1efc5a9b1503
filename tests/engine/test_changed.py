"""Files that are damaged, replaced and deleted while they are read: runs are exact, or say so."""

from __future__ import annotations

import os

import h5py
import numpy as np
import pytest

from tests.io.merlin import write_mib
from udfwidgets import Context, SumSigUDF, SumUDF
from udfwidgets.errors import DataSetException
from udfwidgets.udf.base import UDF

NAV, SIG = (16, 16), (64, 64)
FRAMES = np.random.default_rng(1).integers(1, 4096, (*NAV, *SIG)).astype("u2")


def raw(folder, frames):
    frames.tofile(folder / "scan.raw")
    return folder / "scan.raw", {"dtype": frames.dtype, "nav_shape": NAV, "sig_shape": SIG}


def npy(folder, frames):
    np.save(folder / "scan.npy", frames)
    return folder / "scan.npy", {}


def swapped(folder, frames):
    return raw(folder, frames.astype(">u2"))


def contiguous(folder, frames):
    with h5py.File(folder / "scan.h5", "w") as file:
        file["frames"] = frames
    return folder / "scan.h5", {}


def chunked(folder, frames):
    with h5py.File(folder / "scan.h5", "w") as file:
        file.create_dataset("frames", data=frames, chunks=(1, 4, *SIG))
    return folder / "scan.h5", {}


def elsewhere(folder, frames):
    """The file that is opened refers to another one."""
    path, _ = contiguous(folder, frames)
    with h5py.File(folder / "master.h5", "w") as file:
        file["frames"] = h5py.ExternalLink("scan.h5", "frames")
    return path, {"path": folder / "master.h5"}


def mib(folder, frames):
    path = folder / "scan.mib"
    write_mib(path, frames.reshape(-1, *SIG), "U16", 12)
    return path, {"nav_shape": NAV}


FORMATS = {
    "raw": raw, "npy": npy, "swapped": swapped, "contiguous": contiguous, "chunked": chunked,
    "elsewhere": elsewhere, "mib": mib,
}  # fmt: skip


@pytest.fixture(params=["inline", "threads"])
def ctx(request):
    with Context.make_with(request.param) as ctx:
        yield ctx


def open_scan(ctx, folder, how, frames=FRAMES):
    path, options = FORMATS[how](folder, frames)
    filetype = how if how in ("raw", "npy", "mib") else "raw" if how == "swapped" else "hdf5"
    return path, ctx.load(filetype, **{"path": path} | options)


class Handed:
    """Goes into UDFs as it is, not as a copy."""

    def __init__(self, do):
        self.do = do
        self.done = []

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __call__(self):
        if not self.done:
            self.done.append(True)
            self.do()


class Checked(UDF):
    def get_result_buffers(self):
        return {"total": self.buffer("nav", dtype="float64")}

    def process_frame(self, frame):
        self.params.deed()
        if self.params.strict and not frame.any():
            raise ZeroDivisionError("a frame of nothing")
        self.results.total[:] = frame.sum(dtype="f8")


def analyse(ctx, scan, deed, strict=False):
    """Run a UDF of Python and two compiled ones; in the first frame something is done."""
    return ctx.run_udf(scan, [Checked(deed=Handed(deed), strict=strict), SumUDF(), SumSigUDF()])


def assert_exact(results, frames=FRAMES):
    checked, summed, by_frame = results
    np.testing.assert_array_equal(checked["total"].data, frames.sum(axis=(2, 3)))
    np.testing.assert_array_equal(summed["intensity"].data, frames.sum(axis=(0, 1)))
    np.testing.assert_array_equal(by_frame["intensity"].data, frames.sum(axis=(2, 3)))


@pytest.mark.parametrize("left", [0, 0.6])
@pytest.mark.parametrize("how", FORMATS)
def test_a_file_that_becomes_shorter(ctx, tmp_path, how, left):
    path, scan = open_scan(ctx, tmp_path, how)
    whole = path.read_bytes()
    with pytest.raises(DataSetException, match=path.name):
        analyse(ctx, scan, lambda: os.truncate(path, int(len(whole) * left)))
    # Another analysis of the same dataset is as good as ever.
    path.write_bytes(whole)
    assert_exact(analyse(ctx, scan, int))


@pytest.mark.parametrize("how", FORMATS)
def test_compiled_code_that_meets_the_end(tmp_path, how):
    with Context.make_with("inline") as ctx:
        path, scan = open_scan(ctx, tmp_path, how)
        steps = ctx.run_udf_iter(scan, [SumUDF(), SumSigUDF()])
        next(steps)
        os.truncate(path, path.stat().st_size // 2)
        with pytest.raises(DataSetException, match=path.name):
            list(steps)


def test_who_cannot_cope_with_what_is_read_then_is_not_to_blame(ctx, tmp_path):
    path, scan = open_scan(ctx, tmp_path, "raw")
    with pytest.raises(DataSetException, match=path.name):
        analyse(ctx, scan, lambda: os.truncate(path, 0), strict=True)


def test_a_file_that_is_written_to(ctx, tmp_path):
    path, scan = open_scan(ctx, tmp_path, "raw")
    with pytest.raises(DataSetException, match=r"was changed while|became shorter while"):
        analyse(ctx, scan, lambda: path.write_bytes(path.read_bytes()[::-1]))


@pytest.mark.parametrize("how", FORMATS)
def test_a_file_that_is_deleted_is_read_to_its_end(ctx, tmp_path, how):
    path, scan = open_scan(ctx, tmp_path, how)
    assert_exact(analyse(ctx, scan, path.unlink))


@pytest.mark.parametrize("how", FORMATS)
def test_a_file_that_is_replaced_is_read_to_its_end(ctx, tmp_path, how):
    path, scan = open_scan(ctx, tmp_path, how)
    (tmp_path / "new").mkdir()
    new, _ = FORMATS[how](tmp_path / "new", FRAMES[::-1])
    assert_exact(analyse(ctx, scan, lambda: new.replace(path)))
    assert_exact(analyse(ctx, scan, int), FRAMES[::-1])
