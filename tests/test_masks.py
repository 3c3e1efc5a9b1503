"""Masks: what is inside, and how much of it on the rim."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from udfwidgets import masks

FRAME = (6.3, 4.8, 14, 11)
"""centerX, centerY, imageSizeX, imageSizeY."""


def distance(center_x=6.3, center_y=4.8, size_x=14, size_y=11):
    y, x = np.mgrid[:size_y, :size_x]
    return np.hypot(y - center_y, x - center_x)


def test_disk_and_ring():
    r = distance()
    np.testing.assert_array_equal(masks.circular(*FRAME, 4), r <= 4)
    np.testing.assert_array_equal(masks.ring(*FRAME, 4, 2), (r <= 4) & (r > 2))


def test_the_outer_rim_belongs_to_a_ring_and_the_inner_does_not():
    row = masks.ring(3, 0, 7, 1, 3, 1)[0]
    assert row.tolist() == [True, True, False, False, False, True, True]


@pytest.mark.parametrize("radius", [1.5, 3.0, 3.9])
def test_antialiased_masks_have_the_area_of_the_shape(radius):
    disk = masks.circular(20, 21, 41, 43, radius * 3, antialiased=True)
    assert disk.min() == 0
    assert disk.max() == 1
    assert disk.sum() == pytest.approx(np.pi * (radius * 3) ** 2, rel=0.01)
    ring = masks.ring(20, 21, 41, 43, radius * 4, radius * 2, antialiased=True)
    assert ring.sum() == pytest.approx(np.pi * 12 * radius**2, rel=0.01)


@pytest.mark.parametrize("use_sparse", [False, True])
@pytest.mark.parametrize("n_bins", [None, 1, 5])
def test_bins_cover_everything_once(use_sparse, n_bins):
    if use_sparse:
        pytest.importorskip("sparse")
    bins = masks.radial_bins(*FRAME, n_bins=n_bins, use_sparse=use_sparse)
    assert masks.is_sparse(bins) is use_sparse
    assert bins.shape == (n_bins or masks.bounding_radius(*FRAME), 11, 14)
    np.testing.assert_allclose(masks.to_dense(bins).sum(axis=0), 1)


def test_normalized_bins():
    bins = masks.radial_bins(7, 5, 14, 11, radius=5, radius_inner=1, n_bins=4, normalize=True)
    np.testing.assert_allclose(bins.sum(axis=(1, 2)), 1)
    assert masks.radial_bins(*FRAME, use_sparse=False, dtype="c8").dtype == np.complex64


def test_sparse_stacks_say_what_they_need(monkeypatch):
    monkeypatch.setitem(sys.modules, "sparse", None)
    assert isinstance(masks.radial_bins(*FRAME), np.ndarray)
    with pytest.raises(ImportError, match="needs the package 'sparse'"):
        masks.radial_bins(*FRAME, use_sparse=True)


def test_gradients():
    y, x = np.mgrid[:11, :14]
    np.testing.assert_array_equal(masks.gradient_x(14, 11), x)
    np.testing.assert_array_equal(masks.gradient_y(14, 11, dtype="i4"), y)
    r = distance()
    np.testing.assert_allclose(masks.radial_gradient(*FRAME, 4), np.where(r <= 4, r / 4, 0))


def test_radial_gradient_with_background():
    r = np.array([0.0, 2.0, 3.5, 4.0, 4.25, 4.5, 6.0, 6.5])
    values = masks.radial_gradient_background_subtraction(r, r0=4, r_outer=6)
    np.testing.assert_allclose(values, [0, 0.5, 1, 0, -0.5, -1, -1, 0])
    np.testing.assert_allclose(
        masks.radial_gradient(*FRAME, 4, antialiased=True),
        masks.radial_gradient_background_subtraction(distance(), r0=4, r_outer=0),
        atol=1e-12,
    )


@pytest.mark.parametrize("antialiased", [False, True])
def test_a_flat_background_cancels(antialiased):
    mask = masks.background_subtraction(*FRAME, 5, 3, antialiased)
    assert mask.sum() == pytest.approx(0, abs=1e-9)
    balanced = masks.balance(masks.radial_gradient_background_subtraction(distance(), 3, 6))
    assert balanced.sum() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("corner", "size", "expected"),
    [
        ((2, 3), (3, 1), (slice(3, 5), slice(2, 6))),
        ((5, 4), (-3, -1), (slice(3, 5), slice(2, 6))),
        ((5, 3), (-3, 1), (slice(3, 5), slice(2, 6))),
        ((-2, -2), (3, 4), (slice(0, 3), slice(0, 2))),
        ((12, 9), (9, 9), (slice(9, 11), slice(12, 14))),
        ((-5, 1), (2, 2), (slice(0, 0), slice(0, 0))),
        ((3, 3), (0, 4), (slice(0, 0), slice(0, 0))),
    ],
    ids=["down right", "up left", "down left", "over a corner", "over another", "out", "flat"],
)
def test_rectangle(corner, size, expected):
    wanted = np.zeros((11, 14), bool)
    wanted[expected] = True
    np.testing.assert_array_equal(masks.rectangular(*corner, *size, 14, 11), wanted)


def test_polar_map():
    radius, angle = masks.polar_map(*FRAME)
    y, x = np.mgrid[:11, :14]
    np.testing.assert_allclose(radius * np.sin(angle), y - 4.8, atol=1e-12)
    np.testing.assert_allclose(radius * np.cos(angle), x - 6.3, atol=1e-12)
    # An ellipse, twice as long along y.
    stretched, _ = masks.polar_map(*FRAME, stretchY=2)
    np.testing.assert_allclose(stretched, np.hypot((y - 4.8) / 2, x - 6.3))
    turned, _ = masks.polar_map(*FRAME, stretchY=2, angle=np.pi / 2)
    np.testing.assert_allclose(turned, np.hypot(y - 4.8, (x - 6.3) / 2))


@pytest.mark.parametrize("center", [(6.3, 4.8), (-3, 2), (0, 0), (20, 20)])
def test_bounding_radius_covers_the_frame(center):
    assert masks.circular(*center, 14, 11, masks.bounding_radius(*center, 14, 11)).all()


def test_stamps():
    pytest.importorskip("sparse")
    stack = masks.sparse_circular_multi_stack([0, 0, 2], [2.9, 9, -1], [3, 9, 5], 14, 11, 1.5)
    assert stack.shape == (3, 11, 14)
    dense = masks.to_dense(stack)
    both = masks.circular(2, 3, 14, 11, 1.5) | masks.circular(9, 9, 14, 11, 1.5)
    np.testing.assert_array_equal(dense[0], both)
    assert not dense[1].any()
    np.testing.assert_array_equal(dense[2], masks.circular(-1, 5, 14, 11, 1.5))
    np.testing.assert_array_equal(
        masks.to_dense(masks.to_sparse(dense, (33, 14))), dense.reshape(33, 14)
    )
