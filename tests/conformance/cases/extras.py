"""What a Context offers around run_udf."""

# ruff: noqa: PLC0415 - what may not be there yet

import tempfile
from pathlib import Path

import numpy as np
from libertem.udf.stddev import StdDevUDF
from libertem.udf.sum import SumUDF
from libertem.udf.sumsigudf import SumSigUDF

from tests.conformance.case import clause, error_of, scan, some_of


@clause("`map(dataset, f)` applies a function to every frame", needs=("api:Context.map",))
def mapping(ctx):
    dataset = ctx.load("memory", data=scan())
    return [
        ctx.map(dataset=dataset, f=np.sum),
        ctx.map(dataset, lambda frame: frame.mean(axis=0)),
        ctx.map(dataset=dataset, f=np.max, roi=some_of()),
    ]


@clause(
    "`display(dataset, udf, roi)` is an object with `_repr_html_`",
    needs=("api:Context.display",),
)
def displaying(ctx):
    dataset = ctx.load("memory", data=scan())
    shown = [
        ctx.display(dataset, SumUDF()),
        ctx.display(dataset=dataset, udf=StdDevUDF(), roi=some_of()),
    ]
    return ["intensity" in shown[0]._repr_html_(), "var" in shown[1]._repr_html_()]


@clause("`export_dataset(dataset, path)`", needs=("api:Context.export_dataset",))
def exporting(ctx):
    data = scan()
    dataset = ctx.load("memory", data=data)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "exported.npy"
        ctx.export_dataset(dataset, path=path)
        exported = np.load(path)
        again = error_of(ctx.export_dataset, dataset, path=path)
        ctx.export_dataset(dataset, path=str(path), overwrite=True)
        unknown = error_of(ctx.export_dataset, dataset, path=Path(folder) / "exported.scroll")
        return exported, str(exported.dtype), again, unknown


class Plot:
    """Notes what it is given."""

    def __init__(self, udf):
        self.udf, self.seen = udf, []

    def get_udf(self):
        return self.udf

    def new_data(self, udf_results, damage, force=False):
        self.seen.append((np.sum(udf_results["intensity"].data), damage.shape, force))


@clause("a list of plot objects")
def own_plots(ctx):
    udfs = [SumUDF(), SumSigUDF()]
    plots = [Plot(udfs[1]), Plot(udfs[0])]
    dataset = ctx.load("memory", data=scan())
    result = ctx.run_udf(dataset=dataset, udf=udfs, plots=plots)
    for _ in ctx.run_udf_iter(dataset=dataset, udf=udfs, plots=plots):
        pass
    return result, [plot.seen[-1] for plot in plots]


@clause("`corrections`", needs=("io.corrections:CorrectionSet",))
def corrections(ctx):
    from libertem.io.corrections import CorrectionSet

    rng = np.random.default_rng(5)
    dead = rng.random((6, 7)) > 0.9
    dark, gain = rng.random((6, 7)).astype("f4"), rng.random((6, 7)).astype("f4") + 1
    dataset = ctx.load("memory", data=scan())
    sets = [CorrectionSet(dark=dark), CorrectionSet(gain=gain), CorrectionSet(dark=dark, gain=gain)]
    sets += [
        CorrectionSet(excluded_pixels=dead),
        CorrectionSet(dark=dark, gain=gain, excluded_pixels=dead),
    ]
    return [
        ctx.run_udf(dataset, SumUDF(), corrections=corrections, roi=roi)["intensity"].data
        for corrections in sets
        for roi in (None, some_of())
    ]
