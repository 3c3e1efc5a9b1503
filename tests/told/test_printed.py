"""What `repr`, `str` and `dir` say of the objects that users meet."""

from __future__ import annotations

import functools
import importlib

import numpy as np
import pytest
import scipy.sparse

from udfwidgets import UDF, ApplyMasksUDF, Context, SumUDF
from udfwidgets.io.corrections import CorrectionSet
from udfwidgets.told.values import LONGEST, called, printed
from udfwidgets.udf.com import CoMUDF
from udfwidgets.udf.FEM import FEMUDF

DATA = np.ones((4, 5, 6, 7), "u2")


@pytest.fixture
def ctx():
    with Context.make_with("inline") as ctx:
        yield ctx


@pytest.fixture
def dataset(ctx):
    return ctx.load("memory", data=DATA)


def disk():
    return np.ones((6, 7))


class Mine(UDF):
    pass


class Forgetful(UDF):
    def __init__(self, offset):
        self.offset = offset


UDFS = {
    "SumUDF()": SumUDF(),
    "SumUDF(dtype='float64')": SumUDF(dtype="float64"),
    "ApplyMasksUDF(mask_factories=[<function disk>, <function <lambda>>])": ApplyMasksUDF(
        [disk, lambda: DATA[0, 0]]
    ),
    "ApplyMasksUDF(mask_factories=<array uint16 of shape (5, 6, 7)>, use_sparse=False)": (
        ApplyMasksUDF(DATA[0], use_sparse=False)
    ),
    "FEMUDF(center=(3, 4), rad_in=1, rad_out=5)": FEMUDF((3, 4), 1, 5),
    "Mine(a=1, b=<class Mine>)": Mine(a=1, b=Mine),
    "Forgetful()": Forgetful(3),
}


@pytest.mark.parametrize(("text", "udf"), UDFS.items(), ids=UDFS)
def test_udfs(text, udf):
    assert repr(udf) == text


def test_a_udf_in_a_run_and_its_parameters(ctx, dataset):
    udf = ApplyMasksUDF([disk])
    assert repr(udf.params).startswith("Views(mask_factories=[<function disk>], use_sparse=None")
    assert "parameter mask_factories  [<function disk>]" in " ".join(
        repr(ctx.display(dataset, udf)).split("\n")
    ).replace("   ", "  ")
    assert {"mask_factories", "get", "keys"} <= set(dir(udf.params))
    assert "show_tile" not in dir(udf.params)


class Odd:
    def __repr__(self):
        raise ZeroDivisionError


VALUES = {
    "3": 3,
    "'a b'": "a b",
    "[1, 2, 3, 4, ... 9 in all]": list(range(1, 10)),
    "(1,)": (1,),
    "()": (),
    "{'a': <array float64 of shape (3,)>}": {"a": np.ones(3)},
    "<partial of <function disk>>": functools.partial(disk),
    "<function ones>": np.ones,
    "<class SumUDF>": SumUDF,
    "<Odd (not printable: ZeroDivisionError)>": Odd(),
    "'" + "x" * (LONGEST - 1) + "...": "x" * 100,
    "<object object>": object(),
}


@pytest.mark.parametrize(("text", "value"), VALUES.items(), ids=VALUES)
def test_values(text, value):
    assert printed(value) == text
    assert called("F", {"v": value}) == f"F(v={text})"


def test_sparse_matrices_fit_in_a_line():
    text = printed(scipy.sparse.csr_matrix(DATA[0, 0]))
    assert "\n" not in text
    assert len(text) <= LONGEST + 3


def test_corrections():
    assert repr(CorrectionSet()) == "<CorrectionSet: nothing to correct>"
    some = CorrectionSet(dark=disk(), gain=disk(), excluded_pixels=np.eye(6, 7, dtype=bool))
    assert repr(some) == "<CorrectionSet: dark frame, gain map, 6 excluded pixels>"


def test_runs_executors_and_analyses(ctx, dataset):
    awaitable = ctx.run_udf(dataset, [SumUDF(), CoMUDF.with_params()], sync=False)
    (run,) = ctx.analyses
    assert repr(run) == "<Run of SumUDF, CoMUDF: running>"
    awaitable.close()
    assert repr(ctx.executor) == "<InlineExecutor workers=1>"
    with Context.make_with("threads", cpus=3) as threads:
        assert repr(threads.executor) == "<ThreadsExecutor workers=3>"
    analysis = ctx.create_pick_analysis(dataset, x=1, y=2)
    assert repr(analysis) == f"PickFrameAnalysis(dataset={dataset!r}, x=1, y=2)"


