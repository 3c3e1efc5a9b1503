"""Partitions and blocks cover the selected frames exactly once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from udfwidgets.engine.plan import TILE_BYTES, TILE_FRAMES, Plan
from udfwidgets.shapes import Shape

rois = st.none() | hnp.arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9)))


def partitions_of(plan: Plan, size: int) -> list:
    partitions, start = [], 0
    while start < plan.n_frames:
        partitions.append(plan.partition_from(start, size))
        start = partitions[-1].stop
    return partitions


@given(roi=rois, per_block=st.integers(1, 7), size=st.integers(1, 40), depth=st.integers(1, 9))
def test_every_selected_frame_is_read_once_and_in_order(roi, per_block, size, depth):
    nav = (5, 7) if roi is None else roi.shape
    plan = Plan.of(Shape((*nav, 3, 2), 2), np.dtype("u2"), per_block, roi)
    read = []
    for partition in partitions_of(plan, size):
        assert len(partition) > 0
        position = partition.start
        for block in plan.blocks(partition, depth):
            assert block.start == position
            position = block.stop
            frames = np.arange(block.first, block.last)
            chosen = frames if block.rows is None else frames[block.rows]
            assert len(chosen) == block.stop - block.start
            read.extend(chosen)
        assert position == partition.stop
    expected = np.arange(np.prod(nav)) if roi is None else np.flatnonzero(roi)
    np.testing.assert_array_equal(read, expected)


@given(per_block=st.integers(1, 7), size=st.integers(1, 40), depth=st.integers(1, 9))
def test_frames_stored_together_are_read_together(per_block, size, depth):
    plan = Plan.of(Shape((5, 7, 3, 2), 2), np.dtype("u2"), per_block)
    for partition in partitions_of(plan, size):
        assert partition.start % per_block == 0
        for block in plan.blocks(partition, depth):
            assert block.first % per_block == 0
            assert block.last % per_block == 0 or block.last == plan.n_frames


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
        ([{"depth": float("inf"), "total_size": float("inf")}], TILE_FRAMES),
        ([{"depth": 5, "total_size": 1}], 1),
    ],
)
def test_tiles_are_as_udfs_prefer_them(preferences, depth):
    plan = Plan.of(Shape((100, 100, 32, 32), 2), np.dtype("u1"))
    assert plan.with_tiles_for(preferences).tile_depth == depth
