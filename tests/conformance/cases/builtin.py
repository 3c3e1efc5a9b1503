"""The UDFs that come with the package."""

# ruff: noqa: PLC0415 - UDFs that may not be there yet

import tempfile
from pathlib import Path

import numpy as np
import scipy.sparse
from libertem.udf.masks import ApplyMasksUDF
from libertem.udf.raw import PickUDF
from libertem.udf.stddev import StdDevUDF, run_stddev
from libertem.udf.sum import SumUDF
from libertem.udf.sumsigudf import SumSigUDF

from tests.conformance.case import clause, scan, some_of

DTYPES = ("bool", "u1", "i2", "u2", "i4", "f4", "f8", "c8")


def over_dtypes(ctx, *udfs, dtypes=DTYPES):
    results = []
    for dtype in dtypes:
        dataset = ctx.load("memory", data=scan(dtype=dtype))
        results += [ctx.run_udf(dataset, list(udfs), roi=roi) for roi in (None, some_of())]
    return results


@clause(
    "SumUDF: `intensity` sig",
    "float32 for up to 32-bit floats and small ints as `result_type` gives",
    "exact for integers",
)
def sum_udf(ctx):
    return over_dtypes(ctx, SumUDF()), over_dtypes(ctx, SumUDF(dtype="float64"))


@clause("SumSigUDF: `intensity` nav")
def sumsig(ctx):
    return over_dtypes(ctx, SumSigUDF())


@clause("SumUDF: `intensity` sig", "SumSigUDF: `intensity` nav")
def over_shapes(ctx):
    shapes = [
        ((7,), (6, 5)),
        ((2, 3, 4), (5, 6)),
        ((4, 4), (9,)),
        ((5,), (3, 4, 2)),
        ((3, 1), (1, 1)),
    ]
    return [
        ctx.run_udf(ctx.load("memory", data=scan(n, s), sig_dims=len(s)), [SumUDF(), SumSigUDF()])
        for n, s in shapes
    ]


@clause("StdDevUDF: `varsum`, `num_frames`, `sum`, and results `var`, `std`, `mean`")
def stddev(ctx):
    results = over_dtypes(ctx, StdDevUDF(), dtypes=("u1", "u2", "f4", "f8"))
    names = ("varsum", "num_frames", "sum", "var", "std", "mean")
    # num_frames: one count per part of the detector there, one in all here.
    return [
        {name: one[name].data if name != "num_frames" else one[name].data.ravel()[:1].astype("i8")
         for name in names}
        for (one,) in results
    ]  # fmt: skip


@clause("StdDevUDF: `varsum`, `num_frames`, `sum`, and results `var`, `std`, `mean`")
def stddev_in_one_call(ctx):
    dataset = ctx.load("memory", data=scan())
    results = run_stddev(ctx, dataset), run_stddev(ctx, dataset, roi=some_of())
    return [{name: float(np.sum(value)) for name, value in result.items()} for result in results]


@clause("merged by the parallel-variance formula; stable for large means")
def stddev_far_from_zero(ctx):
    data = scan(dtype="f8") / 100 + 1e8
    result = ctx.run_udf(ctx.load("memory", data=data, num_partitions=5), StdDevUDF(dtype="f8"))
    return np.allclose(result["std"].data, data.std(axis=(0, 1)), rtol=1e-4)


def disk():
    y, x = np.ogrid[:6, :7]
    return ((y - 3) ** 2 + (x - 3) ** 2 < 5).astype("f4")


def stack():
    return np.stack([disk(), 1 - disk(), np.ones((6, 7), "f4")])


@clause(
    "ApplyMasksUDF: `intensity` nav, extra_shape (n_masks,)",
    "`mask_factories`: one callable, or a list",
    "`mask_count`, `mask_dtype`, `use_sparse`",
    "complex masks",
)
def masks(ctx):
    dataset = ctx.load("memory", data=scan())
    udfs = [
        ApplyMasksUDF(mask_factories=[disk]),
        ApplyMasksUDF([disk, lambda: np.ones((6, 7))]),
        ApplyMasksUDF(mask_factories=stack),
        ApplyMasksUDF(mask_factories=stack, mask_count=3, mask_dtype="f4"),
        ApplyMasksUDF(mask_factories=[disk], use_sparse=False),
        ApplyMasksUDF(mask_factories=[disk], use_sparse=True),
        ApplyMasksUDF(mask_factories=[disk], use_sparse="scipy.sparse"),
        ApplyMasksUDF(mask_factories=lambda: stack() * 1j),
    ]
    return [
        (one["intensity"].data, one["intensity"].extra_shape, one["intensity"].dtype)
        for roi in (None, some_of())
        for one in ctx.run_udf(dataset, udfs, roi=roi)
    ]


@clause(
    "ApplyMasksUDF: `intensity` nav, extra_shape (n_masks,)", "sparse masks through scipy.sparse"
)
def sparse_masks(ctx):
    dataset = ctx.load("memory", data=scan())
    udfs = [
        ApplyMasksUDF(mask_factories=[lambda: scipy.sparse.csr_matrix(disk())]),
        ApplyMasksUDF(
            mask_factories=[lambda: scipy.sparse.coo_matrix(disk())], use_sparse="scipy.sparse.csc"
        ),
    ]
    return ctx.run_udf(dataset, udfs)


