"""merge and get_results."""

import warnings

import numpy as np
from libertem.udf import UDF

from tests.conformance.case import clause, error_of, scan, some_of


class Base(UDF):
    def get_result_buffers(self):
        return {
            "sum": self.buffer("sig"),
            "each": self.buffer("nav"),
            "total": self.buffer("single", dtype="float64"),
        }

    def process_frame(self, frame):
        self.results.sum += frame
        self.results.each[:] = frame.sum()
        self.results.total += frame.sum()


class ByAttribute(Base):
    def merge(self, dest, src):
        dest.sum[:] += src.sum
        dest.each[:] = src.each
        dest.total += src.total


class ByItem(Base):
    def merge(self, dest, src):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dest["sum"][:] += src["sum"]
            dest["each"][:] = src["each"]
            dest["total"][:] = dest["total"] + src["total"]


class ByLoop(Base):
    def merge(self, dest, src):
        assert "sum" in dest
        assert "missing" not in src
        for name in dest:
            array = getattr(dest, name)
            array[:] = getattr(src, name) if name == "each" else array + getattr(src, name)


class ByAssignment(Base):
    def merge(self, dest, src):
        dest.sum = dest.sum + src.sum
        dest.each = src.each
        setattr(dest, "total", dest.total + src.total)  # noqa: B010


def load(ctx):
    return ctx.load("memory", data=scan(nav=(16, 8), sig=(64, 64), dtype="f4"), num_partitions=4)


@clause("`merge(dest, src)` (attribute and item access to arrays")
def forms(ctx):
    udfs = [ByAttribute(), ByItem(), ByLoop(), ByAssignment()]
    return ctx.run_udf(load(ctx), udfs), ctx.run_udf(load(ctx), udfs, roi=some_of((16, 8)))


class NavOnly(UDF):
    def get_result_buffers(self):
        return {
            "a": self.buffer("nav"),
            "b": self.buffer("nav", (2,), "int32", use="private"),
            "c": self.buffer("nav", (2,), "int32", use="result_only"),
            "d": self.buffer("sig", use="result_only"),
        }

    def process_frame(self, frame):
        self.results.a[:] = frame.sum()
        self.results.b[:] = frame.max(), frame.min()

    def get_results(self):
        return {
            "c": self.results.b[:, ::-1],
            "d": np.ones(self.meta.dataset_shape.sig, dtype="float32"),
        }


@clause("default copies nav buffers, and refuses otherwise with NotImplementedError")
def default(ctx):
    return [ctx.run_udf(load(ctx), NavOnly(), roi=roi) for roi in (None, some_of((16, 8)))]


@clause("default copies nav buffers, and refuses otherwise with NotImplementedError")
def default_refuses(ctx):
    class Private(UDF):
        def get_result_buffers(self):
            return {"x": self.buffer("single", use="private")}

        def process_frame(self, frame):
            pass

    return error_of(ctx.run_udf, load(ctx), Base()), error_of(ctx.run_udf, load(ctx), Private())


@clause("default copies nav buffers, and refuses otherwise with NotImplementedError")
def default_from_super(ctx):
    class Nav(UDF):
        def get_result_buffers(self):
            return {"x": self.buffer("nav")}

        def process_frame(self, frame):
            self.results.x[:] = frame.max()

        def merge(self, dest, src):
            src.x[:] *= 2
            super().merge(dest, src)

    return ctx.run_udf(load(ctx), Nav())


@clause("`merge_all(ordered_results)`")
def merge_all(ctx):
    class All(ByAttribute):
        def merge_all(self, ordered_results):
            return {"sum": np.stack([b.sum for b in ordered_results.values()]).sum(axis=0)}

    return ctx.run_udf(load(ctx), All())


@clause("`get_valid_nav_mask(full_nav=False)`")
def valid_while_merging(ctx):
    class Remembers(UDF):
        """Averages with the number of frames that are in already."""

        def get_result_buffers(self):
            return {"n": self.buffer("single", dtype="int64"), "mean": self.buffer("sig")}

        def process_frame(self, frame):
            self.results.n += 1
            self.results.mean += frame

        def postprocess(self):
            self.results.mean /= self.results.n

        def merge(self, dest, src):
            before = np.count_nonzero(self.meta.get_valid_nav_mask())
            assert before == dest.n[0]
            dest.mean[:] = (dest.mean * before + src.mean * src.n) / (before + src.n)
            dest.n[:] += src.n

    return ctx.run_udf(load(ctx), Remembers()), ctx.run_udf(
        load(ctx), Remembers(), roi=some_of((16, 8))
    )


