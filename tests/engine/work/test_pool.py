"""Runs on one dataset share what is read, and no run can do any harm to another."""

from __future__ import annotations

import threading
from contextlib import closing
from dataclasses import replace

import anyio
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.engine.pacing import FixedPace, start
from udfwidgets import ApplyMasksUDF, Context, StdDevUDF, SumSigUDF, SumUDF
from udfwidgets.engine import run as run_module
from udfwidgets.engine.executors import ThreadsExecutor
from udfwidgets.engine.merge.progress import PRESENTABLE, RunState
from udfwidgets.engine.plan.job import Job
from udfwidgets.engine.run import Run
from udfwidgets.engine.work import pool as pool_module
from udfwidgets.engine.work.pool import Pool
from udfwidgets.engine.work.worker import Worker
from udfwidgets.errors import UDFRunCancelled
from udfwidgets.io.corrections import CorrectionSet
from udfwidgets.io.dataset.base import DataSet
from udfwidgets.io.dataset.memory import ArraySource, MemoryDataSet
from udfwidgets.udf.base import UDF
from udfwidgets.udf.com import CoMUDF


class Counted(DataSet):
    """Counts how often each frame is read."""

    def __init__(self, frames):
        nav = MemoryDataSet(frames)
        super().__init__(nav.shape, nav.dtype)
        self.frames = frames.reshape(self.shape.flatten_nav())
        self.reads = np.zeros(len(self.frames), int)
        self.opened = 0

    def open(self):
        dataset = self
        self.opened += 1

        class Source(ArraySource):
            stretches = None  # so that all is read

            def read(self, start, stop, scratch):
                dataset.reads[start:stop] += 1
                return super().read(start, stop, scratch)

        return Source(self.frames)


@pytest.fixture
def scan():
    rng = np.random.default_rng(4)
    return Counted(rng.integers(0, 4096, (32, 32, 8, 8)).astype("u2"))


class Growing(Counted):
    """Says whatever the test wants of how far it is."""

    is_growing = True
    available = staticmethod(lambda: 1024)

    def open(self):
        source = super().open()
        source.available = lambda: self.available()
        return source


# Seconds per frame, of reading and of a UDF that has no `cost` of its own: about a microsecond, and
# a power of two, so that sums of it are exact.
COST = 2.0**-20


class NoHost:
    """A pool whose work is done by the test, in the order that the test wants.

    Who shares with whom depends on what everything costs. The test says what that is: a clock
    tells of whatever else the machine is doing.
    """

    def __init__(self):
        self.pool = Pool(workers=2)
        self.sources, self.bell = self.pool.sources, self.pool.bell

    def start(self, dataset, udfs, size=16, in_background=False, touch=False, **options):
        job = Job.of(dataset, udfs, **options)
        run = Run(job, pace=FixedPace(size), in_background=in_background)
        if touch:
            run.touch()
        run.begin(self)
        self.pool.add(run)
        return run

    def turn(self):
        """Do one assignment; return it, or None where there is none."""
        assignment = self.pool.take()
        if assignment is not None:
            self.do(assignment)
        return assignment

    def do(self, assignment):
        Worker().work(assignment)
        for share in assignment.shares:
            per_frame = sum(getattr(udf, "cost", COST) for udf in share.run.udfs)
            share.seconds = per_frame * len(share.frames)
        self.pool.learn(assignment, COST * len(assignment.frames))

    def work(self):
        while self.turn():
            pass

    def advance(self, run):
        return False

    def can_advance(self, run):
        return False

    def forget(self, run):
        self.pool.remove(run)


def sums(run):
    return [buffers["intensity"].data for buffers in run.result()]


def test_runs_that_go_together_read_each_frame_once_beside_their_first_partition(scan):
    host = NoHost()
    runs = [host.start(scan, [SumUDF(), SumSigUDF()]) for _ in range(5)]
    host.work()
    for run in runs:
        assert run.state is RunState.DONE
        np.testing.assert_array_equal(sums(run)[0], scan.frames.sum(axis=0))
    assert scan.opened == 1
    # Each newcomer begins alone, with one partition of 16 frames, and misses no more than that.
    assert scan.reads.sum() <= len(scan.reads) + 2 * 16 * len(runs)
    assert host.pool.traffic.served == 5 * scan.nbytes
    assert host.pool.traffic.read == scan.reads.sum() * 128


def test_a_latecomer_joins_where_the_scan_is_and_wraps_around(scan):
    host = NoHost()
    first = host.start(scan, [SumUDF()])
    for _ in range(10):
        host.turn()
    late = host.start(scan, [SumUDF()])
    host.turn()
    host.turn()
    damage = late.snapshot().damage.raw_data
    assert not damage[: 10 * 16].any()
    assert damage[10 * 16]
    host.work()
    for run in (first, late):
        np.testing.assert_array_equal(sums(run)[0], scan.frames.sum(axis=0))


