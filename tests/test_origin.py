from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

from udfwidgets import ApplyMasksUDF, Context, SumSigUDF, SumUDF
from udfwidgets.calibration import Calibration

DATA = np.random.default_rng(5).poisson(9, (6, 7, 4, 4)).astype("u2")


@pytest.fixture
def ctx():
    with Context.make_with("inline") as context:
        yield context


def test_results_remember_what_was_read(ctx, tmp_path):
    path = tmp_path / "scan.npy"
    np.save(path, DATA)
    written, roi = path.stat(), np.zeros((6, 7), bool)
    roi[2:4] = True
    udfs = [SumUDF(), SumSigUDF(), SumSigUDF()]
    results = ctx.run_udf(ctx.load("npy", path=path), udfs, roi=roi)
    np.save(path, DATA[:2])
    origins = [result["intensity"].origin for result in results]
    assert [origin.title for origin in origins] == [
        "SumUDF: intensity",
        "SumSigUDF[1]: intensity",
        "SumSigUDF[2]: intensity",
    ]
    (file,) = origins[0].data.files
    assert (file.path, file.n_bytes, file.modified) == (
        str(path),
        written.st_size,
        written.st_mtime,
    )
    assert origins[1].counts == (14, 14)
    np.testing.assert_array_equal(origins[2].coverage, roi)


def test_steps_remember_how_much_was_in(ctx):
    scan = ctx.load("memory", data=DATA)
    for step in ctx.run_udf_iter(scan, SumUDF()):
        origin = step.buffers[0]["intensity"].origin
        np.testing.assert_array_equal(origin.coverage, step.damage.data)
    assert origin.counts == (42, 42)
    assert origin.data.files == ()


def test_an_origin_is_sent_without_what_cannot_be(ctx):
    masks = ApplyMasksUDF(mask_factories=lambda: np.ones((4, 4)), mask_count=1)
    result = ctx.run_udf(ctx.load("memory", data=DATA), masks)["intensity"]
    origin = pickle.loads(pickle.dumps(result)).origin
    assert origin.parameters == result.origin.parameters
    assert origin.parameters["mask_count"] == 1
    assert origin.parameters["mask_factories"] == "<function <lambda>>"


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({}, [None, None]),
        ({"nav_scales": (1.5, 2.0), "nav_units": ("nm", "nm")}, [(1.5, "nm"), (2.0, "nm")]),
        ({"nav_scales": (2e-10, 0.0), "nav_units": ("m", "m")}, [(0.2, "nm"), None]),
        ({"nav_scales": (1.0, float("nan")), "nav_units": ("", "nm")}, [None, None]),
        ({"nav_scales": (1.0,), "nav_units": ("nm",)}, [None, None]),
        ({"nav_scales": (None, "2"), "nav_units": (None, "nm")}, [None, None]),
        ({"nav_scales": (1e9, 2e-3), "nav_units": ("1/m", "rad")}, [(1.0, "1/nm"), (2.0, "mrad")]),
    ],
    ids=json.dumps,
)
def test_what_formats_tell_of_scales(metadata, expected):
    found = Calibration.told(metadata, 2, 2).scales("nav", 2)
    pairs = [each and (pytest.approx(each.size), each.unit) for each in found]
    assert pairs == expected
    assert Calibration.told(metadata, 2, 2).scales("sig", 2) == (None, None)
