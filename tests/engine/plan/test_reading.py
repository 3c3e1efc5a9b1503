"""Blocks bring every wanted frame once and in order, and keep to what is stored together."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from udfwidgets.engine.plan.reading import blocks, runs

wanted = hnp.arrays(bool, st.integers(0, 90)).map(np.flatnonzero)


@given(
    frames=wanted,
    per_block=st.integers(1, 7),
    depth=st.integers(1, 9),
    gathered=st.none() | st.integers(1, 9),
)
def test_every_wanted_frame_is_read_once_and_in_order(frames, per_block, depth, gathered):
    read, position = [], 0
    for block in blocks(frames, depth, per_block, gathered):
        assert block.start == position
        position = block.stop
        numbers = np.concatenate([np.arange(*reach) for reach in block.reads])
        chosen = numbers if block.rows is None else numbers[block.rows]
        assert len(chosen) == block.stop - block.start > 0
        read.extend(chosen)
    np.testing.assert_array_equal(read, frames)


@given(frames=wanted, per_block=st.integers(1, 7), depth=st.integers(1, 9))
def test_what_is_stored_together_is_not_read_where_nobody_wants_any_of_it(frames, per_block, depth):
    for block in blocks(frames, depth, per_block):
        for first, last in block.reads:
            touched = np.unique(np.arange(first, last) // per_block)
            assert np.isin(touched, frames // per_block).all()


@given(n=st.integers(1, 60), per_block=st.integers(2, 7), depth=st.integers(1, 9))
def test_frames_stored_together_are_read_together(n, per_block, depth):
    for block in blocks(np.arange(n), depth, per_block):
        ((first, last),) = block.reads
        assert first % per_block == 0
        assert last % per_block == 0 or last == n


@given(frames=wanted, depth=st.integers(1, 9))
def test_single_frames_are_put_together_without_reading_others(frames, depth):
    for block in blocks(frames, depth, 1):
        assert block.rows is None
        assert block.stop - block.start < 2 * depth


@given(frames=wanted)
def test_runs_are_as_long_as_can_be(frames):
    found = runs(frames)
    expanded = [number for first, last in found for number in range(first, last)]
    np.testing.assert_array_equal(expanded, frames)
    assert all(a[1] < b[0] for a, b in itertools.pairwise(found))
