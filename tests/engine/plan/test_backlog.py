"""A backlog answers as a list of booleans would, in any order of the frames."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from udfwidgets.engine.plan.backlog import Backlog
from udfwidgets.engine.plan.partitions import Plan
from udfwidgets.shapes import Shape

SIZE = 3000


def backlog_of(waiting):
    return Backlog(Plan.of(Shape((SIZE, 2, 2), 2), np.dtype("u2"), roi=waiting.copy()))


@st.composite
def frames(draw):
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    return rng.random(SIZE) < draw(st.sampled_from([0, 0.002, 0.5, 1])), rng


PLACES = st.tuples(st.integers(0, SIZE), st.integers(0, SIZE)).map(sorted)


@given(frames(), PLACES, st.integers(1, SIZE))
def test_it_finds_what_waits(drawn, span, n):
    waiting, _ = drawn
    begin, end = span
    backlog = backlog_of(waiting)
    places = np.flatnonzero(waiting[begin:end]) + begin
    assert backlog.count == waiting.sum()
    assert backlog.first(begin, end) == (places[0] if len(places) else -1)
    assert backlog.last(begin, end) == (places[-1] if len(places) else -1)
    assert backlog.nth(n, begin, end) == (places[n - 1] if len(places) >= n else -1)


@given(frames(), PLACES)
def test_what_is_taken_does_not_wait_any_more(drawn, span):
    waiting, _ = drawn
    begin, end = span
    backlog = backlog_of(waiting)
    taken = backlog.take(begin, end)
    wanted = np.flatnonzero(waiting[begin:end])
    if taken is None:
        assert len(wanted) == end - begin
    else:
        np.testing.assert_array_equal(taken, wanted)
    assert backlog.first(begin, end) == -1
    assert backlog.count == waiting.sum() - len(wanted)


@given(frames())
def test_frames_keep_waiting_in_another_order(drawn):
    waiting, rng = drawn
    backlog = backlog_of(waiting)
    for order in (rng.permutation(SIZE), rng.permutation(SIZE), None):
        backlog.arrange(order)
        taken = backlog.take(0, 100)
        frames = np.arange(100) if order is None else order[:100]
        expected = np.flatnonzero(waiting[frames])
        np.testing.assert_array_equal(np.arange(100) if taken is None else taken, expected)
        waiting[frames] = False
    assert backlog.count == waiting.sum()
