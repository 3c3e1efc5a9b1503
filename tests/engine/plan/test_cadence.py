"""Partitions are sized by the time they take."""

from __future__ import annotations

import sys
import threading
from functools import partial

import anyio
import numpy as np
import pytest

from udfwidgets import Context, SumUDF
from udfwidgets.engine.plan.cadence import LONGEST, SHORTEST, STEPS, TOGETHER, Cadence
from udfwidgets.engine.run import Run


def simulate(
    n_frames: int,
    per_frame: float,
    workers: int = 2,
    most: int = 10**9,
    merging: float = 0.0,
    travel: float = 0.0,
) -> list[int]:
    cadence, sizes = Cadence(n_frames, workers, 4, most, travel), []
    while sum(sizes) < n_frames:
        size = min(cadence.size, n_frames - sum(sizes))
        sizes.append(size)
        cadence.learn(size, size * per_frame, merging)
    return sizes


def test_a_long_run_has_about_the_wished_number_of_steps():
    sizes = simulate(60_000, per_frame=20e-6)
    assert STEPS <= len(sizes) <= 2 * STEPS


def test_steps_are_never_much_longer_than_the_longest():
    sizes = simulate(10_000, per_frame=0.01)
    assert max(sizes) * 0.01 <= LONGEST


def test_a_short_run_is_not_cut_into_slivers():
    sizes = simulate(1024, per_frame=5e-6)
    assert max(sizes) * 5e-6 >= SHORTEST / 2


def test_frames_come_as_many_as_are_taken_together():
    sizes = simulate(100_000, per_frame=3.7e-6)
    assert {size % TOGETHER for size in sizes[:-1] if size > TOGETHER} == {0}


def test_slow_frames_come_one_by_one():
    assert set(simulate(50, per_frame=1.0)[1:]) == {1}


def test_memory_bounds_the_size():
    assert max(simulate(10_000, per_frame=1e-6, most=64)) == 64


def test_every_worker_gets_a_share_of_a_tiny_scan():
    assert simulate(8, per_frame=1e-6, workers=2) == [4, 4]


def test_large_results_are_merged_less_often():
    sizes = simulate(500_000, per_frame=20e-6, merging=0.02)
    assert len(sizes) * 0.02 < 0.1 * 500_000 * 20e-6


def test_partitions_from_afar_are_soon_worth_their_way():
    sizes = simulate(200_000, per_frame=2e-6, travel=0.004)
    assert max(sizes[:4]) * 2e-6 >= 0.004
    assert max(sizes) * 2e-6 >= 10 * 0.004


def test_one_slow_merge_changes_nothing():
    cadence = Cadence(100_000, 2, first=100, most=10**9)
    for merging in (0.0, 1.0, 0.0):
        cadence.learn(100, 0.002, merging)
    assert cadence.size < 1000


def unwatched(first: int) -> list[int]:
    """Return the sizes of partitions of a run that nobody looks at."""
    cadence, sizes = Cadence(100_000, 2, first=64, most=10**9), []
    cadence.hurry(first)
    while sum(sizes) < 100_000:
        sizes.append(min(cadence.size, 100_000 - sum(sizes)))
        cadence.learn(sizes[-1], sizes[-1] * 1e-6, 0.0)
    return sizes


def test_what_nobody_looks_at_is_done_in_a_few_goes():
    assert len(unwatched(25_000)) <= 6


def test_what_nobody_looks_at_begins_with_little_where_others_may_join():
    sizes = unwatched(0)
    assert sizes[0] == 64
    assert max(sizes) > 20_000
    assert len(sizes) <= 12


async def _awaited(ctx, scan):
    await ctx.run_udf(scan, SumUDF(), sync=False)


@pytest.mark.parametrize("how", ["waited for", "awaited", "with progress"])
def test_only_what_is_waited_for_begins_with_much(how, monkeypatch):
    told, begin = [], Run.begin

    def begins(run, host):
        told.append(run.pace.hurried)
        begin(run, host)

    monkeypatch.setattr(Run, "begin", begins)
    with Context.make_with("threads", cpus=2) as ctx:
        scan = ctx.load("memory", data=np.ones((64, 64, 32, 32), "u2"))
        if how == "awaited":
            anyio.run(partial(_awaited, ctx, scan))
        else:
            ctx.run_udf(scan, SumUDF(), progress=how == "with progress")
    assert told == {"waited for": [1024], "awaited": [0], "with progress": [None]}[how]


def test_threads_that_end_at_the_same_time_do_not_trip_over_each_other():
    cadence, interval = Cadence(10**9, 2, first=64, most=10**9), sys.getswitchinterval()
    errors, together = [], threading.Barrier(3)

    def works():
        together.wait()
        try:
            for _ in range(5000):
                assert cadence.size
                cadence.took(64)
                cadence.learn(64, 1e-4)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=works) for _ in range(3)]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not errors
    assert not cadence._under_way
    assert cadence._left == 10**9 - 3 * 5000 * 64


def test_the_last_partitions_leave_no_worker_without_work():
    cadence = Cadence(1000, 2, first=248, most=10**9)
    for _ in range(2):
        cadence.took(248)
    # Another one has half a second to go, or 248 frames; 504 are left.
    cadence.learn(248, 0.5, merging=10.0)
    assert 360 <= cadence.size <= 376
    cadence.took(cadence.size)
    cadence.learn(248, 0.5, merging=10.0)
    assert cadence.size >= 1000 - 2 * 248 - 376
