"""Bad input: a clear error, a Context that goes on working, and nothing left open."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from udfwidgets import Context, SumUDF, demo
from udfwidgets.errors import DataSetException
from udfwidgets.udf import UDF


@pytest.fixture
def ctx():
    """A Context that is asked for a right result after whatever the test did with it."""
    with Context() as ctx:
        yield ctx
        dataset = ctx.load("memory", data=np.ones((8, 8, 4, 4), "u2"))
        assert ctx.run_udf(dataset=dataset, udf=SumUDF())["intensity"].data[0, 0] == 64


@pytest.fixture
def scan(tmp_path):
    return demo.make_scan(tmp_path, nav_shape=(4, 5), sig_shape=(16, 16))["mib"]


def test_missing_file(ctx, tmp_path):
    with pytest.raises(DataSetException, match=r"nowhere\.hdr does not exist"):
        ctx.load("auto", path=tmp_path / "nowhere.hdr")


def test_unknown_type(ctx, scan):
    with pytest.raises(DataSetException, match=r"'dicom'.*'mib'"):
        ctx.load("dicom", path=scan)


def test_a_file_that_is_no_scan(ctx, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("focus was off")
    with pytest.raises(DataSetException, match=r"notes\.txt"):
        ctx.load("auto", path=path)


def test_truncated_mib(ctx, scan):
    data = scan.with_suffix(".mib")
    data.write_bytes(data.read_bytes()[:-100])
    with pytest.warns(
        UserWarning, match=r"1 of 20 frames.*last frame of default\.mib is not complete"
    ) as caught:
        assert ctx.load("auto", path=scan).shape.nav == (4, 5)
    assert [w.filename for w in caught] == [__file__]
    scan.unlink()
    with pytest.raises(DataSetException, match=r"default\.mib.*byte.*pass its nav_shape="):
        ctx.load("auto", path=data)


def test_a_header_that_lies(ctx, scan):
    scan.write_bytes(scan.read_bytes().replace(b"ScanX:\t5", b"ScanX:\t9"))
    with pytest.warns(UserWarning, match=r"16 of 36 frames are missing, as there are only 20"):
        ctx.load("auto", path=scan)


def test_hdf5_without_images(ctx, tmp_path):
    path = tmp_path / "empty.h5"
    with h5py.File(path, "w") as file:
        file["temperature"] = np.arange(10.0)
    with pytest.raises(DataSetException, match="temperature"):
        ctx.load("auto", path=path)


def test_hdf5_with_two_candidates(ctx, tmp_path):
    path = tmp_path / "two.h5"
    with h5py.File(path, "w") as file:
        file["one/scan"] = file["two/scan"] = np.ones((3, 3, 4, 4), "u2")
    with pytest.raises(DataSetException, match=r"(?s)ds_path=.*/one/scan.*/two/scan"):
        ctx.load("auto", path=path)
    assert ctx.load("auto", path=path, ds_path="/two/scan").shape == (3, 3, 4, 4)


def test_a_file_that_goes_away_before_the_run(ctx, scan):
    dataset = ctx.load("auto", path=scan)
    scan.with_suffix(".mib").unlink()
    with pytest.raises(DataSetException, match=r"default\.mib"):
        ctx.run_udf(dataset=dataset, udf=SumUDF())


def test_roi_of_the_wrong_shape(ctx, scan):
    dataset = ctx.load("auto", path=scan)
    with pytest.raises(ValueError, match=r"\(5, 4\).*\(4, 5\)"):
        ctx.run_udf(dataset=dataset, udf=SumUDF(), roi=np.ones((5, 4), bool))


def test_a_udf_that_raises_late(ctx):
    class Late(UDF):
        def get_result_buffers(self):
            return {"seen": self.buffer("nav")}

        def process_frame(self, frame):
            if self.meta.coordinates[0].tolist() == [31, 8]:
                raise FloatingPointError("a cosmic ray")
            self.results.seen[:] = 1

    dataset = ctx.load("memory", data=np.ones((32, 32, 4, 4), "u2"))
    with pytest.raises(FloatingPointError) as info:
        ctx.run_udf(dataset=dataset, udf=[SumUDF(), Late()])
    assert "Late while it worked on frame 1000" in info.value.__notes__[0]


def test_results_that_cannot_be_made(ctx):
    class Odd(UDF):
        def get_result_buffers(self):
            return {"mean": self.buffer("nav", use="result_only")}

        def process_tile(self, tile):
            pass

        def get_results(self):
            raise KeyError("mean of what?")

    dataset = ctx.load("memory", data=np.ones((8, 8, 4, 4), "u2"))
    with pytest.raises(KeyError, match="mean of what"):
        ctx.run_udf(dataset=dataset, udf=Odd())
    view = ctx.live(dataset, Odd())
    with pytest.raises(KeyError, match="mean of what"):
        view.result()
    view.close()
