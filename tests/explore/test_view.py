from __future__ import annotations

import contextlib
import json
import threading
import time

import anyio
import ipywidgets
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from udfwidgets import Context
from udfwidgets.calibration import Calibration
from udfwidgets.demo import PacedDataSet
from udfwidgets.explore import Explorer, memory
from udfwidgets.explore.answer import Answer
from udfwidgets.explore.questions import Detector
from udfwidgets.geometry import (
    Annulus,
    Disk,
    DiskNotFound,
    Ellipse,
    Point,
    Rectangle,
    from_plain,
    presets,
)
from udfwidgets.io.corrections import CorrectionSet
from udfwidgets.io.dataset.base import DataSet
from udfwidgets.io.source import Source
from udfwidgets.live.shapes import telling
from udfwidgets.live.wire.hub import hub
from udfwidgets.shapes import Shape

SIG, NAV = (32, 24), (6, 7)
CENTRE = Disk(cx=11.3, cy=15.6, r=5)


def _data():
    rng = np.random.default_rng(3)
    y, x = np.indices(SIG)
    disk = np.hypot(y - CENTRE.cy, x - CENTRE.cx) <= CENTRE.r
    return rng.poisson(disk * 300 + 2, NAV + SIG).astype(np.uint16)


DATA = _data()


@pytest.fixture
def ctx():
    with Context.make_with("threads", cpus=2) as context:
        yield context


@pytest.fixture
def dataset(ctx):
    return ctx.load("memory", data=DATA)


@pytest.fixture
def view(ctx, dataset):
    view = ctx.explore(dataset, detectors={"A": Disk(cx=11, cy=15, r=4)})
    yield view
    view.close()


def _summed(shape, data=DATA):
    return data[..., shape.mask(SIG)].sum(axis=-1, dtype=np.float64)


def _pattern(shape, data=DATA):
    return data[shape.mask(NAV)].sum(axis=0, dtype=np.float64)


def test_it_begins_with_detectors_at_the_central_disk(ctx, dataset):
    view = ctx.explore(dataset)
    view.wait()
    assert list(view.detectors) == ["BF", "ADF"]
    found = view.detectors["BF"]
    assert np.hypot(found.cx - CENTRE.cx, found.cy - CENTRE.cy) < 0.5
    assert abs(found.r - CENTRE.r) < 0.5
    assert view.detectors["ADF"] == presets(found)["ADF"]
    for name, shape in view.detectors.items():
        np.testing.assert_array_equal(view.result(name), _summed(shape))
    probe = view.probe
    np.testing.assert_array_equal(view.result("probe"), DATA[int(probe.cy), int(probe.cx)])
    assert list(view.images) == ["all patterns", "BF", "ADF", "pattern at y=3, x=3"]
    view.close()


def test_detectors_are_the_same_each_time():
    """Of a beam that moves over the scan, whatever of it is in when the disk is looked for."""
    y, x = np.indices(SIG)
    rows = np.linspace(-1, 1, 24)[:, np.newaxis, np.newaxis, np.newaxis]
    disk = np.hypot(y - CENTRE.cy - rows, x - CENTRE.cx) <= CENTRE.r
    data = np.broadcast_to(disk, (24, 32, *SIG)).astype(np.uint16) * 300 + 2
    found = []
    for workers in (1, 2):
        with Context.make_with("threads", cpus=workers) as ctx:
            for pace in (20_000, 2_000):
                paced = PacedDataSet(ctx.load("memory", data=data), pace)
                view = ctx.explore(paced)
                view.wait()
                found.append((dict(view.detectors), view.presets()))
                view.close()
    assert found[1:] == found[:1] * 3
    assert found[0][1]["BF"] == found[0][0]["BF"]


def test_pictures_are_saved_when_waiting_is_over(ctx, dataset):
    """What executes a notebook drops what comes after the cell."""
    for wait in (Explorer.wait, lambda view: view.result("ADF")):
        view = ctx.explore(dataset)
        wait(view)
        images = view.images.values()
        assert len(images) == 4
        assert all(image.canvas._saved["header"]["final"] for image in images)
        view.close()


