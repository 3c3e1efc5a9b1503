"""Compiled steps that are shown a frame in parts, and done together, make the same of it."""

from __future__ import annotations

import numpy as np
import pytest

from udfwidgets import Context, SumSigUDF, SumUDF, masks
from udfwidgets.engine.work import fusing, worker
from udfwidgets.udf.com import CoMUDF
from udfwidgets.udf.compiled import fused
from udfwidgets.udf.compiled.fused import PART
from udfwidgets.udf.compiled.kernels import FEW_FRAMES
from udfwidgets.udf.masks import ApplyMasksUDF
from udfwidgets.udf.stddev import StdDevUDF

# More than two parts, and none of them ends with a row of the last.
SIG = 150, 131
assert SIG[0] * SIG[1] > 2 * PART


@pytest.fixture
def inline():
    with Context.make_with("inline") as ctx:
        yield ctx


def scan_of(dtype, nav=(3, 7)):
    rng = np.random.default_rng(5)
    low = 0 if np.dtype(dtype).kind == "u" else -200
    return rng.integers(low, 255, (*nav, *SIG)).astype(dtype)


def weights_of():
    rng = np.random.default_rng(6)
    ring = np.zeros(SIG)
    ring[30:120, 20:100] = 1
    line = np.zeros(SIG)
    line.reshape(-1)[PART - 40 : 2 * PART + 40] = rng.integers(1, 9, PART + 80)
    return [ring, line, np.ones(SIG)]


