"""Where we differ from LiberTEM on purpose: both behaviours, or ours where there is only one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import udfwidgets
from tests.conformance.case import clause, plain, scan
from tests.conformance.running import OURS, run
from tests.engine.pacing import iterate
from udfwidgets.engine.ends.view import NoView
from udfwidgets.engine.executors import InlineExecutor, ThreadsExecutor
from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.memory import MemoryDataSet
from udfwidgets.live import LiveAnalysis
from udfwidgets.udf import UDF

GUIDE = Path(__file__).parents[2] / "docs/migrating.md"

# Name of a function in cases/differences.py: what LiberTEM returns, what we return.
DIFFERENCES: dict[str, tuple[Any, Any]] = {
    "stored_results": (False, True),
    "one_instance_in_two_runs": (False, True),
    "exact_sums": (False, True),
    "sums_beyond_the_dtype": (None, "OverflowError"),
    "input_dtypes": (["float64"] * 3, ["uint16", "float32", "float64"]),
    "mixed_dtypes": (["float64"] * 2, ["float32", "float64"]),
    "own_attributes_between_hooks": ([True, True], [False, False]),
    "results_left_out": (None, "UDFException"),
    "results_undeclared": ("KeyError", "UDFException"),
    "results_of_wrong_shape": (None, "UDFException"),
    "results_without_numpy": ("AttributeError", None),
    "results_as_declared": ("None", "result_only"),
    "results_outside_of_the_roi": (20, 10),
    "valid_before_anything_came": (True, False),
    "odd_sizes": (["ValueError"] * 2, [None] * 2),
    "strings_at_the_start": (np.array(["0", "0"], "U4"), np.array(["", ""], "U4")),
    "more_forms_of_roi": ([False] * 4, [True] * 4),
    "auxiliary_data_by_pixel": ("IndexError", None),
    "auxiliary_data_cast": ("AttributeError", None),
    "sparse_tiles": (None, "ValueError"),
    "stddev_of_complex": (None, "TypeError"),
    "valid_where_nothing_is": (np.ones(5, bool), np.arange(5) > 2),
    "picked_by_udf": ((np.arange(5) > 2, np.ones(5, bool)), (np.arange(5) > 2, np.arange(5) > 2)),
    "picked_from_nothing": (None, "ValueError"),
    "lines_that_do_not_come_out": (
        ((2, 4), 128 * np.arange(1, 9, dtype="f4").reshape(2, 4)),
        ((3, 4), 128 * np.append(np.arange(1, 11, dtype="f4"), [0, 0]).reshape(3, 4)),
    ),
    "stopped_scan_warns": (((3, 4), False), ((3, 4), True)),
    "written_in_place": (
        {"clipped": True, "the others": False, "the array": False},
        {"clipped": True, "the others": True, "the array": True},
    ),
    "guessed_shape_warns": (((10, 1), False), ((10, 1), True)),
    "frame_cut_off_warns": (
        (128 * np.arange(1, 10, dtype="f4"), False),
        (128 * np.arange(1, 10, dtype="f4"), True),
    ),
    "offsets_beyond_the_frames": ("DataSetException", np.arange(5) > 2),
    "partitions_with_missing_frames": ("AssertionError", None),
    "com_beside_missing_frames": (
        np.zeros((3, 4), bool),
        np.array([[0, 0, 0, 0], [0, 0, 1, 1], [0, 1, 0, 0]], bool),
    ),
    "executors_by_name": ("ConcurrentJobExecutor", "ThreadsExecutor"),
    "frames_beyond_the_scan": (((3, 5), 0), ((3, 5), 1)),
    "empty_roi_warns": (False, True),
    "ring_turned_inside_out": (None, "ValueError"),
    "com_dtypes": (
        ["float32", "float64", "float64", "float64"],
        ["float32", "float32", "float32", "float64"],
    ),
    "com_integrated": (
        ["field", "magnitude", "divergence", "curl", "x", "y"],
        ["field", "magnitude", "divergence", "curl", "x", "y", "idpc"],
    ),
    "com_of_one_position": ("ValueError", None),
    "raw_pixels_of_merlin": (["uint64", "uint16"], ["uint8", "uint32"]),
    "frames_that_come_last": ((6, 7, 3), (3, 6, 7)),
    "grid_of_a_volume": ((4, 4, 2, 3), (4, 2, 3)),
    "where_merge_is": ((-1, [-1, -1]), (1, [0, 20])),
    "where_postprocess_is": (np.zeros(2, bool), np.ones(2, bool)),
    "depth_of_tiles": (20, 7),
    "missing_file": ("FileNotFoundError", "DataSetException"),
    "update_for_unknown_udfs": (None, "ValueError"),
    "plots_of_no_images": (["ValueError"] * 2, [None] * 2),
}


@pytest.mark.parametrize("executor", ["inline", "threads"])
@pytest.mark.parametrize("name", DIFFERENCES)
def test_difference(peer, name: str, executor: str) -> None:
    theirs, ours = DIFFERENCES[name]
    np.testing.assert_equal(peer.run("differences", name), ("value", plain(theirs)))
    np.testing.assert_equal(run("differences", name, OURS, executor), ("value", plain(ours)))


def test_the_guide_names_every_difference() -> None:
    assert set(re.findall(r"\(`(\w+)`\)", GUIDE.read_text("utf-8"))) == set(DIFFERENCES)


# Only ours


@pytest.fixture
def ctx():
    with udfwidgets.Context.make_with("inline") as ctx:
        yield ctx


@pytest.fixture
def dataset(ctx):
    return ctx.load("memory", data=scan())


@clause("The obvious ones are also at the top")
def test_names_at_the_top() -> None:
    for name in ("Context", "UDF", "SumUDF", "SumSigUDF", "live"):
        assert hasattr(udfwidgets, name)


@clause("`Context()`: default executor threads")
def test_threads_are_the_default() -> None:
    with udfwidgets.Context() as ctx:
        assert isinstance(ctx.executor, ThreadsExecutor)


@clause("a UDF class instead of an instance -> TypeError")
def test_a_class_instead_of_an_instance_is_explained(ctx, dataset) -> None:
    with pytest.raises(TypeError, match=r"SumUDF is a UDF class.*write SumUDF\(\)"):
        ctx.run_udf(dataset, udfwidgets.SumUDF)


@clause("names the path, what was found and what was expected")
def test_unreadable_files_are_explained(ctx, tmp_path) -> None:
    path = tmp_path / "scan.npy"
    path.write_bytes(b"no scan at all")
    with pytest.raises(DataSetException, match=r"scan\.npy.*no sca.*expected"):
        ctx.load("npy", path=path)


class Fails(UDF):
    def get_result_buffers(self):
        return {"x": self.buffer("nav")}

    def process_frame(self, frame):
        if self.meta.coordinates[0].tolist() == [1, 2]:
            raise ZeroDivisionError


@clause("carries a note naming the UDF, the partition and the frame range")
def test_errors_say_where_they_come_from(ctx, dataset) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        ctx.run_udf(dataset, Fails())
    (note,) = caught.value.__notes__
    assert "Fails" in note
    assert "frame 7 " in note
    assert "partition of frames 0 to 7" in note


@clause("A channel that does not exist or is not 2-D: ValueError that lists those that are")
def test_channels_that_exist_are_listed(ctx, dataset) -> None:
    with pytest.raises(ValueError, match=r"'nope'.*'intensity'"):
        ctx.run_udf(dataset, udfwidgets.SumUDF(), plots=[["nope"]])


@clause("`plot_class` on the Context chooses the plot")
def test_plot_class() -> None:
    shown = []

    class Headless:
        def __init__(self, run, plots):
            self.plots = plots

        def show(self):
            shown.append(self.plots)

    with udfwidgets.Context.make_with("inline", plot_class=Headless) as ctx:
        ctx.run_udf(ctx.load("memory", data=scan()), udfwidgets.SumUDF(), plots=True)
    assert shown == [True]


@clause(
    "(first plottable channel of each UDF)",
    "ours is the live image, with a no-op for headless runs",
)
def test_the_live_image_is_the_default(ctx, dataset, monkeypatch) -> None:
    shown = []
    monkeypatch.setattr(LiveAnalysis, "show", lambda view: shown.append(view))
    ctx.run_udf(dataset, [udfwidgets.SumUDF(), udfwidgets.StdDevUDF()], plots=True)
    (view,) = shown
    assert [image.title for image in view.images] == ["SumUDF: intensity", "StdDevUDF: varsum"]
    with udfwidgets.Context.make_with("inline", plot_class=NoView) as headless:
        headless.run_udf(dataset, udfwidgets.SumUDF(), plots=True)
    assert len(shown) == 1


@clause("changes parameters for the partitions not yet handed out")
def test_changed_parameters_meet_the_rest_of_the_scan() -> None:
    class Notes(UDF):
        def get_result_buffers(self):
            return {"factor": self.buffer("nav")}

        def process_frame(self, frame):
            self.results.factor[:] = self.params.factor

    steps = iterate(InlineExecutor(), MemoryDataSet(scan()), [Notes(factor=1)], size=5)
    next(steps)
    steps.update_parameters_experimental([{"factor": 2}])
    *_, last = steps
    assert last.buffers[0]["factor"].data.tolist() == [[1] * 5] + [[2] * 5] * 3


@pytest.mark.filterwarnings("ignore:roi selects none")
@clause("for sig buffers once anything has been merged")
def test_sig_results_are_valid_once_something_came(ctx, dataset) -> None:
    for step in ctx.run_udf_iter(dataset, udfwidgets.SumUDF()):
        assert step.buffers[0]["intensity"].valid_mask.all()
    nothing = np.zeros((4, 5), bool)
    (step,) = ctx.run_udf_iter(dataset, udfwidgets.SumUDF(), roi=nothing)
    assert not step.buffers[0]["intensity"].valid_mask.any()


def test_names_of_the_engine_are_free_for_users(ctx, dataset) -> None:
    class Busy(UDF):
        parameters = declare = check = input_dtype = method = frames = shape = None

        def get_result_buffers(self):
            return {"x": self.buffer("nav")}

        def process_frame(self, frame):
            self.results.x[:] = frame.max()

    np.testing.assert_array_equal(ctx.run_udf(dataset, Busy())["x"].data, scan().max((2, 3)))
