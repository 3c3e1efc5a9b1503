from __future__ import annotations

import logging

import numpy as np
import pytest

from udfwidgets import Context, SumUDF
from udfwidgets.engine.executors.dask import DaskExecutor
from udfwidgets.engine.executors.inline import InlineExecutor
from udfwidgets.engine.executors.threads import ThreadsExecutor
from udfwidgets.errors import ExecutorSpecException

TAKEN = {
    InlineExecutor: {"debug": True, "inline_threads": 2},
    ThreadsExecutor: {
        "pin_workers": False,
        "startup_timeout": 30.0,
        "cleanup_timeout": 30.0,
        "early_setup": print,
    },
    DaskExecutor: {"lt_resources": False},
}


@pytest.mark.parametrize("executor", TAKEN)
def test_arguments_of_libertem_are_taken_with_a_line_in_the_log(executor, caplog) -> None:
    with caplog.at_level(logging.DEBUG, "udfwidgets.engine.executors.arguments"):
        made = executor(**TAKEN[executor])
    made.close()
    assert [name in text for name, text in zip(TAKEN[executor], caplog.messages, strict=True)]
    with pytest.raises(ExecutorSpecException, match="cannot use gpus=1"):
        executor(main_process_gpu=1)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ThreadsExecutor.make_local(n_threads=3),
        lambda: ThreadsExecutor.make_local(3, None, pin_workers=False),
        lambda: ThreadsExecutor(spec=ThreadsExecutor.make_spec(cpus=3, cudas=0)),
        lambda: ThreadsExecutor(spec=ThreadsExecutor.make_spec(range(3), [], has_cupy=True)),
    ],
    ids=["by number", "with others", "spec by number", "spec by processors"],
)
def test_threads_are_made_as_in_libertem(make) -> None:
    data = np.arange(4 * 4 * 3 * 3, dtype="f4").reshape(4, 4, 3, 3)
    with Context(executor=make()) as ctx:
        assert ctx.executor.workers == 3
        result = ctx.run_udf(ctx.load("memory", data=data), SumUDF())
    np.testing.assert_allclose(result["intensity"].data, data.sum((0, 1)))


def test_gpus_of_a_spec_are_refused() -> None:
    with pytest.raises(ExecutorSpecException, match="gpus"):
        ThreadsExecutor.make_spec(cpus=2, cudas=[0])


def test_a_local_cluster_takes_the_arguments_too(caplog) -> None:
    with caplog.at_level(logging.DEBUG, "udfwidgets.engine.executors.arguments"):
        DaskExecutor.make_local(2, snooze_timeout=3.0).close()
    assert "snooze_timeout" in caplog.text
