"""Everything a run is made of survives the way to another process, and the results the way back.

The other process is a fresh interpreter. What it is sent was pickled here by cloudpickle, and it
does there what a worker of a cluster does: open the dataset, work through a partition, and send
the buffers back to be merged here.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pytest
import scipy.sparse

from tests.examples import (
    test_binning,
    test_counting,
    test_extremes,
    test_features,
    test_histogram,
    test_hologram,
    test_orientation,
    test_radial_fourier,
    test_segments,
    test_ssb,
    test_strain,
    test_tracking,
)
from tests.examples.contract import holes
from udfwidgets import (
    ApplyMasksUDF,
    Context,
    PickUDF,
    StdDevUDF,
    SumSigUDF,
    SumUDF,
)
from udfwidgets.buffers import BufferDeclaration, BufferWrapper, UDFResults
from udfwidgets.demo import Sample, make_scan
from udfwidgets.demo.pace import PacedDataSet
from udfwidgets.engine.ends.stream import AsyncResult, AsyncResultStream, Follower, ResultStream
from udfwidgets.engine.executors import InlineExecutor, ThreadsExecutor
from udfwidgets.engine.merge.merging import Accumulator
from udfwidgets.engine.merge.results import conclude
from udfwidgets.engine.plan.job import Job
from udfwidgets.engine.plan.partitions import Partition, Plan
from udfwidgets.engine.plan.reading import blocks
from udfwidgets.engine.run import Run
from udfwidgets.engine.subscription import EveryStep
from udfwidgets.engine.work.task import Task
from udfwidgets.engine.work.turns import Turn
from udfwidgets.engine.work.worker import read_block
from udfwidgets.errors import UDFException, UDFWidgetsError
from udfwidgets.io.corrections import CorrectionSet
from udfwidgets.io.dataset.base import DataSet, Scratch
from udfwidgets.io.dataset.memory import MemoryDataSet
from udfwidgets.io.load import load
from udfwidgets.shapes import Shape, Slice
from udfwidgets.udf import UDF
from udfwidgets.udf.base import NoOpUDF
from udfwidgets.udf.contract.views import Views

NAV, SIG = (4, 6), (16, 16)
SAMPLE = Sample(NAV, SIG, seed=1)
SCAN = SAMPLE.frames(0, 24).reshape(*NAV, *SIG)

# Messages are pickles with their length before them. What is printed must not get in between.
SERVER = """
import os, sys
import cloudpickle

answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
while length := sys.stdin.buffer.read(8):
    try:
        function, arguments = cloudpickle.loads(
            sys.stdin.buffer.read(int.from_bytes(length, "little"))
        )
        answer = cloudpickle.dumps((True, function(*arguments)))
    except Exception as error:
        answer = cloudpickle.dumps((False, error))
    answers.write(len(answer).to_bytes(8, "little") + answer)
    answers.flush()
"""


class Elsewhere:
    """Another process that calls functions."""

    def __init__(self, folder: Path) -> None:
        root = Path(__file__).parents[1]
        path = os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __call__(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return self.send(cloudpickle.dumps((function, arguments)))

    def send(self, message: bytes) -> Any:
        """Send what is pickled already."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(len(message).to_bytes(8, "little") + message)
        self._process.stdin.flush()
        length = int.from_bytes(self._process.stdout.read(8), "little")
        succeeded, answer = cloudpickle.loads(self._process.stdout.read(length))
        if not succeeded:
            raise answer
        return answer

    def close(self) -> None:
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()
            assert self._process.wait(20) == 0


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    process = Elsewhere(tmp_path_factory.mktemp("elsewhere"))
    assert process(os.getpid) != os.getpid()
    yield process
    process.close()


def never() -> bool:
    return False


def work(dataset: DataSet, udfs: tuple[UDF, ...], plan: Plan, partition: Partition) -> Any:
    task, frames, scratch = Task(udfs, plan, partition, never), plan.frames_of(partition), Scratch()
    turn = Turn()
    with dataset.open() as source:
        for block in blocks(frames, plan.tile_depth, plan.frames_per_block):
            task.feed(read_block(source, block, scratch), scratch, turn)
    return task.end()


