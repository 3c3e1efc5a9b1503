"""A process that is forked has the Context of its parent, and none of its threads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import udfwidgets

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")

PARENT = """
import multiprocessing, os, sys, threading, warnings
import numpy as np
warnings.simplefilter("ignore", DeprecationWarning)  # of threads and forks
from udfwidgets import Context, SumUDF
from udfwidgets.live.wire.hub import hub
from udfwidgets.engine.work import turns
ctx = Context()
scan = ctx.load("memory", data=np.ones((8, 8, 16, 16), "u2"))
def total(context):
    return float(context.run_udf(scan, SumUDF())["intensity"].data.sum())
live = ctx.live(scan, SumUDF())
live.result()
"""
IN_A_CHILD = """
child = os.fork()
if child:
    print("status", os.waitpid(child, 0)[1])
    print("parent", total(ctx))
    sys.exit()
"""


def run(code):
    done = subprocess.run(
        [sys.executable, "-c", PARENT + code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env=os.environ | {"PYTHONPATH": str(Path(udfwidgets.__file__).parents[1])},
    )
    return done.stdout.splitlines()


def test_it_can_end():
    assert run(IN_A_CHILD) == ["status 0", "parent 16384.0"]


def test_it_can_close_the_context_and_its_card():
    assert run(IN_A_CHILD + "live.close(); ctx.close(); print('closed', flush=True)") == [
        "closed",
        "status 0",
        "parent 16384.0",
    ]


USES = [
    "total(ctx)",
    "next(ctx.run_udf_iter(scan, SumUDF()))",
    "ctx.live(scan, SumUDF())",
    "live.restart()",
]


@pytest.mark.parametrize("use", USES)
def test_using_the_context_is_an_error(use):
    code = f"try:\n    {use}\nexcept RuntimeError as error:\n    print(error, flush=True)"
    said, *rest = run(IN_A_CHILD + code)
    assert said.endswith("make a new Context here")
    assert rest == ["status 0", "parent 16384.0"]


def test_waiting_for_a_run_of_the_parent_is_an_error():
    begin = """
from udfwidgets.udf.base import UDF
event = threading.Event()
class Waits(UDF):
    def get_result_buffers(self): return {"n": self.buffer("nav")}
    def process_frame(self, frame): event.wait()
run = ctx.live(scan, Waits())
"""
    wait = """
child = os.fork()
if child:
    print("status", os.waitpid(child, 0)[1])
    event.set()
    sys.exit()
try:
    run.result()
except RuntimeError as error:
    print(error, flush=True)
"""
    said, status = run(begin + wait)
    assert said.endswith("make a new Context here")
    assert status == "status 0"


def test_a_context_of_its_own_works_whatever_was_locked():
    hold = """
held, release = threading.Event(), threading.Event()
def hold():
    with hub()._wake, turns._lock:
        held.set()
        release.wait()
thread = threading.Thread(target=hold)
thread.start()
held.wait()
"""
    own = """
child = os.fork()
if child:
    print("status", os.waitpid(child, 0)[1])
    release.set()
    sys.exit()
with Context() as own:
    card = own.live(scan, SumUDF())
    card.result()
    card.close()
    print(total(own), flush=True)
os._exit(0)
"""
    assert run(hold + own) == ["16384.0", "status 0"]


def test_multiprocessing_with_fork_does_not_hang():
    pool = """
def work(factor):
    with Context() as own:
        return factor * total(own)
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.map(work, [1, 2]))
"""
    assert run(pool) == ["[16384.0, 32768.0]"]
