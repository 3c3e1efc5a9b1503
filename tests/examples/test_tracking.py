from __future__ import annotations

import functools

import numpy as np
import pytest

from tests.examples.contract import Example, ExampleContract, run
from tests.examples.udfs.tracking import TrackingUDF
from udfwidgets.engine.executors import InlineExecutor

NAV, SIG = (5, 6), (21, 19)
SHIFTS = np.random.default_rng(0).integers(-9, 10, (*NAV, 2)) / 4


def pattern(dy=0.0, dx=0.0):
    y, x = np.mgrid[: SIG[0], : SIG[1]]
    return sum(
        height * np.exp(-((y - cy - dy) ** 2 + (x - cx - dx) ** 2) / 5)
        for cy, cx, height in [(10, 9, 100), (7, 11, 50), (13, 12, 30)]
    )


def scan():
    frames = [pattern(*shift) for shift in SHIFTS.reshape(-1, 2)]
    return np.reshape(frames, (*NAV, *SIG)).astype("f4")


def wave(shift):
    """The matrix that shifts a frame, without any FFT."""
    matrices = []
    for n, distance in zip(SIG, shift, strict=True):
        k = np.arange(n) - n // 2
        place = np.arange(n)
        turns = k * (place[:, None, None] - place[None, :, None] - distance) / n
        matrices.append(np.exp(2j * np.pi * turns).mean(axis=-1).real)
    return matrices


def shifted(frame, shift):
    rows, columns = wave(shift)
    return rows @ frame @ columns.T


@functools.cache
def candidates():
    """All shifts that are tried, and the pattern at each of them."""
    steps = np.arange(-14, 15) / 4
    shifts = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2)
    return shifts, np.stack([shifted(pattern(), shift) for shift in shifts])


def reference(data, selected):
    """Try all shifts one after the other."""
    shifts, moved = candidates()
    frames = data[selected].astype(float)
    best = shifts[np.tensordot(frames, moved, ((1, 2), (1, 2))).argmax(axis=1)]
    aligned = sum(shifted(f, np.negative(shift)) for f, shift in zip(frames, best, strict=True))
    return {"shift": best, "aligned": aligned}


class TestTracking(ExampleContract):
    @pytest.fixture(params=[True, False], ids=["partitions", "frames"])
    def example(self, request):
        template = TrackingUDF.aux_data(pattern(), "sig", dtype="float64")
        return Example(TrackingUDF(template, whole=request.param), scan(), reference, atol=1e-3)


def test_the_shifts_are_found():
    udf = TrackingUDF(TrackingUDF.aux_data(pattern(), "sig"))
    results = run(InlineExecutor(), Example(udf, scan(), reference), size=7)
    np.testing.assert_allclose(results["shift"].data, SHIFTS)
    np.testing.assert_allclose(results["aligned"].data, 30 * pattern(), atol=2)
