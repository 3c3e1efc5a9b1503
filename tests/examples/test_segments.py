from __future__ import annotations

import numpy as np
import pytest

from tests.examples.contract import Example, ExampleContract, run
from tests.examples.udfs.segments import Ring, SegmentsUDF
from udfwidgets.engine.executors import InlineExecutor

NAV, SIG = (8, 7), (20, 22)
RING = Ring(9.5, 10.5, 2.0, 8.0, rotation=0.2)
GAIN = np.random.default_rng(1).uniform(0.8, 1.2, SIG)


def shifts():
    """The gradient of a smooth periodic phase, in pixels of the detector."""
    y, x = np.mgrid[: NAV[0], : NAV[1]]
    wy, wx = 2 * np.pi / NAV[0], 2 * np.pi / NAV[1]
    phase = np.sin(wy * y) + 0.5 * np.cos(wx * x)
    return phase, np.stack([wy * np.cos(wy * y), -0.5 * wx * np.sin(wx * x)], axis=-1)


def scan():
    """A wide soft beam that is shifted, so that the segments see it leave to one side."""
    y, x = np.mgrid[: SIG[0], : SIG[1]]
    beam = [
        np.exp(-((y - 9.5 - dy) ** 2 + (x - 10.5 - dx) ** 2) / 40)
        for dy, dx in shifts()[1].reshape(-1, 2)
    ]
    return (np.reshape(beam, (*NAV, *SIG)) * 60000).astype("u2")


def reference(data, selected):
    frames = data[selected] * GAIN
    y, x = np.mgrid[: SIG[0], : SIG[1]] - np.array([RING.cy, RING.cx])[:, None, None]
    # Turned back into the axes of the ring, the quadrants are where one component is the larger.
    along = np.cos(RING.rotation) * y + np.sin(RING.rotation) * x
    across = np.cos(RING.rotation) * x - np.sin(RING.rotation) * y
    sides = (along >= np.abs(across), across > np.abs(along))
    sides += (-along >= np.abs(across), -across > np.abs(along))
    ring = (np.hypot(y, x) >= RING.inner) & (np.hypot(y, x) < RING.outer)
    segments = np.stack([frames[:, side & ring].sum(axis=1) for side in sides], axis=1)
    deflection = (segments[:, :2] - segments[:, 2:]) / segments.sum(axis=1, keepdims=True)
    field = np.zeros((*NAV, 2))
    field[selected] = deflection
    return {
        "segments": segments,
        "deflection": deflection,
        "phase": least_squares(field)[selected],
    }


def least_squares(field):
    """Solve for the phase directly: derivatives as matrices, and the best fit to both."""
    n = NAV[0] * NAV[1]
    impulses = np.eye(n).reshape(n, *NAV)
    frequency = (np.fft.fftfreq(NAV[0])[:, None], np.fft.fftfreq(NAV[1]))
    derivatives = [
        np.fft.ifft2(np.fft.fft2(impulses) * 2j * np.pi * f).reshape(n, n).T for f in frequency
    ]
    matrix = np.concatenate(derivatives)
    values = np.concatenate([field[..., 0].reshape(-1), field[..., 1].reshape(-1)])
    return np.linalg.lstsq(matrix, values.astype(complex), rcond=1e-9)[0].real.reshape(NAV)


class TestSegments(ExampleContract):
    @pytest.fixture
    def example(self):
        udf = SegmentsUDF(RING, SegmentsUDF.aux_data(GAIN, "sig", dtype="float64"))
        return Example(udf, scan(), reference, atol=1e-4)


def test_the_phase_that_deflects():
    udf = SegmentsUDF(RING, SegmentsUDF.aux_data(np.ones(SIG), "sig"))
    ring = Ring(9.5, 10.5, 2.0, 8.0)
    udf = SegmentsUDF(ring, SegmentsUDF.aux_data(np.ones(SIG), "sig"))
    got = run(InlineExecutor(), Example(udf, scan(), reference), size=9)["phase"].data
    phase = shifts()[0]
    assert np.corrcoef(got.ravel(), phase.ravel())[0, 1] > 0.999


def test_a_roi_of_nothing():
    udf = SegmentsUDF(RING, SegmentsUDF.aux_data(GAIN, "sig", dtype="float64"))
    nothing = np.zeros(NAV, bool)
    results = run(InlineExecutor(), Example(udf, scan(), reference), roi=nothing)
    assert results["phase"].roi_is_zero
    assert np.isnan(results["phase"].data).all()
    assert results["segments"].raw_data.shape == (0, 4)
