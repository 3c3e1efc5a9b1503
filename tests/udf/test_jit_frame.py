"""`jit_frame`: what a `process_frame` gives is the same compiled as in Python."""

from __future__ import annotations

import linecache
import sys
import traceback
import warnings

import numba
import numpy as np
import pytest

from udfwidgets import UDF, Context, jit_frame
from udfwidgets.udf.compiled.frames import frame_loops

NAV, SIG = (4, 5), (6, 7)


def in_python():
    return 1


@numba.extending.overload(in_python)
def _in_compiled_code():
    return lambda: 0


class CountsUDF(UDF):
    """Uses all that there is: each kind of buffer, and of what it is given."""

    def __init__(self, limits=(2, 5), weights=None, offset=None, name="counts", unused=None):
        super().__init__(limits=limits, weights=weights, offset=offset, name=name, unused=unused)

    def get_preferred_input_dtype(self):
        return self.USE_NATIVE_DTYPE if self.params.name == "native" else np.float32

    def get_result_buffers(self):
        return {
            "count": self.buffer("nav", dtype="int64"),
            "sums": self.buffer("nav", extra_shape=(2,), dtype="float64"),
            "python": self.buffer("nav", dtype="bool"),
            "top": self.buffer("sig"),
            "n": self.buffer("single", dtype="int64"),
        }

    def get_task_data(self):
        return {"table": np.arange(SIG[0], dtype=np.float64)}

    @jit_frame
    def process_frame(self, frame):
        low, high = self.params.limits
        for y in range(frame.shape[0]):
            for x in range(frame.shape[1]):
                value = frame[y, x] + self.params.offset[0]
                if low < value <= high:
                    self.results.count[0] += 1
                self.results.sums[0] += value * self.params.weights[y, x]
                self.results.sums[1] += value * self.task_data.table[y]
                self.results.top[y, x] = max(self.results.top[y, x], value)
        self.results.n[:] += 1
        self.results.python[:] = in_python()

    def merge(self, dest, src):
        dest.count[:], dest.sums[:], dest.python[:] = src.count, src.sums, src.python
        dest.top[:] = np.maximum(dest.top, src.top)
        dest.n += src.n


class PlainCountsUDF(CountsUDF):
    def process_frame(self, frame):
        super().process_frame(frame)


class HighestUDF(UDF):
    def get_result_buffers(self):
        return {"highest": self.buffer("nav")}

    def get_preferred_input_dtype(self):
        return self.USE_NATIVE_DTYPE


@pytest.fixture
def ctx():
    with Context.make_with("threads", 2) as context:
        yield context


def scan(ctx, dtype="uint16"):
    data = np.random.default_rng(3).poisson(3, NAV + SIG).astype(dtype)
    return data, ctx.load("memory", data=data, sig_dims=2)


def expected_counts(data, offset):
    value = data + offset.reshape(*NAV, 1, 1)
    weights = np.linspace(0, 1, 42).reshape(SIG)
    rows = np.arange(SIG[0])[:, None]
    sums = np.stack([(value * each).sum(axis=(2, 3)) for each in (weights, rows)], axis=-1)
    return ((value > 2) & (value <= 5)).sum(axis=(2, 3)), sums, value.max(axis=(0, 1))


@pytest.mark.parametrize(("dtype", "name"), [("uint16", "counts"), ("float32", "native")])
def test_results_are_those_of_python_and_of_numpy(ctx, dtype, name):
    data, dataset = scan(ctx, dtype)
    offset = np.random.default_rng(4).integers(0, 3, NAV).astype(np.float32)
    given = {
        "weights": np.linspace(0, 1, 42).reshape(SIG),
        "offset": CountsUDF.aux_data(offset, "nav", dtype="float32"),
        "name": name,
        "unused": print,
    }
    # What cannot be compiled would be warned of, which is an error in tests.
    compiled, plain = (
        ctx.run_udf(dataset=dataset, udf=udf(**given)) for udf in (CountsUDF, PlainCountsUDF)
    )
    assert not compiled["python"].data.any()
    assert plain["python"].data.all()
    count, sums, top = expected_counts(data, offset)
    for results in (compiled, plain):
        np.testing.assert_array_equal(results["count"].data, count)
        np.testing.assert_allclose(results["sums"].data, sums)
        np.testing.assert_array_equal(results["top"].data, top)
        assert results["n"].data == np.prod(NAV)


@pytest.mark.parametrize("dtype", [">u2", "float16"])
def test_frames_of_a_roi_are_seen_in_any_dtype(ctx, dtype):
    data, dataset = scan(ctx, dtype)
    roi = np.random.default_rng(5).random(NAV) > 0.5

    class FirstUDF(HighestUDF):
        def get_preferred_input_dtype(self):
            return np.uint16

        @jit_frame
        def process_frame(self, frame):
            self.results.highest[:] = frame[0, 0] + 1 - in_python()

    found = ctx.run_udf(dataset=dataset, udf=FirstUDF(), roi=roi)["highest"].data
    np.testing.assert_array_equal(found[roi], data[roi][:, 0, 0] + 1)
    assert np.isnan(found[~roi]).all()


class FailsUDF(HighestUDF):
    @jit_frame
    def process_frame(self, frame):
        if frame[0, 0] == 77:
            self.results.highest[frame[0, 0]] = 1
        self.results.highest[:] = frame[0, 0]


