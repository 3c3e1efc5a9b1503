"""However a consumer leaves, the run stops and nothing is left; the same on asyncio and trio."""

from __future__ import annotations

import asyncio
import gc
import threading

import anyio
import numpy as np
import pytest

from tests.engine.pacing import iterate, iterate_async
from udfwidgets import ApplyMasksUDF, Context, SumSigUDF, SumUDF
from udfwidgets.engine.merge.progress import RunState
from udfwidgets.errors import UDFException, UDFRunCancelled
from udfwidgets.io.dataset.memory import MemoryDataSet
from udfwidgets.udf.base import UDF


class Gate(UDF):
    """Lets a number of frames through and then waits for the test."""

    def get_result_buffers(self):
        return {"seen": self.buffer("nav", dtype="int64")}

    def process_frame(self, frame):
        if int(self.meta.coordinates[0, 0]) >= self.params.rows:
            self.params.reached.set()
            self.params.opened.wait(30)
        self.results.seen[:] = 1


class Gatekeeper:
    def __init__(self, rows=2):
        self.reached, self.opened = threading.Event(), threading.Event()
        self.udf = Gate(rows=rows, reached=self.reached, opened=self.opened)

    def open_when_stopping(self, run):
        """Let the frames through as soon as the run has been told to stop, and not before."""

        def wait():
            run.bell.wait(run.is_stopping)
            self.opened.set()

        threading.Thread(target=wait).start()


@pytest.fixture(params=["threads", "inline"])
def ctx(request):
    with Context.make_with(request.param) as ctx:
        yield ctx


@pytest.fixture
def threads():
    with Context.make_with("threads") as ctx:
        yield ctx


@pytest.fixture
def dataset(ctx):
    return ctx.load("memory", data=np.ones((64, 64, 32, 32), "u2"))


@pytest.fixture
def gate():
    keeper = Gatekeeper()
    yield keeper
    keeper.opened.set()


def test_a_result_that_is_waited_for_comes_in_few_steps_and_an_iterator_in_many(threads, dataset):
    steps = []

    class Counting(SumUDF):
        takes_any_frames = True
        process_tile = SumUDF.process_tile

        def merge(self, dest, src):
            steps.append(1)
            super().merge(dest, src)

    Counting.fused_step = SumUDF.fused_step
    threads.run_udf(dataset=dataset, udf=Counting())
    waited = len(steps)
    first = next(iter(threads.run_udf_iter(dataset=dataset, udf=Counting())))
    assert waited <= 2 * (threads.executor.workers + 1)
    assert first.damage.data.sum() < dataset.shape.nav.size / 4


# Iterators


def test_leaving_a_loop_early_stops_the_run(ctx, dataset):
    with iterate(ctx.executor, dataset, [SumUDF()], size=64) as stream:
        for _ in stream:
            break
    assert stream._run.has_ended()
    assert stream._run.progress.fraction < 1
    assert next(stream, None) is None


def test_closing_twice_is_allowed(ctx, dataset):
    stream = ctx.run_udf_iter(dataset=dataset, udf=SumUDF())
    next(stream)
    stream.close()
    stream.close()


def test_dropping_an_iterator_stops_the_run(ctx, dataset):
    stream = iterate(ctx.executor, dataset, [SumUDF()], size=64)
    run = stream._run
    next(stream)
    del stream
    gc.collect()
    assert run.is_stopping()
    run.wait(run.has_ended)
    assert run.progress.fraction < 1


def test_an_idle_consumer_pauses_the_run_but_no_other(threads):
    dataset = threads.load("memory", data=np.ones((64, 64, 32, 32), "u2"))
    idle = [iterate(threads.executor, dataset, [SumUDF()], size=64) for _ in range(5)]
    for stream in idle:
        next(stream)
    result = threads.run_udf(dataset=dataset, udf=SumUDF())
    assert result["intensity"].data[0, 0] == 64 * 64
    assert not any(stream._run.has_ended() for stream in idle)
    for stream in idle:
        assert list(stream)[-1].buffers[0]["intensity"].data[0, 0] == 64 * 64


def test_throw_comes_back_out(ctx, dataset):
    stream = ctx.run_udf_iter(dataset=dataset, udf=SumUDF())
    next(stream)
    with pytest.raises(ZeroDivisionError, match="mine"):
        stream.throw(ZeroDivisionError("mine"))
    assert stream._run.has_ended()