@clause("ApplyMasksUDF: `intensity` nav, extra_shape (n_masks,)")
def masks_over_dtypes(ctx):
    return [
        (r["intensity"].data, r["intensity"].dtype)
        for results in over_dtypes(ctx, ApplyMasksUDF([disk]), ApplyMasksUDF(lambda: stack() > 0))
        for r in results
    ]


@clause("PickUDF: `intensity` single, extra_shape depends on roi", "native dtype")
def pick(ctx):
    one = np.zeros((4, 5), bool)
    one[2, 3] = True
    dataset = ctx.load("memory", data=scan(dtype="u2"))
    results = [ctx.run_udf(dataset, PickUDF(), roi=roi)["intensity"] for roi in (one, some_of())]
    return [(r.data, r.data.dtype, r.kind, r.extra_shape) for r in results]


@clause("LogsumUDF", needs=("udf.logsum:LogsumUDF",))
def logsum(ctx):
    from libertem.udf.logsum import LogsumUDF

    return over_dtypes(ctx, LogsumUDF(), dtypes=("u1", "u2", "f4", "f8"))


@clause("AutoUDF(f)", needs=("udf.auto:AutoUDF",))
def auto(ctx):
    from libertem.udf.auto import AutoUDF

    dataset = ctx.load("memory", data=scan())
    functions = (np.sum, np.max, lambda frame: frame.mean(axis=0), lambda frame: frame[:2, :3])
    return [
        ctx.run_udf(dataset, AutoUDF(f=f), roi=roi) for f in functions for roi in (None, some_of())
    ]


@clause("RecordUDF(filename)", needs=("udf.record:RecordUDF",))
def record(ctx):
    from libertem.udf.record import RecordUDF

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recorded.npy"
        result = ctx.run_udf(ctx.load("memory", data=scan()), RecordUDF(str(path)))
        return list(result), np.load(path)


@clause(
    "CrystallinityUDF(rad_in, rad_out, real_center, real_rad)",
    needs=("udf.crystallinity:CrystallinityUDF",),
)
def crystallinity(ctx):
    from libertem.udf.crystallinity import CrystallinityUDF

    dataset = ctx.load("memory", data=scan(sig=(16, 16)))
    udfs = [
        CrystallinityUDF(rad_in=2, rad_out=6, real_center=(8, 8), real_rad=3),
        CrystallinityUDF(rad_in=2, rad_out=6, real_center=None, real_rad=None),
    ]
    return ctx.run_udf(dataset, udfs)


@clause("FEMUDF(center, rad_in, rad_out)", needs=("udf.FEM:FEMUDF",))
def fem(ctx):
    from libertem.udf.FEM import FEMUDF

    dataset = ctx.load("memory", data=scan(sig=(16, 16)))
    return ctx.run_udf(dataset, FEMUDF(center=(8, 8), rad_in=2, rad_out=6))


def com_of(ctx, roi=None, **kwargs):
    from libertem.udf.com import CoMUDF

    dataset = ctx.load("memory", data=scan(sig=(16, 16), dtype="f4"))
    udf = CoMUDF.with_params(**kwargs) if kwargs else CoMUDF()
    result = ctx.run_udf(dataset, udf, roi=roi)
    names = ("raw_com", "raw_shifts", "field", "field_y", "field_x", "magnitude", "regression")
    names += ("divergence", "curl")
    # Some have more precision there than they declare.
    return {name: (result[name].data.astype("f8"), result[name].kind) for name in names}


@clause(
    "CoMUDF: `raw_com`, `raw_shifts`, `field`, `field_y`, `field_x`, `magnitude`",
    "`divergence`, `curl`, `regression`",
    "`with_params(cy, cx, r, ri, scan_rotation, flip_y, regression)`",
    needs=("udf.com:CoMUDF",),
)
def com(ctx):
    return [
        com_of(ctx),
        com_of(ctx, cy=7, cx=9),
        com_of(ctx, cy=7, cx=9, r=5),
        com_of(ctx, cy=7.5, cx=9.5, r=6, ri=2),
        com_of(ctx, scan_rotation=33.0),
        com_of(ctx, flip_y=True),
        com_of(ctx, flip_y=True, scan_rotation=-90),
    ]


@clause(
    "CoMUDF: `raw_com`, `raw_shifts`, `field`, `field_y`, `field_x`, `magnitude`",
    "`divergence`, `curl`, `regression`",
    needs=("udf.com:CoMUDF",),
)
def com_with_regression(ctx):
    return [com_of(ctx, regression=r) for r in (-1, 0, 1)]


@clause(
    "CoMUDF: `raw_com`, `raw_shifts`, `field`, `field_y`, `field_x`, `magnitude`",
    needs=("udf.com:CoMUDF",),
)
def com_with_roi(ctx):
    roi = np.zeros((4, 5), bool)
    roi[1:4, 1:4] = True
    return com_of(ctx, roi=roi)
