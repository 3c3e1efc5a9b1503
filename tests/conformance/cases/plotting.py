"""Which plots may be asked for."""

import numpy as np
from libertem.udf import UDF
from libertem.udf.sum import SumUDF
from libertem.udf.sumsigudf import SumSigUDF

from tests.conformance.case import clause, error_of, scan


class Single(UDF):
    """Has nothing that could be an image."""

    def get_result_buffers(self):
        return {"total": self.buffer("single")}

    def process_frame(self, frame):
        self.results.total += frame.sum()

    def merge(self, dest, src):
        dest.total += src.total


@clause("`plots`: None; True")
def none(ctx):
    dataset = ctx.load("memory", data=scan())
    return [ctx.run_udf(dataset, SumUDF(), plots=plots) for plots in (None, False)]


@clause("A channel that does not exist or is not 2-D: ValueError that lists those that are")
def unknown_channel(ctx):
    dataset = ctx.load("memory", data=scan())
    return error_of(ctx.run_udf, dataset, SumUDF(), plots=[["nope"]])


@clause("A channel that does not exist or is not 2-D: ValueError that lists those that are")
def unknown_channel_with_function(ctx):
    dataset = ctx.load("memory", data=scan())
    return error_of(ctx.run_udf, dataset, SumUDF(), plots=[[("nope", abs)]])


@clause("`plots`: None; True", "a list per UDF of channels, each a name or (name, function)")
def accepted(ctx):
    dataset = ctx.load("memory", data=scan())
    return [
        ctx.run_udf(dataset, [SumUDF(), SumSigUDF()], plots=plots)
        for plots in (
            True,
            [["intensity"], ["intensity"]],
            [["intensity"], []],
            [[("intensity", np.log1p)], [("intensity", lambda image: image**2)]],
        )
    ]