def test_runs_that_follow_an_acquisition_share_it_whatever_order_they_asked_for(scan):
    growing, host = Growing(scan.frames.reshape(32, 32, 8, 8)), NoHost()
    runs = [host.start(growing, [SumUDF()], order=order) for order in ("progressive", "scan", None)]
    while len(host.pool._scans) > 1:
        assert host.turn()
    # Together they stay when all of it has arrived, and each frame can be had in any order.
    growing.is_growing = False
    host.work()
    assert growing.reads.sum() <= len(growing.reads) + 2 * 16 * len(runs)
    for run in runs:
        np.testing.assert_array_equal(sums(run)[0], scan.frames.sum(axis=0))


def test_a_source_that_cannot_say_how_far_it_is_ends_the_runs_that_read_from_it(scan):
    growing, host = Growing(scan.frames.reshape(32, 32, 8, 8)), NoHost()
    bad = [host.start(growing, [SumUDF()], order=order) for order in ("scan", None)]
    good = host.start(scan, [SumUDF()])
    for _ in range(6):
        host.turn()

    def available():
        raise ZeroDivisionError("in the source")

    growing.available = available
    host.work()
    host.pool.settle()
    assert good.state is RunState.DONE
    for run in bad:
        with pytest.raises(ZeroDivisionError, match="in the source"):
            run.result()
    assert not host.pool.runs


class Tiled(UDF):
    """Sums each frame, in Python."""

    def get_result_buffers(self):
        return {"intensity": self.buffer("nav")}

    def process_tile(self, tile):
        self.results.intensity[:] = tile.sum(axis=(1, 2))


def test_a_run_that_turns_out_to_be_slow_is_served_separately(scan):
    class TurnsSlow(Tiled):
        cost = COST

    host = NoHost()
    quick, slow = host.start(scan, [SumUDF()]), host.start(scan, [TurnsSlow()])
    pool = host.pool
    host.turn()
    host.turn()
    (shared,) = pool._scans
    assert set(shared.runs) == {quick, slow}
    # Eight times as long as reading and the other one together is what they put up with.
    TurnsSlow.cost = 16 * COST
    host.turn()
    assert pool._scans == [shared]
    TurnsSlow.cost = 17 * COST
    host.turn()
    assert [scan.runs for scan in pool._scans] == [[quick], [slow]]
    host.work()
    assert quick.state is slow.state is RunState.DONE
    np.testing.assert_array_equal(sums(quick)[0], scan.frames.sum(axis=0))


def test_a_run_that_is_slow_from_the_start_joins_nobody(scan):
    class Slow(Tiled):
        cost = 17 * COST

    host = NoHost()
    quick, slow = host.start(scan, [SumUDF()]), host.start(scan, [Slow()])
    while host.turn():
        assert all(len(scan.runs) == 1 for scan in host.pool._scans)
    assert quick.state is slow.state is RunState.DONE
    np.testing.assert_array_equal(sums(quick)[0], scan.frames.sum(axis=0))


def test_a_run_in_the_background_makes_way_at_once_and_goes_on_later(scan):
    host = NoHost()
    behind = host.start(scan, [SumUDF()], in_background=True)
    host.turn()
    ahead = [host.start(scan, [SumUDF()]) for _ in range(2)]
    before = behind.progress.frames
    assert before
    while not all(run.has_ended() for run in ahead):
        assert all(share.run in ahead for share in host.turn().shares)
    assert behind.progress.frames == before
    host.work()
    for run in (behind, *ahead):
        np.testing.assert_array_equal(sums(run)[0], scan.frames.sum(axis=0))


@pytest.mark.parametrize("kind", ["compiled", "by tile"])
def test_a_partition_of_the_background_is_left_in_the_middle(scan, kind):
    class ByTile(Tiled):
        cost = COST

    udf = SumUDF() if kind == "compiled" else ByTile()
    host, ahead = NoHost(), []
    behind = host.start(scan, [udf], size=512, in_background=True)
    assignments = [host.pool.take(), host.pool.take()]
    assert host.pool.take() is None

    def step_aside(_):
        if not ahead:
            ahead.append(host.start(scan, [SumUDF()]))
        host.pool._work_ahead()
        assert ahead[0].has_ended()
        assert not behind.progress.frames

    Worker(step_aside).work(assignments[0])
    assert ahead
    assert behind.progress.frames == 512
    host.do(assignments[1])
    host.pool.learn(assignments[0], 0.0)
    np.testing.assert_array_equal(sums(ahead[0])[0], scan.frames.sum(axis=0))
    host.work()
    axes = 0 if kind == "compiled" else (1, 2)
    assert (sums(behind)[0].ravel() == scan.frames.sum(axis=axes).ravel()).all()


