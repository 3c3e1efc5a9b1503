from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.examples.contract import Example, ExampleContract, run
from tests.examples.udfs.features import FeaturesUDF, polar_bins
from udfwidgets.engine.executors import InlineExecutor

NAV, SIG, CENTER = (5, 7), (16, 18), (7.6, 8.7)
EDGES, N_SECTORS = (1.0, 4.0, 7.0), 3
RNG = np.random.default_rng(0)
WEIGHTS = RNG.normal(size=(*NAV, 2))


def bin_of(y, x):
    """Number of the bin of a pixel, or None, by comparing angles."""
    dy, dx = y - CENTER[0], x - CENTER[1]
    angle = np.degrees(np.arctan2(dy, dx)) % 360
    for ring, (inner, outer) in enumerate(itertools.pairwise(EDGES)):
        if inner <= np.hypot(dy, dx) < outer:
            return ring * N_SECTORS + int(angle // (360 / N_SECTORS))
    return None


def bins():
    pixels = [[] for _ in range(2 * N_SECTORS)]
    for y, x in np.ndindex(SIG):
        if (number := bin_of(y, x)) is not None:
            pixels[number].append((y, x))
    return [tuple(np.array(p).T) for p in pixels]


def scan():
    """A constant pattern, and two patterns whose strengths vary over the scan."""
    patterns = RNG.normal(size=(2, 6)) * [[5], [2]]
    frames = RNG.normal(1000, 0.01, (*NAV, *SIG))
    for pixels, column in zip(bins(), patterns.T, strict=True):
        frames[..., pixels[0], pixels[1]] += (WEIGHTS @ column)[..., None]
    return frames


def reference(data, selected):
    frames = data[selected]
    features = np.stack([frames[:, y, x].sum(axis=1) for y, x in bins()], axis=1)
    mean = features.mean(axis=0)
    _, singular, components = np.linalg.svd(features - mean, full_matrices=False)
    singular, components = singular[:2], components[:2]
    components = np.stack([c * np.sign(c[np.abs(c).argmax()]) for c in components])
    return {
        "features": features,
        "components": components,
        "variance": singular**2 / len(features),
        "scores": (features - mean) @ components.T,
    }


class TestFeatures(ExampleContract):
    @pytest.fixture
    def example(self):
        return Example(FeaturesUDF(polar_bins(CENTER, EDGES, N_SECTORS)), scan(), reference)


def test_two_components_say_it_all():
    udf = FeaturesUDF(polar_bins(CENTER, EDGES, N_SECTORS), n_components=3)
    results = run(InlineExecutor(), Example(udf, scan(), reference), size=6)
    variance = results["variance"].data
    assert variance[1] > 1e4 * variance[2]
    scores = results["scores"].data[..., :2].reshape(-1, 2)
    design = np.c_[WEIGHTS.reshape(-1, 2), np.ones(len(scores))]
    fitted = design @ np.linalg.lstsq(design, scores, rcond=None)[0]
    np.testing.assert_allclose(fitted, scores, atol=0.5)
