"""Partitions know their frames, and tiles are as UDFs prefer them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from udfwidgets.engine.plan.partitions import TILE_BYTES, TILE_FRAMES, Partition, Plan
from udfwidgets.shapes import Shape


@given(
    roi=st.none() | hnp.arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))),
    data=st.data(),
)
def test_rows_and_frames_of_a_partition_belong_together(roi, data):
    nav = (5, 7) if roi is None else roi.shape
    plan = Plan.of(Shape((*nav, 3, 2), 2), np.dtype("u2"), 1, roi)
    some = data.draw(hnp.arrays(bool, plan.n_frames))
    assume(some.any())
    partition = Partition.of(np.flatnonzero(some))
    frames = plan.frames_of(partition)
    assert len(partition) == len(frames) == some.sum()
    np.testing.assert_array_equal(plan.rows_of(frames), np.flatnonzero(some))
    np.testing.assert_array_equal(np.arange(plan.n_frames)[partition.index], np.flatnonzero(some))


def test_tile_depth_is_bounded_for_tiny_frames():
    plan = Plan.of(Shape((1000, 1000, 1, 1), 2), np.dtype("u1"))
    assert plan.tile_depth == 16384


FRAME = 1024  # bytes
CACHED = TILE_BYTES // FRAME


@pytest.mark.parametrize(
    ("preferences", "depth"),
    [
        ([], CACHED),
        ([{}], CACHED),
        ([{"depth": "default", "total_size": "best_fit"}], CACHED),
        ([{"depth": 7, "total_size": "best_fit"}], 7),
        ([{"depth": 7}, {"depth": 3}, {}], 3),
        ([{"depth": float("inf"), "total_size": "best_fit"}], TILE_FRAMES),
        ([{"depth": "default", "total_size": 10 * FRAME}], 10),
        ([{"depth": 4, "total_size": 10 * FRAME}], 4),
        ([{"depth": 0, "total_size": "best_fit"}], 1),
        ([{"depth": float("inf"), "total_size": float("inf")}], TILE_FRAMES),
        ([{"depth": 5, "total_size": 1}], 1),
    ],
)
def test_tiles_are_as_udfs_prefer_them(preferences, depth):
    plan = Plan.of(Shape((100, 100, 32, 32), 2), np.dtype("u1"))
    assert plan.with_tiles_for(preferences).tile_depth == depth


@pytest.mark.parametrize(
    ("dtypes", "bytes_per_pixel"), [([], 2), (["u2"], 2), (["f4"], 3), (["u2", "f8"], 5)]
)
def test_what_a_tile_is_converted_to_fits_the_cache_with_it(dtypes, bytes_per_pixel):
    plan = Plan.of(Shape((100, 100, 32, 32), 2), np.dtype("u2"))
    depth = plan.with_tiles_for([{}], [np.dtype(dtype) for dtype in dtypes]).tile_depth
    assert depth == TILE_BYTES // (32 * 32 * bytes_per_pixel)
