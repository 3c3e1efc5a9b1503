"""Fifty analyses at a time, treated roughly: each ends as it should, and nothing is left.

It goes on for UDFWIDGETS_STRESS_SECONDS, by default a few.
"""

from __future__ import annotations

import gc
import os
import random
import threading
import tracemalloc

import anyio
import numpy as np
import pytest

from udfwidgets import Context, StdDevUDF, SumSigUDF, SumUDF
from udfwidgets.engine.progress import RunState
from udfwidgets.errors import UDFRunCancelled
from udfwidgets.udf.base import UDF

SECONDS = float(os.environ.get("UDFWIDGETS_STRESS_SECONDS", "4"))
ANALYSES = 50
ENDS = {"result", "iterate", "leave", "raised", "cancelled"}


class Rough(UDF):
    """Does to the worker what it is told to, in one of the frames."""

    def get_result_buffers(self):
        return {"intensity": self.buffer("nav", dtype="float64")}

    def process_frame(self, frame):
        if self.params.manner != "well" and self.meta.slice.origin[0] == self.params.at:
            self.misbehave()
        self.results.intensity[:] = self.params.factor * frame.sum(dtype="f8")

    def misbehave(self):
        if self.params.manner == "raise":
            raise ZeroDivisionError("on purpose")
        if self.params.manner == "block":
            threading.Event().wait(0.3)
        if self.params.manner == "allocate":
            np.ones(4_000_000).sum()


def kinds(rng):
    return [
        lambda: SumUDF(),
        lambda: [SumUDF(), SumSigUDF()],
        lambda: [StdDevUDF(), SumSigUDF()],
        *(
            lambda manner=manner: Rough(manner=manner, at=rng.randrange(1024), factor=1)
            for manner in ("well", "raise", "block", "allocate")
        ),
    ]


def check(results, frames):
    """Hold whatever came out against NumPy."""
    for result in results if isinstance(results, tuple) else (results,):
        if "varsum" in result:
            total = result["sum"].data
            np.testing.assert_allclose(total, frames.sum(axis=(0, 1)))
        elif result["intensity"].kind == "sig":
            np.testing.assert_array_equal(result["intensity"].data, frames.sum(axis=(0, 1)))
        else:
            intensity = result["intensity"].data
            factors = np.unique(intensity / frames.sum(axis=(2, 3)))
            assert set(factors) <= {1.0, 2.0}


async def until(stream, only_first):
    """Iterate to the end, or leave after the first step."""
    async for step in stream:
        yield step
        if only_first:
            return


class Lab:
    def __init__(self, ctx, seed):
        self.ctx, self.rng = ctx, random.Random(seed)
        numbers = np.random.default_rng(seed)
        self.frames = [numbers.integers(1, 4096, (32, 32, 16, 16)).astype("u2") for _ in range(2)]
        self.datasets = [ctx.load("memory", data=frames) for frames in self.frames]
        self.ended: dict[str, int] = {}

    async def analyse(self):
        """Start one analysis after the other, and see how each ends."""
        while True:
            number = self.rng.randrange(2)
            how = self.rng.choice(("result", "iterate", "leave"))
            udfs = self.rng.choice(kinds(self.rng))()
            options = {"order": self.rng.choice((None, "scan", "progressive")), "sync": False}
            dataset, frames = self.datasets[number], self.frames[number]
            try:
                if how == "result":
                    check(await self.ctx.run_udf(dataset, udfs, **options), frames)
                else:
                    async with self.ctx.run_udf_iter(dataset, udfs, **options) as stream:
                        last = [step async for step in until(stream, how == "leave")][-1]
                    if how == "iterate":
                        check(last.buffers, frames)
                self.note(how)
            except ZeroDivisionError:
                self.note("raised")
            except UDFRunCancelled:
                self.note("cancelled")

    def note(self, how):
        self.ended[how] = self.ended.get(how, 0) + 1

    async def meddle(self):
        """Pause, resume, touch, change and cancel whatever runs."""
        while True:
            await anyio.sleep(0.01)
            runs = self.ctx.analyses
            if not runs:
                continue
            run = self.rng.choice(runs)
            deed = self.rng.choice(("pause", "touch", "change", "cancel", "resume all"))
            if deed == "change" and isinstance(run.udfs[0], Rough):
                run.update_parameters([{"factor": 2}])
            elif deed in ("pause", "touch", "cancel"):
                getattr(run, deed)()
            for other in runs if deed == "resume all" else ():
                other.resume()


async def be_rough(ctx, seed, seconds):
    lab, began = Lab(ctx, seed), anyio.current_time()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lab.meddle)
        for _ in range(ANALYSES):
            tasks.start_soon(lab.analyse)
        while anyio.current_time() < began + seconds or len(lab.ended) < len(ENDS):
            await anyio.sleep(0.05)
        tasks.cancel_scope.cancel()
    assert set(lab.ended) == ENDS
    # The engine is as good as new.
    check(await ctx.run_udf(lab.datasets[0], [SumUDF(), SumSigUDF()], sync=False), lab.frames[0])
    assert ctx.analyses == ()


@pytest.fixture
def traced():
    """Return a function that tells how many bytes of memory Python and NumPy hold.

    Not what the process holds: the C library keeps what was given back, as many threads as there
    were, in no way that could be told from a leak.
    """
    tracemalloc.start(1)

    def bytes_held():
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    yield bytes_held
    tracemalloc.stop()


@pytest.mark.anyio
@pytest.mark.timeout(60 + 4 * SECONDS)
async def test_fifty_analyses_treated_roughly(traced):
    with Context() as ctx:
        await be_rough(ctx, 1, min(SECONDS, 2.0))
        before = traced()
        await be_rough(ctx, 2, SECONDS)
        # Some thousand analyses: a kilobyte that each of them leaves would show.
        assert traced() < before + 2**20


@pytest.mark.anyio
async def test_closing_the_context_in_the_middle():
    ended = []
    ctx = Context()
    dataset = ctx.load("memory", data=np.ones((64, 64, 16, 16), "u2"))

    async def consume():
        try:
            async for _ in ctx.run_udf_iter(dataset, Rough(manner="well", factor=1), sync=False):
                pass
        except UDFRunCancelled:
            ended.append(RunState.CANCELLED)

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(consume)
        while len(ctx.analyses) < 10:
            await anyio.sleep(0.001)
        await anyio.to_thread.run_sync(ctx.close)
    assert ended == [RunState.CANCELLED] * 10