def test_an_error_names_the_frame_and_the_line_it_is_from(ctx):
    data, _ = scan(ctx)
    data[2, 3, 0, 0] = 77
    dataset = ctx.load("memory", data=data, sig_dims=2)
    with pytest.raises(IndexError, match="index 77 is out of bounds for axis 0 with") as raised:
        ctx.run_udf(dataset=dataset, udf=FailsUDF())
    assert "FailsUDF while it worked on frame 13 of" in "".join(raised.value.__notes__)
    last = traceback.extract_tb(raised.value.__traceback__)[-1]
    assert linecache.getline(__file__, last.lineno).strip().startswith("self.results.highest[fr")
    data[2, 3, 0, 0] = 1
    right = ctx.run_udf(dataset=dataset, udf=FailsUDF())["highest"].data
    np.testing.assert_array_equal(right, data[..., 0, 0])


class WritesUDF(HighestUDF):
    @jit_frame
    def process_frame(self, frame):
        frame[0, 0] = 0
        self.results.highest[:] = frame.max() + in_python()


def test_what_is_written_into_a_frame_stays_there(ctx):
    data, _ = scan(ctx)
    data[..., 0, 0] = 99
    before = data.copy()
    dataset = ctx.load("memory", data=data, sig_dims=2)
    found = ctx.run_udf(dataset=dataset, udf=WritesUDF())["highest"].data
    np.testing.assert_array_equal(data, before)
    data[..., 0, 0] = 0
    np.testing.assert_array_equal(found, data.max(axis=(2, 3)))


class FillsUDF(HighestUDF):
    @jit_frame
    def process_frame(self, frame):
        # numba takes what both write to for frames that may be written to.
        np.fill_diagonal(frame, 0)
        frame.flat[0] = 0
        self.results.highest[:] = frame.max() + in_python()


class RaisesAllUDF(HighestUDF):
    @jit_frame
    def process_frame(self, frame):
        frame += 1
        self.results.highest[:] = frame.max() + in_python()


@pytest.mark.parametrize("udf", [FillsUDF(), RaisesAllUDF()])
def test_the_frames_of_the_user_are_not_written_to(ctx, udf):
    data, dataset = scan(ctx, "float32")
    before = data.copy()
    found = ctx.run_udf(dataset=dataset, udf=udf)["highest"].data
    np.testing.assert_array_equal(data, before)
    is_first = isinstance(udf, FillsUDF)
    written = before.copy() if is_first else before + 1
    if is_first:
        written[..., range(6), range(6)] = 0
    np.testing.assert_array_equal(found, written.max(axis=(2, 3)))


LEVEL = 2


class AboveLevelUDF(HighestUDF):
    @jit_frame
    def process_frame(self, frame):
        self.results.highest[:] = (frame > LEVEL).sum() + in_python()


def test_what_a_cell_defines_anew_counts(ctx, monkeypatch):
    data, dataset = scan(ctx)
    for level in (2, 4):
        monkeypatch.setattr(sys.modules[__name__], "LEVEL", level)
        found = ctx.run_udf(dataset=dataset, udf=AboveLevelUDF())["highest"].data
        np.testing.assert_array_equal(found, (data > level).sum(axis=(2, 3)))


class WithinUDF(HighestUDF):
    def __init__(self, levels):
        super().__init__(levels=levels)

    @jit_frame
    def process_frame(self, frame):
        n = 0
        for level in self.params.levels:
            n += (frame > level).sum()
        self.results.highest[:] = n + in_python()


def test_long_lists_are_compiled_once(ctx):
    data, dataset = scan(ctx)
    for n in (2000, 1000):
        udf = WithinUDF([3.5] * n)
        found = ctx.run_udf(dataset=dataset, udf=udf)["highest"].data
        np.testing.assert_array_equal(found, n * (data > 3.5).sum(axis=(2, 3)))
    loops = frame_loops(WithinUDF)
    assert loops is not None
    assert len(loops._compiled) == 1


class SayingUDF(HighestUDF):
    @jit_frame
    def process_frame(self, frame):
        self.results.highest[:] = frame.max() + len(str(self.meta.dataset_shape)) * 0


class WithDictUDF(HighestUDF):
    def __init__(self, table):
        super().__init__(table=table)

    @jit_frame
    def process_frame(self, frame):
        self.results.highest[:] = frame.max() + self.params.table["zero"]


@pytest.mark.parametrize("udf", [SayingUDF(), WithDictUDF({"zero": 0})])
def test_what_cannot_be_compiled_runs_as_python_and_says_so_once(ctx, udf):
    data, dataset = scan(ctx)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = ctx.run_udf(dataset=dataset, udf=udf)["highest"].data
    np.testing.assert_array_equal(found, data.max(axis=(2, 3)))
    (warning,) = told
    assert warning.filename == __file__
    assert f"numba cannot compile {type(udf).__name__}.process_frame" in str(warning.message)
    assert "self.results.name[:] = ..." in str(warning.message)


class ReturnsUDF(HighestUDF):
    @jit_frame
    def process_frame(self, frame):
        return frame[0, 0]


def test_what_is_returned_is_warned_of(ctx):
    _, dataset = scan(ctx)
    with pytest.warns(UserWarning, match="process_frame returns a value, which is dropped"):
        ctx.run_udf(dataset=dataset, udf=ReturnsUDF())


def test_it_stands_above_process_frame_only():
    with pytest.raises(TypeError, match=r"above a method process_frame, not process_tile: have"):

        class _TileUDF(UDF):
            @jit_frame(fastmath=False)
            def process_tile(self, tile):
                pass
