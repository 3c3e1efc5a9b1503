from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage

from tests.examples.contract import Example, ExampleContract, run
from tests.examples.udfs.orientation import OrientationUDF
from udfwidgets.engine.executors import InlineExecutor

NAV, SIG, CENTER = (5, 6), (31, 33), (15.0, 16.0)
RADII, N_ANGLES = np.arange(3, 14, 0.5), 36
RNG = np.random.default_rng(0)
TEMPLATE = RNG.integers(0, 3, NAV)
STEP = RNG.integers(0, N_ANGLES, NAV)


def spots(*polar):
    """A pattern of spots, each (radius, angle in degrees)."""

    def pattern(radius, angle):
        out = 0
        for r, degrees in polar:
            t = np.deg2rad(degrees)
            squares = radius**2 + r**2 - 2 * radius * r * np.cos(angle - t)
            out = out + np.exp(-squares / 3)
        return out

    return pattern


BANK = [
    spots((6, 0), (6, 90), (6, 180), (6, 275)),
    spots((5, 0), (9, 65), (11, 200)),
    spots((8, 0), (8, 60), (8, 120), (10, 220)),
]


def scan():
    y, x = np.mgrid[: SIG[0], : SIG[1]] - np.array(CENTER)[:, None, None]
    radius, angle = np.hypot(y, x), np.arctan2(y, x)
    frames = np.empty((*NAV, *SIG), "f4")
    for place in np.ndindex(NAV):
        turn = STEP[place] * 2 * np.pi / N_ANGLES
        frames[place] = 50 * BANK[TEMPLATE[place]](radius, angle - turn)
    frames += np.random.default_rng(1).random(frames.shape, "f4")
    return frames


def reference(data, selected):
    """Roll each template to each rotation and take Pearson's coefficient."""
    frames = data[selected]
    angles = np.arange(N_ANGLES) * 2 * np.pi / N_ANGLES
    radius, angle = np.meshgrid(RADII, angles, indexing="ij")
    points = [CENTER[0] + radius * np.sin(angle), CENTER[1] + radius * np.cos(angle)]
    template, rotation, score = [], [], []
    for frame in frames:
        polar = scipy.ndimage.map_coordinates(frame, points, order=1)
        scores = [
            [
                np.corrcoef(polar.ravel(), np.roll(one(radius, angle), step, axis=1).ravel())[0, 1]
                for step in range(N_ANGLES)
            ]
            for one in BANK
        ]
        best, step = np.unravel_index(np.argmax(scores), np.shape(scores))
        template.append(best)
        rotation.append(step * 360 / N_ANGLES)
        score.append(scores[best][step])
    template = np.array(template, int)
    classes = [frames[template == number] for number in range(len(BANK))]
    means = [c.mean(axis=0) if len(c) else np.zeros(SIG) for c in classes]
    return {
        "template": template,
        "angle": np.array(rotation),
        "score": np.array(score),
        "count": [len(c) for c in classes],
        "mean": np.stack(means, axis=-1),
    }


def make_udf():
    return OrientationUDF(bank=BANK, center=CENTER, radii=RADII, n_angles=N_ANGLES)


class TestOrientation(ExampleContract):
    @pytest.fixture
    def example(self):
        return Example(make_udf(), scan(), reference, atol=1e-4)


def test_templates_and_rotations_are_found():
    results = run(InlineExecutor(), Example(make_udf(), scan(), reference), size=8)
    np.testing.assert_array_equal(results["template"].data, TEMPLATE)
    np.testing.assert_allclose(results["angle"].data, STEP * 360 / N_ANGLES, atol=1e-4)
    assert results["score"].data.min() > 0.95


def test_a_template_that_nothing_looked_like_has_no_mean():
    roi = TEMPLATE == 1
    results = run(InlineExecutor(), Example(make_udf(), scan(), reference), roi=roi, size=2)
    np.testing.assert_array_equal(results["mean"].valid_mask.all(axis=(0, 1)), [False, True, False])