def test_presets_are_there_at_once_and_are_those_of_the_disk(ctx, dataset):
    view = ctx.explore(dataset, detectors={})
    offered = view.presets()
    assert list(offered) == ["BF", "ABF", "ADF", "HAADF"]
    assert offered == presets(offered["BF"])
    assert np.hypot(offered["BF"].cx - CENTRE.cx, offered["BF"].cy - CENTRE.cy) < 0.5
    assert not view.detectors
    view.close()


def _offered(view):
    overlay = view.images["all patterns"]._overlay
    return {name: plain and from_plain(plain) for name, plain in overlay._presets}, overlay._why


def test_pages_offer_detectors_at_the_disk(ctx, dataset):
    view = ctx.explore(dataset, detectors={})
    assert list(_offered(view)[0]) == ["BF", "ABF", "ADF", "HAADF"]
    view.wait()
    assert _offered(view) == (view.presets(), "")
    view.close()


def _late_frames(gate, blank):
    """Patterns of which the first ones, enough to look at, show no disk."""

    async def frames():
        for number in range(2 * blank):
            while number == blank and not gate.is_set():
                await anyio.sleep(0.01)
            yield np.ones(SIG, np.uint16) if number < blank else 9 * DATA[0, 0]

    return frames()


def test_a_disk_that_shows_late_is_found_late(ctx):
    gate = threading.Event()
    stream = ctx.load(
        "stream", frames=_late_frames(gate, 300), nav_shape=(20, 30), sig_shape=SIG, dtype="u2"
    )
    view = ctx.explore(stream)
    pattern = view._board._answers["pattern", ""].run
    while pattern is None:
        pattern = view._board._answers["pattern", ""].run
    pattern.wait(lambda: pattern.progress.frames == 300)
    view._board._wait_for(("beam", ""))
    shapes, why = _offered(view)
    assert set(shapes.values()) == {None}
    assert "not found" in why
    assert "drag BF to where it is" in view._status().message
    guessed = view.detectors["ADF"]
    view.detectors["BF"] = mine = Disk(cx=9, cy=9, r=3)
    gate.set()
    view.wait()
    shapes, why = _offered(view)
    assert why == ""
    assert np.hypot(shapes["BF"].cx - CENTRE.cx, shapes["BF"].cy - CENTRE.cy) < 0.5
    # What a person has put stays.
    assert dict(view.detectors) == {"BF": mine, "ADF": shapes["ADF"]}
    assert guessed != shapes["ADF"]
    assert not view._status().message
    view.close()


def test_it_says_where_there_is_no_disk(ctx):
    view = ctx.explore(ctx.load("memory", data=np.ones((4, 4, 16, 16), np.uint8)))
    view.wait()
    assert "the central disk was not found" in _offered(view)[1]
    assert "not found" in view._status().message
    with pytest.raises(DiskNotFound):
        view.presets()
    assert np.array_equal(
        view.result("BF"), np.full((4, 4), view.detectors["BF"].mask((16, 16)).sum())
    )
    view.close()


def test_a_moved_detector_is_answered_anew(view):
    for cx in range(5, 15):
        view.detectors["A"] = Disk(cx=cx, cy=15, r=4)
    np.testing.assert_array_equal(view.result("A"), _summed(Disk(cx=14, cy=15, r=4)))


def test_nothing_is_shown_of_an_answer_that_has_nothing_while_a_hand_moves(view):
    subject, told = view._board._subject, []
    answer, question = Answer(told.append), Detector("A", Disk(cx=14, cy=15, r=4))
    run = subject.run(question)
    answer.follow(question, run, at_rest=False)
    assert answer.reading() is None
    answer.settle()
    assert told == [answer]
    nothing = answer.reading()
    assert nothing.fraction == 0
    assert not nothing.coverage.any()
    assert not nothing.final
    subject.start(run)
    run.wait(run.has_ended)
    np.testing.assert_array_equal(answer.reading().values[0], _summed(question.shape))


def test_detectors_come_and_go(view):
    view.detectors["B"] = Annulus(cx=11, cy=15, ri=5, ro=9)
    np.testing.assert_array_equal(view.result("B"), _summed(view.detectors["B"]))
    del view.detectors["A"]
    view.wait()
    assert "A" not in view.images
    with pytest.raises(KeyError, match="nothing is called 'A'"):
        view.result("A")


