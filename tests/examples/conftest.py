"""Fixtures for the examples."""

from __future__ import annotations

import pytest

from udfwidgets.engine.executors import InlineExecutor, ThreadsExecutor

EXECUTORS = {"inline": InlineExecutor, "threads": lambda: ThreadsExecutor(2)}


@pytest.fixture(params=EXECUTORS)
def executor(request):
    """Run each test on the calling thread, and on several others."""
    executor = EXECUTORS[request.param]()
    yield executor
    executor.close()
