"""What people write although nobody told them to."""

# ruff: noqa: PLC0415 - it belongs to one case

import io
import pickle

import cloudpickle
import numpy as np
from libertem.udf import UDF
from libertem.udf.raw import PickUDF
from libertem.udf.stddev import StdDevUDF
from libertem.udf.sum import SumUDF
from libertem.udf.sumsigudf import SumSigUDF

from tests.conformance.case import clause, scan, some_of


class SumOfSquares(SumUDF):
    """Replaces the work of a built-in UDF, keeps its declarations."""

    def get_result_buffers(self):
        return {"intensity": self.buffer("sig", dtype="float32")}

    def process_tile(self, tile):
        self.results.intensity += np.sum(tile.astype("f4") ** 2, axis=0)

    def merge(self, dest, src):
        dest.intensity[:] += src.intensity

    def get_results(self):
        return {"intensity": self.results.intensity}


@clause("SumUDF: `intensity` sig")
def subclass_of_sum(ctx):
    return ctx.run_udf(ctx.load("memory", data=scan()), SumOfSquares())


@clause("SumSigUDF: `intensity` nav")
def subclass_with_own_init(ctx):
    class Named(SumSigUDF):
        def __init__(self):
            super().__init__()
            self.name = "sum"

    return ctx.run_udf(ctx.load("memory", data=scan()), Named())


@clause("StdDevUDF: `varsum`, `num_frames`, `sum`, and results `var`, `std`, `mean`")
def subclass_with_more_results(ctx):
    class SignalToNoise(StdDevUDF):
        def get_result_buffers(self):
            buffers = super().get_result_buffers()
            buffers["snr"] = self.buffer("sig", use="result_only")
            return buffers

        def get_results(self):
            results = super().get_results()
            snr = np.asarray(results["mean"]) / np.asarray(results["std"])
            results["snr"] = snr.astype("float32")
            return results

    return ctx.run_udf(ctx.load("memory", data=scan()), SignalToNoise())["snr"].data


@clause("PickUDF: `intensity` single, extra_shape depends on roi")
def subclass_of_pick(ctx):
    class Same(PickUDF):
        pass

    return ctx.run_udf(ctx.load("memory", data=scan()), Same(), roi=some_of())["intensity"].data


