"""What executors hold on to, and give back: of runs that end, and of runs that nobody waits for."""

from __future__ import annotations

import gc
import threading
import weakref
from contextlib import closing

import numpy as np
import pytest

from tests.engine.pacing import start
from udfwidgets import SumUDF
from udfwidgets.engine.executors import InlineExecutor, ThreadsExecutor
from udfwidgets.engine.progress import RunState
from udfwidgets.io.dataset.memory import ArraySource, MemoryDataSet

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
    gc.collect()
    assert [reference() for reference in gone] == [None, None]