def test_a_detector_that_is_called_something_else_keeps_its_image_and_its_answer(view):
    view.detectors["B"] = Rectangle(cx=5, cy=5, width=6, height=6)
    view.formulas["ratio"] = "A / B + com_x(A)"
    ratio = view.result("ratio")
    before = dict(view.images)
    run = view._board._answers["detector", "A"].run
    view.images["A"].limits = (0.0, 9.0)
    # By hand, which the page says as two strokes.
    shape = view.detectors["A"]
    view.detectors.draw({"A": (None, True), "bright": (shape, True)})
    deadline = time.monotonic() + 10
    while "bright" not in view.images:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    np.testing.assert_array_equal(view.result("bright"), _summed(shape))
    assert view.images["bright"] is before["A"]
    assert view._board._answers["detector", "bright"].run is run
    assert view.images["bright"].limits == (0.0, 9.0)
    assert view.formulas["ratio"] == "bright / B + com_x(bright)"
    assert view.images["ratio"] is before["ratio"]
    np.testing.assert_array_equal(view.result("ratio"), ratio)
    # And it goes on following.
    view.detectors["bright"] = moved = shape.moved(2, 1)
    np.testing.assert_array_equal(view.result("bright"), _summed(moved))
    assert not np.array_equal(view.result("ratio"), ratio, equal_nan=True)
    assert list(view.images)[:3] == ["all patterns", "bright", "B"]
    # A name that no formula can have.
    view.detectors.rename("bright", "my disk")
    view.wait()
    assert "there is no detector 'bright', there are ['my disk', 'B']" in view._status().message
    np.testing.assert_array_equal(view.result("my disk"), _summed(moved))


def test_a_region_that_is_called_something_else_keeps_its_answer(view):
    view.regions["grain"] = shape = Disk(cx=3, cy=3, r=2)
    view.wait()
    image, run = view.images["patterns of grain"], view._board._answers["region", "grain"].run
    view.images["A"].shapes.rename("grain", "Ni")
    np.testing.assert_array_equal(view.result("Ni"), _pattern(shape))
    assert view.images["patterns of Ni"] is image
    assert view._board._answers["region", "Ni"].run is run
    assert list(view.regions) == ["probe", "Ni"]


def test_formulas_follow_their_detectors(view):
    view.detectors["B"] = Rectangle(cx=5, cy=5, width=6, height=6)
    view.formulas["ratio"] = "(A - B) / (A + B)"
    view.formulas["y"] = "com_y(A)"
    a, b = (_summed(view.detectors[name]) for name in "AB")
    np.testing.assert_array_equal(view.result("ratio"), (a - b) / (a + b))
    weighted = (DATA * np.indices(SIG)[0])[..., view.detectors["A"].mask(SIG)]
    np.testing.assert_allclose(view.result("y"), weighted.sum(-1, dtype=np.float64) / a)
    shown_in = {title: view.images[title].colormap for title in ("A", "ratio", "y")}
    assert shown_in == {"A": "viridis", "ratio": "vik", "y": "viridis"}
    view.detectors["B"] = Rectangle(cx=9, cy=5, width=6, height=6)
    b = _summed(view.detectors["B"])
    np.testing.assert_array_equal(view.result("ratio"), (a - b) / (a + b))
    del view.detectors["B"]
    view.wait()
    assert "there is no detector 'B'" in view._status().message
    with pytest.raises(ValueError, match="expected names of detectors"):
        view.formulas["bad"] = "A **"


def test_images_are_in_the_order_of_the_shapes(ctx, dataset, monkeypatch):
    # As on a machine that is busy: what has changed is told of late, and formulas ask before.
    monkeypatch.setattr(telling, "SHARE", -1)
    names = ["A", "B", "C", "D", "E"]
    view = ctx.explore(
        dataset,
        detectors={name: Disk(cx=5 + n, cy=9, r=3) for n, name in enumerate(names)},
        formulas={"last": "E - C", "first": "A + B"},
        regions={"z": Disk(3, 3, 2), "a": Disk(4, 4, 2)},
        probe=Point(1, 1),
    )
    view.wait()
    regions = ["pattern at y=1, x=1", "patterns of z", "patterns of a"]
    assert list(view.images) == ["all patterns", *names, "last", "first", *regions]
    monkeypatch.undo()
    view.detectors.rename("B", "Z")
    view.wait()
    assert list(view.images)[:4] == ["all patterns", "A", "Z", "C"]
    view.close()


