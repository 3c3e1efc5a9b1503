"""How far a signal stands out, and runs that stop when that is enough."""

from __future__ import annotations

import math

import numpy as np
import pytest

from udfwidgets import Context, SumSigUDF, SumUDF, demo
from udfwidgets.errors import UDFRunCancelled
from udfwidgets.geometry import Disk
from udfwidgets.live.history.noise import signal_to_noise
from udfwidgets.live.history.thinning import thinned
from udfwidgets.live.wire.hub import hub

SIGNAL, BACKGROUND = Disk(cx=12, cy=12, r=4), Disk(cx=3, cy=3, r=3)
INSIDE, OUTSIDE = SIGNAL.mask((24, 24)), BACKGROUND.mask((24, 24))
SIG = (64, 64)


def poisson(nav):
    """Return a scan in whose patterns a disk is brighter than all else."""
    rng = np.random.default_rng(1)
    return rng.poisson(1 + 4 * SIGNAL.mask(SIG), (*nav, *SIG)).astype("f4")


@pytest.fixture
def ctx():
    with Context.make_with("threads", cpus=2) as context:
        yield context


@pytest.fixture
def paced(ctx):
    """A scan that takes seconds; its frames are so large that few of them make a merge step."""
    return demo.PacedDataSet(ctx.load("memory", data=poisson((40, 40))), 400)


def by_hand(values, inside=None, outside=None):
    inside = SIGNAL.mask(values.shape) if inside is None else inside
    outside = BACKGROUND.mask(values.shape) if outside is None else outside
    a, b = values[inside].astype("f8"), values[outside].astype("f8")
    return (a.mean() - b.mean()) / (b.std(ddof=1) * np.sqrt(1 / a.size + 1 / b.size))


def test_it_is_the_difference_of_means_by_its_standard_error():
    values = np.random.default_rng(0).normal(3, 1, (24, 24))
    values[INSIDE] += 5
    assert signal_to_noise(values, INSIDE, OUTSIDE) == pytest.approx(by_hand(values))
    # A hole stands out as well as a peak.
    assert signal_to_noise(-values, INSIDE, OUTSIDE) == pytest.approx(by_hand(values))
    covered = np.random.default_rng(1).random((24, 24)) > 0.4
    values[~covered] = 1e9
    values[12, 12] = np.nan
    known = covered & np.isfinite(values)
    expected = by_hand(values, INSIDE & known, OUTSIDE & known)
    assert signal_to_noise(values, INSIDE, OUTSIDE, covered) == pytest.approx(expected)


def test_where_it_is_not_known():
    values = np.ones((24, 24))
    values[INSIDE] = 5
    assert math.isnan(signal_to_noise(values, INSIDE, OUTSIDE))  # no spread
    noise = np.random.default_rng(0).random((24, 24))
    few = np.zeros((24, 24), bool)
    few[3, 2:5] = few[12, 12] = True
    assert math.isnan(signal_to_noise(noise, INSIDE, OUTSIDE, few))
    assert math.isnan(signal_to_noise(noise, np.zeros((24, 24), bool), OUTSIDE))


