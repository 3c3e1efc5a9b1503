from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage

from tests.examples.contract import Example, ExampleContract, holes, run
from tests.examples.udfs.counting import CountingUDF, event_list
from udfwidgets.engine.executors import InlineExecutor

NAV, SIG, MOST, THRESHOLD = (4, 9), (24, 20), 6, 60
PEAK = np.array([[10, 20, 10], [25, 100, 15], [10, 20, 10]])


def electrons():
    """Frame by frame, places of electrons at least four pixels apart; some frames have none."""
    rng = np.random.default_rng(0)
    for _ in range(NAV[0] * NAV[1]):
        cells = rng.permutation(5 * 4)[: rng.integers(0, 9)]
        yield sorted((2 + 4 * (c // 4) + 1, 2 + 4 * (c % 4) + 1) for c in cells.tolist())


def scan():
    frames = np.random.default_rng(1).integers(0, 30, (NAV[0] * NAV[1], *SIG))
    for frame, places in zip(frames, electrons(), strict=True):
        for y, x in places:
            frame[y - 1 : y + 2, x - 1 : x + 2] = PEAK
    return frames.reshape(*NAV, *SIG).astype("u2")


def reference(data, selected):
    frames = data[selected]
    places = np.full((len(frames), MOST, 2), np.nan)
    count, image = np.zeros(len(frames), int), np.zeros(SIG, int)
    for number, frame in enumerate(frames):
        top = scipy.ndimage.maximum_filter(frame, 3) == frame
        top[[0, -1]] = top[:, [0, -1]] = False
        hits = np.argwhere(top & (frame > THRESHOLD))
        count[number] = len(hits)
        for row, (y, x) in enumerate(hits[:MOST]):
            box = frame[y - 1 : y + 2, x - 1 : x + 2]
            places[number, row] = np.add(scipy.ndimage.center_of_mass(box), (y - 1, x - 1))
            image[y, x] += 1
    overflows = np.array([(count > MOST).sum()])
    return {"places": places, "count": count, "image": image, "overflows": overflows}


class TestCounting(ExampleContract):
    @pytest.fixture
    def example(self):
        return Example(CountingUDF(THRESHOLD, MOST), scan(), reference)


@pytest.mark.parametrize("roi", [None, holes(NAV)], ids=["all", "holes"])
def test_every_electron_once(roi):
    example = Example(CountingUDF(THRESHOLD, most=20), scan(), reference)
    frames, places = event_list(run(InlineExecutor(), example, roi, size=5, tile_depth=2))
    selected = np.ones(NAV, bool) if roi is None else roi
    expected = [
        (number, *place)
        for number, hits in enumerate(electrons())
        for place in hits
        if selected.reshape(-1)[number]
    ]
    assert len(expected) > 20
    np.testing.assert_array_equal(frames, [e[0] for e in expected])
    # The peak leans to the left by a twentieth of a pixel.
    np.testing.assert_allclose(places, np.array([e[1:] for e in expected]) - (0, 10 / 220))
