from __future__ import annotations

import numpy as np
import pytest

from tests.examples.contract import Example, ExampleContract, run
from tests.examples.udfs.ssb import SSBUDF
from udfwidgets.engine.executors import InlineExecutor

N, RADIUS = 8, 2.3


def aperture(ky, kx):
    return np.hypot(ky, kx) <= RADIUS


def scan(phase):
    k = np.rint(np.fft.fftfreq(N) * N)
    probe = np.fft.ifft2(aperture(*np.meshgrid(k, k, indexing="ij")))
    frames = np.empty((N, N, N, N))
    for y, x in np.ndindex(N, N):
        exit_wave = np.exp(1j * phase) * np.roll(probe, (y, x), (0, 1))
        frames[y, x] = np.abs(np.fft.fftshift(np.fft.fft2(exit_wave))) ** 2
    return frames


def weak_phase():
    """Nothing but frequencies that the aperture passes."""
    noise = np.fft.fft2(np.random.default_rng(0).normal(size=(N, N)))
    k = np.rint(np.fft.fftfreq(N) * N)
    noise *= np.hypot(*np.meshgrid(k, k, indexing="ij")) < 1.5 * RADIUS
    noise[0, 0] = 0
    phase = np.fft.ifft2(noise).real
    return 1e-3 * phase / np.abs(phase).max()


def reference(data, selected):
    """Transform the whole scan at once, and add up disc by disc."""
    transformed = np.fft.fft2(data * selected[..., None, None], axes=(0, 1))
    k = np.arange(N) - N // 2
    fourier = np.zeros((N, N), complex)
    for y, x in np.ndindex(N, N):
        q = [(i + N // 2) % N - N // 2 for i in (y, x)]
        total, n_pixels = 0, 0
        for row, column in np.ndindex(N, N):
            ky, kx = k[row], k[column]
            sign = int(aperture(ky - q[0], kx - q[1])) - int(aperture(ky + q[0], kx + q[1]))
            if sign and aperture(ky, kx):
                total += sign * transformed[y, x, row, column]
                n_pixels += 1
        fourier[y, x] = total / (1j * n_pixels) if n_pixels else 0
    return {"fourier": fourier, "phase": np.fft.ifft2(fourier).real}


@pytest.fixture(scope="module")
def frames():
    return scan(weak_phase())


class TestSSB(ExampleContract):
    @pytest.fixture
    def example(self, frames):
        return Example(SSBUDF(aperture), frames, reference, atol=1e-4)


def test_the_phase_of_the_object(frames):
    results = run(InlineExecutor(), Example(SSBUDF(aperture), frames, reference))
    np.testing.assert_allclose(results["phase"].data, weak_phase(), atol=2e-5)


def test_positions_that_were_measured(frames):
    """A scan in another order, with the places of the beam given, is the same scan."""
    order = np.random.default_rng(1).permutation(N * N)
    places = np.stack(np.divmod(order, N), axis=-1).reshape(N, N, 2)
    shuffled = frames.reshape(N * N, N, N)[order].reshape(frames.shape)
    udf = SSBUDF(aperture, positions=SSBUDF.aux_data(places, "nav", (2,), "float64"))
    for size in (1, 50):
        results = run(InlineExecutor(), Example(udf, shuffled, reference), size=size, tile_depth=7)
        np.testing.assert_allclose(results["phase"].data, weak_phase(), atol=2e-5)
