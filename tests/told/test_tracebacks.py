"""What a notebook shows of an exception: the user's line, and that of the UDF."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from udfwidgets import UDF, Context
from udfwidgets.told import tracebacks

CELLS = {
    "run_udf": "ctx.run_udf(dataset, Fails())",
    "inline": "inline.run_udf(dataset, Fails())",
    "several": "ctx.run_udf(dataset, [SumUDF(), Fails()])",
    "iter": "for step in ctx.run_udf_iter(dataset, Fails()): pass",
    "await": "await ctx.run_udf(dataset, Fails(), sync=False)",
    "async for": "async for step in ctx.run_udf_iter(dataset, Fails(), sync=False): pass",
    "live": "live = ctx.live(dataset, Fails())\nlive.result()",
    "await live": "await live",
    "analysis": "ctx.run(ctx.create_pick_analysis(dataset, x=9, y=9))",
    "load": "ctx.load('npy', path='/nowhere.npy')",
    "plots": "ctx.run_udf(dataset, SumUDF(), plots=[['nope']])",
    "throw": "ctx.run_udf_iter(dataset, SumUDF()).throw(ZeroDivisionError('mine'))",
}
SETUP = """
import numpy as np
from udfwidgets import Context, SumUDF, UDF

class Fails(UDF):
    def get_result_buffers(self):
        return {"x": self.buffer("nav")}
    def process_frame(self, frame):
        helper(frame)

def helper(frame):
    np.ones(3) + np.ones(frame.size)

ctx = Context.make_with("threads", cpus=2)
inline = Context.make_with("inline")
dataset = ctx.load("memory", data=np.ones((4, 5, 6, 7)))
"""
# A shell as a kernel has it, but on standard output.
SHELL = """
import contextlib, io, json, sys
from IPython.core.interactiveshell import InteractiveShell

setup, cells = json.load(sys.stdin)
shell = InteractiveShell.instance(colors="nocolor")
shell.run_cell(setup)
shown = {}
for whole in (False, True):
    shell.InteractiveTB.skip_hidden = not whole
    for name, cell in cells.items():
        with contextlib.redirect_stdout(io.StringIO()) as text:
            shell.run_cell(cell)
        shown[f"{name}{' whole' if whole else ''}"] = text.getvalue()
shell.run_cell("live.close(); ctx.close(); inline.close()")
sys.__stdout__.write(json.dumps(shown))
"""


@pytest.fixture(scope="module")
def shown():
    """Run all cells in one shell, and again with nothing hidden; return what was printed."""
    done = subprocess.run(
        [sys.executable, "-c", SHELL],
        input=json.dumps([SETUP, CELLS]),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def places(text):
    """Return of which files lines are shown, in their order, without the last one."""
    return [line for line in text.splitlines() if line.startswith(("Cell In", "File "))][:-1]


@pytest.mark.parametrize("name", CELLS)
def test_tracebacks_have_lines_of_users_only(shown, name):
    assert "Error" in shown[name] or "Exception" in shown[name]
    seen = places(shown[name])
    assert seen
    assert all(place.startswith("Cell") for place in seen)
    assert CELLS[name].splitlines()[-1].split("ctx")[0] in shown[name]


@pytest.mark.parametrize("name", list(CELLS)[:8])
def test_the_line_in_the_udf_is_shown(shown, name):
    assert "helper(frame)" in shown[name]
    assert "np.ones(3) + np.ones(frame.size)" in shown[name]
    assert "[... skipping hidden" in shown[name]
    assert "raised by Fails while it worked on frame" in shown[name]


@pytest.mark.parametrize("name", CELLS)
def test_the_whole_can_be_had(shown, name):
    whole = shown[f"{name} whole"]
    assert "skipping hidden" not in whole
    assert any("udfwidgets" in place for place in places(whole))


class Fails(UDF):
    def get_result_buffers(self):
        return {"x": self.buffer("nav")}

    def process_frame(self, frame):
        raise ZeroDivisionError("mine")


def hidden_frames(error):
    found, traceback = [], error.__traceback__
    while traceback is not None:
        frame = traceback.tb_frame
        found.append((frame.f_globals["__name__"], tracebacks.HIDDEN in frame.f_locals))
        traceback = traceback.tb_next
    return found


@pytest.mark.parametrize("interactive", [False, True])
def test_nothing_is_hidden_outside_of_a_shell(monkeypatch, interactive):
    if interactive:
        monkeypatch.setattr(tracebacks, "_is_interactive", lambda: True)
    with Context.make_with("threads", cpus=1) as ctx:
        dataset = ctx.load("memory", data=np.ones((4, 5, 6, 7)))
        with pytest.raises(ZeroDivisionError) as raised:
            ctx.run_udf(dataset, Fails())
    frames = hidden_frames(raised.value)
    assert frames[0] == frames[-1] == (__name__, False)
    ours = {hidden for module, hidden in frames if module.startswith("udfwidgets")}
    assert ours == {interactive}


def test_exceptions_that_others_came_from_are_folded_too(monkeypatch):
    monkeypatch.setattr(tracebacks, "_is_interactive", lambda: True)

    @tracebacks.folded
    def public():
        try:
            raise KeyError("first")
        except KeyError as error:
            raise ValueError("second") from error

    with pytest.raises(ValueError, match="second") as raised:
        public()
    assert [hidden for _, hidden in hidden_frames(raised.value)] == [False, True, False]
    first = raised.value.__cause__
    first.__cause__ = first  # a circle ends
    tracebacks.fold(raised.value)