class Center:
    """A mixin with a property and a method, without process methods."""

    @property
    def center(self):
        return tuple(n // 2 for n in self.meta.dataset_shape.sig)

    def weight(self, frame):
        return frame[self.center] * self.params.get("gain", 2)


@clause("`udfwidgets.udf.{UDF}`", "Parameters are keyword arguments")
def with_mixin(ctx):
    class Central(Center, UDF):
        BUFFER = "central"

        def get_result_buffers(self):
            return {self.BUFFER: self.buffer("nav")}

        def process_frame(self, frame):
            self.results.central[:] = self.weight(frame)

    dataset = ctx.load("memory", data=scan())
    return ctx.run_udf(dataset, [Central(), Central(gain=5)])


@clause("`udfwidgets.udf.{UDF}`")
def with_declared_mixins(ctx):
    from libertem.udf import UDFPostprocessMixin, UDFPreprocessMixin, UDFTileMixin

    class Mixed(UDF, UDFTileMixin, UDFPreprocessMixin, UDFPostprocessMixin):
        def get_result_buffers(self):
            return {"x": self.buffer("nav")}

        def preprocess(self):
            self.results.x[:] = 1

        def process_tile(self, tile):
            self.results.x[:] += tile.max(axis=(1, 2))

        def postprocess(self):
            self.results.x[:] *= 2

    udf = Mixed()
    return (
        isinstance(SumUDF(), UDFTileMixin),
        isinstance(udf, UDFPreprocessMixin),
        ctx.run_udf(ctx.load("memory", data=scan()), udf),
    )


@clause("must work when defined in a notebook cell")
def defined_in_a_function(ctx):
    factor = 3

    def make():
        class Local(UDF):
            def get_result_buffers(self):
                return {"x": self.buffer("nav")}

            def process_frame(self, frame):
                self.results.x[:] = frame.max() * factor

        return Local()

    return ctx.run_udf(ctx.load("memory", data=scan()), make())


CELL = """
import numpy as np
from libertem.udf import UDF

class Cell(UDF):
    def get_result_buffers(self):
        return {"x": self.buffer(kind="nav", dtype="float32")}

    def process_frame(self, frame):
        self.results.x[:] = np.median(frame)
"""


@clause("must work when defined in a notebook cell", "be picklable by cloudpickle")
def defined_in_a_cell(ctx):
    cell = {"__name__": "__main__"}
    exec(CELL, cell)
    udf = cell["Cell"]()
    again = cloudpickle.loads(cloudpickle.dumps(udf))
    classes = cloudpickle.loads(cloudpickle.dumps(cell["Cell"]))
    dataset = ctx.load("memory", data=scan())
    return ctx.run_udf(dataset, udf), ctx.run_udf(dataset, again), ctx.run_udf(dataset, classes())


@clause("be picklable by cloudpickle")
def pickled(ctx):
    class Takes(UDF):
        def get_result_buffers(self):
            return {"x": self.buffer("nav")}

        def process_frame(self, frame):
            self.results.x[:] = self.params.f(frame) * self.params.gain[0]

    gain = UDF.aux_data(np.arange(20, dtype="f4"), kind="nav")
    udf = cloudpickle.loads(cloudpickle.dumps(Takes(f=lambda frame: frame.sum(), gain=gain)))
    return ctx.run_udf(ctx.load("memory", data=scan()), udf), isinstance(
        pickle.load(io.BytesIO(pickle.dumps(SumUDF()))), SumUDF
    )


@clause("`get_results()` -> dict of arrays for the user")
def odd_results(ctx):
    class Odd(UDF):
        def get_result_buffers(self):
            return {
                "frames": self.buffer("nav", (2,), use="private"),
                "first": self.buffer("nav", use="result_only"),
                "grid": self.buffer("nav", (2,), use="result_only"),
                "best": self.buffer("single", dtype="int64", use="result_only"),
                "names": self.buffer("single", (2,), "U8", use="result_only"),
            }

        def process_tile(self, tile):
            self.results.frames[:, 0] = tile.max(axis=(1, 2))
            self.results.frames[:, 1] = tile.min(axis=(1, 2))

        def get_results(self):
            frames = getattr(self.results, "frames")  # noqa: B009
            has = [name in self.results for name in ("frames", "nothing")]
            assert has == [True, False]
            assert self.results.get("frames") is not None
            assert self.results.get("nothing", 5) == 5
            shape = (*self.meta.dataset_shape.nav, 2)
            return {
                "first": frames[..., 0],
                "grid": frames.reshape(shape)[::1],
                "best": np.array([int(np.argmax(frames[:, 0]))]),
                "names": np.array(["frames", *list(self.results.keys())[:1]]),
            }

    result = ctx.run_udf(ctx.load("memory", data=scan()), Odd())
    return {name: result[name].data for name in ("first", "grid", "best")}


@clause("`get_results()` -> dict of arrays for the user")
def side_effects_in_results(ctx):
    class Changes(UDF):
        def get_result_buffers(self):
            return {"x": self.buffer("sig")}

        def process_frame(self, frame):
            self.results.x[:] += frame

        def merge(self, dest, src):
            dest.x[:] += src.x

        def get_results(self):
            copied = self.results.x.copy()
            copied /= copied.max()
            return {"x": copied}

    return ctx.run_udf(ctx.load("memory", data=scan()), Changes())


@clause("`get_result_buffers()`")
def no_buffers(ctx):
    class Watches(UDF):
        def get_result_buffers(self):
            return {}

        def process_frame(self, frame):
            pass

    return ctx.run_udf(ctx.load("memory", data=scan()), Watches())


@clause("`get_result_buffers()`")
def no_declarations(ctx):
    class Undeclared(UDF):
        def process_frame(self, frame):
            pass

    try:
        ctx.run_udf(ctx.load("memory", data=scan()), Undeclared())
    except NotImplementedError:
        return "refused"


@clause(
    "kinds nav (nav shape + extra_shape), sig (sig shape + extra_shape)",
    "single (extra_shape, at least (1,))",
)
def odd_scans(ctx):
    class Sums(UDF):
        def get_result_buffers(self):
            return {
                "nav": self.buffer("nav", (2,)),
                "sig": self.buffer("sig"),
                "at": self.buffer("nav", (self.meta.dataset_shape.nav.dims,), "int64"),
            }

        def process_frame(self, frame):
            self.results.nav[:] = frame.sum()
            self.results.sig[:] += frame
            self.results.at[:] = self.meta.coordinates[0]

        def merge(self, dest, src):
            dest.nav[:], dest.at[:] = src.nav, src.at
            dest.sig[:] += src.sig

    shapes = [
        ((7,), (6, 5)),
        ((2, 3, 4), (5, 6)),
        ((4, 4), (9,)),
        ((5,), (3, 4, 2)),
        ((1, 1), (1, 1)),
    ]
    results = []
    for nav, sig in shapes:
        dataset = ctx.load("memory", data=scan(nav, sig), sig_dims=len(sig))
        for roi in (None, some_of(nav, seed=3), np.zeros(nav, bool)):
            if roi is None or roi.any():
                results.append(ctx.run_udf(dataset, Sums(), roi=roi))
    return results


@clause("documented for the rest")
def complex_data(ctx):
    class Phase(UDF):
        def get_result_buffers(self):
            return {"x": self.buffer("nav", dtype=self.meta.input_dtype)}

        def process_frame(self, frame):
            self.results.x[:] = (frame * np.exp(0.1j)).sum()

    data = scan(dtype="c8") * np.complex64(1 + 2j)
    dataset = ctx.load("memory", data=data)
    return ctx.run_udf(dataset, Phase()), ctx.run_udf(dataset, Phase(), roi=some_of())


@clause("`run_udf(dataset, udf, roi, corrections, progress, backends, plots, sync)`")
def chained(ctx):
    class Normalised(UDF):
        def get_result_buffers(self):
            return {"x": self.buffer("nav")}

        def process_frame(self, frame):
            self.results.x[:] = (frame * self.params.reference).sum()

    dataset = ctx.load("memory", data=scan())
    total = ctx.run_udf(dataset, SumUDF())
    # Both the array and the wrapper itself are handed on.
    by_array = ctx.run_udf(dataset, Normalised(reference=total["intensity"].data))
    by_wrapper = ctx.run_udf(dataset, Normalised(reference=np.array(total["intensity"])))
    roi = by_array["x"].data > np.median(by_array["x"].data)
    return by_array, by_wrapper, ctx.run_udf(dataset, SumUDF(), roi=roi)


@clause("`run_udf(dataset, udf, roi, corrections, progress, backends, plots, sync)`")
def same_instance_again(ctx):
    udf = SumUDF()
    dataset = ctx.load("memory", data=scan())
    first = ctx.run_udf(dataset, udf)
    second = ctx.run_udf(dataset, udf, roi=some_of())
    third = ctx.run_udf(ctx.load("memory", data=scan(nav=(3, 3), sig=(4, 4))), udf)
    return first, second, third


@clause("`get_result_buffers()`")
def state_on_the_main_instance(ctx):
    class Labelled(UDF):
        def get_result_buffers(self):
            return {"x": self.buffer("nav", dtype=self.dtype)}

        def process_frame(self, frame):
            self.results.x[:] = frame.max()

        def get_results(self):
            return {"x": self.results.x * self.scale}

        def __init__(self):
            super().__init__()
            self.dtype, self.scale = "float32", 1

    udf = Labelled()
    udf.scale = 3
    return ctx.run_udf(ctx.load("memory", data=scan()), udf)
