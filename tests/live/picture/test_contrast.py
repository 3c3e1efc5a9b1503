from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from udfwidgets.live.picture.contrast import (
    LINEAR,
    LOGARITHMIC,
    finite_range,
    proposals,
    sample,
    widened,
)

from .looped import loops_that_are

DTYPES = ("bool", "u1", "i2", "i8", "u8", "f2", "f4", "f8")
IMAGES = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=2, max_dims=2, max_side=40))
)


@pytest.mark.parametrize("policy", [LINEAR, LOGARITHMIC], ids=repr)
@given(image=IMAGES)
def test_limits_are_finite_and_in_order(policy, image):
    with np.errstate(all="ignore"):
        lo, hi = policy(image)
    assert np.isfinite([lo, hi]).all()
    assert lo < hi


@given(image=IMAGES)
def test_compiled_code_finds_the_same_limits(image):
    noise = np.random.default_rng(0).normal(0, 1, (150, 150))
    for values in (image, noise, noise.astype("f4"), np.sort(noise.reshape(-1)), noise * 0):
        found = []
        for is_compiled in (True, False):
            with loops_that_are(is_compiled), np.errstate(all="ignore"):
                found.append(proposals(sample(values), [LINEAR, LOGARITHMIC]))
        assert found[0] == found[1]


@given(image=IMAGES, seed=st.integers(0, 99))
def test_only_covered_pixels_count(image, seed):
    covered = np.random.default_rng(seed).random(image.shape) < 0.5
    other = image.copy()
    other[~covered] = 1
    with np.errstate(all="ignore"):
        assert LINEAR(image, covered) == LINEAR(other, covered)


def test_hot_pixels_do_not_darken_the_rest():
    image = np.random.default_rng(0).normal(100, 10, (256, 256))
    calm = LINEAR(image)
    image[::64, ::64] = 1e9
    assert LINEAR(image) == pytest.approx(calm, rel=0.1)


def test_a_few_spots_on_zeros_are_seen():
    image = np.zeros((256, 256))
    image[100:104, 100:104] = np.arange(1, 17).reshape(4, 4)
    lo, hi = LINEAR(image)
    assert lo == 0
    assert hi > 10


@pytest.mark.parametrize(
    ("value", "expected"), [(0, (0, 1)), (5, (0, 5)), (-3, (-3, 0))], ids=["zero", "above", "below"]
)
def test_constant_image(value, expected):
    assert LINEAR(np.full((4, 5), value)) == expected


def test_nothing_known():
    assert LINEAR(np.full((3, 3), np.nan)) == (0, 1)
    assert LINEAR(np.ones((3, 3)), np.zeros((3, 3), bool)) == (0, 1)
    assert finite_range(np.full((3, 3), np.inf)) is None


def test_sparse_coverage_is_not_lost_by_striding():
    image = np.zeros((1000, 1000))
    covered = np.zeros(image.shape, bool)
    covered[3, 5], image[3, 5] = True, 7
    assert LINEAR(image, covered) == (0, 7)


def test_infinities_do_not_count():
    image = np.array([[1.0, np.inf], [-np.inf, 3.0]])
    assert finite_range(image) == (1, 3)


def test_widest_range_does_not_overflow():
    lo, hi = widened(-1.7e308, 1.7e308)
    assert np.isfinite(hi - lo)
