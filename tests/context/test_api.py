"""The Context checks what it is given, and the package exports what it says."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest

import udfwidgets
from udfwidgets import ApplyMasksUDF, Context, SumUDF
from udfwidgets.engine.ends.bar import ProgressReporter
from udfwidgets.errors import ExecutorSpecException
from udfwidgets.udf import UDF


@pytest.fixture
def ctx():
    with Context() as ctx:
        yield ctx


@pytest.fixture
def dataset(ctx):
    return ctx.load("memory", data=np.ones((4, 4, 8, 8), "u2"))


def test_all_is_true():
    for name in udfwidgets.__all__:
        assert getattr(udfwidgets, name) is not None
    assert set(udfwidgets.__all__) <= set(dir(udfwidgets))
    with pytest.raises(AttributeError, match="nonsense"):
        _ = udfwidgets.nonsense


def test_one_udf_gives_a_dict_and_a_list_a_tuple(ctx, dataset):
    assert isinstance(ctx.run_udf(dataset=dataset, udf=SumUDF()), dict)
    assert isinstance(ctx.run_udf(dataset=dataset, udf=[SumUDF()]), tuple)
    assert isinstance(ctx.run_udf(dataset=dataset, udf=(SumUDF(),)), tuple)


@pytest.mark.parametrize("method", ["run_udf", "run_udf_iter", "live"])
def test_wrong_udfs(ctx, dataset, method):
    run = getattr(ctx, method)
    with pytest.raises(ValueError, match="list of UDFs is empty"):
        run(dataset=dataset, udf=[])
    with pytest.raises(TypeError, match=r"SumUDF is a UDF class, expected an instance"):
        run(dataset=dataset, udf=SumUDF)
    with pytest.raises(TypeError, match="is a str, expected an instance of UDF"):
        run(dataset=dataset, udf=["sum"])


def test_udf_without_a_process_method(ctx, dataset):
    class Idle(UDF):
        def get_result_buffers(self):
            return {}

    with pytest.raises(TypeError, match="Idle has no process_tile"):
        ctx.run_udf(dataset=dataset, udf=Idle())


def test_wrong_dataset(ctx):
    with pytest.raises(TypeError, match="ndarray, expected one from"):
        ctx.run_udf(dataset=np.ones((3, 3, 3, 3)), udf=SumUDF())


def test_wrong_roi(ctx, dataset):
    with pytest.raises(ValueError, match=r"\(3, 3\).*\(4, 4\)"):
        ctx.run_udf(dataset=dataset, udf=SumUDF(), roi=np.ones((3, 3), bool))


@pytest.mark.parametrize("method", ["run_udf", "run_udf_iter", "live"])
def test_the_warning_of_a_roi_points_at_the_call(ctx, dataset, method):
    with pytest.warns(UserWarning, match="expected bool") as warned:
        started = getattr(ctx, method)(dataset, SumUDF(), roi=np.ones((4, 4), "u1"))
    getattr(started, "close", dict)()
    assert [each.filename for each in warned] == [__file__]


@pytest.mark.parametrize("method", ["run_udf", "run_udf_iter"])
def test_backends_without_the_one_here(ctx, dataset, method):
    with pytest.raises(ValueError, match=r"\('cupy',\) leaves out 'numpy'"):
        getattr(ctx, method)(dataset, SumUDF(), backends=("cupy",))


@pytest.mark.parametrize("spec", ["threads", "inline", "synchronous"])
def test_executors(spec):
    with Context.make_with(spec) as ctx:
        dataset = ctx.load("memory", data=np.ones((4, 4, 8, 8), "u2"))
        assert ctx.run_udf(dataset=dataset, udf=SumUDF())["intensity"].data[0, 0] == 16


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"executor_spec": "gpu"}, "unknown executor 'gpu'"),
        ({"executor_spec": "threads", "cpus": 0}, "cpus is 0"),
        ({"executor_spec": "inline", "cpus": 4}, "cannot use cpus=4"),
    ],
)
def test_wrong_executors(arguments, message):
    with pytest.raises(ExecutorSpecException, match=message):
        Context.make_with(**arguments)


def test_display(ctx, dataset):
    roi = np.zeros((4, 4), bool)
    roi[1] = True
    overview = ctx.display(dataset, [SumUDF(), ApplyMasksUDF(lambda: np.ones((8, 8)))], roi=roi)
    text, html = repr(overview), overview._repr_html_()
    for line in (
        r"dataset +<MemoryDataSet nav=\(4, 4\) sig=\(8, 8\) uint16>",
        "scan positions +4 of 16",
        "UDF +SumUDF",
        "is handed +uint16",
        "parameter dtype +'float32'",
        "buffer intensity +sig float32, result only",
        "buffer total +sig uint32, private",
        r"buffer intensity +nav float64, extra shape \(1,\), result only",
    ):
        assert re.search(line, text), line
    assert "&lt;MemoryDataSet nav=(4, 4)" in html
    assert html.count("<table>") == html.count("</table>") == 3


def test_export(ctx, tmp_path):
    data = np.arange(4 * 5 * 6 * 7, dtype="u2").reshape(4, 5, 6, 7)
    dataset = ctx.load("memory", data=data)
    path = tmp_path / "scan.npy"
    ctx.export_dataset(dataset, path)
    np.testing.assert_array_equal(np.load(path), data)
    assert ctx.load("auto", path=path).shape == (4, 5, 6, 7)
    with pytest.raises(FileExistsError, match="overwrite=True"):
        ctx.export_dataset(dataset, path)
    ctx.export_dataset(ctx.load("memory", data=data[:2]), path, overwrite=True)
    np.testing.assert_array_equal(np.load(path), data[:2])
    with pytest.raises(ValueError, match=r"ends in \.npy, \.blo, \.h5"):
        ctx.export_dataset(dataset, tmp_path / "scan.tif")
    assert [file.name for file in tmp_path.iterdir()] == ["scan.npy"]


def test_progress_bar(ctx, dataset, capsys):
    list(ctx.run_udf_iter(dataset=dataset, udf=SumUDF(), progress=True))
    ctx.run_udf(dataset=dataset, udf=SumUDF(), progress=True)
    assert capsys.readouterr().err.count("100%") == 2


class Told(ProgressReporter):
    def __init__(self):
        self.told = []

    def start(self, state):
        self.told.append(("start", state.num_frames_complete))

    def update(self, state):
        self.told.append(("update", state.num_frames_complete))

    def end(self, state):
        self.told.append(("end", state.num_frames_complete))


def test_a_reporter_is_told_of_a_run_over_nothing(ctx, dataset):
    reporter = Told()
    with pytest.warns(UserWarning, match="selects none"):
        ctx.run_udf(dataset, SumUDF(), roi=np.zeros((4, 4), bool), progress=reporter)
    assert reporter.told[0] == ("start", 0)
    assert reporter.told[-1] == ("end", 0)
    assert [what for what, _ in reporter.told].count("end") == 1


def test_what_a_reporter_raises_is_told(ctx, dataset):
    class Broken(Told):
        def update(self, state):
            raise OSError("the lamp is broken")

    reporter = Broken()
    with pytest.raises(OSError, match="the lamp is broken"):
        ctx.run_udf(dataset, SumUDF(), progress=reporter)
    assert [what for what, _ in reporter.told] == ["start", "end"]
    # Nobody else is touched.
    assert ctx.run_udf(dataset, SumUDF())["intensity"].valid_mask.all()


def test_cpus_is_honoured():
    with Context.make_with("threads", cpus=3) as ctx:
        assert ctx.executor.workers == 3


def test_works_without_a_notebook():
    """No module of the notebook is imported for a run in a script."""
    program = """
import sys
for name in ("ipywidgets", "bqplot", "IPython", "anywidget", "traitlets"):
    sys.modules[name] = None
import numpy as np
from udfwidgets import ApplyMasksUDF, Context, SumUDF
with Context() as ctx:
    dataset = ctx.load("memory", data=np.ones((4, 4, 8, 8)))
    print(ctx.run_udf(dataset=dataset, udf=SumUDF())["intensity"].data[0, 0])
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "16.0", done.stderr


def test_an_interpreter_ends_with_a_run_under_way():
    program = """
import numpy as np
from udfwidgets import ApplyMasksUDF, Context, SumUDF
ctx = Context()
dataset = ctx.load("memory", data=np.ones((256, 256, 32, 32), "u2"))
stream = ctx.run_udf_iter(dataset=dataset, udf=SumUDF())
next(stream)
"""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
