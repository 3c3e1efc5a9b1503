from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage

from tests.examples.contract import Example, ExampleContract, run
from tests.examples.udfs.strain import Lattice, StrainUDF
from udfwidgets.engine.executors import InlineExecutor

NAV, SIG = (4, 6), (56, 56)
INDICES = tuple((h, k) for h in (-1, 0, 1) for k in (-1, 0, 1) if (h, k) != (0, 0))
LATTICE = Lattice((27.5, 28.0), (14.0, 2.0), (-2.0, 14.0), INDICES, radius=3.5, search=4)
GRADIENT = np.random.default_rng(0).uniform(-0.04, 0.04, (*NAV, 2, 2))
BLANK = (1, 2)


def scan():
    """Soft discs at the places of the distorted lattice, and one frame with nothing in it."""
    y, x = np.mgrid[: SIG[0], : SIG[1]]
    frames = np.zeros((*NAV, *SIG), "f4")
    for place in np.ndindex(NAV):
        for vector in LATTICE.vectors:
            cy, cx = LATTICE.center + (GRADIENT[place] + np.eye(2)) @ vector
            frames[place] += 1 / (1 + np.exp((np.hypot(y - cy, x - cx) - LATTICE.radius) / 0.7))
    frames[BLANK] = 0
    return frames * 100


def reference(data, selected):
    """Correlate without any FFT, and take the distortion from the normal equations."""
    size = LATTICE.box
    grid = np.mgrid[:size, :size] - size // 2
    disc = np.hypot(*grid) <= LATTICE.radius
    template = disc / disc.sum() - 1 / disc.size
    frames = data[selected].astype(float)
    centers = np.empty((len(frames), len(INDICES), 2))
    heights = np.empty((len(frames), len(INDICES)))
    gradient = np.zeros((len(frames), 2, 2))
    for number, frame in enumerate(frames):
        for disc_number, (y, x) in enumerate(LATTICE.corners):
            box = frame[y : y + size, x : x + size]
            # With an even kernel, SciPy's middle is that of the template.
            wrapped = scipy.ndimage.correlate(box, template, mode="wrap")
            row, column = np.unravel_index(wrapped.argmax(), wrapped.shape)
            heights[number, disc_number] = wrapped[row, column]
            place = np.array([row, column], float)
            if 0 < row < size - 1 and 0 < column < size - 1:
                for axis, line in enumerate((wrapped[:, column], wrapped[row])):
                    at = (row, column)[axis]
                    c2, c1, _ = np.polyfit([-1, 0, 1], line[at - 1 : at + 2], 2)
                    place[axis] += -c1 / (2 * c2)
            centers[number, disc_number] = np.add(place, (y, x))
        if (heights[number] >= 1).sum() >= 3:
            ideal = LATTICE.vectors - LATTICE.vectors.mean(axis=0)
            found = centers[number] - centers[number].mean(axis=0)
            gradient[number] = (np.linalg.inv(ideal.T @ ideal) @ ideal.T @ found).T - np.eye(2)
    return {
        "centers": centers,
        "heights": heights,
        "strain": (gradient + gradient.swapaxes(1, 2)) / 2,
        "rotation": (gradient[:, 1, 0] - gradient[:, 0, 1]) / 2,
    }


class TestStrain(ExampleContract):
    @pytest.fixture
    def example(self):
        return Example(StrainUDF(LATTICE, 1.0), scan(), reference, rtol=1e-3, atol=1e-3)


def test_the_distortion_is_found_where_there_is_a_lattice():
    results = run(InlineExecutor(), Example(StrainUDF(LATTICE, 1.0), scan(), reference), size=5)
    expected = (GRADIENT + GRADIENT.swapaxes(-1, -2)) / 2
    there = np.ones(NAV, bool)
    there[BLANK] = False
    strain, rotation = results["strain"], results["rotation"]
    np.testing.assert_allclose(strain.data[there], expected[there], atol=0.006)
    np.testing.assert_array_equal(strain.valid_mask[..., 0, 1], there)
    np.testing.assert_array_equal(rotation.valid_mask, there)
    assert strain.masked_data[BLANK].mask.all()
    assert results["centers"].valid_mask.all()
