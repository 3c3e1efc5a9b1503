"""How large pixels are: from a file, given when it is loaded, and changed later."""

from __future__ import annotations

import numpy as np
import pytest

from udfwidgets import Calibration, Context, SumSigUDF, demo
from udfwidgets.calibration import Scale
from udfwidgets.io.load import load

from .writers.blo import write_blo

DATA = np.zeros((3, 4, 8, 8), np.uint8)
NM, MRAD = Scale(2.5, "nm"), Scale(0.4, "mrad")
GIVEN = Calibration(nav=NM, sig=MRAD)


@pytest.fixture
def blo(tmp_path):
    return write_blo(tmp_path / "a.blo", DATA)


def scales(dataset):
    return dataset.calibration.scales("nav", 2), dataset.calibration.scales("sig", 2)


def test_any_type_takes_a_calibration(blo, tmp_path):
    np.save(tmp_path / "a.npy", DATA)
    (tmp_path / "a.raw").write_bytes(DATA.tobytes())
    shape = {"nav_shape": (3, 4), "sig_shape": (8, 8)}
    for filetype, arguments in (
        ("memory", {"data": DATA}),
        ("npy", {"path": tmp_path / "a.npy"}),
        ("raw", {"path": tmp_path / "a.raw", "dtype": "u1", **shape}),
        ("blo", {"path": blo}),
        ("auto", {"path": blo}),
    ):
        dataset = load(filetype, **arguments, calibration=GIVEN)
        assert scales(dataset) == ((NM, NM), (MRAD, MRAD)), filetype


def test_what_is_not_given_is_as_the_file_tells(blo):
    told = load("auto", blo)
    step, pixel = scales(told)
    assert step[0].unit == "nm"
    assert pixel[0].unit == "cm"
    assert scales(load("auto", blo, calibration=Calibration(sig=MRAD))) == (step, (MRAD, MRAD))
    told.calibrate(nav=[NM, None])
    assert scales(told) == ((NM, None), pixel)
    told.calibrate(sig=[None, None])
    assert scales(told) == ((NM, None), (None, None))
    told.calibrate()
    assert scales(told) == ((NM, None), (None, None))


def test_what_is_no_calibration_is_refused(blo):
    with pytest.raises(TypeError, match=r"calibration is \(1, 'nm'\), expected a udfwidgets"):
        load("auto", blo, calibration=(1, "nm"))
    with pytest.raises(ValueError, match="has 3 scales for nav, the dataset 2 such axes"):
        load("auto", blo, calibration=Calibration(nav=[None, None, NM]))
    dataset = load("auto", blo)
    before = scales(dataset)
    with pytest.raises(ValueError, match="the size of a pixel is 0"):
        dataset.calibrate(nav=NM, sig=(0, "nm"))
    assert scales(dataset) == before


@pytest.mark.parametrize("filetype", ["memory", "blo"])
def test_a_change_is_for_what_is_started_afterwards(blo, filetype):
    with Context.make_with("inline") as ctx:
        given = {"data": DATA} if filetype == "memory" else {"path": blo}
        dataset = ctx.load(filetype, **given, calibration=GIVEN)
        before = ctx.run_udf(dataset, SumSigUDF())["intensity"]
        dataset.calibrate(nav=(3, "µm"))
        after = ctx.run_udf(demo.PacedDataSet(dataset, 1e6), SumSigUDF())["intensity"]
        again = ctx.run_udf(dataset, SumSigUDF())["intensity"]
    found = [r.origin.data.calibration.scales("nav", 2)[0] for r in (before, after, again)]
    assert found == [NM, Scale(3, "µm"), Scale(3, "µm")]
    assert dataset.calibration.sig == (MRAD, MRAD)