def merge(
    function: Callable[..., Any],
    dataset: DataSet,
    udfs: Any,
    roi: Any = None,
    corrections: CorrectionSet | None = None,
) -> Any:
    """Run UDFs with partitions of five frames, each worked on by `function`."""
    run = Run(Job.of(dataset, udfs, roi, corrections=corrections))
    accumulator = Accumulator(run.udfs, run.plan)
    for start in range(0, run.plan.n_frames, 5):
        partition = Partition(start, min(start + 5, run.plan.n_frames))
        accumulator.fold(partition, function(work, dataset, run.udfs, run.plan, partition))
    return conclude(run.udfs, accumulator.freeze(), run.plan)


def here(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


def assert_same(got: UDFResults, expected: UDFResults) -> None:
    assert len(got.buffers) == len(expected.buffers)
    for one, other in zip(got.buffers, expected.buffers, strict=True):
        assert list(one) == list(other)
        for name in one:
            assert_same_buffer(one[name], other[name])
    assert_same_buffer(got.damage, expected.damage)


def assert_same_buffer(got: BufferWrapper, expected: BufferWrapper) -> None:
    assert repr(got) == repr(expected)
    assert got.shape == expected.shape
    assert (got.kind, got.use, got.where) == (expected.kind, expected.use, expected.where)
    for name in ("data", "raw_data", "valid_mask", "raw_valid_mask", "roi"):
        np.testing.assert_array_equal(getattr(got, name), getattr(expected, name), err_msg=name)
    np.testing.assert_array_equal(got.masked_data.filled(0), expected.masked_data.filled(0))


# UDFs from wherever they may be defined


class AtModuleLevel(UDF):
    def get_result_buffers(self):
        return {
            "mass": self.buffer("nav", dtype="float64"),
            "most": self.buffer("sig", dtype="float64"),
        }

    def process_frame(self, frame):
        self.results.mass[:] = frame.sum() * self.params.get("factor", 1)
        self.results.most[:] = np.maximum(self.results.most, frame)

    def merge(self, dest, src):
        dest.mass[:] = src.mass
        dest.most[:] = np.maximum(dest.most, src.most)


def in_a_function(factor: float) -> UDF:
    half = factor / 2

    class InAFunction(AtModuleLevel):
        def process_frame(self, frame):
            super().process_frame(frame * half)

    return InAFunction()


NOTEBOOK_CELL = """
    import numpy as np
    from udfwidgets.udf import UDF

    weight = 3

    def weigh(frame):
        return np.sum(frame, dtype=np.float64) * weight

    class InACell(UDF):
        def __init__(self, power=1):
            super().__init__(power=power)

        def get_result_buffers(self):
            return {"mass": self.buffer("nav", dtype="float64")}

        def process_frame(self, frame):
            self.results.mass[:] = weigh(frame) ** self.params.power

    class Derived(InACell):
        def process_frame(self, frame):
            super().process_frame(frame)
            self.results.mass[:] += 1
"""


def in_a_notebook(name: str) -> UDF:
    cell: dict[str, Any] = {"__name__": "__main__"}
    exec(textwrap.dedent(NOTEBOOK_CELL), cell)
    udf = cell[name](power=2)
    assert type(udf).__module__ == "__main__"
    return udf


SEND_FROM_MAIN = """
    import sys
    import cloudpickle
    from udfwidgets.engine.plan.job import Job
    from udfwidgets.engine.plan.partitions import Partition
    from udfwidgets.engine.run import Run
    from udfwidgets.engine.work.task import Task
    from udfwidgets.engine.work.turns import Turn
    from udfwidgets.io.dataset.base import Scratch
    from udfwidgets.io.load import load

    def work(dataset, udfs, plan, partition):
        task = Task(udfs, plan, partition, lambda: False)
        with dataset.open() as source:
            task.feed(source.read(partition.start, partition.stop, Scratch()), Scratch(), Turn())
        return task.end()

    dataset = load("memory", data=np.ones((3, 4, 5)))
    run = Run(Job.of(dataset, [Derived(power=2)]))
    call = (work, (dataset, run.udfs, run.plan, Partition(1, 3)))
    sys.stdout.buffer.write(cloudpickle.dumps(call))
"""


def mask_of(number: int) -> Any:
    return lambda: np.eye(16, k=number)


BUILT_IN: dict[str, Callable[[], UDF]] = {
    "sum": SumUDF,
    "sumsig": SumSigUDF,
    "stddev": StdDevUDF,
    "pick": PickUDF,
    "nothing": NoOpUDF,
    "masks": lambda: ApplyMasksUDF([lambda: np.ones(SIG), mask_of(1), mask_of(-2)]),
    "mask stack": lambda: ApplyMasksUDF(lambda: np.ones((20, *SIG)), mask_dtype="f4"),
}

PLACES: dict[str, Callable[[], UDF]] = {
    "module": AtModuleLevel,
    "module with factor": lambda: AtModuleLevel(factor=3),
    "function": lambda: in_a_function(3),
    "notebook": lambda: in_a_notebook("InACell"),
    "derived in notebook": lambda: in_a_notebook("Derived"),
}


@pytest.mark.parametrize("with_roi", [False, True], ids=["all", "holes"])
@pytest.mark.parametrize("name", [*BUILT_IN, *PLACES])
def test_udfs(elsewhere: Elsewhere, name: str, with_roi: bool) -> None:
    roi = holes(NAV) if with_roi else None
    dataset = load("memory", data=SCAN)
    udf = (BUILT_IN | PLACES)[name]()
    assert_same(merge(elsewhere, dataset, [udf], roi), merge(here, dataset, [udf], roi))


def test_from_the_main_module_of_another_process(elsewhere: Elsewhere) -> None:
    """Three processes: what a notebook's kernel defines and pickles, a worker unpickles."""
    program = textwrap.dedent(NOTEBOOK_CELL) + textwrap.dedent(SEND_FROM_MAIN)
    kernel = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    (buffers,) = elsewhere.send(kernel.stdout)
    np.testing.assert_array_equal(buffers["mass"], [3601, 3601])


EXAMPLES: dict[str, tuple[Callable[[], UDF], Callable[[], Any]]] = {
    "binning": (
        lambda: test_binning.BinningUDF(test_binning.WINDOW, 3),
        test_binning.scan,
    ),
    "counting": (lambda: test_counting.CountingUDF(60, 6), test_counting.scan),
    "extremes": (test_extremes.ExtremesUDF, test_extremes.scan),
    "features": (
        lambda: test_features.FeaturesUDF(
            test_features.polar_bins(test_features.CENTER, test_features.EDGES, 3)
        ),
        test_features.scan,
    ),
    "histogram": (
        lambda: test_histogram.HistogramUDF(test_histogram.EDGES, lambda v: np.log2(1 + v)),
        test_histogram.scan,
    ),
    "hologram": (
        test_hologram.make_udf,
        lambda: test_hologram.fringes(test_hologram.phases()),
    ),
    "orientation": (test_orientation.make_udf, test_orientation.scan),
    "radial Fourier": (
        lambda: test_radial_fourier.radial_fourier((33, 30), (16.0, 15.0), (2, 7, 13), 6),
        test_radial_fourier.patterns,
    ),
    "segments": (
        lambda: test_segments.SegmentsUDF(
            test_segments.RING, UDF.aux_data(test_segments.GAIN, "sig")
        ),
        test_segments.scan,
    ),
    "side bands": (
        lambda: test_ssb.SSBUDF(lambda y, x: np.hypot(y, x) < 2.3),
        lambda: test_ssb.scan(test_ssb.weak_phase()),
    ),
    "strain": (lambda: test_strain.StrainUDF(test_strain.LATTICE), test_strain.scan),
    "tracking": (
        lambda: test_tracking.TrackingUDF(UDF.aux_data(test_tracking.pattern(), "sig")),
        test_tracking.scan,
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples(elsewhere: Elsewhere, name: str) -> None:
    make, scan = EXAMPLES[name]
    dataset, udf = MemoryDataSet(scan()), make()
    roi = holes(dataset.shape.nav.to_tuple())
    assert_same(merge(elsewhere, dataset, [udf], roi), merge(here, dataset, [udf], roi))


def test_several_udfs_travel_together(elsewhere: Elsewhere) -> None:
    dataset = load("memory", data=SCAN)
    udfs = [make() for make in (BUILT_IN | PLACES).values()]
    assert_same(merge(elsewhere, dataset, udfs), merge(here, dataset, udfs))


class Weighted(UDF):
    """Uses auxiliary data of each kind, and a callable."""

    def get_result_buffers(self):
        return {
            "nav": self.buffer("nav", (2,), dtype="float64"),
            "sig": self.buffer("sig", dtype="float64"),
        }

    def process_tile(self, tile):
        p = self.params
        weighted = p.function(tile) * p.gain
        self.results.nav[:] += weighted.sum(axis=(1, 2))[:, None] * p.dose + p.offset
        self.results.sig[:] += weighted.sum(axis=0)

    def merge(self, dest, src):
        dest.nav[:] = src.nav
        dest.sig[:] += src.sig


@pytest.mark.parametrize("with_roi", [False, True], ids=["all", "holes"])
def test_parameters(elsewhere: Elsewhere, with_roi: bool) -> None:
    rng = np.random.default_rng(0)
    power = 2
    udf = Weighted(
        gain=UDF.aux_data(rng.random(SIG), "sig", dtype="float64"),
        dose=UDF.aux_data(rng.random((*NAV, 2)), "nav", (2,), "float64"),
        offset=UDF.aux_data([3.0], "single", dtype="float64"),
        function=lambda tile: tile**power,
    )
    dataset, roi = load("memory", data=SCAN), holes(NAV) if with_roi else None
    assert_same(merge(elsewhere, dataset, [udf], roi), merge(here, dataset, [udf], roi))


def test_corrections(elsewhere: Elsewhere) -> None:
    rng = np.random.default_rng(0)
    dead = scipy.sparse.csr_matrix(([True, True], ([3, 9], [4, 12])), shape=SIG)
    corrections = CorrectionSet(rng.random(SIG), rng.uniform(0.9, 1.1, SIG), dead)
    dataset, udfs = load("memory", data=SCAN), [AtModuleLevel(), SumUDF()]
    got = merge(elsewhere, dataset, udfs, corrections=corrections)
    assert_same(got, merge(here, dataset, udfs, corrections=corrections))
    again = elsewhere(echo, corrections)
    np.testing.assert_array_equal(again.get_gain_map(), corrections.get_gain_map())


def test_a_udf_that_has_worked_before(elsewhere: Elsewhere) -> None:
    """What a run leaves on its own copies stays behind, and masks are not sent with it."""
    dataset, udf = load("memory", data=SCAN), ApplyMasksUDF(lambda: np.ones(SIG))
    small = len(cloudpickle.dumps(udf))
    expected = merge(here, dataset, [udf])
    assert len(cloudpickle.dumps(udf)) == small
    assert_same(merge(elsewhere, dataset, [udf]), expected)
    assert_same(merge(here, dataset, [cloudpickle.loads(cloudpickle.dumps(udf))]), expected)


# Datasets


def _npy(folder: Path) -> DataSet:
    np.save(folder / "scan.npy", SCAN)
    return load("npy", path=folder / "scan.npy")


def _raw(folder: Path) -> DataSet:
    (folder / "scan.raw").write_bytes(SCAN.tobytes())
    return load("raw", path=folder / "scan.raw", dtype="u2", nav_shape=NAV, sig_shape=SIG)


def _demo(format_name: str, folder: Path) -> DataSet:
    made = make_scan(folder, nav_shape=NAV, sig_shape=SIG, seed=1, formats=(format_name,))
    return load("auto", path=made[format_name])


DATASETS: dict[str, Callable[[Path], DataSet]] = {
    "memory": lambda folder: load("memory", data=SCAN),
    "npy": _npy,
    "raw": _raw,
    "hdf5": functools.partial(_demo, "hdf5"),
    "hdf5-gzip": functools.partial(_demo, "hdf5-gzip"),
    "mib": functools.partial(_demo, "mib"),
    "paced": lambda folder: PacedDataSet(_npy(folder), 1e6),
}


@pytest.mark.parametrize("name", DATASETS)
def test_datasets(elsewhere: Elsewhere, tmp_path: Path, name: str) -> None:
    dataset = DATASETS[name](tmp_path)
    got = merge(elsewhere, dataset, [PickUDF(), SumUDF()])
    np.testing.assert_array_equal(got.buffers[0]["intensity"].data, SCAN.reshape(24, *SIG))
    assert_same(got, merge(here, dataset, [PickUDF(), SumUDF()]))
    again = elsewhere(echo, dataset)
    assert repr(again) == repr(dataset)
    assert again.frames_per_block == dataset.frames_per_block


def echo(value: Any) -> Any:
    return value


# Declarations, plans, views and results


@pytest.mark.parametrize("rows", [[3, 4, 5], [3, 7, 9]], ids=["one run", "scattered"])
def test_partitions(elsewhere: Elsewhere, rows: list[int]) -> None:
    partition = elsewhere(echo, Partition.of(np.array(rows)))
    assert np.arange(20)[partition.index].tolist() == rows
    assert (partition.start, partition.stop, len(partition)) == (3, rows[-1] + 1, 3)


@pytest.mark.parametrize(
    "value",
    [
        BufferDeclaration.of("nav", (2, 3), "complex64", "device", "private"),
        Shape((2, 3, 4), 2),
        Slice((0, 1), Shape((2, 3), 1)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values(elsewhere: Elsewhere, value: Any) -> None:
    assert elsewhere(echo, value) == value
    assert hash(elsewhere(echo, value)) == hash(value)
    assert repr(elsewhere(echo, value)) == repr(value)


@pytest.mark.parametrize("with_roi", [False, True], ids=["all", "holes"])
def test_plans(elsewhere: Elsewhere, with_roi: bool) -> None:
    shape = Shape((*NAV, *SIG), 2)
    plan = Plan.of(shape, np.dtype("u2"), 3, holes(NAV) if with_roi else None)
    again = elsewhere(echo, plan)
    assert again.shape.nav == NAV
    assert again.scheme == plan.scheme
    rows = np.array([2, 3, 5])
    partition = Partition.of(rows)
    np.testing.assert_array_equal(again.frames_of(partition), plan.frames_of(partition))
    np.testing.assert_array_equal(again.rows_of(plan.frames_of(partition)), rows)


def test_aux_data(elsewhere: Elsewhere) -> None:
    aux = UDF.aux_data(np.arange(24), "nav")
    again = elsewhere(echo, aux)
    assert again.declaration == aux.declaration
    np.testing.assert_array_equal(again.data, aux.data)


def make_views() -> Views:
    declarations = {"nav": UDF.buffer("nav", (2,)), "sig": UDF.buffer("sig")}
    arrays = {"nav": np.arange(10.0).reshape(5, 2), "sig": np.arange(16.0).reshape(4, 4)}
    return Views(declarations, arrays, {"factor": 3, "function": lambda: 4})


SHOWN: dict[str, Callable[[Views], None]] = {
    "all": Views.show_all,
    "tile": lambda views: views.show_tile(1, 3, (slice(2), slice(2, 4))),
    "frame": lambda views: [
        names.update({name: array[0]}) for names, name, array in views.frame_by_frame(4, 5)
    ],
}


def write_to(views: Views) -> Views:
    """Write to what is shown, by each way there is."""
    views.nav[:] += 100
    views.sig = 7
    views["sig"] += 1
    return views


@pytest.mark.parametrize("shown", SHOWN)
def test_views(elsewhere: Elsewhere, shown: str) -> None:
    """Whatever is shown of them here, a copy shows the whole arrays, and writes through."""
    views, expected = make_views(), make_views()
    SHOWN[shown](views)
    again = elsewhere(write_to, views)
    write_to(expected)
    for name in ("nav", "sig"):
        np.testing.assert_array_equal(again[name], expected[name])
    again.show_all()
    expected.show_all()
    for name in ("nav", "sig"):
        np.testing.assert_array_equal(getattr(again, name), getattr(expected, name))
    assert (again.factor, again["function"](), list(again)) == (3, 4, list(expected))
    with pytest.raises(AttributeError, match="no 'sum' here"):
        _ = again.sum
    with pytest.raises(AttributeError, match="cannot set 'factor'"):
        again.factor = 4


def run_elsewhere(dataset: DataSet, udfs: list[UDF], roi: Any) -> Any:
    """Give the final result, and a history of results."""
    with Context.make_with("inline") as ctx:
        return ctx.run_udf(dataset, udfs, roi=roi), list(ctx.run_udf_iter(dataset, udfs, roi=roi))


@pytest.mark.parametrize("with_roi", [False, True], ids=["all", "holes"])
def test_results(elsewhere: Elsewhere, with_roi: bool) -> None:
    roi = holes(NAV) if with_roi else None
    dataset = load("memory", data=SCAN)
    udfs = [SumUDF(), SumSigUDF(), PickUDF(), AtModuleLevel()]
    final, history = elsewhere(run_elsewhere, dataset, udfs, roi)
    local_final, local_history = run_elsewhere(dataset, udfs, roi)
    for got, expected in zip(final, local_final, strict=True):
        assert got.keys() == expected.keys()
        for name in got:
            assert_same_buffer(got[name], expected[name])
    assert isinstance(history[-1], UDFResults)
    assert_same(history[-1], local_history[-1])
    assert_same(elsewhere(echo, local_history[-1]), local_history[-1])


def test_a_result_that_was_looked_at_is_not_sent_twice() -> None:
    with Context.make_with("inline") as ctx:
        result = ctx.run_udf(load("memory", data=SCAN), SumSigUDF(), roi=holes(NAV))["intensity"]
    before = len(cloudpickle.dumps(result))
    assert result.data.shape == result.valid_mask.shape == NAV
    assert len(cloudpickle.dumps(result)) == before


# Errors


def error_classes(root: type[UDFWidgetsError] = UDFWidgetsError) -> Iterator[type[Exception]]:
    yield root
    for one in root.__subclasses__():
        yield from error_classes(one)


@pytest.mark.parametrize("error_class", list(error_classes()), ids=lambda c: c.__name__)
def test_errors(elsewhere: Elsewhere, error_class: type[Exception]) -> None:
    again = elsewhere(echo, error_class("what happened, and what to do"))
    assert type(again) is error_class
    assert str(again) == "what happened, and what to do"


class Fails(UDF):
    def get_result_buffers(self):
        return {"mass": self.buffer("nav")}

    def process_frame(self, frame):
        if tuple(self.meta.coordinates[0]) == (2, 1):
            raise self.params.error


@pytest.mark.parametrize("error", [ZeroDivisionError("by nothing"), UDFException("wrong")])
def test_errors_in_a_udf_say_where(elsewhere: Elsewhere, error: Exception) -> None:
    with pytest.raises(type(error), match=str(error)) as caught:
        merge(elsewhere, load("memory", data=SCAN), [Fails(error=error)])
    assert any("Fails while it worked on frame 13" in note for note in caught.value.__notes__)


def test_an_error_of_a_notebook_says_where(elsewhere: Elsewhere) -> None:
    cell: dict[str, Any] = {"__name__": "__main__"}
    exec("class MyError(ValueError):\n    pass\n", cell)
    with pytest.raises(ValueError, match="mine") as caught:
        merge(elsewhere, load("memory", data=SCAN), [Fails(error=cell["MyError"]("mine"))])
    assert type(caught.value).__name__ == "MyError"
    assert "frame 13" in caught.value.__notes__[0]


def test_a_dataset_that_is_gone_elsewhere(elsewhere: Elsewhere, tmp_path: Path) -> None:
    dataset = _npy(tmp_path)
    (tmp_path / "scan.npy").unlink()
    with pytest.raises(UDFWidgetsError, match=r"scan\.npy"):
        merge(elsewhere, dataset, [SumUDF()])


# What stays where it is


@pytest.mark.parametrize("name", DATASETS)
def test_open_sources_stay(tmp_path: Path, name: str) -> None:
    with (
        DATASETS[name](tmp_path).open() as source,
        pytest.raises(TypeError, match="pickle the dataset"),
    ):
        cloudpickle.dumps(source)


def in_run(make: Callable[[Run], Any]) -> Any:
    run = Run(Job.of(load("memory", data=SCAN), [SumUDF()]))
    run.begin(InlineExecutor())
    run.cancel()
    run.try_to_finish()
    return make(run)


RUNS: dict[str, Callable[[Run], Any]] = {
    "run": lambda run: run,
    "stream": lambda run: ResultStream(run, EveryStep()),
    "async stream": lambda run: AsyncResultStream(run, EveryStep()),
    "follower": Follower,
    "async result": lambda run: AsyncResult(run, True),
}


@pytest.mark.parametrize("name", RUNS)
def test_runs_stay(name: str) -> None:
    with pytest.raises(TypeError, match="pickle its results"):
        cloudpickle.dumps(in_run(RUNS[name]))


@pytest.mark.parametrize("executor", [InlineExecutor, ThreadsExecutor])
def test_contexts_stay(executor: Callable[[], Any]) -> None:
    with Context(executor()) as ctx, pytest.raises(TypeError, match="make one where"):
        cloudpickle.dumps(ctx)


def test_a_udf_that_holds_on_to_a_context_says_so() -> None:
    with Context.make_with("inline") as ctx:
        udf = AtModuleLevel(factor=lambda: ctx)
        with pytest.raises(TypeError, match="Context"):
            cloudpickle.dumps(udf)
