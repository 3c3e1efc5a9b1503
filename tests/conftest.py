"""Fixtures for all tests; the main one fails a test that leaves something running or open behind.

What counts as left behind is what was not there before the test and is still there a moment after
it: threads, child processes, open files, comms of widgets, and tasks of the event loop the test ran
in. Fixtures of a wider scope (the JupyterLab server of the browser tests) are set up before the
first look, so what they own is not counted.
"""

from __future__ import annotations

import functools
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import Any

import anyio
import comm
import hypothesis
import psutil
import pytest

GRACE = 3.0
"""Seconds that an end may take to show: a joined thread's last instruction, a reaped child."""

LASTING_THREADS = {
    "Trio thread": "trio keeps idle worker threads for ten seconds to use them again",
    "Dask-Offload": "distributed makes one thread pool per process when it is first used",
    "Dask-Callback-Thread": "distributed makes one per process when it is first used",
    "TCP-Executor": "distributed makes one thread pool per process when it is first used",
    "Profile": "distributed's profiler thread looks for its end only every few seconds",
    "udfwidgets-compiler": "it compiles once after an installation, for seconds, and then ends",
}
"""Beginnings of the names of threads that last longer on purpose, each with the reason."""

LASTING_CHILDREN = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")
"""Parts of the command lines of processes that Python keeps to its own end."""

LASTING_FILES = ("/dev/", "/proc/", "/sys/")
"""Beginnings of the targets of file descriptors that libraries open once and keep."""

hypothesis.settings.register_profile("local", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As a shell has it for what runs in the background, and so would all that tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)

_failed = pytest.StashKey[bool]()


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run each test marked ``anyio`` on both event loops."""
    return str(request.param)


@dataclass(frozen=True)
class Surroundings:
    """What a process has running and open at one moment."""

    threads: frozenset[threading.Thread]
    children: frozenset[psutil.Process]
    """Direct ones: what the server of a wider fixture starts and ends is its own affair."""
    files: frozenset[tuple[int, str]]
    comms: frozenset[str]

    @classmethod
    def now(cls) -> Surroundings:
        """Look around."""
        return cls(
            threads=frozenset(threading.enumerate()),
            children=frozenset(psutil.Process().children()),
            files=frozenset(_open_files()),
            comms=frozenset(comm.get_comm_manager().comms),
        )

    def added_since(self, before: Surroundings) -> list[str]:
        """Describe what is here and was not there before, without what lasts on purpose."""
        return [
            *(f"thread {thread.name!r}" for thread in self.threads - before.threads
              if not thread.name.startswith(tuple(LASTING_THREADS))),
            *(f"process {line}" for line in map(_command_line, self.children - before.children)
              if line and not any(part in line for part in LASTING_CHILDREN)),
            *(f"open file {fd} -> {target}" for fd, target in sorted(self.files - before.files)
              if not target.startswith(LASTING_FILES)),
            *(f"comm of a {_widget_type(key)}" for key in self.comms - before.comms),
        ]  # fmt: skip


def _open_files() -> Iterator[tuple[int, str]]:
    try:
        descriptors = os.listdir("/proc/self/fd")
    except FileNotFoundError:  # not Linux: the other checks still hold
        return
    for name in descriptors:
        try:
            yield int(name), os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue  # the descriptor that listed the folder


def _widget_type(key: str) -> str:
    widgets = sys.modules.get("ipywidgets.widgets.widget")
    return type(getattr(widgets, "_instances", {}).get(key)).__name__


def _command_line(process: psutil.Process) -> str:
    try:
        return "" if process.status() == psutil.STATUS_ZOMBIE else " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def _wait_for_leftovers_to_go(before: Surroundings) -> list[str]:
    """Look until nothing is left over or the grace is used up."""
    leftovers = Surroundings.now().added_since(before)
    if leftovers:
        gc.collect()  # objects in reference cycles own files and threads too
    # From here on: with all that the tests have compiled the collector takes its time.
    deadline = time.monotonic() + GRACE
    while leftovers and time.monotonic() < deadline:
        new_threads = frozenset(threading.enumerate()) - before.threads
        for thread in new_threads - {threading.current_thread()}:
            thread.join(0.05)
        psutil.wait_procs(psutil.Process().children(), timeout=0.05)
        leftovers = Surroundings.now().added_since(before)
    if leftovers:
        gc.collect()  # of what a thread held that has ended since
        leftovers = Surroundings.now().added_since(before)
    return leftovers


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a thread, a child process, an open file or a comm behind."""
    before = Surroundings.now()
    yield
    if request.node.stash.get(_failed, False):
        return  # the traceback keeps the frames of the test alive, and what they hold
    leftovers = _wait_for_leftovers_to_go(before)
    if leftovers:
        pytest.fail("the test left behind: " + ", ".join(leftovers), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note on the test itself whether it has failed, for the fixtures that end after it."""
    report = yield
    if report.failed:
        item.stash[_failed] = True
    return report


def _without_leftover_tasks(test: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[None]]:
    @functools.wraps(test)
    async def checked(*args: Any, **kwargs: Any) -> None:
        before = {task.id for task in anyio.get_running_tasks()}
        await test(*args, **kwargs)
        with anyio.move_on_after(GRACE):
            while leftovers := [t for t in anyio.get_running_tasks() if t.id not in before]:
                # Let all of them run until each waits for something, or the grace is over.
                await anyio.wait_all_tasks_blocked()
                if leftovers == [t for t in anyio.get_running_tasks() if t.id not in before]:
                    break
        if leftovers:
            names = ", ".join(repr(task.name) for task in leftovers)
            pytest.fail(f"the test left tasks behind: {names}", pytrace=False)

    return checked


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    """Look for left-over tasks inside the event loop, which is gone when fixtures end."""
    test = pyfuncitem.obj
    in_loop = iscoroutinefunction(test) and "anyio_backend" in pyfuncitem.funcargs
    if not in_loop or hasattr(test, "hypothesis"):
        return (yield)
    pyfuncitem.obj = _without_leftover_tasks(test)
    try:
        return (yield)
    finally:
        pyfuncitem.obj = test


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put browser tests last: Playwright's event loop stays on the main thread once started."""
    items.sort(key=_is_browser_test)


def _is_browser_test(item: pytest.Item) -> bool:
    return item.get_closest_marker("browser") is not None


def pytest_collection_finish() -> None:
    """Have the collector pass over the tests themselves: it runs after nearly each of them."""
    gc.collect()
    gc.freeze()


def pytest_report_header() -> Iterable[str]:
    """Say which Hypothesis profile is in use."""
    return [f"hypothesis profile: {'ci' if os.environ.get('CI') else 'local'}"]