def test_probe_and_regions_show_their_patterns(view):
    view.probe = Point(cx=2, cy=4)
    view.regions["grain"] = Disk(cx=3, cy=3, r=2)
    np.testing.assert_array_equal(view.result("probe"), DATA[4, 2])
    np.testing.assert_array_equal(view.result("grain"), _pattern(view.regions["grain"]))
    assert view.images["A"].shapes["grain"] == view.regions["grain"]
    # As by hand, on the image.
    view.images["A"].shapes["probe"] = Point(cx=6, cy=0)
    np.testing.assert_array_equal(view.result("probe"), DATA[0, 6])
    assert "pattern at y=0, x=6" in view.images


def test_a_shape_without_an_answer_says_why_and_the_last_one_stays(view):
    good = view.result("A")
    view.detectors["A"] = Disk(cx=-50, cy=0, r=3)
    view.regions["grain"] = Disk(cx=-50, cy=0, r=3)
    view.wait()
    message = view._status().message
    assert "A: no pixel of the pattern of 32 x 24" in message
    assert "grain: no position of the scan of 6 x 7" in message
    with pytest.raises(RuntimeError, match="no pixel of the pattern"):
        view.result("A")
    np.testing.assert_array_equal(view._board._panels["detector", "A"].picture().values, good)
    view.detectors["A"] = Disk(cx=11, cy=15, r=4)
    del view.regions["grain"]
    np.testing.assert_array_equal(view.result("A"), good)
    assert not view._status().message


def test_positions_outside_the_roi_are_left_out(ctx, dataset):
    roi = np.zeros(NAV, bool)
    roi[1:3] = True
    view = ctx.explore(dataset, detectors={"A": CENTRE}, roi=roi)
    expected = np.where(roi, _summed(CENTRE), np.nan)
    for shape in (CENTRE, CENTRE.moved(1, 0), CENTRE):
        view.detectors["A"] = shape
        np.testing.assert_array_equal(view.result("A"), np.where(roi, _summed(shape), np.nan))
    np.testing.assert_array_equal(view.result("A"), expected)
    view.close()


@pytest.mark.parametrize("through", ["file", "store"])
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_random_walks_end_at_what_numpy_says(ctx, dataset, through, data):
    dark = np.full(SIG, 3, np.float32)
    gain = np.linspace(0.5, 2, DATA[0, 0].size, dtype=np.float32).reshape(SIG)
    corrected = data.draw(st.booleans())
    corrections = CorrectionSet(dark=dark, gain=gain) if corrected else None
    values = (DATA - dark.astype(np.float64)) * gain if corrected else DATA
    view = ctx.explore(dataset, detectors={"A": CENTRE}, corrections=corrections)
    try:
        if through == "store":
            view.wait()
            view._board._memory._store.wait()
            assert view._board._memory._store.is_complete
            assert view.is_kept
        shape = CENTRE
        for _ in range(data.draw(st.integers(1, 6))):
            step = data.draw(st.tuples(st.integers(-4, 4), st.integers(-4, 4)))
            kind = data.draw(st.sampled_from(["move", "annulus", "ellipse"]))
            match kind:
                case "move":
                    shape = shape.moved(*step)
                case "annulus":
                    shape = Annulus(cx=11, cy=15, ri=2, ro=4 + abs(step[0]))
                case "ellipse":
                    shape = Ellipse(cx=11, cy=15, rx=3 + abs(step[1]), ry=4, angle=30)
            view.detectors["A"] = shape
        view.wait()
        if not shape.mask(SIG).any():
            assert "no pixel" in view._status().message
            return
        np.testing.assert_allclose(view.result("A"), _summed(shape, values), rtol=1e-5)
        if not corrected:
            np.testing.assert_array_equal(view.result("A"), _summed(shape))
    finally:
        view.close()


