"""BufferWrapper, as a user meets it."""

import numpy as np
from libertem.udf import UDF

from tests.conformance.case import clause, scan, some_of


class Kinds(UDF):
    def get_result_buffers(self):
        return {
            "nav": self.buffer("nav"),
            "nav_wide": self.buffer("nav", (2,), "int32"),
            "sig": self.buffer("sig", dtype="float64"),
            "sig_deep": self.buffer("sig", (3,), "complex64"),
            "single": self.buffer("single", dtype=bool),
            "single_wide": self.buffer("single", (4, 2), "int16"),
            "made": self.buffer("nav", dtype="float64", use="result_only"),
        }

    def process_frame(self, frame):
        self.results.nav[:] = frame.sum()
        self.results.nav_wide[:] = frame.max()
        self.results.sig[:] += frame
        self.results.sig_deep[:] += frame[..., np.newaxis] * 1j
        self.results.single[:] = True
        self.results.single_wide[:] = 3

    def merge(self, dest, src):
        for name in ("nav", "nav_wide", "single", "single_wide"):
            getattr(dest, name)[:] = getattr(src, name)
        dest.sig += src.sig
        dest.sig_deep += src.sig_deep

    def get_results(self):
        return {"made": self.results.nav.astype("float64") * 2}


def both(ctx, describe, nothing=False):
    dataset = ctx.load("memory", data=scan())
    rois = [None, some_of(), *([np.zeros((4, 5), bool)] if nothing else [])]
    return [
        {
            name: describe(wrapper)
            for name, wrapper in ctx.run_udf(dataset, Kinds(), roi=roi).items()
        }
        for roi in rois
    ]


@clause(
    "`kind`, `dtype`, `extra_shape`, `shape`, `where`, `use`, `roi_is_zero`",
    "`use=None|'private'|'result_only'`",
)
def facts(ctx):
    def describe(r):
        return r.kind, str(r.dtype), type(r.dtype), r.extra_shape, bool(r.roi_is_zero)

    return both(ctx, describe), both(ctx, lambda r: [hasattr(r, n) for n in ("where", "use")])


@clause("`kind`, `dtype`, `extra_shape`, `shape`, `where`, `use`, `roi_is_zero`")
def shape(ctx):
    return both(ctx, lambda r: (tuple(r.shape), r.shape == r.raw_data.shape))


@clause("Its repr is exactly `<BufferWrapper kind=sig dtype=float32 extra_shape=()>`")
def reprs(ctx):
    return both(ctx, repr)


@clause(
    "`data` (full shape; with a roi the unselected positions are NaN for float",
    "documented for the rest",
)
def data(ctx):
    return both(ctx, lambda r: (r.data, r.data.shape, r.data.dtype))


@clause("`raw_data` (only the selected positions, flat)")
def raw_data(ctx):
    return both(ctx, lambda r: (r.raw_data, r.raw_data.shape))


@clause("`masked_data`, `raw_masked_data`", "`valid_mask` is True where merged")
def masked(ctx):
    def describe(r):
        return r.masked_data, r.raw_masked_data, r.valid_mask, type(r.masked_data)

    return both(ctx, describe)


@clause("`masked_data`, `raw_masked_data`")
def means_of_masked(ctx):
    return both(ctx, lambda r: (r.masked_data.mean(), r.raw_masked_data.max()))


@clause("`__array__`")
def as_array(ctx):
    def describe(r):
        return (
            np.array(r),
            np.asarray(r),
            np.array(r, dtype="complex128"),
            np.sum(r),
            np.asarray(r) is not None,
            np.add(r, 1),
            np.allclose(r, r.data, equal_nan=True),
        )

    return both(ctx, describe)


@clause("`data` (full shape; with a roi the unselected positions are NaN for float")
def nothing_selected(ctx):
    names = ("nav", "nav_wide", "sig", "single")
    result = ctx.run_udf(ctx.load("memory", data=scan()), Kinds(), roi=np.zeros((4, 5), bool))
    return [(result[n].data, result[n].raw_data.shape, bool(result[n].roi_is_zero)) for n in names]


@clause("`data` (full shape; with a roi the unselected positions are NaN for float")
def arithmetic(ctx):
    result = ctx.run_udf(ctx.load("memory", data=scan()), Kinds())
    return (
        result["nav"].data / 2,
        np.log1p(result["sig"].data).sum(axis=0),
        result["sig_deep"].data[..., 0],
        result["nav"].data[1:, ::2],
        result["nav"].raw_data.reshape((4, 5)),
        float(result["single_wide"].data[0, 0]),
    )


@clause("`.damage` (a `BufferWrapper`, kind nav, dtype bool)")
def damage(ctx):
    *_, last = ctx.run_udf_iter(ctx.load("memory", data=scan()), Kinds(), roi=some_of())
    found = last.damage
    return found.kind, str(found.dtype), found.extra_shape, found.data, found.raw_data, repr(found)
