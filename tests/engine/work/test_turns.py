"""Threads that call quick Python code take turns, and nobody waits for who does not give it."""

from __future__ import annotations

import sys
import threading
import time

import numpy as np
import pytest

from udfwidgets import Context
from udfwidgets.engine.work import turns
from udfwidgets.engine.work.turns import Turn, is_quick, timed
from udfwidgets.udf.base import UDF

TILE = np.arange(48, dtype="u2").reshape(3, 4, 4)


@pytest.fixture(autouse=True)
def nobody_has_it():
    yield
    assert turns._taken[0] == 0


def test_only_one_has_the_turn(monkeypatch):
    monkeypatch.setattr(turns, "SLEEPS", 10_000)  # nobody is taken to keep it
    inside, most, begin = [], [], threading.Barrier(3)

    def work():
        turn = Turn()
        begin.wait(10)
        for _ in range(200):
            turn.take(TILE)
            inside.append(turn)
            time.sleep(0)
            most.append(len(inside))
            inside.remove(turn)
        turn.give()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 600
    assert max(most) == 1


def test_a_turn_that_is_kept_is_taken_away():
    keeper, other = Turn(), Turn()
    keeper.take(TILE)
    other.take(TILE)
    other.give()
    other.take(TILE)
    keeper.give()
    other.give()


@pytest.mark.parametrize("to", ["f4", "f8", "u4"])
@pytest.mark.parametrize("dtype", ["u1", "u2", "i4", "f4"])
def test_a_tile_is_converted_meanwhile(dtype, to):
    tile, turn = TILE.astype(dtype), Turn()
    converted = np.empty(tile.shape, to)
    turn.take(tile, converted)
    turn.give()
    np.testing.assert_array_equal(converted, tile.astype(to))


class Highest(UDF):
    """Quick enough for turns, unless it is told to be slow."""

    def get_result_buffers(self):
        return {"highest": self.buffer("nav", dtype="f4")}

    def process_frame(self, frame):
        if self.params.get("slow"):
            np.linalg.eigvalsh(np.eye(200))
        if self.params.get("waits") and self.meta.slice.origin[0] == 5:
            self.params.waits.wait(30)
        self.results.highest[:] = frame.max()


class Native(Highest):
    def get_preferred_input_dtype(self):
        return self.USE_NATIVE_DTYPE


@pytest.mark.parametrize("udf", [Highest, Native])
@pytest.mark.parametrize("dtype", ["u2", "f8", "i4", "f2"])
def test_results_are_right(udf, dtype):
    frames = np.random.default_rng(0).integers(0, 999, (40, 50, 8, 8)).astype(dtype)
    with Context.make_with("threads", cpus=3) as ctx:
        result = ctx.run_udf(ctx.load("memory", data=frames), udf())["highest"].data
    np.testing.assert_array_equal(result, frames.max(axis=(2, 3)))


def test_only_quick_code_takes_turns(monkeypatch):
    # Far from both, on a machine of any speed.
    monkeypatch.setattr("udfwidgets.engine.work.turns.QUICK", 2e-4)
    frames = np.ones((8, 8, 8, 8), "u2")
    with Context() as ctx:
        dataset = ctx.load("memory", data=frames)
        ctx.run_udf(dataset, Highest())
        assert is_quick(Highest)
        ctx.run_udf(dataset, Highest(slow=True))
        assert not is_quick(Highest)
        ctx.run_udf(dataset, Highest())
        assert is_quick(Highest)


def test_what_waits_is_not_slow():
    with timed(Highest, 1000):
        threading.Event().wait(0.1)
    assert is_quick(Highest)


@pytest.mark.anyio
async def test_code_that_waits_does_not_keep_others_from_theirs():
    gate = threading.Event()
    frames = np.random.default_rng(0).integers(0, 999, (32, 32, 8, 8)).astype("u2")
    with Context() as ctx:
        dataset = ctx.load("memory", data=frames)
        waiting = ctx.run_udf(dataset, Highest(waits=gate), sync=False)
        result = await ctx.run_udf(dataset, Native(), sync=False)
        np.testing.assert_array_equal(result["highest"].data, frames.max(axis=(2, 3)))
        gate.set()
        result = await waiting
        np.testing.assert_array_equal(result["highest"].data, frames.max(axis=(2, 3)))


@pytest.mark.parametrize("usual", [0.005, 0.0002])
def test_workers_get_the_gil_sooner_as_long_as_a_context_works(usual):
    before = sys.getswitchinterval()
    sys.setswitchinterval(usual)
    try:
        one, other = Context(), Context()
        for ctx in (one, other):
            ctx.run_udf(ctx.load("memory", data=np.ones((2, 2, 4, 4))), Highest())
        one.close()
        assert sys.getswitchinterval() == pytest.approx(min(usual, 0.001), abs=2e-6)
        other.close()
        assert sys.getswitchinterval() == pytest.approx(usual, abs=2e-6)
    finally:
        sys.setswitchinterval(before)
