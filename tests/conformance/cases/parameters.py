"""How a UDF gets at its parameters and auxiliary data."""

import warnings

import numpy as np
from libertem.udf import UDF

from tests.conformance.case import clause, error_of, scan, some_of


class Reads(UDF):
    def get_result_buffers(self):
        return {"x": self.buffer("nav", (6,), "float64")}

    def process_frame(self, frame):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            item = self.params["a"]
        self.results.x[:] = (
            self.params.a,
            item,
            self.params.get("a", 7),
            self.params.get("missing", 8),
            self.params.get("missing") is None,
            "a" in self.params,
        )


@clause(
    "Parameters are keyword arguments",
    "read as `self.params.name` or `self.params['name']`, `.get(name, default)`",
)
def access(ctx):
    return ctx.run_udf(ctx.load("memory", data=scan()), Reads(a=3))


@clause("read as `self.params.name` or `self.params['name']`, `.get(name, default)`")
def before_a_run(ctx):
    udf = Reads(a=3, b="text")
    return (
        udf.params.a,
        udf.params.get("b"),
        udf.params.get("c", 1),
        error_of(lambda: udf.params.c),
        "b" in udf.params,
        sorted(udf.params.keys()),
        dict(udf.params.items()),
        list(udf.params.values()),
    )


class Defaults(UDF):
    """Passes on all it takes, with defaults and something made of them."""

    def __init__(self, scale=2.0, offset=None, **kwargs):
        offset = 1 if offset is None else offset
        super().__init__(scale=scale, offset=offset, **kwargs)
        self.label = f"{scale}+{offset}"

    def get_result_buffers(self):
        return {
            "x": self.buffer("nav"),
            "label": self.buffer("single", dtype="U16", use="result_only"),
        }

    def process_frame(self, frame):
        self.results.x[:] = frame.sum() * self.params.scale + self.params.offset

    def get_results(self):
        return {"x": self.results.x, "label": np.array([self.label])}


@clause("Parameters are keyword arguments", "`copy()`")
def defaults(ctx):
    dataset = ctx.load("memory", data=scan())
    udfs = [Defaults(), Defaults(3.0), Defaults(offset=5), Defaults(scale=1, extra="x").copy()]
    return ctx.run_udf(dataset=dataset, udf=udfs)


@clause("`copy()`")
def copy(ctx):
    udf = Defaults(scale=4)
    copied = udf.copy()
    return type(copied), copied is udf, copied.params.scale, copied.params.offset


@clause("Parameters are keyword arguments")
def arrays_and_functions(ctx):
    class Uses(UDF):
        def get_result_buffers(self):
            return {"x": self.buffer("nav", (2,))}

        def process_frame(self, frame):
            weighted = self.params.function(frame * self.params.weights)
            self.results.x[:] = weighted, self.params.options["gain"]

    udf = Uses(weights=np.arange(42.0).reshape(6, 7), function=np.sum, options={"gain": 2})
    return ctx.run_udf(ctx.load("memory", data=scan()), udf)


@clause("Parameters are keyword arguments")
def own_attributes(ctx):
    class Keeps(UDF):
        def __init__(self, power):
            super().__init__(power=power)
            self.parameters = {"power": power}
            self.name = "keeps"
            self.data = None

        def get_result_buffers(self):
            return {"x": self.buffer("nav", dtype="float64")}

        def process_frame(self, frame):
            self.data = frame
            self.results.x[:] = (self.data ** self.parameters["power"]).sum()

    return ctx.run_udf(ctx.load("memory", data=scan()), Keeps(2))


# aux_data


class Aux(UDF):
    def get_result_buffers(self):
        extra = self.params.get("extra", ())
        return {"x": self.buffer("nav", extra, "float64")}


class AuxByFrame(Aux):
    def process_frame(self, frame):
        self.results.x[:] = self.params.aux


class AuxByTile(Aux):
    def process_tile(self, tile):
        self.results.x[:] = self.params.aux


class AuxByPartition(Aux):
    def process_partition(self, partition):
        self.results.x[:] = self.params.aux


def by_all(ctx, extra, roi=None, nav=(4, 5)):
    dataset = ctx.load("memory", data=scan(nav=nav))
    values = np.arange(np.prod(nav) * np.prod(extra, dtype=int), dtype="f4")
    made = [
        udf_class(
            aux=udf_class.aux_data(data=values, kind="nav", extra_shape=extra, dtype="float32"),
            extra=extra,
        )
        for udf_class in (AuxByFrame, AuxByTile, AuxByPartition)
    ]
    return ctx.run_udf(dataset, made, roi=roi)


@clause(
    "`UDF.aux_data(data, kind, extra_shape=(), dtype='float32')`",
    "passes data that is sliced like a buffer and read in the `process_*` methods",
)
def aux_nav(ctx):
    return by_all(ctx, ()), by_all(ctx, (3,)), by_all(ctx, (2, 2)), by_all(ctx, (), nav=(9,))


@clause(
    "`UDF.aux_data(data, kind, extra_shape=(), dtype='float32')`",
    "passes data that is sliced like a buffer and read in the `process_*` methods",
)
def aux_nav_with_roi(ctx):
    return by_all(ctx, (), some_of()), by_all(ctx, (3,), some_of())


@clause("`UDF.aux_data(data, kind, extra_shape=(), dtype='float32')`")
def aux_in_nav_shape(ctx):
    values = np.random.default_rng(3).random((4, 5)).astype("f4")
    udf = AuxByFrame(aux=AuxByFrame.aux_data(values, kind="nav", dtype="float32"))
    return ctx.run_udf(ctx.load("memory", data=scan()), udf)


@clause("It may use `self.meta` and `self.params`")
def aux_in_declarations(ctx):
    class Like(AuxByFrame):
        def get_result_buffers(self):
            aux = self.params.aux
            return {"x": self.buffer("nav", aux.shape[1:], aux.dtype)}

    aux = UDF.aux_data(np.arange(60, dtype="f4"), kind="nav", extra_shape=(3,))
    dataset = ctx.load("memory", data=scan())
    results = [ctx.run_udf(dataset, Like(aux=aux), roi=roi) for roi in (None, some_of())]
    return results, aux.raw_data


@clause("`UDF.aux_data(data, kind, extra_shape=(), dtype='float32')`")
def aux_of_objects(ctx):
    class Takes(UDF):
        def get_result_buffers(self):
            return {"x": self.buffer("nav", dtype="int64")}

        def process_frame(self, frame):
            self.results.x[:] = len(self.params.aux[0])

    names = np.array(["a" * (i % 4) for i in range(20)], dtype=object)
    udf = Takes(aux=Takes.aux_data(names, kind="nav", dtype=object))
    return ctx.run_udf(ctx.load("memory", data=scan()), udf)


class AuxShapes(UDF):
    def get_result_buffers(self):
        return {"x": self.buffer("single", dtype="U32")}

    def process_frame(self, frame):
        self.results.x[:] = f"{self.params.a.shape} {self.params.b.shape} {self.params.a[:].dtype}"

    def merge(self, dest, src):
        dest.x[:] = src.x


@clause("`UDF.aux_data(data, kind, extra_shape=(), dtype='float32')`")
def aux_shapes(ctx):
    udf = AuxShapes(
        a=UDF.aux_data(np.zeros(20, "f4"), kind="nav"),
        b=UDF.aux_data(np.zeros(60, "c8"), kind="nav", extra_shape=(3,), dtype="c8"),
    )
    return ctx.run_udf(ctx.load("memory", data=scan()), udf)