class Extra(UDF):
    def get_result_buffers(self):
        return {"vector": self.buffer("nav", (2,)), "count": self.buffer("single", dtype=int)}

    def process_frame(self, frame):
        self.results.vector[:] = 1

    def merge(self, dest, src):
        dest.vector[:] = src.vector


def test_results(ctx, dataset):
    results = ctx.run_udf(dataset, Extra())
    # As LiberTEM prints it.
    assert repr(results["vector"]) == "<BufferWrapper kind=nav dtype=float32 extra_shape=(2,)>"
    assert str(results["vector"]) == (
        "nav result, float32, shape (4, 5, 2) of which (2,) extra: 100 % in"
    )
    assert str(results["count"]) == "single result, int64, shape (1,): 100 % in"
    roi = np.zeros((4, 5), bool)
    roi[1] = True
    some = ctx.run_udf(dataset, Extra(), roi=roi)
    assert str(some["vector"]).endswith("extra: 100 % in, 5 positions selected")


def test_how_much_of_a_result_is_in(ctx):
    dataset = ctx.load("memory", data=np.ones((64, 64, 8, 8)), num_partitions=8)
    with ctx.run_udf_iter(dataset, Extra()) as steps:
        step = next(steps)
        share = 100 * np.count_nonzero(step.damage.data) // 4096
        assert str(step.buffers[0]["vector"]).endswith(f": {share} % in")


def public(thing):
    return {name for name in dir(thing) if not name.startswith("_")}


def test_names_of_a_card(ctx, dataset):
    with ctx.run_udf_iter(dataset, SumUDF()) as steps:
        list(steps)
    live = ctx.live(dataset, SumUDF())
    dashboard = ctx.dashboard()
    assert {"cancel", "pause", "images", "result", "layout", "observe"} <= public(live)
    assert {"figure", "limits", "log", "slice", "layout", "ruler"} <= public(live.images[0])
    assert public(dashboard) == {
        *("cards", "remove", "close", "children", "layout", "observe", "unobserve")
    }
    for widget in (live, live.images[0]):
        assert len(public(widget)) < 32
        assert not public(widget) & {"comm", "keys", "get_state", "hold_sync", "furnish", "offer"}
        assert widget.comm is not None
    dashboard.close()
    live.close()


def test_names_of_a_context_and_what_it_gives(ctx, dataset):
    assert {"load", "run_udf", "live", "dashboard", "create_com_analysis"} <= public(ctx)
    assert "registry" not in public(ctx)
    assert {"shape", "dtype", "notes"} <= public(dataset)
    assert not public(dataset) & {"open", "frames_per_block"}
    assert not public(SumUDF()) & {"fused_step", "BACKEND_CUPY"}
    assert {"buffer", "params", "process_tile", "merge"} <= public(SumUDF())
    mine = Mine()
    mine.own = 1
    assert "own" in dir(mine)
    awaitable = ctx.run_udf(dataset, SumUDF(), sync=False)
    (run,) = ctx.analyses
    assert {"cancel", "pause", "resume", "state", "result"} <= public(run)
    assert not public(run) & {"backlog", "try_to_finish", "bell"}
    awaitable.close()


@pytest.mark.parametrize(
    ("module", "names", "others"),
    [
        ("udfwidgets", {"Context", "SumUDF", "live", "masks"}, {"sys", "pkgutil", "brief"}),
        ("udfwidgets.live", {"LiveAnalysis", "Dashboard"}, {"wire", "quick"}),
        ("udfwidgets.udf", {"UDF", "com", "FEM"}, {"further", "annotations"}),
        ("udfwidgets.api", {"Context"}, {"os", "cast"}),
        ("udfwidgets.masks", {"circular", "ring"}, {"np", "sys"}),
    ],
)
def test_names_of_modules(module, names, others):
    thing = importlib.import_module(module)
    assert names <= set(dir(thing))
    assert not others & set(dir(thing))
    assert all(hasattr(thing, name) for name in public(thing))
    assert "__name__" in dir(thing)
