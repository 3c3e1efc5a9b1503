"""Which plots may be asked for."""

import numpy as np
from libertem.udf import UDF
from libertem.udf.sum import SumUDF
from libertem.udf.sumsigudf import SumSigUDF
from libertem.viz.base import Dummy2DPlot, Live2DPlot

from tests.conformance.case import clause, error_of, scan, some_of


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


class Drawn(Live2DPlot):
    made = []  # noqa: RUF012 - of all that were made

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.said = []
        self.made.append(self)

    def display(self):
        self.said.append("display")

    def update(self, damage, force=False):
        self.said.append("forced" if force else "update")
        self.drawn = np.array(self.data), np.array(damage)


@clause("`plot_class` on the Context chooses the plot")
def plots_of_a_class(ctx):
    told = []
    with type(ctx).make_with(executor_spec="inline", plot_class=Drawn) as mine:
        dataset = mine.load("memory", data=scan())
        for roi in (None, some_of()):
            for plots in (True, [["intensity"], []], [[("intensity", np.log1p)], ["intensity"]]):
                Drawn.made.clear()
                mine.run_udf(dataset, [SumUDF(), SumSigUDF()], roi=roi, plots=plots)
                told.append([(*plot.drawn, plot.said[0], plot.said[-1]) for plot in Drawn.made])
    return told


@clause("`plot_class` on the Context chooses the plot")
def dummy_plots(ctx):
    with type(ctx).make_with("inline", plot_class=Dummy2DPlot, main_process_gpu=False) as mine:
        dataset = mine.load("memory", data=scan())
        return mine.run_udf(dataset, SumUDF(), plots=True), error_of(
            mine.run_udf, dataset, SumUDF(), plots=[["nope"]]
        )