def test_a_moved_detector_is_answered_from_memory(view):
    view.wait()
    view._board._memory._store.wait()
    view.detectors["A"] = Disk(cx=12, cy=15, r=4)
    np.testing.assert_array_equal(view.result("A"), _summed(Disk(cx=12, cy=15, r=4)))
    assert view._board._answers["detector", "A"].run is None


class Noted(DataSet):
    """A scan in memory that takes note of which frames are read, in their order."""

    def __init__(self, data):
        super().__init__(Shape(data.shape, 2), data.dtype)
        self.data, self.read, self.is_broken = data, [], False
        self.gate = threading.Event()
        self.gate.set()

    def open(self):
        return _NotedSource(self)


class _NotedSource(Source):
    def __init__(self, dataset):
        self._dataset = dataset

    def read(self, start, stop, scratch):
        self._dataset.read.extend(range(start, stop))
        assert self._dataset.gate.wait(60)
        if self._dataset.is_broken and len(self._dataset.read) > 500:
            raise OSError("the disk is gone")
        return self._dataset.data.reshape(-1, *self._dataset.shape.sig)[start:stop]

    def close(self):
        pass


@contextlib.contextmanager
def _held(dataset):
    """Let nothing be read inside the block."""
    dataset.gate.clear()
    try:
        yield
    finally:
        dataset.gate.set()


@pytest.fixture
def noted():
    """A view of a scan of 48 x 48 that was read once, and of which nothing is kept."""
    with Context.make_with("threads", cpus=1) as ctx:
        dataset = Noted(np.arange(48 * 48 * 4096, dtype=np.uint32).reshape(48, 48, 64, 64))
        view = ctx.explore(dataset, detectors={"A": Disk(cx=4, cy=4, r=2)})
        view.wait()
        view._board._memory.close()
        yield view, dataset
        view.close()


def _read_by(view, dataset, shape):
    """Return the rows and columns of what is read for a moved detector, and how much at first.

    A partition is read in the order of the scan. Each is at most three times as large as the last
    one, so one that begins at the n-th frame ends before four times that.
    """
    dataset.read.clear()
    view.detectors["A"] = shape
    view.wait()
    run = view._board._answers["detector", "A"].run
    depth = run.plan.tile_depth
    assert depth <= 64
    return np.stack(np.unravel_index(dataset.read, (48, 48))), depth


def test_what_is_in_the_window_is_read_first(noted):
    view, dataset = noted
    view.images["A"].window = (8.2, 23.5, 10, 26)
    (y, x), depth = _read_by(view, dataset, Disk(cx=3, cy=4, r=2))
    inside = inside_of(y, x)
    assert inside[:depth].all()
    assert np.flatnonzero(inside).max() < 4 * 16 * 16
    # What a formula shows is in sight as well.
    view.formulas["half"] = "A / 2"
    view.wait()
    view.images["half"].window = (8, 24, 30, 46)
    (y, x), depth = _read_by(view, dataset, Disk(cx=5, cy=4, r=2))
    below = (y >= 30) & (y < 46) & (x >= 8) & (x < 24)
    assert below[:depth].any()
    assert (inside_of(y, x) | below)[:depth].all()
    # Patterns are summed over all positions, in whatever order.
    assert len(y) == 48 * 48


def inside_of(y, x):
    return (y >= 10) & (y < 26) & (x >= 8) & (x < 24)


def test_a_run_that_fails_under_one_detector_leaves_the_others(noted):
    view, dataset = noted
    view.detectors["B"] = Disk(cx=20, cy=20, r=2)
    view.formulas["ratio"] = "A / B"
    good = {name: view.result(name) for name in ("A", "B", "ratio")}
    dataset.is_broken = True
    dataset.read.clear()
    view.detectors["A"] = Disk(cx=30, cy=30, r=2)
    for name in ("A", "ratio"):
        with pytest.raises(RuntimeError, match="A: OSError: the disk is gone"):
            view.result(name)
    np.testing.assert_array_equal(view.result("B"), good["B"])
    assert view._status().state == "failed"
    assert "the disk is gone" in view._status().message
    # What was read is shown, over the last answer; what was not is no answer.
    picture = view._board._panels["detector", "A"].picture()
    assert picture.final
    assert not picture.coverage.all()
    dataset.is_broken = False
    view._command("restart")
    for name, shape in view.detectors.items():
        expected = dataset.data[..., shape.mask((64, 64))].sum(-1)
        np.testing.assert_array_equal(view.result(name), expected)
    assert not view._status().message