@clause("`get_valid_nav_mask(full_nav=False)`")
def valid_in_results(ctx):
    class Valid(UDF):
        def get_result_buffers(self):
            return {
                "short": self.buffer("nav", dtype=bool, use="result_only"),
                "facts": self.buffer("single", (4,), "int64", use="result_only"),
            }

        def process_frame(self, frame):
            assert self.meta.get_valid_nav_mask() is None

        def get_results(self):
            short = self.meta.get_valid_nav_mask()
            full = self.meta.get_valid_nav_mask(full_nav=True)
            return {
                "short": short,
                "facts": np.array([short.ndim, short.size, full.ndim, full.size]),
            }

    return ctx.run_udf(load(ctx), Valid()), ctx.run_udf(load(ctx), Valid(), roi=some_of((16, 8)))


# get_results


class Ratio(ByAttribute):
    def get_result_buffers(self):
        return {
            **super().get_result_buffers(),
            "scratch": self.buffer("sig", use="private"),
            "mean": self.buffer("sig", use="result_only"),
            "ratio": self.buffer("nav", (2,), use="result_only"),
        }


def variants(**changes):
    def get_results(self):
        results = {
            "mean": self.results.sum / self.meta.dataset_shape.nav.size,
            "ratio": np.stack([self.results.each, self.results.each / 2], axis=-1),
        }
        results.update({name: change(self) for name, change in changes.items()})
        return results

    return type("Variant", (Ratio,), {"get_results": get_results})()


@clause("`get_results()` -> dict of arrays for the user", "`result_only` must be supplied here")
def supplied(ctx):
    return ctx.run_udf(load(ctx), variants()), ctx.run_udf(
        load(ctx), variants(), roi=some_of((16, 8))
    )


@clause("`get_results()` -> dict of arrays for the user")
def changed(ctx):
    return ctx.run_udf(
        load(ctx),
        [
            variants(sum=lambda self: self.results.sum * 2),
            variants(each=lambda self: self.results.each.reshape(16, 8) + 1),
            variants(total=lambda self: self.results.total.copy()),
        ],
    )


@clause("`get_results()` -> dict of arrays for the user")
def through_super(ctx):
    class Adds(ByAttribute):
        def get_results(self):
            results = super().get_results()
            results["sum"] = results["sum"] + 1
            return results

    class Roots(ByAttribute):
        def get_result_buffers(self):
            return {**super().get_result_buffers(), "scratch": self.buffer("nav", use="private")}

        def get_results(self):
            return {name: array**2 for name, array in super().get_results().items()}

    return ctx.run_udf(load(ctx), [Adds(), Roots()])


@clause("checks: declared, not private, same dtype kind")
def checked(ctx):
    wrong = [
        variants(missing=lambda self: np.ones(3)),
        variants(scratch=lambda self: self.results.scratch),
        variants(sum=lambda self: self.results.sum.astype("int64")),
        variants(sum=lambda self: self.results.sum.astype("complex64")),
        variants(mean=lambda self: self.results.sum > 0),
    ]
    # LiberTEM lets a KeyError out for the first.
    return [
        error_of(ctx.run_udf, load(ctx), udf).replace("KeyError", "UDFException") for udf in wrong
    ]


@clause("checks: declared, not private, same dtype kind")
def other_precision(ctx):
    # More than the declared dtype can hold must survive.
    class Precise(UDF):
        def get_result_buffers(self):
            return {
                "count": self.buffer("nav", dtype="int32", use="result_only"),
                "large": self.buffer("nav", dtype="float32", use="result_only"),
                "text": self.buffer("nav", dtype="U1", use="result_only"),
            }

        def process_frame(self, frame):
            pass

        def get_results(self):
            n = self.meta.dataset_shape.nav.size
            return {
                "count": np.full(n, 2**40),
                "large": np.full(n, 1e300),
                "text": np.full(n, "long"),
            }

    result = ctx.run_udf(load(ctx), Precise())
    return result, [(name, r.dtype, r.data.dtype) for name, r in result.items()]