def test_parameters_change_for_what_is_not_handed_out(ctx, dataset):
    class Constant(UDF):
        def get_result_buffers(self):
            return {name: self.buffer("nav", dtype="int64") for name in ("value", "merged")}

        def process_tile(self, tile):
            self.results.value[:] = self.params.value

        def merge(self, dest, src):
            dest.value[:] = src.value
            dest.merged[:] = self.params.value

    stream = iterate(ctx.executor, dataset, [Constant(value=1)], size=64)
    first = next(stream)
    stream.update_parameters_experimental([{"value": 2}])
    last = [first, *stream][-1]
    for name in ("value", "merged"):
        assert set(np.unique(last.buffers[0][name].data)) == {1, 2}
        assert last.buffers[0][name].data[-1, -1] == 2


def test_changed_parameters_need_one_dict_per_udf(ctx, dataset):
    with (
        ctx.run_udf_iter(dataset=dataset, udf=[SumUDF(), SumSigUDF()]) as stream,
        pytest.raises(ValueError, match="for 1 UDFs, this run has 2"),
    ):
        stream.update_parameters_experimental([{}])


def test_cancel_from_elsewhere_raises_in_the_consumer(threads, gate):
    dataset = threads.load("memory", data=np.ones((64, 8, 8, 8), "u2"))
    stream = threads.run_udf_iter(dataset=dataset, udf=gate.udf)
    gate.reached.wait()
    stream._run.cancel()
    gate.opened.set()
    with pytest.raises(UDFRunCancelled, match="of 512 frames"):
        list(stream)


def test_closing_the_context_ends_iterators(gate):
    with Context() as ctx:
        dataset = ctx.load("memory", data=np.ones((64, 8, 8, 8), "u2"))
        stream = ctx.run_udf_iter(dataset=dataset, udf=gate.udf)
        gate.reached.wait()
        gate.opened.set()
    assert stream._run.has_ended()


# Async iterators and awaitables


@pytest.mark.anyio
async def test_async_iterator_sees_all_steps(ctx, dataset):
    counts = [
        int(step.damage.data.sum())
        async for step in ctx.run_udf_iter(dataset=dataset, udf=SumUDF(), sync=False)
    ]
    assert counts == sorted(set(counts))
    assert counts[-1] == 64 * 64