def test_a_cancelled_answer_is_none(noted):
    view, dataset = noted
    with _held(dataset):
        view.detectors["A"] = Disk(cx=30, cy=30, r=2)
        view._board._asking.wait()
        view._command("cancel")
    with pytest.raises(RuntimeError, match="A: its run was cancelled"):
        view.result("A")


class _Broken(Disk):
    """A shape of somebody's own that cannot say what it covers."""

    def mask(self, shape):
        raise ZeroDivisionError("no width")


def test_a_shape_that_fails_says_so_and_the_last_answer_stays(view):
    view.detectors["B"] = CENTRE
    good = view.result("A")
    view.detectors["A"] = _Broken(cx=11, cy=15, r=4)
    with pytest.raises(RuntimeError, match="A: ZeroDivisionError: no width"):
        view.result("A")
    assert view._status().message == "A: ZeroDivisionError: no width"
    np.testing.assert_array_equal(view._board._panels["detector", "A"].picture().values, good)
    np.testing.assert_array_equal(view.result("B"), _summed(CENTRE))


def test_what_is_in_a_region_is_read_after_the_lattice(noted):
    view, dataset = noted
    view.regions["grain"] = grain = Rectangle(cx=30, cy=30, width=9, height=9)
    view.wait()
    (y, x), _ = _read_by(view, dataset, Disk(cx=3, cy=4, r=2))
    there = grain.mask((48, 48))[y, x]
    n_lattice = 48 * 48 // 36
    assert there[:n_lattice].mean() < 0.2
    assert np.flatnonzero(there).max() < 4 * (n_lattice + 81)


@pytest.fixture
def kept(monkeypatch):
    """A view of a scan of 48 x 48 that is kept in memory, whose answers are said to take long."""
    monkeypatch.setattr(memory, "LONG", -1)
    rng = np.random.default_rng(5)
    data = rng.integers(0, 50, (48, 48, 16, 16), np.uint8)
    with Context.make_with("threads", cpus=2) as ctx:
        dataset = ctx.load("memory", data=data)
        view = ctx.explore(dataset, detectors={"A": Disk(cx=8, cy=8, r=3)})
        view.wait()
        view._board._memory._store.wait()
        view.detectors["A"] = Disk(cx=7, cy=8, r=3)
        view.wait()
        yield view, data
        view.close()


def _dragged(view, shape):
    """Return what is shown of a detector while a hand moves it."""
    view.detectors.draw({"A": (shape, False)})
    deadline = time.monotonic() + 10
    while True:
        view._board._asking.wait()
        picture = view._board._panels["detector", "A"].picture()
        # The hand is told of on a thread of its own.
        if picture.generation != _dragged.before:
            _dragged.before = picture.generation
            return picture
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_in_memory_what_is_in_the_window_is_enough_while_a_hand_moves(kept):
    view, data = kept
    images = view.images
    images["A"].window = (4, 20, 12, 18)
    _dragged.before = view._board._panels["detector", "A"].picture().generation
    for cx in (9, 10, 4):
        shape = Disk(cx=cx, cy=8, r=4)
        picture = _dragged(view, shape)
        exact = data[..., shape.mask((16, 16))].sum(-1)
        assert picture.coverage[12:18, 4:20].all()
        assert 0 < picture.fraction < 0.6
        assert not picture.final
        np.testing.assert_array_equal(picture.values[picture.coverage], exact[picture.coverage])
    # Another window.
    images["A"].window = (4, 20, 40, 46)
    picture = _dragged(view, Disk(cx=5, cy=8, r=4))
    assert picture.coverage[40:46].all()
    assert not picture.coverage[:16].any()
    assert view._board._answers["detector", "A"].run is None
    # All of it, when the hand rests where it was.
    view.detectors.draw({"A": (Disk(cx=5, cy=8, r=4), True)})
    deadline = time.monotonic() + 10
    while np.isnan(view.result("A")).any():
        assert time.monotonic() < deadline
    exact = data[..., Disk(cx=5, cy=8, r=4).mask((16, 16))].sum(-1)
    np.testing.assert_array_equal(view.result("A"), exact)
    assert view._board._panels["detector", "A"].picture().final
    # And where all of it is in sight, also under the hand.
    images["A"].window = (0, 48, 0, 48)
    assert _dragged(view, Disk(cx=6, cy=8, r=4)).coverage.all()


