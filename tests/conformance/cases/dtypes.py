"""Input dtypes and the dtypes of buffers."""

import numpy as np
from libertem.udf import UDF
from libertem.udf.base import NoOpUDF

from tests.conformance.case import clause, scan, some_of


class Notes(UDF):
    def get_result_buffers(self):
        return {"dtypes": self.buffer("single", (3,), "U16")}

    def process_tile(self, tile):
        self.results.dtypes[:] = (
            str(tile.dtype),
            str(np.dtype(self.meta.input_dtype)),
            str(np.dtype(self.meta.dataset_dtype)),
        )

    def merge(self, dest, src):
        dest.dtypes[:] = src.dtypes


class Prefers(Notes):
    def get_preferred_input_dtype(self):
        return self.params.dtype


DTYPES = ("bool", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8", "c8", "c16")


@clause(
    "`get_preferred_input_dtype()` (default float32",
    "combined by `numpy.result_type` with the dataset's",
    "`UDF.USE_NATIVE_DTYPE`",
    "`dataset_shape`, `dataset_dtype`, `input_dtype`",
)
def combinations(ctx):
    preferred = (UDF.USE_NATIVE_DTYPE, "f4", np.float64, "u1", "i8", np.dtype("c8"), int, bool)
    return [
        ctx.run_udf(ctx.load("memory", data=scan(dtype=dtype)), udf)["dtypes"].data
        for dtype in DTYPES
        for udf in (Notes(), *(Prefers(dtype=p) for p in preferred))
    ]


@clause("`UDF.USE_NATIVE_DTYPE`")
def native(ctx):
    return np.dtype(UDF.USE_NATIVE_DTYPE), np.result_type(UDF.USE_NATIVE_DTYPE, "u2")


class Buffers(UDF):
    def get_result_buffers(self):
        return {
            kind: self.buffer(kind, extra_shape=self.params.extra, dtype=self.params.dtype)
            for kind in ("nav", "sig", "single")
        }

    def process_frame(self, frame):
        self.results.nav[:] = frame.max() > 50
        self.results.sig[:] = 1
        self.results.single[:] = 1

    def merge(self, dest, src):
        for name in ("nav", "sig", "single"):
            getattr(dest, name)[:] = getattr(src, name)


@clause(
    "`self.buffer(kind, extra_shape=(), dtype='float32', where, use)`",
    "`get_result_buffers()`",
    "kinds nav (nav shape + extra_shape), sig (sig shape + extra_shape)",
    "single (extra_shape, at least (1,))",
    "`data` (full shape; with a roi the unselected positions are NaN for float",
    "documented for the rest",
)
def of_buffers(ctx):
    dataset = ctx.load("memory", data=scan())
    udfs = [Buffers(dtype=dtype, extra=()) for dtype in (*DTYPES, "S4", "U4", "m8[s]", "f2")]
    return ctx.run_udf(dataset, udfs), ctx.run_udf(dataset, udfs, roi=some_of())


@clause(
    "`self.buffer(kind, extra_shape=(), dtype='float32', where, use)`",
    "kinds nav (nav shape + extra_shape), sig (sig shape + extra_shape)",
    "single (extra_shape, at least (1,))",
)
def of_extra_shapes(ctx):
    dataset = ctx.load("memory", data=scan())
    udfs = [Buffers(dtype="f4", extra=extra) for extra in ((1,), (2,), [3], (2, 3), (1, 1, 2))]
    both = ctx.run_udf(dataset, udfs), ctx.run_udf(dataset, udfs, roi=some_of())
    return both, [r.extra_shape for result in both for one in result for r in one.values()]


@clause("`where=None|'device'`")
def on_the_device(ctx):
    class Sum(UDF):
        def get_result_buffers(self):
            return {"x": self.buffer("sig", where="device")}

        def process_tile(self, tile):
            self.results.x += tile.sum(axis=0)

        def merge(self, dest, src):
            dest.x[:] += src.x

    return ctx.run_udf(ctx.load("memory", data=scan()), Sum())


@clause("documented for the rest")
def structured(ctx):
    class Peaks(UDF):
        def get_result_buffers(self):
            return {"peak": self.buffer("nav", dtype=[("y", "i8"), ("value", "f8")])}

        def process_frame(self, frame):
            y = np.unravel_index(np.argmax(frame), frame.shape)[0]
            self.results.peak[:] = (y, frame.max())

    dataset = ctx.load("memory", data=scan())
    results = ctx.run_udf(dataset, Peaks()), ctx.run_udf(dataset, Peaks(), roi=some_of())
    return [(r["peak"].data["y"], r["peak"].data["value"], str(r["peak"].dtype)) for r in results]


@clause("documented for the rest")
def objects(ctx):
    class Objects(UDF):
        def get_result_buffers(self):
            return {"x": self.buffer("nav", dtype=object)}

        def process_frame(self, frame):
            self.results.x[0] = {"max": int(frame.max())}

    dataset = ctx.load("memory", data=scan())
    results = ctx.run_udf(dataset, Objects()), ctx.run_udf(dataset, Objects(), roi=some_of())
    return [[str(entry) for entry in r["x"].data.reshape(-1)] for r in results]


@clause("NoOpUDF")
def no_op(ctx):
    dataset = ctx.load("memory", data=scan())
    udfs = [NoOpUDF(), NoOpUDF(preferred_input_dtype="f8")]
    return ctx.run_udf(dataset, udfs[0]), ctx.run_udf(dataset, udfs)
