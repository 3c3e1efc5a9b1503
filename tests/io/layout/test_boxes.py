from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from udfwidgets.io.layout.boxes import boxes


@given(nav=st.lists(st.integers(1, 6), min_size=1, max_size=4), data=st.data())
def test_boxes_cover_the_run_once_and_in_order(nav: list[int], data: st.DataObject) -> None:
    numbers = np.arange(np.prod(nav)).reshape(nav)
    start = data.draw(st.integers(0, numbers.size - 1))
    stop = data.draw(st.integers(start + 1, numbers.size))
    cut = boxes(start, stop, tuple(nav))
    assert len(cut) <= 2 * len(nav) - 1
    found = np.concatenate([numbers[box.slices].ravel() for box in cut])
    np.testing.assert_array_equal(found, np.arange(start, stop))
    for box in cut:
        assert numbers[box.slices].ravel()[0] == box.first
        assert numbers[box.slices].size == box.size