def test_the_code_reproduces_every_answer(ctx, dataset, view):
    view.detectors.update({"B": Disk(cx=4, cy=4, r=2), "my detector": Rectangle(10, 10, 4, 4)})
    view.formulas["a / b"] = "A / B + com_x(B)"
    view.regions["class"] = Disk(cx=3, cy=3, r=2)
    names = {"ctx": ctx, "dataset": dataset}
    exec(view.code(), names)
    np.testing.assert_array_equal(names["a_image"], view.result("A"))
    np.testing.assert_array_equal(names["my_detector_image"], view.result("my detector"))
    np.testing.assert_allclose(names["a_b_image"], view.result("a / b"))
    np.testing.assert_array_equal(names["s_class_pattern"], view.result("class"))
    np.testing.assert_array_equal(names["probe_pattern"], view.result("probe"))


def test_a_state_brings_a_view_back(ctx, dataset, view):
    view.detectors["B"] = Disk(cx=4, cy=4, r=2)
    view.formulas["r"] = "A - B"
    view.regions["grain"] = Disk(cx=3, cy=3, r=2)
    view.probe = Point(cx=1, cy=1)
    view.wait()
    view.images["A"].limits = (1.0, 5.0)
    view.images["A"].colormap = "magma"
    view.images["B"].window = (1, 4, 2, 5)
    state = json.loads(json.dumps(view.state))
    again = ctx.explore(dataset, state=state)
    again.wait()
    assert again.state == state
    assert again.images["A"].limits == (1.0, 5.0)
    assert again.images["B"].window == (1, 4, 2, 5)
    again.close()
    with pytest.raises(ValueError, match="expected what `state` of a view returned"):
        ctx.explore(dataset, state={"version": 9})
    with pytest.raises(ValueError, match=r"detectors\['A'\]"):
        ctx.explore(dataset, state={"version": 1, "detectors": {"A": {"type": "disk"}}})


def _units(image):
    # The pixels have them, and the shapes over them.
    first, *others = (child.units for child in image.children if hasattr(child, "units"))
    assert all(each == first for each in others)
    return first


def test_numbers_of_shapes_have_the_units_of_their_image(ctx, dataset):
    calibration = Calibration(sig=(0.4, "mrad"), nav=[(2.0, "nm"), None])
    view = ctx.explore(dataset, detectors={"A": CENTRE}, calibration=calibration)
    view.wait()
    for title, units in [
        ("all patterns", [(0.4, "mrad"), (0.4, "mrad")]),
        ("A", [(2.0, "nm"), None]),
    ]:
        image = view.images[title]
        _ = image.figure
        assert _units(image) == units
    view.close()
    line = ctx.load("memory", data=DATA[0], sig_dims=2)
    view = ctx.explore(line, detectors={"A": CENTRE}, calibration=Calibration(nav=(2.0, "nm")))
    view.wait()
    _ = view.images["A"].figure
    assert _units(view.images["A"]) == [None, (2.0, "nm")]
    view.close()


def test_a_calibration_of_other_axes_is_refused_and_leaves_nothing(ctx, dataset):
    widgets = set(ipywidgets.widget._instances)
    with pytest.raises(ValueError, match="has 3 scales for nav, the dataset 2 such axes"):
        ctx.explore(dataset, calibration=Calibration(nav=[None, None, (1.0, "nm")]))
    with pytest.raises(TypeError, match=r"expected a udfwidgets\.calibration\.Calibration"):
        ctx.explore(dataset, calibration=(0.4, "mrad"))
    assert set(ipywidgets.widget._instances) == widgets


def test_scans_that_are_no_image_are_refused(ctx):
    with pytest.raises(ValueError, match="another nav_shape="):
        ctx.explore(ctx.load("memory", data=np.zeros((2, 2, 2, 4, 4)), sig_dims=2))


