"""What a UDF may rely on: views, meta, parameters, hooks and the checks on its results."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engine.pacing import iterate
from udfwidgets import Context, SumUDF
from udfwidgets.engine.executors import InlineExecutor
from udfwidgets.errors import UDFException, UDFRunCancelled
from udfwidgets.udf import UDF

DATA = np.random.default_rng(0).integers(0, 1000, (5, 7, 6, 4)).astype("u2")


@pytest.fixture
def ctx():
    with Context.make_with("inline") as ctx:
        yield ctx


@pytest.fixture
def dataset(ctx):
    return ctx.load("memory", data=DATA)


class Shapes(UDF):
    """Notes the shape of everything it sees."""

    def get_result_buffers(self):
        return {
            "flat": self.buffer("nav"),
            "wide": self.buffer("nav", (2, 3)),
            "sig": self.buffer("sig", (2,)),
            "single": self.buffer("single"),
        }

    def note(self, data):
        names = ("flat", "wide", "sig", "single")
        self.params.seen.append((data.shape, *(self.results[n].shape for n in names)))

    def merge(self, dest, src):
        pass


class TileShapes(Shapes):
    def process_tile(self, tile):
        self.note(tile)


class FrameShapes(Shapes):
    def process_frame(self, frame):
        self.note(frame)


class PartitionShapes(Shapes):
    def process_partition(self, partition):
        self.note(partition)


@pytest.mark.parametrize(
    ("udf_class", "data", "rows", "wide"),
    [
        (TileShapes, (3, 6, 4), (3,), (3, 2, 3)),
        (FrameShapes, (6, 4), (1,), (2, 3)),
        (PartitionShapes, (7, 6, 4), (7,), (7, 2, 3)),
    ],
)
def test_views_belong_to_the_data_in_hand(dataset, udf_class, data, rows, wide):
    seen = []
    list(iterate(InlineExecutor(), dataset, [udf_class(seen=seen)], size=7, tile_depth=3))
    assert seen[0] == (data, rows, wide, (6, 4, 2), (1,))


def test_precedence_of_methods(ctx, dataset):
    class All(UDF):
        def get_result_buffers(self):
            return {"by": self.buffer("nav", dtype="U9")}

        def process_tile(self, tile):
            self.results.by[:] = "tile"

        def process_frame(self, frame):
            self.results.by[:] = "frame"

        def process_partition(self, partition):
            self.results.by[:] = "partition"

    class Chosen(All):
        def get_method(self):
            return self.UDF_METHOD.PARTITION

    assert set(ctx.run_udf(dataset, All())["by"].raw_data) == {"tile"}
    assert set(ctx.run_udf(dataset, Chosen())["by"].raw_data) == {"partition"}


@pytest.mark.parametrize("method", ["process_tile", "process_frame", "process_partition"])
@pytest.mark.parametrize("with_roi", [False, True])
def test_coordinates(ctx, dataset, method, with_roi):
    class Where(UDF):
        def get_result_buffers(self):
            return {"where": self.buffer("nav", (2,), "int64")}

    def process(self, data):
        self.results.where[:] = (
            np.squeeze(self.meta.coordinates) if data.ndim == 2 else (self.meta.coordinates)
        )

    setattr(Where, method, process)
    roi = np.random.default_rng(1).random((5, 7)) > 0.5 if with_roi else None
    result = ctx.run_udf(dataset, Where(), roi=roi)["where"]
    expected = np.argwhere(np.ones((5, 7)) if roi is None else roi)
    np.testing.assert_array_equal(result.raw_data, expected)


def test_meta(ctx, dataset):
    class Meta(UDF):
        def get_result_buffers(self):
            assert self.meta.dataset_shape.nav == (5, 7)
            assert self.meta.dataset_shape.sig == (6, 4)
            assert self.meta.dataset_dtype == np.dtype("u2")
            assert self.meta.input_dtype == np.dtype("f4")
            assert self.meta.roi is None
            return {}

        def process_tile(self, tile):
            assert tile.dtype == np.dtype("f4")
            assert self.meta.sig_slice.shape == (6, 4)
            assert self.meta.tiling_scheme_idx == 0
            assert self.meta.slice.shape == tile.shape
            assert self.meta.partition_shape.sig == (6, 4)
            assert self.meta.device_class == "cpu"
            assert self.xp is np

    ctx.run_udf(dataset, Meta())


@pytest.mark.parametrize("order", ["scan", "progressive"])
def test_partition_shape_counts_the_frames_of_the_partition(ctx, order):
    class Count(UDF):
        def get_result_buffers(self):
            return {"frames": self.buffer("single", dtype="int64")}

        def process_tile(self, tile):
            pass

        def postprocess(self):
            self.results.frames[:] = self.meta.partition_shape.nav.size

        def merge(self, dest, src):
            dest.frames[:] += src.frames

    dataset = ctx.load("memory", data=np.zeros((24, 24, 2, 2), "u2"))
    *_, last = iterate(ctx.executor, dataset, [Count()], size=50, order=order)
    assert last.buffers[0]["frames"].data == 24 * 24


def test_input_dtypes_are_each_udfs_own(ctx, dataset):
    class Dtype(UDF):
        def get_preferred_input_dtype(self):
            return self.params.dtype

        def get_result_buffers(self):
            return {"dtype": self.buffer("single", dtype="U9")}

        def process_tile(self, tile):
            self.results.dtype[:] = str(tile.dtype)

        def merge(self, dest, src):
            dest.dtype[:] = src.dtype

    udfs = [Dtype(dtype=dtype) for dtype in (UDF.USE_NATIVE_DTYPE, "f4", "f8", "c8")]
    results = ctx.run_udf(dataset, udfs)
    assert [str(r["dtype"].data[0]) for r in results] == [
        "uint16",
        "float32",
        "float64",
        "complex64",
    ]


def test_parameters_and_auxiliary_data(ctx, dataset):
    class Weighted(UDF):
        def get_result_buffers(self):
            return {"sum": self.buffer("nav", dtype="float64")}

        def process_frame(self, frame):
            gain = self.params.gain
            assert gain.shape == (1,)
            assert self.params["mask"].shape == (6, 4)
            assert self.params.get("missing", 3) == 3
            self.results.sum[:] = (frame * self.params.mask).sum() * gain + self.params.offset

    gain, mask = np.arange(35.0), np.arange(24.0)
    roi = np.random.default_rng(2).random((5, 7)) > 0.5
    udf = Weighted(
        gain=UDF.aux_data(gain, "nav", dtype="f8"),
        mask=UDF.aux_data(mask, "sig", dtype="f8"),
        offset=5,
    )
    expected = (DATA * mask.reshape(6, 4)).sum((2, 3)) * gain.reshape(5, 7) + 5
    np.testing.assert_allclose(ctx.run_udf(dataset, udf)["sum"].data, expected)
    selected = ctx.run_udf(dataset, udf, roi=roi)["sum"]
    np.testing.assert_allclose(selected.data[roi], expected[roi])


def test_auxiliary_data_of_wrong_size(ctx, dataset):
    class Uses(UDF):
        def get_result_buffers(self):
            return {}

        def process_tile(self, tile):
            pass

    with pytest.raises(ValueError, match=r"aux_data of shape \(3,\)"):
        ctx.run_udf(dataset, Uses(gain=UDF.aux_data([1, 2, 3], "nav")))


def test_hooks_run_once_per_partition(dataset):
    calls = []

    class Hooks(UDF):
        def get_result_buffers(self):
            return {"sum": self.buffer("sig", dtype="float64")}

        def get_task_data(self):
            calls.append("task data")
            return {"weight": 2}

        def preprocess(self):
            calls.append("pre")
            self.results.sum[:] = 1

        def process_tile(self, tile):
            self.results.sum += tile.sum(axis=0) * self.task_data.weight

        def postprocess(self):
            calls.append("post")
            self.results.sum[:] -= 1

        def cleanup(self):
            calls.append("cleanup")

        def merge(self, dest, src):
            dest.sum += src.sum

    *_, last = iterate(InlineExecutor(), dataset, [Hooks()], size=10, tile_depth=3)
    # The result itself is prepared first.
    assert calls == ["pre"] + ["task data", "pre", "post", "cleanup"] * 4
    np.testing.assert_allclose(last.buffers[0]["sum"].data, DATA.sum((0, 1)) * 2 + 1)


@pytest.mark.parametrize("trouble", ["in process", "in preprocess", "in cleanup", "cancelled"])
def test_cleanup_is_called_whatever_happens(dataset, trouble):
    opened, closed = [], []

    class Holds(UDF):
        def get_result_buffers(self):
            return {}

        def process_frame(self, frame):
            pass

        def get_task_data(self):
            opened.append(1)
            return {}

        def cleanup(self):
            closed.append(1)
            if trouble == "in cleanup":
                raise RuntimeError("on purpose")

    class Troubled(SumUDF):
        def preprocess(self):
            if trouble == "in preprocess" and self.meta.partition_range is not None:
                raise RuntimeError("on purpose")

        def process_tile(self, tile):
            super().process_tile(tile)
            if trouble == "in process":
                raise RuntimeError("on purpose")
            if trouble == "cancelled":
                run.cancel()

    stream = iterate(InlineExecutor(), dataset, [Holds(), Troubled(), Holds()], size=10)
    run = stream._run
    error = UDFRunCancelled if trouble == "cancelled" else RuntimeError
    with pytest.raises(error):
        list(stream)
    assert len(opened) == len(closed) > 0


@pytest.mark.parametrize("kind", ["sig", "nav"])
def test_merge_is_called_by_the_names_of_its_parameters(ctx, dataset, kind):
    class Turned(UDF):
        def get_result_buffers(self):
            return {"sum": self.buffer(kind, dtype="float64")}

        def process_frame(self, frame):
            self.results.sum += frame if kind == "sig" else frame.sum()

        def merge(self, src, dest):
            dest.sum[:] += src.sum

    class OtherNames(Turned):
        def merge(self, mine, theirs):
            mine.sum[:] += theirs.sum

    for udf in (Turned(), OtherNames()):
        result = ctx.run_udf(dataset=dataset, udf=udf)["sum"].data
        expected = DATA.sum((0, 1)) if kind == "sig" else DATA.sum((2, 3))
        np.testing.assert_allclose(result, expected)


def test_objects_in_stored_results_stay_what_they_were(dataset):
    class Collects(UDF):
        def get_result_buffers(self):
            return {"found": self.buffer("single", dtype=object)}

        def preprocess(self):
            self.results.found[0] = []

        def process_frame(self, frame):
            self.results.found[0].append(frame.max())

        def merge(self, dest, src):
            dest.found[0].extend(src.found[0])

    steps = list(iterate(InlineExecutor(), dataset, [Collects()], size=7))
    assert [len(step.buffers[0]["found"].data[0]) for step in steps] == [7, 14, 21, 28, 35]


class Sig(UDF):
    def get_result_buffers(self):
        return {
            "sum": self.buffer("sig"),
            "scratch": self.buffer("nav", use="private"),
            "extra": self.buffer("nav", use="result_only"),
        }

    def process_tile(self, tile):
        self.results.sum += tile.sum(axis=0)

    def merge(self, dest, src):
        dest.sum += src.sum


@pytest.mark.parametrize(
    ("results", "message"),
    [
        (lambda udf: {"sum": udf.results.sum}, "returns no extra"),
        (lambda udf: {"sum": 1, "extra": 1, "other": 1}, "not declared"),
        (lambda udf: {"sum": 1, "extra": 1, "scratch": 1}, "declared as private"),
        (lambda udf: {"sum": np.ones((6, 4), "c8"), "extra": np.ones(35)}, "complex64"),
        (lambda udf: {"sum": np.ones((5, 5)), "extra": np.ones(35)}, r"shape \(5, 5\)"),
    ],
    ids=["missing", "undeclared", "private", "dtype", "shape"],
)
def test_results_are_checked(ctx, dataset, results, message):
    class Checked(Sig):
        get_results = results

    with pytest.raises(UDFException, match=message):
        ctx.run_udf(dataset, Checked())


def test_with_mask(ctx, dataset):
    class Masked(Sig):
        def get_results(self):
            half = np.zeros((6, 4), bool)
            half[:3] = True
            return {
                "sum": self.with_mask(self.results.sum, half),
                "extra": self.with_mask(np.ones((5, 7), "f4"), True),
            }

    result = ctx.run_udf(dataset, Masked())
    assert result["sum"].valid_mask.sum() == 12
    assert result["extra"].valid_mask.all()
    assert set(result) == {"sum", "extra"}


def test_valid_nav_mask_grows(dataset):
    class Share(UDF):
        def get_result_buffers(self):
            return {"share": self.buffer("nav", dtype="float64", use="result_only")}

        def process_tile(self, tile):
            pass

        def get_results(self):
            valid = self.meta.get_valid_nav_mask()
            assert self.meta.get_valid_nav_mask(full_nav=True).shape == (35,)
            return {"share": np.full(valid.shape, valid.mean())}

    steps = iterate(InlineExecutor(), dataset, [Share()], size=7)
    shares = [step.buffers[0]["share"].data[0, 0] for step in steps]
    np.testing.assert_allclose(shares, [0.2, 0.4, 0.6, 0.8, 1])


def test_assignment_writes_through(ctx, dataset):
    class Assigns(UDF):
        def get_result_buffers(self):
            return {"sum": self.buffer("nav", dtype="float64")}

        def process_tile(self, tile):
            self.results.sum = tile.sum(axis=(1, 2))

    result = ctx.run_udf(dataset, Assigns())
    np.testing.assert_allclose(result["sum"].data, DATA.sum((2, 3)))


def test_unknown_names_list_the_known_ones(ctx, dataset):
    class Typo(UDF):
        def get_result_buffers(self):
            return {"sum": self.buffer("nav")}

        def process_tile(self, tile):
            self.results.summ[:] = 1

    with pytest.raises(AttributeError, match="no 'summ' here, only sum"):
        ctx.run_udf(dataset, Typo())


def test_merge_is_needed_for_all_but_nav(ctx, dataset):
    class NoMerge(UDF):
        def get_result_buffers(self):
            return {"sum": self.buffer("sig")}

        def process_tile(self, tile):
            pass

    with pytest.raises(NotImplementedError, match=r"implement merge\(dest, src\)"):
        ctx.run_udf(dataset, NoMerge())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"kind": "frame"}, "kind is 'frame'"), ({"kind": "nav", "use": "secret"}, "use is 'secret'")],
)
def test_declarations_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        UDF.buffer(**arguments)


def test_parameters_that_were_not_passed_on(ctx, dataset):
    class Forgets(UDF):
        def __init__(self, cutoff):
            super().__init__()
            self.cutoff = cutoff

        def get_result_buffers(self):
            return {}

        def process_tile(self, tile):
            pass

    with pytest.raises(UDFException, match=r"Forgets cannot be copied.*super\(\).__init__"):
        ctx.run_udf(dataset, Forgets(5))
