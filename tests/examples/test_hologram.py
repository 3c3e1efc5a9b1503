from __future__ import annotations

import numpy as np
import pytest

from tests.examples.contract import Example, ExampleContract, run
from tests.examples.udfs.hologram import HologramUDF
from udfwidgets.engine.executors import InlineExecutor

NAV, SIG, SIZE, CARRIER = (3, 5), (32, 40), (12, 16), (7, 9)


def aperture(distance):
    return 1 / (1 + np.exp((distance - 4.5) * 4))


def phases():
    """Smooth, and different at each scan position."""
    y, x = np.mgrid[: SIG[0], : SIG[1]]
    strength = np.random.default_rng(0).uniform(-1, 1, (*NAV, 2, 1, 1))
    wave_y, wave_x = np.sin(2 * np.pi * y / SIG[0]), np.cos(2 * np.pi * x / SIG[1])
    return strength[..., 0, :, :] * wave_y + strength[..., 1, :, :] * wave_x


def fringes(phase):
    y, x = np.mgrid[: SIG[0], : SIG[1]]
    carrier = 2 * np.pi * (CARRIER[0] * y / SIG[0] + CARRIER[1] * x / SIG[1])
    return 1000 * (1 + 0.5 * np.cos(carrier + phase))


def reference(data, selected):
    """Sum up each Fourier component over its wave, without any FFT."""
    y, x = np.mgrid[: SIG[0], : SIG[1]]
    v, u = np.mgrid[: SIZE[0], : SIZE[1]]
    empty, waves = fringes(0.1), []
    for hologram in [empty, *data[selected].astype(float)]:
        wave = np.zeros(SIZE, complex)
        for ky in range(-(SIZE[0] // 2), SIZE[0] // 2):
            for kx in range(-(SIZE[1] // 2), SIZE[1] // 2):
                if np.hypot(ky, kx) > 7:
                    continue
                turns = (ky + CARRIER[0]) * y / SIG[0] + (kx + CARRIER[1]) * x / SIG[1]
                part = (hologram * np.exp(-2j * np.pi * turns)).sum() / hologram.size
                turns = ky * v / SIZE[0] + kx * u / SIZE[1]
                wave += part * aperture(np.hypot(ky, kx)) * np.exp(2j * np.pi * turns)
        waves.append(wave)
    waves = np.stack(waves[1:]) / waves[0] if len(waves) > 1 else np.zeros((0, *SIZE))
    return {"wave": waves, "mean": waves.mean(axis=0), "phase": np.angle(waves)}


def make_udf():
    return HologramUDF(CARRIER, SIZE, aperture, empty=fringes(0.1))


class TestHologram(ExampleContract):
    @pytest.fixture
    def example(self):
        return Example(make_udf(), fringes(phases()), reference, atol=2e-3)


def test_the_phase_of_the_object():
    example = Example(make_udf(), fringes(phases()), reference)
    results = run(InlineExecutor(), example, size=4)
    rows = np.arange(SIZE[0]) * SIG[0] / SIZE[0]
    columns = np.arange(SIZE[1]) * SIG[1] / SIZE[1]
    y, x = 2 * np.pi * rows[:, None] / SIG[0], 2 * np.pi * columns / SIG[1]
    strength = np.random.default_rng(0).uniform(-1, 1, (*NAV, 2, 1, 1))
    expected = strength[..., 0, :, :] * np.sin(y) + strength[..., 1, :, :] * np.cos(x) - 0.1
    np.testing.assert_allclose(results["phase"].data, expected, atol=0.02)
