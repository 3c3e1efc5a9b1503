"""Import places."""

# ruff: noqa: PLC0415 - importing is what is tested

import importlib

from libertem.api import Context

from tests.conformance.case import clause


def found(*places):
    return [hasattr(importlib.import_module(f"libertem.{m}"), name) for m, name in places]


@clause("`udfwidgets.api.Context`")
def context(ctx):
    return isinstance(ctx, Context)


@clause("`udfwidgets.udf.{UDF}`")
def udf(ctx):
    from libertem.udf import UDF
    from libertem.udf.base import UDF as BASE

    return UDF is BASE


@clause("`udfwidgets.udf.base.{UDF, UDFMeta, UDFResults, NoOpUDF, UDFException}`")
def base(ctx):
    return found(
        *(("udf.base", name) for name in ("UDF", "UDFMeta", "UDFResults", "NoOpUDF")),
        ("udf.base", "UDFException"),
    )


@clause("one module per UDF")
def modules(ctx):
    return found(
        ("udf.sum", "SumUDF"),
        ("udf.sumsigudf", "SumSigUDF: `intensity` nav"),
        ("udf.stddev", "StdDevUDF"),
        ("udf.stddev", "run_stddev"),
        ("udf.masks", "ApplyMasksUDF"),
        ("udf.raw", "PickUDF"),
    )


@clause(
    "one module per UDF",
    needs=(
        "udf.com:CoMUDF",
        "udf.logsum:LogsumUDF",
        "udf.auto:AutoUDF",
        "udf.record:RecordUDF",
        "udf.crystallinity:CrystallinityUDF",
        "udf.FEM:FEMUDF",
    ),
)
def further_modules(ctx):
    return found(
        ("udf.com", "CoMUDF"),
        ("udf.logsum", "LogsumUDF"),
        ("udf.auto", "AutoUDF"),
        ("udf.record", "RecordUDF"),
        ("udf.crystallinity", "CrystallinityUDF"),
        ("udf.FEM", "FEMUDF"),
    )


@clause("`io.dataset.memory.MemoryDataSet`")
def memory(ctx):
    return found(("io.dataset.memory", "MemoryDataSet"))


@clause("`udfwidgets.udf.{UDF}`")
def mixins(ctx):
    return found(
        *(
            ("udf", f"UDF{kind}Mixin")
            for kind in ("Tile", "Frame", "Partition", "Preprocess", "Postprocess")
        )
    )