def check_sums(results, data):
    np.testing.assert_array_equal(results[0]["intensity"].data, data.sum((0, 1)).astype("f4"))
    np.testing.assert_array_equal(results[1]["intensity"].data, data.sum((2, 3)).astype("f4"))


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "u4", "u8", "f4"])
def test_five_analyses_in_one_pass(inline, dtype):
    data = scan_of(dtype)
    wide = data.astype("f8")
    udfs = [
        SumUDF(),
        SumSigUDF(),
        ApplyMasksUDF([lambda m=m: m for m in weights_of()[:2]]),
        CoMUDF(),
        StdDevUDF(),
    ]
    dataset = inline.load("memory", data=data)
    sums, frames, masked, com, spread = inline.run_udf(dataset=dataset, udf=udfs)
    check_sums((sums, frames), wide)
    expected = np.stack([(wide * mask).sum((2, 3)) for mask in weights_of()[:2]], -1)
    np.testing.assert_allclose(masked["intensity"].data, expected, rtol=1e-6)
    y, x = np.indices(SIG)
    centre = np.stack([(wide * y).sum((2, 3)), (wide * x).sum((2, 3))], -1)
    np.testing.assert_allclose(
        com["raw_com"].data, centre / wide.sum((2, 3))[..., None], rtol=1e-3, atol=1e-3
    )
    np.testing.assert_allclose(spread["std"].data, wide.std((0, 1)), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(spread["sum"].data, wide.sum((0, 1)), atol=1e-9)


def test_large_frames_are_shown_part_by_part_in_several_calls(inline, monkeypatch):
    monkeypatch.setattr(fused, "PART", 512)
    monkeypatch.setattr(worker, "TILES_PER_CALL", 1)
    cuts, cut = [], fusing.Fusion.cut

    def noted(*asked):
        cuts.append(cut(*asked))
        return cuts[-1]

    monkeypatch.setattr(fusing.Fusion, "cut", noted)
    data = scan_of("u2", (20, 21))
    udfs = [CoMUDF(), SumUDF(), SumSigUDF()]
    results = inline.run_udf(dataset=inline.load("memory", data=data), udf=udfs)
    assert max(len(each) for each in cuts) > 1
    check_sums(results[1:], data)
    y = np.indices(SIG)[0]
    expected = (data.astype("f8") * y).sum((2, 3)) / data.sum((2, 3))
    np.testing.assert_allclose(results[0]["raw_com"].data[..., 0], expected, rtol=1e-5)


@pytest.mark.parametrize("others", [[CoMUDF], [StdDevUDF], [StdDevUDF, CoMUDF]])
def test_what_others_contain_is_right_alone_and_beside_them(inline, others):
    data = scan_of("u2")
    dataset = inline.load("memory", data=data)
    for udfs in ([SumUDF(), SumSigUDF()], [*(udf() for udf in others), SumUDF(), SumSigUDF()]):
        check_sums(inline.run_udf(dataset=dataset, udf=udfs)[-2:], data)


def test_a_centre_of_mass_within_a_ring_has_its_own_sum(inline):
    data = scan_of("u2")
    dataset = inline.load("memory", data=data)
    udfs = [CoMUDF.with_params(cy=70, cx=60, r=50, ri=10), SumSigUDF()]
    com, frames = inline.run_udf(dataset=dataset, udf=udfs)
    np.testing.assert_array_equal(frames["intensity"].data, data.sum((2, 3)).astype("f4"))
    y = np.arange(SIG[0])[:, np.newaxis]
    seen = data * masks.ring(60, 70, SIG[1], SIG[0], 50, 10)
    expected = (seen * y).sum((2, 3)) / seen.sum((2, 3))
    np.testing.assert_allclose(com["raw_com"].data[..., 0], expected, rtol=1e-5)


@pytest.mark.parametrize("weights", ["f8", "f4"])
def test_many_masks_as_a_matrix(inline, weights):
    data = scan_of("u2")
    rng = np.random.default_rng(7)
    stack = rng.integers(1, 4, (5, *SIG)).astype(weights)
    dataset = inline.load("memory", data=data)
    masked = inline.run_udf(dataset=dataset, udf=ApplyMasksUDF(lambda: stack))
    expected = np.einsum("abyx,kyx->abk", data.astype("f8"), stack.astype("f8"))
    np.testing.assert_array_equal(masked["intensity"].data, expected.astype("f4"))


def test_masks_are_as_exact_beside_the_same_ones_in_fewer_bits(inline):
    data = np.random.default_rng(8).random((2, 3, *SIG)).astype("f4")
    narrow = np.random.default_rng(9).random((4, *SIG)).astype("f4")
    wide = narrow.astype("f8")
    dataset = inline.load("memory", data=data)
    udfs = [ApplyMasksUDF(lambda: narrow), ApplyMasksUDF(lambda: wide)]
    (alone,) = inline.run_udf(dataset=dataset, udf=udfs[1:])
    _, beside = inline.run_udf(dataset=dataset, udf=udfs)
    np.testing.assert_array_equal(beside["intensity"].data, alone["intensity"].data)


def test_frames_that_do_not_follow_each_other(inline):
    data = scan_of("u2")
    roi = np.zeros((3, 7), bool)
    roi[0, ::2] = roi[2, 1:5] = True
    whole = inline.load("memory", data=data)
    sums, frames = inline.run_udf(dataset=whole, udf=[SumUDF(), SumSigUDF()], roi=roi)
    chosen = data[roi]
    np.testing.assert_array_equal(sums["intensity"].data, chosen.sum(0).astype("f4"))
    np.testing.assert_array_equal(frames["intensity"].data[roi], chosen.sum((1, 2)).astype("f4"))


@pytest.mark.parametrize(("dtype", "value"), [("u2", 65535), ("i2", -32768), ("i2", 32767)])
def test_as_many_frames_as_32_bits_have_room_for(inline, dtype, value):
    data = np.full((FEW_FRAMES, 2, 3), value, dtype)
    dataset = inline.load("memory", data=data, sig_dims=2)
    total = inline.run_udf(dataset=dataset, udf=SumUDF("f8"))["intensity"]
    assert (total.data == float(value) * FEW_FRAMES).all()


def test_more_frames_than_32_bits_have_room_for(inline):
    n_frames = FEW_FRAMES + 16
    data = np.full((n_frames, 2, 3), 65535, "u2")
    dataset = inline.load("memory", data=data, sig_dims=2, num_partitions=1)
    total = inline.run_udf(dataset=dataset, udf=[SumUDF("f8"), StdDevUDF()])
    assert (total[0]["intensity"].data == 65535.0 * n_frames).all()
    assert (total[1]["sum"].data == 65535.0 * n_frames).all()
