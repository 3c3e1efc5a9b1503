"""A progressive order visits every frame once, and is spread over the scan from the start."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfwidgets.engine.plan.order import COARSE, Sight, check_order, coarse_to_fine, in_sight_first
from udfwidgets.shapes import Shape

navs = st.lists(st.integers(1, 40), min_size=1, max_size=3).map(lambda axes: Shape(axes, 0))


@given(nav=navs, per_block=st.integers(1, 50))
def test_every_frame_comes_once(nav, per_block):
    order = coarse_to_fine(nav, per_block)
    np.testing.assert_array_equal(np.sort(order), np.arange(nav.size))


@given(nav=navs, per_block=st.integers(2, 9))
def test_frames_of_a_block_stay_together(nav, per_block):
    order = coarse_to_fine(nav, per_block)
    for begin in range(0, nav.size, per_block):
        block = order[begin : begin + per_block]
        assert block[0] % per_block == 0
        np.testing.assert_array_equal(block, np.arange(block[0], block[0] + len(block)))


@pytest.mark.parametrize(
    ("nav", "per_block", "farthest"),
    [((72, 72), 1, 5), ((256, 256), 1, 6), ((96, 128), 8, 16), ((1000,), 1, 18)],
)
def test_the_first_frames_are_close_to_all_others(nav, per_block, farthest):
    shape = Shape(nav, 0)
    first = coarse_to_fine(shape, per_block)[: -(-shape.size // COARSE) + per_block]
    seen = np.stack(np.unravel_index(first, nav))
    everything = np.indices(nav).reshape(len(nav), -1)
    away = [np.abs(seen - place[:, np.newaxis]).max(axis=0).min() for place in everything.T[::7]]
    assert max(away) <= farthest


@given(nav=navs, per_block=st.integers(1, 9), seed=st.integers(0, 99), most=st.integers(0, 2))
def test_what_is_in_sight_comes_first(nav, per_block, seed, most):
    interest = np.random.default_rng(seed).integers(0, most + 1, nav.axes, np.uint8)
    order = in_sight_first(nav, per_block, Sight(interest))
    np.testing.assert_array_equal(np.sort(order), np.arange(nav.size))
    for begin in range(0, nav.size, per_block):
        block = order[begin : begin + per_block]
        np.testing.assert_array_equal(block, np.arange(block[0], block[0] + len(block)))
    # Among those of one interest the order is as ever, but for the lattice and a last part.
    before = coarse_to_fine(nav, per_block)
    n_whole = nav.size - nav.size % per_block
    best = interest.reshape(-1)[:n_whole].reshape(-1, per_block).max(axis=1)
    blocks = order[:n_whole:per_block] // per_block
    for which in range(3):
        ours = [n for n in blocks if best[n] == which]
        assert ours == [n for n in before[:n_whole:per_block] // per_block if best[n] == which]


def test_a_window_and_a_region_in_it_come_in_turn():
    nav = Shape((72, 72), 0)
    interest = np.zeros(nav.axes, np.uint8)
    interest[12:36, 20:44] = 1
    interest[14:20, 20:30] = 2
    order = in_sight_first(nav, 1, Sight(interest))
    lattice = coarse_to_fine(nav, 1)[: nav.size // COARSE]
    in_window, in_region = interest.reshape(-1) > 0, interest.reshape(-1) == 2
    first = lattice[in_window[lattice]]
    expected = [
        set(first),
        set(np.flatnonzero(in_region)) - set(first),
        set(np.flatnonzero(in_window & ~in_region)) - set(first),
        set(lattice[~in_window[lattice]]),
    ]
    ends = np.cumsum([0, *map(len, expected)])
    assert [set(order[a:b]) for a, b in itertools.pairwise(ends)] == expected
    # A lattice of whatever is marked: nothing is out of sight.
    marked = Sight(np.where(in_region, 2, 1).astype(np.uint8).reshape(nav.axes))
    n = len(lattice)
    assert set(in_sight_first(nav, 1, marked)[:n]) == set(lattice)
    assert set(in_sight_first(nav, 1, marked)[n : n + 50]) <= set(np.flatnonzero(in_region))


def test_an_order_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="'scan', 'progressive'"):
        check_order("random")
