"""What executors hold on to, and give back: of runs that end, and of runs that nobody waits for."""

from __future__ import annotations

import gc
import os
import sys
import threading
import weakref
from contextlib import closing

import numpy as np
import pytest

from tests.engine.pacing import iterate, start
from tests.io.elsewhere import eventually
from udfwidgets import Context, SumUDF
from udfwidgets.engine.executors import InlineExecutor, ThreadsExecutor
from udfwidgets.engine.executors.aside import NICE
from udfwidgets.engine.merge.progress import RunState
from udfwidgets.engine.plan.job import Job
from udfwidgets.engine.run import Run
from udfwidgets.io.dataset.memory import ArraySource, MemoryDataSet
from udfwidgets.udf.base import UDF

EXECUTORS = {"threads": lambda: ThreadsExecutor(2), "inline": InlineExecutor}


class Watched(MemoryDataSet):
    """Tells how many of its sources are open, and how many of its frames have arrived."""

    def __init__(self, n_frames=64, on_open=lambda: None):
        super().__init__(np.ones((n_frames, 4, 4), "u2"))
        self.n_open, self.on_open = 0, on_open
        self.available, self.asked = (lambda: n_frames), threading.Event()

    def open(self):
        dataset = self
        self.on_open()
        self.n_open += 1

        class Source(ArraySource):
            def available(self):
                dataset.asked.set()
                return dataset.available()

            def close(self):
                dataset.n_open -= 1
                super().close()

        return Source(self._frames)


class Growing(Watched):
    is_growing = True


@pytest.fixture(params=EXECUTORS.values(), ids=EXECUTORS)
def executor(request):
    with closing(request.param()) as made:
        yield made


@pytest.fixture
def inline():
    with closing(InlineExecutor()) as made:
        yield made


def finish(run):
    run.wait(run.has_ended)
    return run.result()[0]["intensity"].data


def test_nothing_of_a_run_that_has_ended_is_kept(executor):
    dataset = Growing()
    dataset.available = lambda: 0
    run, inbox = start(executor, dataset, [SumUDF()])
    inbox.has_room = lambda: True
    # By now the workers have had to wait for frames, and look what the run waits for.
    waiter = threading.Thread(target=finish, args=(run,))
    waiter.start()
    for _ in range(10):
        dataset.asked.clear()
        assert dataset.asked.wait(10)
    dataset.available = lambda: 64
    waiter.join(10)
    assert run.state is RunState.DONE
    gone = [weakref.ref(run), weakref.ref(dataset)]
    del run, inbox, dataset, waiter

    def all_gone() -> bool:
        gc.collect()
        return not any(reference() for reference in gone)

    # A worker may be on its way back from the source it has asked last.
    eventually(all_gone)


def test_a_run_that_nobody_can_wait_for_is_given_up(inline):
    dataset = Watched()
    run, inbox = start(inline, dataset, [SumUDF()])
    assert inline.runs == (run,)
    gone = weakref.ref(run)
    del run, inbox
    assert gone() is None
    assert inline.runs == ()
    assert dataset.n_open == 0


def test_a_run_that_somebody_holds_stays(inline):
    dataset = Watched()
    run, inbox = start(inline, dataset, [SumUDF()], size=64)
    gc.collect()
    assert dataset.n_open == 1
    assert (finish(run) == 64).all()
    assert dataset.n_open == 0
    del run, inbox
    assert dataset.n_open == 0


def test_a_run_that_was_told_to_stop_is_ended_with_the_next_start(inline):
    run, _ = start(inline, Watched(), [SumUDF()])
    run.cancel()
    other, _ = start(inline, Watched(), [SumUDF()], size=64)
    assert run.state is RunState.CANCELLED
    assert inline.runs == (other,)


def test_a_collector_that_comes_while_a_dataset_is_opened_stops_nobody(executor):
    """It finds a dropped iterator, on the thread that holds the lock of the open sources."""
    dropped = Watched()
    stream = iterate(executor, dropped, [SumUDF()])
    next(stream)
    stream.myself = stream
    gc.disable()
    try:
        del stream
        opening = Watched(on_open=gc.collect)
        started = []
        thread = threading.Thread(
            target=lambda: started.append(start(executor, opening, [SumUDF()], size=64)[0]),
            daemon=True,
        )
        thread.start()
        thread.join(10)
    finally:
        gc.enable()
    assert started, "the thread waits for itself"
    assert (finish(started[0]) == 64).all()
    for run in executor.runs:
        run.wait(run.has_ended)
    assert dropped.n_open == 0


@pytest.mark.parametrize("make", EXECUTORS.values(), ids=EXECUTORS)
def test_a_closed_executor_starts_nothing(make):
    executor, dataset = make(), Watched()
    executor.close()
    executor.close()
    with pytest.raises(RuntimeError, match="the Context is closed: make a new one"):
        start(executor, dataset, [SumUDF()])
    assert executor.runs == ()
    assert dataset.n_open == 0


class Alone(UDF):
    """Notes whether two threads are in it at once."""

    def get_result_buffers(self):
        return {"intensity": self.buffer("nav")}

    def process_frame(self, frame):
        inside = self.params.inside
        inside.append(threading.get_ident())
        self.params.crowd.append(len(inside))
        threading.Event().wait(0.0005)
        inside.pop()
        self.results.intensity[:] = frame.sum()


def test_two_threads_wait_for_one_inline_run(inline):
    crowd = []
    for _ in range(3):
        run = Run(Job.of(Watched(256), [Alone(inside=[], crowd=crowd)]))
        inline.start(run)
        threads = [threading.Thread(target=run.wait, args=(run.has_ended,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive()
        assert (run.result()[0]["intensity"].data == 16).all()
    assert set(crowd) == {1}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads have no priority")
def test_workers_stand_back_for_whoever_shows_their_results():
    class Nice(UDF):
        def get_result_buffers(self):
            return {"nice": self.buffer("nav", dtype="int64")}

        def process_frame(self, frame):
            self.results.nice[:] = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = os.getpriority(os.PRIO_PROCESS, 0)
    with Context(executor=ThreadsExecutor(2)) as ctx:
        scan = ctx.load("memory", data=np.zeros((8, 8, 4, 4)), sig_dims=2)
        for _ in range(2):  # once for each thread, not for each run
            nice = ctx.run_udf(scan, Nice())["nice"].data
            assert np.unique(nice).tolist() == [min(before + NICE, 19)]
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


def test_workers_work_where_they_may_not_stand_back(monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "setpriority", refuse)
    with Context(executor=ThreadsExecutor(2)) as ctx:
        scan = ctx.load("memory", data=np.ones((2, 2, 4, 4)), sig_dims=2)
        assert ctx.run_udf(scan, SumUDF())["intensity"].data.sum() == 64