def test_a_curve_that_is_thinned_keeps_its_ends():
    points = [(n / 1000, float(n)) for n in range(1, 1001)]
    kept = thinned(points, 32)
    assert (len(kept), kept[0], kept[-1]) == (32, points[0], points[-1])
    shares = np.array([share for share, _ in kept])
    # Early and late ones are nearer to each other than those in the middle.
    gaps = np.diff(shares)
    assert max(gaps[1], gaps[-2]) < 0.5 * gaps[len(gaps) // 2]


def test_a_run_stops_at_its_goal(ctx, paced):
    live = ctx.live(paced, SumUDF())
    rule = live.stop_when(SIGNAL, BACKGROUND, snr=400)
    assert dict(live.images[0].shapes) == {"signal": SIGNAL, "background": BACKGROUND}
    with pytest.raises(UDFRunCancelled):
        live.result()
    assert rule.reached
    sums = live.snapshot().buffers[0]["intensity"].data
    frames = live._run.progress.frames
    assert 0 < frames < 0.9 * 40 * 40
    assert by_hand(sums) >= 300
    shares, ratios = np.array(rule.curve).T
    assert (np.diff(shares) > 0).all()
    # The spread of a background is known by a few percent only, so the ratio goes up and down.
    assert np.count_nonzero(ratios >= 400) >= 2
    assert shares[np.argmax(ratios >= 400)] < 0.9
    assert live.wait_saved(10)
    status = live.status.status
    assert "stopped at" in status.note
    assert "signal to noise" in status.note
    assert (status.goal, status.ratio) == (400, pytest.approx(rule.ratio))

    # Started again it is looked at anew; looked at only, it goes to its end.
    paced._frames_per_second = 1e6
    again = live.stop_when(snr=math.inf)
    live.restart()
    (results,) = live.result()
    assert live.wait_saved(10)
    assert not again.reached
    assert again.ratio == pytest.approx(by_hand(results["intensity"].data))
    assert (live.status.status.goal, "stopped" in live.status.status.note) == (None, False)
    live.close()


def test_who_moves_a_region_moves_the_rule(ctx):
    live = ctx.live(ctx.load("memory", data=poisson((8, 8))), [SumSigUDF(), SumUDF()])
    live.result()
    assert live.wait_saved(10)
    rule = live.stop_when(SIGNAL, BACKGROUND, snr=5, image=1)
    sums = live.snapshot().buffers[1]["intensity"].data
    assert rule.ratio == pytest.approx(by_hand(sums))
    for shape in (Disk(cx=13, cy=12, r=4), Disk(cx=18, cy=18, r=3)):
        rule.image.shapes["signal"] = shape
        assert rule.ratio == pytest.approx(abs(by_hand(sums, shape.mask(SIG))))
    assert not rule.reached  # there is nothing to stop any more
    rule.close()
    rule.image.shapes["signal"] = SIGNAL
    assert rule.ratio == pytest.approx(abs(by_hand(sums, shape.mask(SIG))))
    live.close()


def test_a_hand_that_moves_a_region_stops_nothing(ctx, paced):
    live = ctx.live(paced, SumUDF())
    rule = live.stop_when(SIGNAL, BACKGROUND, snr=math.inf)
    while math.isnan(rule.ratio):
        assert live._run.progress.fraction < 1
    live.pause()
    rule.goal = rule.ratio / 10
    before = len(rule.curve)
    for x in range(5):
        rule.image.shapes.draw({"signal": (SIGNAL.moved(x / 100, 0), False)})
        rule._look_again()
    assert not rule.reached
    assert len(rule.curve) <= before + 2
    live.cancel()
    live.close()


def test_a_rule_that_is_closed_says_nothing_and_another_one_goes_on(ctx):
    live = ctx.live(ctx.load("memory", data=poisson((8, 8))), SumUDF())
    first = live.stop_when(SIGNAL, BACKGROUND, snr=5)
    second = live.stop_when(snr=7)
    first.close()
    assert second._feed.is_watched
    second.close()
    assert second.told == {"ratio": None, "goal": None}
    live._aim(9.0)
    assert live._rule is not second
    assert live._rule.goal == 9
    live.close()


def test_a_page_says_when_to_stop(ctx):
    live = ctx.live(ctx.load("memory", data=poisson((8, 8))), SumUDF())
    live.result()
    key = live.status._key
    for value in (40.0, 50.0, None):
        said = {"type": "goal", "page": "p", "key": key, "value": value}
        hub().flow.receive({"type": "hello", "page": "p"}, lambda *_: None, {})
        hub().flow.receive(said, lambda *_: None, {key: live.status._feed})
        assert (live._rule and live._rule.goal) == value
    assert set(live.images[0].shapes) == {"signal", "background"}
    hub().flow.receive({"type": "bye", "page": "p"}, lambda *_: None, {})
    live.close()


@pytest.mark.parametrize(
    ("options", "says"),
    [({"snr": 0}, "snr is 0"), ({"snr": math.nan}, "snr is nan"), ({"image": 1}, "image is 1")],
)
def test_rules_that_are_none(ctx, options, says):
    live = ctx.live(ctx.load("memory", data=poisson((4, 4))), SumUDF())
    with pytest.raises(ValueError, match=says):
        live.stop_when(**options)
    live.result()
    live.close()
