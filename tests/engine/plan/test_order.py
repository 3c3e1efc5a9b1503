"""A progressive order visits every frame once, and is spread over the scan from the start."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfwidgets.engine.plan.order import COARSE, check_order, coarse_to_fine
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


def test_an_order_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="'scan', 'progressive'"):
        check_order("random")