@clause("`use=None|'private'|'result_only'`")
def not_there_before_get_results(ctx):
    class Looks(Ratio):
        def process_frame(self, frame):
            assert self.results.ratio is None
            super().process_frame(frame)

        def get_results(self):
            mean = self.results.sum / self.meta.dataset_shape.nav.size
            return {"mean": mean, "ratio": np.ones((128, 2), "float32")}

    return ctx.run_udf(load(ctx), Looks())


@clause("`result_only` must be supplied here")
def not_supplied(ctx):
    # By the get_results that is inherited.
    return error_of(ctx.run_udf, load(ctx), Ratio())


@clause("`self.with_mask(arr, mask)` attaches validity")
def masks(ctx):
    half = np.zeros((64, 64), bool)
    half[:32] = True
    result = ctx.run_udf(
        load(ctx),
        [
            variants(sum=lambda self: self.with_mask(self.results.sum, half)),
            variants(sum=lambda self: self.with_mask(self.results.sum, True)),
            variants(sum=lambda self: self.with_mask(self.results.sum, mask=False)),
            variants(sum=lambda self: self.with_mask(data=self.results.sum, mask=half[:1])),
            variants(sum=lambda self: self.with_mask(self.results.sum, half[:, :1])),
            variants(each=lambda self: self.with_mask(self.results.each, self.results.each > 9)),
            variants(
                ratio=lambda self: self.with_mask(
                    np.ones((128, 2), "float32"), np.array([True, False])
                )
            ),
        ],
    )
    names = ["sum"] * 5 + ["each", "ratio"]
    return [
        (one[name].valid_mask, one[name].masked_data, one[name].raw_masked_data.shape)
        for one, name in zip(result, names, strict=True)
    ]


@clause("`self.with_mask(arr, mask)` attaches validity")
def masks_with_roi(ctx):
    roi = some_of((16, 8))
    short = np.arange(np.count_nonzero(roi)) % 2 == 0
    udf = variants(each=lambda self: self.with_mask(self.results.each, short))
    result = ctx.run_udf(load(ctx), udf, roi=roi)["each"]
    return result.valid_mask, result.masked_data, result.raw_masked_data


@clause("`self.with_mask(arr, mask)` attaches validity")
def wrong_masks(ctx):
    wrong = [
        variants(sum=lambda self: self.with_mask(self.results.sum, np.ones((3, 3), bool))),
        variants(sum=lambda self: self.with_mask(self.results.sum, np.ones((64, 64), int))),
    ]
    return [error_of(ctx.run_udf, load(ctx), udf) is not None for udf in wrong]


class SeesItsBuffers(UDF):
    def get_result_buffers(self):
        return {
            "n": self.buffer("nav", (2,)),
            "s": self.buffer("sig", dtype="int64"),
            "g": self.buffer("single", dtype="int64"),
            "shapes": self.buffer("single", (6,), "U24", use="result_only"),
            "rows": self.buffer("single", (1,), "int64", use="result_only"),
        }

    def process_frame(self, frame):
        self.results.n[:] = frame[0, :2]
        self.results.s[:] += 1
        self.results.g[:] += 1

    def postprocess(self):
        assert self.results.get_buffer("n").raw_data.shape == self.results.n.shape

    def merge(self, dest, src):
        assert self.results.get_buffer("n").data.shape == (4, 5, 2)
        dest.n[:] = src.n
        dest.s += src.s
        dest.g += src.g

    def get_results(self):
        buffers = [self.results.get_buffer(name) for name in ("n", "s", "g")]
        shapes = [buffer.data.shape for buffer in buffers]
        kinds = [buffer.kind for buffer in buffers]
        picture = buffers[0].data[..., 0]
        return {
            "n": self.results.n,
            "s": buffers[1].data * 2,
            "g": self.results.g,
            "shapes": np.array([str(one) for one in (*shapes, *kinds)]),
            "rows": np.array([np.isfinite(picture).sum()]),
        }


@clause("`get_results()` -> dict of arrays for the user")
def whole_buffers(ctx):
    dataset = ctx.load("memory", data=scan())
    return [ctx.run_udf(dataset, SeesItsBuffers(), roi=roi) for roi in (None, some_of())]
