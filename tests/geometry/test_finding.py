"""The central disk is found to half a pixel, whatever spoils the pattern, or it is said why not."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.geometry.patterns import beside, hot, stopped, with_disk
from udfwidgets.demo import Sample
from udfwidgets.geometry import Disk, DiskNotFound, find_disk

RADII = st.floats(3, 40)
PLACES = st.tuples(st.floats(0.35, 0.65), st.floats(0.35, 0.65))
SEEDS = st.integers(0, 2**31)
ANGLES = st.floats(0, 2 * math.pi)


def assert_found(pattern: np.ndarray, cx: float, cy: float, r: float) -> None:
    disk = find_disk(pattern)
    off = math.hypot(disk.cx - cx, disk.cy - cy), abs(disk.r - r)
    assert max(off) <= 0.5, f"{disk}, expected {Disk(cx, cy, r)}"


def framed(r: float, place: tuple[float, float]) -> tuple[tuple[int, int], float, float]:
    """A frame around a disk, and its centre there."""
    shape = (int(5 * r) + 16, int(6 * r) + 12)
    return shape, place[0] * shape[1], place[1] * shape[0]


@settings(max_examples=12)
@given(RADII, PLACES, SEEDS, st.floats(1.2, 5), st.floats(0.002, 0.25), st.floats(0, 0.6))
def test_with_noise_and_structure_inside(r, place, seed, magnitude, outside, structure):
    inside = 10**magnitude
    assume(inside * r >= 100)  # enough to be seen
    shape, cx, cy = framed(r, place)
    rng = np.random.default_rng(seed)
    levels = {"inside": inside, "outside": inside * outside}
    assert_found(with_disk(shape, cx, cy, r, rng=rng, structure=structure, **levels), cx, cy, r)


@settings(max_examples=12)
@given(RADII, PLACES, SEEDS, st.floats(0, 0.18))  # of the radius
def test_with_a_soft_rim(r, place, seed, soft):
    shape, cx, cy = framed(r, place)
    rng = np.random.default_rng(seed)
    assert_found(with_disk(shape, cx, cy, r, soft=min(soft * r, 7), rng=rng), cx, cy, r)


@settings(max_examples=12)
@given(RADII, PLACES, SEEDS, st.sampled_from([0, 1e4, 1e9, math.nan, math.inf, -1e6]))
def test_with_hot_and_dead_pixels(r, place, seed, value):
    shape, cx, cy = framed(r, place)
    rng = np.random.default_rng(seed)
    pattern = with_disk(shape, cx, cy, r, rng=rng)
    assert_found(hot(pattern, rng, 3 + pattern.size // 500, value), cx, cy, r)


def test_beside_numbers_that_cannot_be_added_up():
    rng = np.random.default_rng(4)
    pattern = hot(with_disk((80, 90), 41.2, 38.7, 12, rng=rng), rng, 9, 1.7e308)
    assert_found(hot(pattern, rng, 9, -1.7e308), 41.2, 38.7, 12)


@settings(max_examples=12)
@given(st.floats(5, 40), PLACES, SEEDS, ANGLES, st.sampled_from([0, 5, math.nan]))
def test_behind_a_beam_stop(r, place, seed, angle, value):
    shape, cx, cy = framed(r, place)
    pattern = with_disk(shape, cx, cy, r, rng=np.random.default_rng(seed))
    assert_found(stopped(pattern, cx, cy, r, angle, value), cx, cy, r)


@settings(max_examples=12)
@given(RADII, st.floats(0.2, 1), st.integers(0, 3), SEEDS)
def test_cut_by_an_edge(r, seen, edge, seed):
    shape, _, cy = framed(r, (0.5, 0.5))
    pattern = with_disk(shape, seen * r, cy, r, rng=np.random.default_rng(seed))
    if edge % 2:
        assert_found(pattern[:, ::-1], shape[1] - 1 - seen * r, cy, r)
    elif edge:
        assert_found(pattern.T, cy, seen * r, r)
    else:
        assert_found(pattern, seen * r, cy, r)


@settings(max_examples=12)
# No lattice has more than six that are nearest: eight of them are a ring.
@given(st.floats(5, 40), PLACES, SEEDS, ANGLES, st.floats(1.7, 3), st.integers(2, 6))
def test_beside_the_disks_of_a_crystal(r, place, seed, angle, distance, n):
    shape, cx, cy = framed(r, place)
    pattern = with_disk(shape, cx, cy, r, rng=np.random.default_rng(seed))
    level = 500 if distance > 2.1 else 150
    crystal = beside(pattern, cx, cy, r, angle=angle, distance=distance, level=level, n=n)
    assert_found(crystal, cx, cy, r)


@settings(max_examples=5)
@given(st.floats(40, 200), PLACES, SEEDS)
def test_large_disks(r, place, seed):
    cx, cy = 512 * place[0], 480 * place[1]
    pattern = with_disk((480, 512), cx, cy, r, rng=np.random.default_rng(seed))
    assert_found(pattern, cx, cy, r)


@settings(max_examples=5)
@given(st.floats(3, 6), PLACES, SEEDS)
def test_small_disks_in_large_frames(r, place, seed):
    cx, cy = 512 * place[0], 480 * place[1]
    pattern = with_disk((480, 512), cx, cy, r, rng=np.random.default_rng(seed))
    assert_found(pattern, cx, cy, r)


def test_in_a_frame_larger_than_is_searched():
    pattern = with_disk((1100, 1300), 700.3, 500.6, 90.2, rng=np.random.default_rng(1))
    assert_found(pattern, 700.3, 500.6, 90.2)


@pytest.mark.parametrize("sig", [(64, 64), (128, 128), (96, 160)])
@pytest.mark.parametrize("seed", [0, 1])
def test_on_the_demo_scan(sig, seed):
    sample = Sample((48, 48), sig, seed=seed)
    pattern = sample.frames(0, 48 * 48).sum(0, dtype=np.uint64)
    # As it is drawn: around the middle, from where the beam wanders.
    cy, cx = (np.array(sig) - 1) / 2 + sample.truth().shift.mean((0, 1))
    assert_found(pattern, cx, cy, max(1.0, 0.047 * min(sig)))


def test_in_any_unit_and_dtype():
    counts = with_disk((80, 90), 41.2, 38.7, 12, rng=np.random.default_rng(3))
    disk = find_disk(counts)
    for pattern in (counts * 1e-200, counts * 1e300, counts - 1000):
        again = find_disk(pattern)
        assert np.allclose((again.cx, again.cy, again.r), (disk.cx, disk.cy, disk.r), atol=1e-6)
    for dtype in (np.uint16, np.int32, np.float32, ">u4"):
        assert find_disk(counts.astype(dtype)) == disk
    assert find_disk(counts.tolist()) == disk
    read_only = counts.copy()
    read_only.flags.writeable = False
    assert find_disk(read_only[:, ::-1]).r == pytest.approx(disk.r, abs=0.05)
    np.testing.assert_array_equal(read_only, counts)


Y, X = np.mgrid[:128, :128]
DISTANCE = np.hypot(X - 60, Y - 66)
WITHOUT = {
    "flat": (np.full((64, 64), 7), "flat, 7 everywhere"),
    "one hot pixel": (np.where(DISTANCE < 0.5, 1e9, 0), "flat"),
    "no values": (np.full((64, 64), np.nan), "only 0 pixels"),
    "a ramp": (X + 0.5 * Y, "no disk can be told"),
    "a step": (np.where(X > 60, 120.0, 20.0), "no disk to be seen"),
    "a diffuse hump": (1000 * np.exp(-(DISTANCE**2) / 800), "falls slowly"),
    "a halo": (1000 / (1 + (DISTANCE / 10) ** 2) ** 1.5, "falls slowly"),
    "a ring": (20 + 100 * np.exp(-((DISTANCE - 40) ** 2) / 8), "is a ring, darker inside"),
    "a hole": (1000 - 900.0 * (DISTANCE < 20), "disk"),
}


@pytest.mark.parametrize(("pattern", "words"), WITHOUT.values(), ids=WITHOUT)
def test_says_why_there_is_none(pattern, words):
    with pytest.raises(DiskNotFound, match=words):
        find_disk(pattern)


@settings(max_examples=12)
@given(SEEDS, st.sampled_from([0.05, 2, 100, 1e5]), st.integers(16, 160))
def test_finds_none_in_noise(seed, mean, size):
    pattern = np.random.default_rng(seed).poisson(mean, (size, size + 5))
    with pytest.raises(DiskNotFound):
        find_disk(pattern)


@pytest.mark.parametrize(
    "pattern",
    [np.zeros((4, 64)), np.zeros(64), np.zeros((3, 64, 64)), np.zeros((64, 64), complex),
     np.zeros((64, 64), bool), np.full((64, 64), "a"), 3],
)  # fmt: skip
def test_other_things_than_patterns_are_refused(pattern):
    with pytest.raises(ValueError, match="expected real numbers in two dimensions") as caught:
        find_disk(pattern)
    assert not isinstance(caught.value, DiskNotFound)
