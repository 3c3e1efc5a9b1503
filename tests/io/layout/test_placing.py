from __future__ import annotations

import tracemalloc
from itertools import chain

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from udfwidgets.io.dataset.memory import ArraySource
from udfwidgets.io.layout.placed import placed
from udfwidgets.io.layout.placing import Fold
from udfwidgets.io.source import Scratch
from udfwidgets.shapes import Shape


def expected(fold: Fold) -> list[int | None]:
    """Which frame of the file each position gets, as a person would work it out."""
    nav = fold.shape.nav
    width = nav.axes[-1]
    lost = set(chain.from_iterable(range(*gap) for gap in fold.lost))
    found = []
    for line in range(nav.size // width):
        begin = fold.sync_offset + line * (width + fold.flyback)
        numbers = list(range(begin, begin + width))
        found += reversed(numbers) if fold.snake and line % 2 else numbers
    return [n if 0 <= n < fold.n_stored and n not in lost else None for n in found]


@st.composite
def folds(draw: st.DrawFn) -> Fold:
    nav = draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))
    n_stored = draw(st.integers(1, 80))
    edges = sorted(draw(st.sets(st.integers(0, n_stored), max_size=6)))
    return Fold(
        Shape((*nav, 2), 1),
        n_stored,
        draw(st.integers(-20, 20)),
        draw(st.integers(0, 3)),
        draw(st.booleans()),
        tuple(zip(edges[::2], edges[1::2], strict=False)),
    )


@given(fold=folds())
def test_every_position_gets_its_frame(fold: Fold) -> None:
    numbers = expected(fold)
    missing = np.array([number is None for number in numbers])
    assert fold.n_missing == missing.sum()
    np.testing.assert_array_equal(fold.missing().reshape(-1), missing)
    got = fold.numbers(0, len(numbers))
    assert [None if number < 0 else number for number in got.tolist()] == numbers


def test_a_large_scan_with_a_few_frames_takes_little_memory() -> None:
    fold = Fold(Shape((1 << 13, 1 << 12, 1, 1), 2), 5, -3, flyback=1, snake=True)
    tracemalloc.start()
    missing = fold.missing()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.flatnonzero(~missing).tolist() == np.flatnonzero(fold.numbers(0, 9000) >= 0).tolist()
    assert peak < 2 * missing.nbytes + (64 << 20)


@given(fold=folds(), data=st.data())
def test_every_range_is_read_in_scan_order(fold: Fold, data: st.DataObject) -> None:
    stored = np.arange(1, 2 * fold.n_stored + 1, dtype=np.int32).reshape(-1, 2)
    numbers = expected(fold)
    truth = np.array([[0, 0] if n is None else stored[n] for n in numbers], np.int32)
    start = data.draw(st.integers(0, len(numbers) - 1))
    stop = data.draw(st.integers(start + 1, len(numbers)))
    with placed(ArraySource(stored), fold, stored.dtype) as source:
        got = source.read(start, stop, Scratch())
        assert got.flags.c_contiguous
        np.testing.assert_array_equal(got, truth[start:stop])
        if source.stretches is not None:
            there = [i for i, number in enumerate(numbers) if number is not None]
            seen = np.zeros_like(truth)
            for first, frames in source.stretches:
                seen[first : first + len(frames)] = frames[: max(0, len(seen) - first)]
            np.testing.assert_array_equal(seen[there], truth[there])
