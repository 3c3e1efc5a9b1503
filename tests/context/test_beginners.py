"""Mistakes of beginners, which would end in zeros or silence: each is told in words."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import scipy.sparse

from udfwidgets import Context, masks
from udfwidgets.errors import UDFException
from udfwidgets.udf import UDF
from udfwidgets.udf.crystallinity import CrystallinityUDF
from udfwidgets.udf.FEM import FEMUDF
from udfwidgets.udf.masks import ApplyMasksUDF
from udfwidgets.udf.stddev import StdDevUDF

DATA = np.random.default_rng(0).integers(1, 1000, (4, 5, 6, 8)).astype("u2")


@pytest.fixture(params=["inline", "threads"])
def ctx(request):
    with Context.make_with(request.param) as ctx:
        yield ctx


@pytest.fixture
def dataset(ctx):
    return ctx.load("memory", data=DATA)


RINGS = {
    "analysis": lambda ctx, dataset: ctx.create_ring_analysis(dataset, ri=5, ro=2),
    "radial": lambda ctx, dataset: ctx.create_radial_fourier_analysis(dataset, ri=5, ro=2),
    "fem": lambda ctx, dataset: FEMUDF((3, 4), 5, 2),
    "crystallinity": lambda ctx, dataset: CrystallinityUDF(5, 2),
    "mask": lambda ctx, dataset: masks.ring(4, 3, 8, 6, 2, 5),
    "smooth mask": lambda ctx, dataset: masks.ring(4, 3, 8, 6, 2, 5, antialiased=True),
    "bins": lambda ctx, dataset: masks.radial_bins(4, 3, 8, 6, 2, 5, n_bins=2),
}


@pytest.mark.parametrize("make", RINGS.values(), ids=RINGS)
def test_a_ring_turned_inside_out(ctx, dataset, make):
    with pytest.raises(ValueError, match=r"inner radius of the ring is 5, the outer one 2.*exch"):
        make(ctx, dataset)


DISK = masks.circular(4, 3, 8, 6, 2)
GIVEN = {
    "array": (DISK, [DISK]),
    "list": ([DISK, 2 * DISK], [DISK, 2 * DISK]),
    "among callables": ([lambda: DISK, ~DISK], [DISK, ~DISK]),
    "stack": (np.stack([DISK, ~DISK, DISK]), [DISK, ~DISK, DISK]),
    "sparse": (scipy.sparse.csr_matrix(DISK), [DISK]),
    "list of sparse": ([scipy.sparse.coo_matrix(DISK)], [DISK]),
}


@pytest.mark.parametrize(("given", "meant"), GIVEN.values(), ids=GIVEN)
def test_masks_in_the_place_of_what_makes_them(ctx, dataset, given, meant):
    behind = np.stack([(DATA * mask).sum(axis=(2, 3)) for mask in meant], axis=-1)
    result = ctx.run_udf(dataset, ApplyMasksUDF(mask_factories=given))
    assert np.array_equal(result["intensity"].data, behind)
    analysis = ctx.create_mask_analysis(given, dataset)
    assert np.array_equal(ctx.run(analysis).mask_0.raw_data, behind[..., 0])


def test_a_mask_of_another_shape(ctx, dataset):
    with pytest.raises(ValueError, match=r"a mask has shape \(8, 6\), the frames have sig shape"):
        ctx.run_udf(dataset, ApplyMasksUDF(DISK.T))


class Forgetful(UDF):
    def __init__(self, offset):
        self.offset = offset

    def get_result_buffers(self):
        return {"brightest": self.buffer("nav")}

    def process_frame(self, frame):
        self.results.brightest[:] = frame.max() + self.params.offset


def test_an_init_that_forgets_that_of_the_base_class(ctx, dataset):
    with pytest.raises(
        UDFException, match=r"Forgetful\.__init__ does not call super\(\)\.__init__"
    ):
        ctx.run_udf(dataset, Forgetful(1))


class Returning(UDF):
    def get_result_buffers(self):
        return {
            "ratio": self.buffer("nav", use="result_only"),
            "brightest": self.buffer("nav"),
        }

    def get_results(self):
        return {"ratio": self.results.brightest / 2}


class ReturningFrames(Returning):
    def process_frame(self, frame):
        return frame.max()


class ReturningTiles(Returning):
    def process_tile(self, tile):
        return tile.max(axis=(1, 2))


class ReturningPartitions(Returning):
    def process_partition(self, partition):
        return partition.max(axis=(1, 2))


@pytest.mark.parametrize("udf_class", [ReturningFrames, ReturningTiles, ReturningPartitions])
def test_a_udf_that_returns_its_result(ctx, dataset, udf_class):
    words = rf"{udf_class.__name__}\.process_\w+ returns.*self\.results\.brightest\[:\] = "
    for _ in range(2):  # each run tells it
        with pytest.warns(UserWarning, match=words) as caught:
            ctx.run_udf(dataset, [udf_class(), udf_class()])
        (warning,) = caught
        (method,) = (m for name, m in vars(udf_class).items() if name.startswith("process_"))
        assert warning.filename == __file__
        assert warning.lineno == method.__code__.co_firstlineno


@pytest.fixture
def results(ctx, dataset):
    return ctx.run_udf(dataset, StdDevUDF())


def test_an_unknown_result(results):
    with pytest.raises(KeyError, match=r"there is no result 'varsun' here, only varsum, var, "):
        results["varsun"]
    with pytest.raises(AttributeError, match=r"no 'maen'; there is no .* only mean, "):
        results.maen  # noqa: B018
    with pytest.raises(AttributeError, match=r"write results\['mean'\]"):
        results.mean  # noqa: B018
    assert results.get("varsun") is None
    assert "varsun" not in results


def test_results_are_a_dict_that_can_be_pickled(results):
    again = pickle.loads(pickle.dumps(results))
    assert isinstance(again, dict)
    assert repr(again) == repr(dict(results))
    with pytest.raises(KeyError, match="only std, "):
        again["sdt"]


class Misspelt(UDF):
    def get_result_buffers(self):
        return {"sum": self.buffer("nav"), "brightest": self.buffer("nav")}

    def process_frame(self, frame):
        self.results.britest[:] = frame.max()


def test_an_unknown_buffer_in_a_udf(ctx, dataset):
    with pytest.raises(AttributeError, match=r"no 'britest' here, only brightest, sum"):
        ctx.run_udf(dataset, Misspelt())


@pytest.mark.parametrize("call", ["run_udf", "run_udf_iter", "live"])
def test_a_roi_that_selects_nothing(ctx, dataset, call):
    with pytest.warns(UserWarning, match=r"roi selects none of .*nav \(4, 5\)") as caught:
        answer = getattr(ctx, call)(dataset=dataset, udf=StdDevUDF(), roi=np.zeros((4, 5), bool))
    about_roi = [warning for warning in caught if "roi" in str(warning.message)]
    assert [warning.filename for warning in about_roi] == [__file__]
    if call != "run_udf":
        answer.close()


def test_what_is_printed_helps(ctx, dataset):
    assert repr(ctx) == f"<Context workers={ctx.executor.workers} analyses=0>"
    with ctx.run_udf_iter(dataset, StdDevUDF()) as steps:
        assert repr(steps) == "<ResultStream of StdDevUDF: running>"
        assert "analyses=1" in repr(ctx)
        assert len(list(steps)) > 0
        assert repr(steps) == "<ResultStream of StdDevUDF: done>"
    awaitable = ctx.run_udf(dataset, [StdDevUDF(), ApplyMasksUDF(DISK)], sync=False)
    assert repr(awaitable).startswith("<AsyncResult of StdDevUDF, ApplyMasksUDF: ")
    awaitable.close()