@pytest.mark.anyio
async def test_two_async_iterators_interleave(ctx, dataset):
    order = []

    async def consume(label):
        stream = iterate_async(ctx.executor, dataset, [SumUDF()], size=32)
        last = [order.append(label) or step async for step in stream][-1]
        assert last.buffers[0]["intensity"].data[0, 0] == 64 * 64

    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(consume, "one")
            tasks.start_soon(consume, "two")
    assert len(order) == 2 * 64 * 64 // 32
    assert {"one", "two"} == set(order[: len(order) // 2])


@pytest.mark.anyio
async def test_the_same_instance_in_two_runs_at_once(ctx, dataset):
    udf, results = SumUDF(), []

    async def consume():
        results.append(await ctx.run_udf(dataset=dataset, udf=udf, sync=False))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(consume)
        tasks.start_soon(consume)
    assert [r["intensity"].data[0, 0] for r in results] == [64 * 64] * 2


@pytest.mark.anyio
async def test_cancelling_the_consumer_stops_the_run(threads, gate):
    dataset = threads.load("memory", data=np.ones((64, 8, 8, 8), "u2"))
    stream = threads.run_udf_iter(dataset=dataset, udf=gate.udf, sync=False)

    async def consume():
        async for _ in stream:
            pass

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(consume)
        await anyio.to_thread.run_sync(gate.reached.wait)
        gate.open_when_stopping(stream._run)
        tasks.cancel_scope.cancel()
    assert stream._run.has_ended()
    assert stream._run.progress.fraction < 1


@pytest.mark.anyio
async def test_cancelling_who_awaits_the_result_stops_the_run(threads, gate):
    dataset = threads.load("memory", data=np.ones((64, 8, 8, 8), "u2"))
    result = threads.run_udf(dataset=dataset, udf=gate.udf, sync=False)

    async def consume():
        await result

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(consume)
        await anyio.to_thread.run_sync(gate.reached.wait)
        gate.open_when_stopping(result._run)
        tasks.cancel_scope.cancel()
    assert result._run.has_ended()


@pytest.mark.anyio
async def test_aclose_returns_when_no_worker_is_left(ctx, dataset):
    stream = ctx.run_udf_iter(dataset=dataset, udf=SumUDF(), sync=False)
    async with stream:
        await anext(stream)
    assert stream._run.has_ended()
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


@pytest.mark.anyio
async def test_athrow_comes_back_out(ctx, dataset):
    stream = ctx.run_udf_iter(dataset=dataset, udf=SumUDF(), sync=False)
    await anext(stream)
    with pytest.raises(ZeroDivisionError, match="mine"):
        await stream.athrow(ZeroDivisionError("mine"))
    assert stream._run.has_ended()


@pytest.mark.anyio
async def test_a_result_can_be_awaited_twice(ctx, dataset):
    awaitable = ctx.run_udf(dataset=dataset, udf=SumUDF(), sync=False)
    first, second = await awaitable, await awaitable
    np.testing.assert_array_equal(first["intensity"].data, second["intensity"].data)


def test_a_result_can_become_an_asyncio_task(ctx, dataset):
    async def main():
        task = asyncio.create_task(ctx.run_udf(dataset=dataset, udf=[SumUDF()], sync=False))
        (result,) = await asyncio.wait_for(task, 60)
        return result["intensity"].data[0, 0]

    assert asyncio.run(main()) == 64 * 64


def test_a_task_that_is_cancelled_before_it_begins_cancels_the_run(ctx, dataset):
    async def main():
        result = ctx.run_udf(dataset=dataset, udf=[SumUDF()], sync=False)
        result._run.pause()
        task = asyncio.create_task(result)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await result._run.wait_async(result._run.has_ended)
        return result._run.state

    assert asyncio.run(main()) is RunState.CANCELLED


def test_parameters_that_would_change_the_results_shape_are_refused(ctx, dataset):
    masks = [lambda: np.ones((32, 32))]
    with ctx.run_udf_iter(dataset=dataset, udf=ApplyMasksUDF(masks)) as stream:
        next(stream)
        with pytest.raises(ValueError, match="ApplyMasksUDF would have other names, shapes"):
            stream.update_parameters_experimental([{"mask_factories": 2 * masks}])
        *_, last = stream
    assert last.damage.data.all()


def test_run_udf_works_inside_a_running_loop(ctx, dataset):
    async def main():
        return ctx.run_udf(dataset=dataset, udf=SumUDF())["intensity"].data[0, 0]

    assert anyio.run(main) == 64 * 64


# Errors


class BadClose(MemoryDataSet):
    """Cannot be closed, as when a network drive has gone."""

    def open(self):
        source = super().open()

        def close():
            raise OSError("the drive is gone")

        source.close = close
        return source


def test_an_error_while_closing_the_file_is_not_lost(ctx):
    with pytest.raises(OSError, match="the drive is gone"):
        ctx.run_udf(dataset=BadClose(np.ones((8, 8, 4, 4))), udf=SumUDF())


class Fails(UDF):
    def get_result_buffers(self):
        return {}

    def process_frame(self, frame):
        if self.meta.slice.origin[0] == 1000:
            raise ZeroDivisionError("in frame 1000")


def test_an_error_in_a_udf_keeps_its_type_and_says_where(ctx, dataset):
    with pytest.raises(ZeroDivisionError) as info:
        ctx.run_udf(dataset=dataset, udf=[SumUDF(), Fails()])
    (note,) = info.value.__notes__
    where = "raised by Fails while it worked on frame 1000 of a scan with nav (64, 64), in the "
    assert note.startswith(where)
    assert ctx.run_udf(dataset=dataset, udf=SumUDF())["intensity"].data[0, 0] == 64 * 64


def test_an_error_ends_an_iterator(ctx, dataset):
    stream = ctx.run_udf_iter(dataset=dataset, udf=Fails())
    with pytest.raises(ZeroDivisionError):
        list(stream)
    assert stream._run.has_ended()
    assert next(stream, None) is None


def test_an_error_in_one_run_leaves_another_alone(threads):
    dataset = threads.load("memory", data=np.ones((64, 64, 32, 32), "u2"))
    good = threads.run_udf_iter(dataset=dataset, udf=SumUDF())
    bad = threads.run_udf_iter(dataset=dataset, udf=Fails())
    with pytest.raises(ZeroDivisionError):
        list(bad)
    assert list(good)[-1].buffers[0]["intensity"].data[0, 0] == 64 * 64


class Meet(UDF):
    """Makes its results when another run is about to make its own."""

    def get_result_buffers(self):
        return {"seen": self.buffer("nav", dtype="int64")}

    def process_frame(self, frame):
        self.results.seen[:] = 1

    def get_results(self):
        self.params.meeting.wait(10)
        return super().get_results()


def test_results_of_two_runs_are_made_at_the_same_time(ctx, dataset):
    meeting, made = threading.Barrier(2), []
    streams = [ctx.run_udf_iter(dataset, Meet(meeting=meeting)) for _ in range(2)]
    steps = [next(stream) for stream in streams]
    makers = [threading.Thread(target=lambda s=step: made.append(s.buffers)) for step in steps]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    for stream in streams:
        stream.close()
    assert len(made) == 2


def test_a_run_on_a_closed_context_says_so(dataset):
    ctx = Context()
    ctx.run_udf(dataset=dataset, udf=SumUDF())
    ctx.close()
    ctx.close()
    with pytest.raises(RuntimeError, match="the Context is closed"):
        ctx.run_udf(dataset=dataset, udf=SumUDF())


def test_a_dropped_context_ends_its_threads(dataset):
    before = set(threading.enumerate())
    ctx = Context()
    ctx.run_udf(dataset=dataset, udf=SumUDF())
    ours = set(threading.enumerate()) - before
    assert ours
    del ctx
    gc.collect()
    for thread in ours:
        thread.join(10)
        assert not thread.is_alive()


@pytest.mark.parametrize("error", [StopIteration, StopAsyncIteration])
def test_an_exhausted_iterator_in_a_udf_does_not_end_the_loop(ctx, dataset, error):
    class Exhausted(UDF):
        def get_result_buffers(self):
            return {}

        def process_frame(self, frame):
            if self.meta.slice.origin[0] == 2000:
                raise error

    with pytest.raises(UDFException, match=f"raised {error.__name__}"):
        list(ctx.run_udf_iter(dataset=dataset, udf=Exhausted()))


def test_cancel_comes_between_two_frames(threads, gate):
    # All frames fit into one tile; the gate is reached in the third line of the scan.
    dataset = threads.load("memory", data=np.ones((64, 64, 2, 2), "u1"))
    seen = []

    class Slow(Gate):
        def process_frame(self, frame):
            super().process_frame(frame)
            seen.append(1)

    udf = Slow(rows=2, reached=gate.reached, opened=gate.opened)
    stream = threads.run_udf_iter(dataset=dataset, udf=udf)
    gate.reached.wait()
    stream._run.cancel()
    before = len(seen)
    gate.opened.set()
    stream.close()
    assert len(seen) <= before + threads.executor.workers


def test_the_first_step_of_a_slow_udf_comes_early(ctx, dataset):
    class Slow(UDF):
        def get_result_buffers(self):
            return {"seen": self.buffer("nav")}

        def process_frame(self, frame):
            self.results.seen[:] = 1

    first = next(iter(ctx.run_udf_iter(dataset=dataset, udf=Slow())))
    assert first.damage.data.sum() <= 16


def test_a_result_is_the_users_own(ctx, dataset):
    awaitable = ctx.run_udf(dataset=dataset, udf=SumSigUDF(), sync=False)
    first = asyncio.run(_await(awaitable))["intensity"].data
    first[:] = 99
    second = asyncio.run(_await(awaitable))["intensity"].data
    assert (second == 32 * 32).all()


async def _await(awaitable):
    return await awaitable


class WritesToItsFrame(UDF):
    def get_result_buffers(self):
        return {"mean": self.buffer("nav")}

    def process_frame(self, frame):
        frame -= 1
        self.results.mean[:] = frame.mean()


def test_a_udf_may_write_to_a_frame_that_is_its_own(ctx, dataset):
    # The data are integers, the UDF gets floats made for it alone.
    udfs = [WritesToItsFrame(), SumSigUDF()]
    means, sums = ctx.run_udf(dataset=dataset, udf=udfs)
    assert (means["mean"].data == 0).all()
    assert (sums["intensity"].data == 32 * 32).all()


def test_what_a_udf_writes_to_its_frame_is_seen_by_nobody_else(ctx, dataset):
    floats = np.ones((8, 8, 4, 4), "f4")
    memory = ctx.load("memory", data=floats)
    alone = ctx.run_udf(dataset=memory, udf=WritesToItsFrame())
    for beside in ctx.run_udf(dataset=memory, udf=[WritesToItsFrame(), WritesToItsFrame()]):
        for name in alone:
            np.testing.assert_array_equal(beside[name].data, alone[name].data)
    assert (floats == 1).all()