def test_the_background_is_left_after_any_tile_before_its_pace_is_known():
    host, left = NoHost(), []
    scan = MemoryDataSet(np.ones((8, 8, 256, 256), "u2"))
    host.start(scan, [SumUDF()], size=64, in_background=True)
    assignment = host.pool.take()
    Worker(left.append).work(assignment)
    assert 1 < len(left) == -(-64 // assignment.depth)


def test_after_what_came_before_the_background_others_have_a_processor(scan, monkeypatch):
    host, rested = NoHost(), []
    host.start(scan, [SumUDF()], size=512, in_background=True)
    assignment = host.pool.take()
    ahead = host.start(scan, [SumUDF()])
    monkeypatch.setattr(pool_module.time, "sleep", lambda _: rested.append(ahead.has_ended()))
    Worker(host.pool._step_aside).work(assignment)
    assert rested == [True]


def test_what_cannot_be_handed_out_ends_its_own_runs_and_no_other(scan, monkeypatch):
    host = NoHost()
    runs = [host.start(scan, [udf()]) for udf in (SumUDF, SumSigUDF)]
    assignment = host.pool.take()
    (run,) = assignment.taken
    monkeypatch.setattr(assignment, "work_out", lambda: 1 / 0)
    host.pool.learn(assignment, Worker().work(assignment))
    host.work()
    run.try_to_finish()
    assert isinstance(run.error, ZeroDivisionError)
    assert run.state is RunState.FAILED
    assert [each.state for each in runs if each is not run] == [RunState.DONE]


def test_a_run_in_the_background_shares_with_none_that_is_not(scan):
    host = NoHost()
    for in_background in (False, True, False, True):
        host.start(scan, [SumUDF()], in_background=in_background)
    while host.turn():
        for shared in host.pool._scans:
            assert len({run.in_background for run in shared.runs}) == 1


@pytest.mark.parametrize("reason", ["paused", "waiting for frames"])
def test_a_run_in_the_background_goes_on_where_another_cannot(scan, reason):
    growing, host = Growing(scan.frames.reshape(32, 32, 8, 8)), NoHost()
    growing.available = lambda: 16
    behind = host.start(scan, [SumUDF()], in_background=True)
    resting = host.start(growing, [SumUDF()])
    host.turn()
    if reason == "paused":
        resting.pause()
    else:
        assert host.turn() is None  # nothing more has come
    for _ in range(3):
        assert host.turn().scan.in_background
    growing.available = lambda: 1024
    resting.resume()
    # Asked first, whoever has had the last turn.
    for _ in range(3):
        assert not host.turn().scan.in_background
    host.work()
    for run in (behind, resting):
        np.testing.assert_array_equal(sums(run)[0], scan.frames.sum(axis=0))


def test_a_run_that_was_touched_gets_most_turns(scan):
    other = MemoryDataSet(np.ones((32, 32, 8, 8), "u2"))
    host = NoHost()
    one, two = host.start(scan, [SumUDF()]), host.start(other, [SumUDF()])
    host.turn()  # now it is known, and in the fast lane
    two.touch()
    for _ in range(16):
        host.turn()
    assert two.progress.frames > 2 * one.progress.frames > 0
    one.touch()
    for _ in range(16):
        host.turn()
    assert one.progress.frames >= two.progress.frames * 0.8
    host.work()


@pytest.fixture
def large(monkeypatch):
    """A scan of which the first picture is a small part, and persons who wait for it."""
    monkeypatch.setattr(run_module, "HASTE", 3600)
    return MemoryDataSet(np.ones((64, 128, 2, 2), "u2"))


def test_an_answer_that_a_person_waits_for_begins_with_a_picture(large):
    host = NoHost()
    before = host.start(large, [SumUDF()], order="progressive", size=512)
    while before.progress.frames < 2 * PRESENTABLE:
        host.turn()
    usual, asked = (
        host.start(large, [udf()], order="progressive", size=512, touch=touch)
        for udf, touch in ((SumSigUDF, False), (StdDevUDF, True))
    )
    assert [run.is_urgent for run in (before, usual, asked)] == [False, False, True]
    seen = []
    while asked.is_urgent:
        seen.append(host.turn())
        # Alone, before all others, and what comes first in a progressive scan.
        assert [share.run for share in seen[-1].shares] == [asked]
    assert [(each.begin, each.end) for each in seen] == [(i, i + 512) for i in range(0, 2048, 512)]
    # From there on with the others, where they are, and round again for what it left out.
    while asked not in (beside := host.turn()).taken:
        pass
    assert beside.begin > PRESENTABLE
    host.work()
    assert all(run.state is RunState.DONE for run in (before, usual, asked))
    np.testing.assert_array_equal(sums(before)[0], np.full((2, 2), 8192))
    np.testing.assert_array_equal(usual.result()[0]["intensity"].data, np.full((64, 128), 4))


@pytest.mark.parametrize("kind", ["in memory", "read"])
def test_a_thread_stands_still_while_a_person_waits_for_something_else(large, kind, monkeypatch):
    monkeypatch.setattr(pool_module, "STILL", 3600)
    scan = Counted(np.ones((64, 128, 2, 2), "u2")) if kind == "read" else large
    host, seen = NoHost(), []
    before = host.start(scan, [SumUDF()], order="progressive", size=512)
    assignment = host.pool.take()
    asked = host.start(scan, [SumSigUDF()], order="progressive", size=512, touch=True)

    def meanwhile(_):
        assert not before.progress.frames
        seen.append(host.turn())

    monkeypatch.setattr(pool_module.time, "sleep", meanwhile)
    host.pool.learn(assignment, Worker(host.pool._step_aside).work(assignment))
    assert [list(each.taken) for each in seen] == [[asked]] * (PRESENTABLE // 512)
    assert asked.progress.is_presentable
    host.work()
    np.testing.assert_array_equal(sums(before)[0], np.full((2, 2), 8192))
    np.testing.assert_array_equal(asked.result()[0]["intensity"].data, np.full((64, 128), 4))


@pytest.mark.parametrize("why", ["also asked", "paused", "cancelled", "for long"])
def test_no_thread_stands_still_for_what_nobody_waits_for(large, why, monkeypatch):
    slept = []
    monkeypatch.setattr(pool_module.time, "sleep", slept.append)
    # Long enough for one that does, and not for ever.
    monkeypatch.setattr(pool_module, "STILL", 0 if why == "for long" else 0.01)
    host = NoHost()
    host.start(large, [SumUDF()], order="progressive", touch=why == "also asked")
    assignment = host.pool.take()
    asked = host.start(large, [SumSigUDF()], order="progressive", touch=True)
    if why == "paused":
        asked.pause()
    if why == "cancelled":
        asked.cancel()
    host.pool.learn(assignment, Worker(host.pool._step_aside).work(assignment))
    assert not slept


def test_at_the_beginning_those_that_a_person_waits_for_share(large):
    host = NoHost()
    for udf in (SumUDF, SumSigUDF, StdDevUDF):
        host.start(large, [udf()], order="progressive", size=256, touch=True)
    while len((assignment := host.turn()).taken) < 3:
        pass
    assert assignment.begin < PRESENTABLE
    host.work()


@pytest.mark.parametrize("why", ["scan order", "background", "nobody waits"])
def test_only_for_a_picture_that_a_person_waits_for_others_step_back(large, why):
    host = NoHost()
    before = host.start(large, [SumUDF()], order="progressive", size=512)
    while before.progress.frames < 2 * PRESENTABLE:
        host.turn()
    order = "scan" if why == "scan order" else "progressive"
    options = {"in_background": why == "background", "touch": why != "nobody waits"}
    run = host.start(large, [SumSigUDF()], order=order, size=512, **options)
    assert not run.is_urgent
    taken = [host.pool.take() for _ in range(3)]
    assert taken[2] is None
    assert not host.pool.is_called()


def test_who_has_waited_for_long_leaves_turns_to_others(large, monkeypatch):
    host = NoHost()
    others = [host.start(large, [SumUDF()], order="progressive") for _ in range(2)]
    asked = host.start(large, [SumSigUDF()], order="progressive", touch=True)
    for _ in range(8):
        host.turn()
    assert asked.progress.frames
    assert not any(run.progress.frames for run in others)
    monkeypatch.setattr(run_module, "HASTE", 0)
    for _ in range(16):
        host.turn()
    assert all(run.progress.frames for run in others)
    host.work()


def test_a_thread_is_brought_for_whom_a_person_waits(large, monkeypatch):
    host = NoHost()
    host.start(large, [SumUDF()], order="progressive", size=512)
    host.turn()
    at_work = [host.pool.take() for _ in range(2)]
    assert host.pool.take() is None
    assert not host.pool.is_called()
    asked = host.start(large, [SumSigUDF()], order="progressive", size=512, touch=True)
    assert host.pool.is_called()
    assert host.pool.needs_help()
    with monkeypatch.context() as patch:
        patch.setattr("udfwidgets.engine.work.pool.MOST_KEPT", 0)
        assert not host.pool.is_called()  # or whoever brings threads would ask again and again
    host.pool.note_help()
    assert not host.pool.is_called()  # one is enough
    beyond = host.pool.take()
    assert list(beyond.taken) == [asked]
    # Not a fourth one: nobody is to come to more threads by asking.
    assert host.pool.take() is None
    for assignment in (*at_work, beyond):
        host.do(assignment)
    host.work()


def test_no_person_waits_until_threads_are_taken_to_be_kept(large, monkeypatch):
    for module in ("executors.threads", "work.pool"):
        monkeypatch.setattr(f"udfwidgets.engine.{module}.KEPT", 3600)
    opened, kept, left = threading.Event(), threading.Barrier(3), []

    class Blocks(UDF):
        def get_result_buffers(self):
            return {"n": self.buffer("single", dtype="u8")}

        def process_frame(self, frame):
            if not opened.is_set():
                kept.wait(30)
                opened.wait(10)
                left.append(True)

        def merge(self, dest, src):
            dest.n[:] += src.n

    def start(udf):
        run, _ = ctx._prepare(large, udf, None, is_live=True)
        run.touch()
        ctx._start(run)
        return run

    with Context.make_with("threads", cpus=2) as ctx:
        runs = [ctx.run_udf(MemoryDataSet(np.ones((4, 2, 2), "u2")), Blocks(), sync=False)]
        runs += [ctx.run_udf(MemoryDataSet(np.ones((4, 2, 2), "u2")), Blocks(), sync=False)]
        kept.wait(30)  # both threads
        run = start(SumSigUDF())
        try:
            run.wait(lambda: run.progress.is_presentable or run.has_ended())
            assert run.progress.is_presentable
            assert not left
        finally:
            opened.set()


@pytest.mark.parametrize("touched", [None, 0, 1, 2, 3])
@pytest.mark.parametrize("n_runs", [2, 3, 4])
def test_a_run_that_was_touched_does_not_starve_the_others(n_runs, touched):
    host = NoHost()
    data = [np.ones((32, 32, 8, 8), "u2") for _ in range(n_runs)]
    runs = [host.start(MemoryDataSet(frames), [SumUDF()]) for frames in data]
    if touched is not None:
        runs[touched % n_runs].touch()
    for _ in range(16 * n_runs):
        host.turn()
    assert all(run.progress.frames >= 3 * 16 for run in runs)


def test_threads_that_found_nothing_are_woken_when_a_run_is_known(scan, monkeypatch):
    other, host, rings = MemoryDataSet(np.ones((32, 32, 8, 8), "u2")), NoHost(), []
    host.pool = Pool(workers=4)
    for dataset in (scan, other):
        host.start(dataset, [SumUDF()])
    first, second = host.pool.take(), host.pool.take()
    assert not host.pool.has_work()  # neither is known, and each has a thread
    monkeypatch.setattr(host.pool.bell, "ring", lambda: rings.append(host.pool.has_work()))
    host.do(first)
    assert rings == [True]
    host.do(second)


@pytest.mark.parametrize("reason", ["paused", "waiting for frames"])
def test_a_run_that_needs_no_thread_leaves_them_to_the_others(scan, reason):
    growing, host = Growing(scan.frames.reshape(32, 32, 8, 8)), NoHost()
    growing.available = lambda: 16
    host.pool = Pool(workers=4)
    resting = host.start(growing, [SumUDF()])
    host.turn()
    if reason == "paused":
        resting.pause()
    else:
        assert host.turn() is None  # nothing more has come
    host.start(scan, [SumUDF()])
    assert [host.pool.take() is None for _ in range(4)] == [False] * 4


def test_a_run_waits_only_when_it_has_nothing_to_do(scan):
    growing, host = Growing(scan.frames.reshape(32, 32, 8, 8)), NoHost()
    growing.available = lambda: 16
    run = host.start(growing, [SumUDF()])
    run.source.waiting_for = lambda: "no new frames for 3 s"
    host.pool.look_what_runs_wait_for()
    assert run.progress.waiting == ""  # there are some to be worked off
    host.turn()
    assert host.turn() is None
    host.pool.look_what_runs_wait_for()
    assert run.progress.waiting == "no new frames for 3 s"
    growing.available = lambda: 32
    host.turn()
    assert run.progress.waiting == ""


def test_a_run_that_is_looked_at_while_it_begins_is_prepared_once(scan):
    looked, prepared = threading.Event(), []

    class Prepared(SumUDF):
        def preprocess(self):
            if self.meta.partition_range is None:
                prepared.append(threading.current_thread())
                looked.wait(0.3)

    host, run = NoHost(), Run(Job.of(scan, [Prepared()]))
    onlooker = threading.Thread(target=lambda: (run.progress, looked.set()))
    beginner = threading.Thread(target=run.begin, args=(host,))
    for thread in (beginner, onlooker):
        thread.start()
    for thread in (beginner, onlooker):
        thread.join()
    assert len(prepared) == 1
    run.cancel()
    run.try_to_finish()


def test_a_paused_run_is_passed_over_and_gets_the_rest_later(scan):
    host = NoHost()
    paused, other = host.start(scan, [SumUDF()]), host.start(scan, [SumUDF()])
    host.turn()
    host.turn()
    paused.pause()
    before = paused.progress.frames
    assert paused.state is RunState.PAUSED
    host.work()
    assert (paused.progress.frames, other.state) == (before, RunState.DONE)
    paused.resume()
    assert paused.state is RunState.RUNNING
    host.work()
    np.testing.assert_array_equal(sums(paused)[0], scan.frames.sum(axis=0))


def test_a_paused_run_can_be_cancelled(scan):
    host = NoHost()
    run = host.start(scan, [SumUDF()])
    host.turn()
    run.pause()
    run.cancel()
    assert host.pool.has_to_settle()
    host.pool.settle()
    assert run.state is RunState.CANCELLED
    assert not host.pool.runs


class Waits(UDF):
    """Waits in its first frame until it is let go."""

    def get_result_buffers(self):
        return {"seen": self.buffer("nav")}

    def process_frame(self, frame):
        self.params.reached.set()
        self.params.opened.wait(30)


def test_a_udf_that_blocks_keeps_nobody_else_waiting(scan):
    reached, opened = threading.Event(), threading.Event()
    with Context() as ctx:
        blocked = [ctx.run_udf_iter(scan, Waits(reached=reached, opened=opened)) for _ in range(2)]
        assert reached.wait(30)
        for _ in range(5):
            result = ctx.run_udf(scan, SumUDF())
            np.testing.assert_array_equal(result["intensity"].data, scan.frames.sum(axis=0))
        opened.set()
        for stream in blocked:
            stream.close()


def test_closing_does_not_wait_for_a_udf_of_another_run(scan):
    """Both share an assignment, and the worker is inside the UDF of the other one."""
    reached, opened = threading.Event(), threading.Event()
    host = NoHost()
    own = host.start(scan, [SumUDF()])
    waiting = host.start(scan, [Waits(reached=reached, opened=opened)])
    opened.set()
    host.turn()
    host.turn()
    (shared,) = host.pool._scans
    opened.clear()
    reached.clear()
    shared.runs.sort(key=lambda run: run is own)  # the one that waits is served first
    thread = threading.Thread(target=host.turn)
    thread.start()
    assert reached.wait(30)
    own.cancel()
    host.pool.settle()
    assert own.has_ended()
    opened.set()
    thread.join()
    waiting.cancel()
    host.pool.settle()


def test_an_error_ends_one_of_the_runs_that_share(scan):
    class Fails(Tiled):
        def process_tile(self, tile):
            if self.meta.slice.origin[0] >= 500:
                raise ZeroDivisionError("at 500")

    host = NoHost()
    good, bad = host.start(scan, [SumUDF()]), host.start(scan, [Fails()])
    host.work()
    assert (good.state, bad.state) == (RunState.DONE, RunState.FAILED)
    np.testing.assert_array_equal(sums(good)[0], scan.frames.sum(axis=0))
    with pytest.raises(ZeroDivisionError, match="at 500"):
        bad.result()


def test_an_unreadable_file_ends_all_of_them(scan):
    host = NoHost()
    runs = [host.start(scan, [SumUDF()]) for _ in range(2)]
    host.turn()
    host.turn()

    def read(start, stop, scratch):
        raise OSError("the drive is gone")

    runs[0].source.read = read
    host.work()
    host.pool.settle()
    for run in runs:
        with pytest.raises(OSError, match="the drive is gone"):
            run.result()
    assert not host.pool.runs


class Position(UDF):
    """Notes which frames it was handed, as they are described to it."""

    def get_result_buffers(self):
        return {
            "number": self.buffer("nav", dtype="int64"),
            "place": self.buffer("nav", extra_shape=(2,), dtype="int64"),
            "value": self.buffer("nav", dtype="float32"),
        }

    def process_tile(self, tile):
        start = self.meta.slice.origin[0]
        self.results.number[:] = np.arange(start, start + len(tile))
        self.results.place[:] = self.meta.coordinates
        self.results.value[:] = self.params.weights * tile[:, 0, 0]


@pytest.mark.parametrize("order", [None, "scan", "progressive"])
@pytest.mark.parametrize("roi", [None, "half"])
def test_a_udf_knows_which_frames_it_has_in_any_order(scan, order, roi):
    nav = scan.shape.nav.axes
    selected = None if roi is None else np.random.default_rng(1).random(nav) < 0.5
    weights = UDF.aux_data(np.arange(1024), "nav")
    with Context() as ctx:
        result = ctx.run_udf(scan, Position(weights=weights), selected, order=order)
    chosen = np.ones(nav, bool) if selected is None else selected
    np.testing.assert_array_equal(result["number"].raw_data, np.arange(chosen.sum()))
    np.testing.assert_array_equal(result["place"].raw_data, np.argwhere(chosen))
    values = (np.arange(1024) * scan.frames[:, 0, 0]).reshape(nav)
    np.testing.assert_array_equal(result["value"].raw_data, values[chosen].astype("f4"))


class Whole(UDF):
    """Notes where the frames of a partition are, when it has them all in hand."""

    def get_result_buffers(self):
        where = {"extra_shape": (2,), "dtype": "int64"}
        return {name: self.buffer("nav", **where) for name in ("processed", "after", "merged")}

    def process_partition(self, partition):
        assert len(partition) == len(self.meta.coordinates)
        self.results.processed[:] = self.meta.coordinates

    def postprocess(self):
        self.results.after[:] = self.meta.coordinates

    def merge(self, dest, src):
        dest.processed[:], dest.after[:] = src.processed, src.after
        dest.merged[:] = self.meta.coordinates


@pytest.mark.parametrize("order", [None, "scan", "progressive"])
@pytest.mark.parametrize("roi", [None, "half"])
def test_a_udf_knows_where_all_frames_of_its_partition_are(scan, order, roi):
    chosen = np.ones((32, 32), bool)
    if roi is not None:
        chosen = np.random.default_rng(1).random((32, 32)) < 0.5
    with Context() as ctx:
        result = ctx.run_udf(scan, Whole(), None if roi is None else chosen, order=order)
    for name in ("processed", "after", "merged"):
        np.testing.assert_array_equal(result[name].raw_data, np.argwhere(chosen), err_msg=name)


class Sliced(UDF):
    """Asks for a slice when it has the whole partition in hand."""

    def get_result_buffers(self):
        return {"number": self.buffer("nav", dtype="int64")}

    def process_partition(self, partition):
        start, stop = self.meta.slice.origin[0], self.meta.slice.origin[0] + len(partition)
        self.results.number[:] = np.arange(start, stop)


def test_a_udf_for_partitions_gets_frames_that_follow_each_other(scan):
    with Context() as ctx:
        live = ctx.live(scan, Sliced(), plots=[[]])  # which prefers to go from coarse to fine
        np.testing.assert_array_equal(live.result()[0]["number"].raw_data, np.arange(1024))
        live.close()
        with pytest.raises(ValueError, match=r"meta\.slice cannot tell which .* order='scan'"):
            ctx.run_udf(scan, Sliced(), order="progressive")


class Weighed(Position):
    """Reads its auxiliary data while it merges."""

    def merge(self, dest, src):
        dest.number[:] = src.number
        dest.place[:] = src.place
        dest.value[:] = src.value + self.params.weights


@pytest.mark.parametrize("order", ["scan", "progressive"])
def test_merging_sees_the_auxiliary_data_of_the_partition(scan, order):
    weights = UDF.aux_data(np.arange(1024), "nav")
    with Context() as ctx:
        result = ctx.run_udf(scan, Weighed(weights=weights), order=order)
    values = np.arange(1024) * (1 + scan.frames[:, 0, 0].astype("f4"))
    np.testing.assert_array_equal(result["value"].raw_data, values)


def test_a_progressive_run_is_spread_over_the_scan_from_its_first_steps(scan):
    with Context() as ctx:
        for step in ctx.run_udf_iter(scan, SumSigUDF(), order="progressive"):
            if step.damage.data.sum() >= 32:
                break
    rows, columns = np.nonzero(step.damage.data)
    assert rows.min() < 6
    assert rows.max() > 24
    assert columns.max() - columns.min() > 20


@pytest.mark.parametrize("leader_stops", [False, True])
def test_the_same_thing_is_done_once_for_all_who_want_it(scan, leader_stops):
    """The others get what is done for one run, also if that one stops on the way."""
    masks = [lambda: np.eye(8)]
    udfs = [SumUDF, SumSigUDF, StdDevUDF, lambda: ApplyMasksUDF(masks), CoMUDF.with_params]
    host = NoHost()
    runs = [host.start(scan, [make() for make in udfs], size=64) for _ in range(3)]
    while len((assignment := host.pool.take()).taken) < 3:
        host.do(assignment)
    source = assignment.scan.source
    read = source.read

    def stop_first(start, stop, scratch):
        if leader_stops and start % 64 == 32:
            assignment.shares[0].run.cancel()
        return read(start, stop, scratch)

    source.read = stop_first
    for run in runs:
        # Four tiles are read together.
        run.job = replace(run.job, plan=replace(run.plan, tile_depth=8))
    host.do(assignment)
    host.work()
    host.pool.settle()
    alone = NoHost()
    expected = alone.start(scan, [make() for make in udfs], size=64)
    alone.work()
    for run in [run for run in runs if run.state is RunState.DONE]:
        for one, other in zip(run.result(), expected.result(), strict=True):
            for name in one:
                np.testing.assert_array_equal(one[name].data, other[name].data, err_msg=name)
    assert sum(run.state is RunState.CANCELLED for run in runs) == leader_stops


runs = st.lists(
    st.tuples(
        st.sampled_from([None, "scan", "progressive"]),
        st.none() | hnp.arrays(bool, (6, 7)),
        st.integers(1, 20),
        st.booleans(),
    ),
    min_size=1,
    max_size=5,
)


@given(wanted=runs, turns=st.integers(0, 30), blocks=st.integers(1, 5))
@settings(max_examples=150)
def test_all_are_right_whoever_shares_with_whom(wanted, turns, blocks):
    """Different rois, orders, partitions and corrections, whatever the order of the work."""
    frames = np.random.default_rng(2).integers(0, 999, (6, 7, 3, 4)).astype("u2")
    dark = np.arange(12).reshape(3, 4)
    dataset = MemoryDataSet(frames)
    dataset.__class__ = type(
        "Blocked", (MemoryDataSet,), {"frames_per_block": property(lambda _: blocks)}
    )
    host, started = NoHost(), []
    for order, roi, size, corrected in wanted:
        corrections = CorrectionSet(dark=dark) if corrected else None
        run = host.start(
            dataset, [SumUDF(), SumSigUDF(), Position(weights=1)], size,
            roi=roi, order=order, corrections=corrections,
        )  # fmt: skip
        started.append(run)
        for _ in range(turns):
            host.turn()
    host.work()
    host.pool.settle()
    for (_, roi, _, corrected), run in zip(wanted, started, strict=True):
        selected = np.ones((6, 7), bool) if roi is None else roi
        seen = frames.astype(float) - dark * corrected
        total, per_frame, position = run.result()
        np.testing.assert_array_equal(total["intensity"].data, seen[selected].sum(axis=0))
        np.testing.assert_array_equal(per_frame["intensity"].raw_data, seen[selected].sum((1, 2)))
        np.testing.assert_array_equal(position["place"].raw_data, np.argwhere(selected))
    assert not host.pool.runs


@pytest.mark.anyio
async def test_concurrent_runs_under_a_loop_are_all_right(scan):
    exact = scan.frames.sum(axis=0)
    with Context() as ctx:

        async def consume(kind):
            if kind % 2:
                result = await ctx.run_udf(scan, SumUDF(), sync=False)
                np.testing.assert_array_equal(result["intensity"].data, exact)
            else:
                last = [step async for step in ctx.run_udf_iter(scan, SumUDF(), sync=False)][-1]
                np.testing.assert_array_equal(last.buffers[0]["intensity"].data, exact)

        async with anyio.create_task_group() as tasks:
            for kind in range(10):
                tasks.start_soon(consume, kind)
        assert ctx.analyses == ()


def test_a_successor_runs_with_other_parameters(scan):
    class Scaled(Tiled):
        def process_tile(self, tile):
            self.results.intensity[:] = self.params.factor

    with Context() as ctx:
        stream = ctx.run_udf_iter(scan, Scaled(factor=1))
        again = stream._run.successor([{"factor": 3}])
        stream.close()
        again.launch()
        again.wait(again.has_ended)
        assert (again.result()[0]["intensity"].data == 3).all()
        with pytest.raises(UDFRunCancelled):
            stream._run.check() if stream._run.error else stream._run.result()
    with pytest.raises(RuntimeError, match="is closed"):
        again.successor().launch()


def test_analyses_lists_what_runs(scan):
    reached, opened = threading.Event(), threading.Event()
    with Context() as ctx:
        stream = ctx.run_udf_iter(scan, Waits(reached=reached, opened=opened))
        assert ctx.analyses == (stream._run,)
        opened.set()
        stream.close()
        assert ctx.analyses == ()


def test_start_in_two_executors_at_once(scan):
    with closing(ThreadsExecutor()) as one, closing(ThreadsExecutor()) as two:
        started = [start(executor, scan, [SumUDF()], size=1024)[0] for executor in (one, two)]
        for run in started:
            run.wait(run.has_ended)
            np.testing.assert_array_equal(sums(run)[0], scan.frames.sum(axis=0))


def test_masks_of_different_number_are_not_taken_for_the_same(scan):
    full, empty = (lambda: np.ones((8, 8))), (lambda: np.zeros((8, 8)))
    for masks in ([[full], [full, empty]], [[full, empty], [full]]):
        host = NoHost()
        run = host.start(scan, [ApplyMasksUDF(factories) for factories in masks])
        host.work()
        for factories, result in zip(masks, run.result(), strict=True):
            expected = np.stack([(scan.frames * make()).sum((1, 2)) for make in factories], axis=-1)
            np.testing.assert_array_equal(result["intensity"].raw_data, expected)


@pytest.mark.parametrize("in_memory", [False, True])
def test_the_same_thing_twice_in_a_run_that_wants_less_than_the_others(scan, in_memory):
    dataset = MemoryDataSet(scan.frames) if in_memory else scan
    host = NoHost()
    roi = np.ones(dataset.shape.nav.axes, bool)
    roi.reshape(-1)[::3] = False
    host.start(dataset, [SumUDF()])
    run = host.start(dataset, [SumUDF(), SumUDF()], roi=roi)
    host.work()
    host.pool.settle()
    flat = scan.frames.reshape(-1, 8, 8)
    expected = flat[roi.reshape(-1)].sum(axis=0)
    for total in sums(run):
        np.testing.assert_array_equal(total, expected)


def test_a_frame_that_cannot_be_read_is_the_trouble_of_those_who_want_it(scan):
    host = NoHost()
    roi = np.ones((32, 32), bool)
    roi[0, 20:] = False
    whole, without = host.start(scan, [SumUDF()]), host.start(scan, [SumUDF()], roi=roi)
    read = whole.source.read

    def damaged(start, stop, scratch):
        if start <= 24 < stop:
            raise OSError("frame 24")
        return read(start, stop, scratch)

    whole.source.read = damaged
    for run in (whole, without):
        run.job = replace(run.job, plan=replace(run.plan, tile_depth=1))
    host.work()
    host.pool.settle()
    assert (whole.state, without.state) == (RunState.FAILED, RunState.DONE)
    np.testing.assert_array_equal(sums(without)[0], scan.frames[roi.reshape(-1)].sum(axis=0))


def test_the_source_stays_open_while_it_is_read(scan):
    host = NoHost()
    run = host.start(scan, [SumUDF()])
    source, seen = run.source, []
    read = source.read

    def cancel_meanwhile(start, stop, scratch):
        run.cancel()
        host.pool.settle()
        seen.append(run.has_ended())
        return read(start, stop, scratch)

    source.read = cancel_meanwhile
    host.turn()
    host.pool.settle()
    assert seen == [False]
    assert run.state is RunState.CANCELLED


def test_a_run_with_few_frames_does_not_cut_the_partitions_of_others(scan):
    host = NoHost()
    roi = np.zeros((32, 32), bool)
    roi[::8, ::8] = True
    whole = host.start(scan, [SumUDF()], size=128)
    few = host.start(scan, [SumUDF()], size=8, roi=roi)
    sizes = []
    while assignment := host.turn():
        sizes += [len(share.frames) for share in assignment.shares if share.run is whole]
    assert len(sizes) <= 10
    assert few.state is whole.state is RunState.DONE
