"""The checks for what a test leaves behind, tried on small test files of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

CLEAN = """
    import subprocess, sys, threading
    import anyio, ipywidgets, pytest

    def test_thread():
        thread = threading.Thread(target=int); thread.start(); thread.join()

    def test_child():
        subprocess.run([sys.executable, "-c", ""], check=True)

    def test_file(tmp_path):
        (tmp_path / "a").write_text("")

    def test_comm():
        ipywidgets.Layout().close()

    @pytest.mark.anyio
    async def test_tasks():
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.lowlevel.checkpoint)

    @pytest.mark.anyio
    async def test_worker_thread():
        await anyio.to_thread.run_sync(int)
"""

LEAVES = """
    import asyncio, subprocess, sys, threading
    import ipywidgets, pytest

    left = []

    def test_thread():
        threading.Thread(target=threading.Event().wait, daemon=True, name="stray thread").start()

    def test_process():
        left.append(subprocess.Popen([sys.executable, "-c", "input('stray process')"], stdin=-1))

    def test_file(tmp_path):
        left.append((tmp_path / "stray file").open("w"))

    def test_comm():
        left.append(ipywidgets.Layout())

    @pytest.mark.anyio
    @pytest.mark.parametrize("anyio_backend", ["asyncio"])
    async def test_task():
        left.append(asyncio.create_task(asyncio.Event().wait(), name="stray task"))

    def teardown_module():
        left[0].communicate()
"""


@pytest.fixture
def checked_pytester(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A scratch folder for test files, under the conftest of this one with less patience."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    conftest = Path(__file__).with_name("conftest.py").read_text()
    pytester.makeconftest(conftest.replace("GRACE = 3.0", "GRACE = 0.3"))
    return pytester


def test_clean_tests_pass(checked_pytester: pytest.Pytester) -> None:
    checked_pytester.makepyfile(CLEAN)
    result = checked_pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=8)


def test_leftovers_are_noticed(checked_pytester: pytest.Pytester) -> None:
    checked_pytester.makepyfile(LEAVES)
    result = checked_pytester.runpytest_subprocess("-p", "no:cacheprovider")
    # The first four are found after the test has passed, the task while it still runs.
    result.assert_outcomes(passed=4, failed=1, errors=4)
    result.stdout.fnmatch_lines(["*left*behind: comm of a Layout"])
    for kind in ("thread", "process", "file", "task"):
        result.stdout.fnmatch_lines([f"*left*behind: *stray {kind}*"])
