"""Masks as runs of pixels: equal to a matrix product, whatever their shape."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from udfwidgets.udf.compiled.detectors import GAP, Detector


def random_masks(count, n_pixels, share, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(1, 9, (count, n_pixels)) * (rng.random((count, n_pixels)) < share)


def product(detector, frames, count):
    out = np.zeros((len(frames), count), detector.weights.dtype)
    detector.add(frames, out)
    return out


@given(
    n_frames=st.integers(1, 9),
    n_pixels=st.integers(1, 600),
    count=st.integers(1, 7),
    share=st.sampled_from([0.0, 0.02, 0.4, 0.9, 1.0]),
    dtype=st.sampled_from(["u1", "u2", "i2", "u4", "f4", "?"]),
    seed=st.integers(0, 99),
)
def test_products_of_integers_are_exact(n_frames, n_pixels, count, share, dtype, seed):
    masks = random_masks(count, n_pixels, share, seed)
    masks[::2] = masks[::2] > 0
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 1 << 15, (n_frames, n_pixels)).astype(dtype)
    expected = frames.astype("i8") @ masks.T
    for form in (masks, scipy.sparse.csr_matrix(masks)):
        detector = Detector.of(form, np.float64, dtype)
        np.testing.assert_array_equal(product(detector, frames, count), expected)


@pytest.mark.parametrize(
    ("dtype", "value"), [("u2", 65535), ("i2", -32768), ("i1", -128), ("?", 1)]
)
def test_large_masks_of_ones_do_not_overflow(dtype, value):
    frames = np.full((5, 300 * 300), value, dtype)
    masks = np.ones((2, 300 * 300))
    masks[1, 5] = 3
    expected = frames.astype("i8") @ masks.astype("i8").T
    detector = Detector.of(masks, np.float64, dtype)
    np.testing.assert_array_equal(product(detector, frames, 2), expected)


def test_complex_masks_and_frames():
    masks = random_masks(5, 300, 1.0) * (1 + 2j)
    frames = random_masks(6, 300, 1.0, seed=1) * 1j
    detector = Detector.of(masks, np.complex128, frames.dtype)
    np.testing.assert_allclose(product(detector, frames, 5), frames @ masks.T)


def test_pixels_outside_are_not_looked_at():
    mask = np.zeros((1, 100))
    mask[0, 40:50] = 1
    frames = np.full((5, 100), np.nan, "f4")
    frames[:, 40:50] = 2
    assert (product(Detector.of(mask, np.float64, frames.dtype), frames, 1) == 20).all()


@pytest.mark.parametrize(("gap", "n_runs"), [(GAP - 1, 1), (GAP, 2)])
def test_small_gaps_are_bridged(gap, n_runs):
    mask = np.zeros((1, 100))
    mask[0, 10] = mask[0, 10 + gap + 1] = 1
    assert len(Detector.of(mask, np.float64, "u2").runs) == n_runs


def test_only_filled_masks_are_multiplied_as_a_matrix():
    def matrix(*masks):
        return Detector.of(random_masks(*masks), np.float64, "u2").matrix

    assert matrix(5, 300, 0.9).shape == (6, 300)
    assert matrix(5, 300, 0.1) is None
    assert matrix(1, 300, 0.9) is None


@pytest.mark.parametrize(
    ("frames", "weight", "bits"),
    [
        ("u2", 1, 32),
        ("u2", 2, 64),  # 256 pixels of 65535 times 2 do not fit into the 24 bits of a float32
        ("i2", 2, 32),
        ("u1", 257, 32),
        ("u1", 258, 64),
        ("?", 1 << 16, 32),
        ("u2", 0.3, 32),
        ("i4", 0.3, 64),
        ("f4", 1e9, 32),
        ("f8", 0.3, 64),
    ],
)
def test_as_many_bits_as_are_exact(frames, weight, bits):
    masks = np.full((4, 300), weight, "f4")
    detector = Detector.of(masks, np.float64, frames)
    assert detector.matrix.dtype.itemsize * 8 == bits
    dtype = np.dtype(frames)
    largest = np.iinfo(dtype).max if dtype.kind in "iu" else 1
    pixels = np.full((5, 300), largest, dtype)
    exact = pixels.astype("f8") @ masks.T.astype("f8")
    room = 0 if weight == int(weight) and dtype.kind != "f" else 1e-6
    np.testing.assert_allclose(product(detector, pixels, 4), exact, rtol=room)


def test_a_mask_of_whole_numbers_is_exact_beside_fractions():
    masks = np.stack([np.full(300, weight, "f4") for weight in (0.3, 0.7, 2)])
    pixels = np.full((5, 300), 65535, "u2")
    found = product(Detector.of(masks, np.float64, "u2"), pixels, 3)
    assert (found[:, 2] == 300 * 2 * 65535).all()