def test_a_line_scan_is_shown_as_one_row(ctx):
    view = ctx.explore(
        ctx.load("memory", data=DATA[0], sig_dims=2), detectors={"A": CENTRE}, probe=Point(2, 0)
    )
    np.testing.assert_array_equal(view.result("A"), _summed(CENTRE, DATA[0]))
    np.testing.assert_array_equal(view.result("probe"), DATA[0, 2])
    view.close()


def test_a_scan_that_is_still_recorded_is_explored(ctx):
    async def frames():
        for number, frame in enumerate(DATA.reshape(-1, *SIG)):
            while number == 30 and not gate.is_set():
                await anyio.sleep(0.01)
            yield frame

    gate = threading.Event()
    stream = ctx.load("stream", frames=frames(), nav_shape=NAV, sig_shape=SIG, dtype=DATA.dtype)
    view = ctx.explore(stream, detectors={"A": CENTRE}, probe=Point(0, 0))
    run_of = lambda key: view._board._answers[key].run  # noqa: E731
    view._board._asking.wait()
    run = run_of(("detector", "A"))
    run.wait(lambda: run.progress.frames == 30)
    # Moved on the way: what came before is asked again.
    view.detectors["A"] = moved = CENTRE.moved(2, 1)
    view._board._asking.wait()
    run = run_of(("detector", "A"))
    run.wait(lambda: run.progress.frames == 30)
    picture = view._board._panels["detector", "A"].picture()
    there = np.arange(DATA[..., 0, 0].size).reshape(NAV) < 30
    np.testing.assert_array_equal(picture.coverage, there)
    np.testing.assert_array_equal(picture.values[there], _summed(moved)[there])
    gate.set()
    np.testing.assert_array_equal(view.result("A"), _summed(moved))
    view.close()


def test_positions_without_a_frame_are_left_out(ctx):
    with pytest.warns(UserWarning, match="missing"):
        dataset = ctx.load("memory", data=DATA.reshape(-1, *SIG)[:30], nav_shape=NAV, sig_dims=2)
    there = np.arange(DATA[..., 0, 0].size).reshape(NAV) < 30
    view = ctx.explore(dataset, detectors={"A": CENTRE}, probe=Point(0, 5))
    np.testing.assert_array_equal(view.result("A"), np.where(there, _summed(CENTRE), np.nan))
    view._board._memory._store.wait()
    moved = view.detectors["A"] = CENTRE.moved(1, 0)
    np.testing.assert_array_equal(view.result("A"), np.where(there, _summed(moved), np.nan))
    view.close()


def test_a_scan_that_cannot_be_read_is_told_of(ctx, tmp_path):
    path = tmp_path / "scan.npy"
    np.save(path, DATA)
    dataset = ctx.load("npy", path=path)
    path.unlink()
    view = ctx.explore(dataset)
    view.wait()
    assert "scan.npy" in view._status().message
    with pytest.raises(RuntimeError, match=r"scan\.npy"):
        view.presets()
    view.close()


def test_buttons_steer_all_that_is_asked(view):
    view.wait()
    before = view._board._answers["detector", "A"].run
    view._command("restart")
    view.wait()
    assert view._board._answers["detector", "A"].run is not before
    np.testing.assert_array_equal(view.result("A"), _summed(view.detectors["A"]))
    view._command("cancel")


def test_nothing_is_left_when_it_is_closed(ctx, dataset):
    feeds = set(hub()._feeds)
    widgets = set(ipywidgets.widget._instances)
    view = ctx.explore(dataset)
    assert isinstance(view, Explorer)
    assert repr(view) == "<Explorer of a scan nav=(6, 7) sig=(32, 24)>"
    view.wait()
    view.close()
    view.close()
    assert set(hub()._feeds) == feeds
    assert set(ipywidgets.widget._instances) <= widgets
    assert not ctx.analyses


def test_a_closed_context_says_so(dataset):
    ctx = Context.make_with("threads", cpus=2)
    view = ctx.explore(dataset, detectors={"A": CENTRE})
    view.wait()
    ctx.close()
    view.detectors["A"] = CENTRE.moved(1, 0)
    view.wait()
    assert "closed" in view._status().message or view._board._answers["detector", "A"].run is None
    view.close()
