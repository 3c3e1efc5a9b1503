"""run_udf: its forms, its roi and its errors."""

# ruff: noqa: PLC0415 - it may not be there

import asyncio
import re
import warnings

import numpy as np
import scipy.sparse
from libertem.api import Context
from libertem.common.progress import ProgressReporter, ProgressState, TQDMProgressReporter
from libertem.udf import UDF
from libertem.udf.sum import SumUDF
from libertem.udf.sumsigudf import SumSigUDF

from tests.conformance.case import clause, error_of, scan, some_of

ONE = "One UDF gives a dict-like of `BufferWrapper`"
LIST = "a list or tuple, even of one, gives a tuple of them in order"


@clause("`run_udf(dataset, udf, roi, corrections, progress, backends, plots, sync)`", ONE)
def one(ctx):
    dataset = ctx.load("memory", data=scan())
    result = ctx.run_udf(dataset, SumUDF())
    ((name, wrapper),) = result.items()
    return list(result), list(result.keys()), name, wrapper, "intensity" in result, len(result)


@clause(LIST)
def several(ctx):
    dataset = ctx.load("memory", data=scan())
    forms = [
        ctx.run_udf(dataset=dataset, udf=[SumUDF()]),
        ctx.run_udf(dataset=dataset, udf=(SumUDF(),)),
        ctx.run_udf(dataset=dataset, udf=[SumUDF(), SumSigUDF()]),
        ctx.run_udf(dataset=dataset, udf=(SumSigUDF(), SumUDF())),
    ]
    return [(type(form), form) for form in forms]


@clause("`run_udf(dataset, udf, roi, corrections, progress, backends, plots, sync)`")
def all_arguments(ctx):
    return ctx.run_udf(
        dataset=ctx.load("memory", data=scan()),
        udf=SumUDF(),
        roi=some_of(),
        corrections=None,
        progress=False,
        backends=None,
        plots=None,
        sync=True,
    )


@clause("`run_udf(dataset, udf, roi, corrections, progress, backends, plots, sync)`")
def backends(ctx):
    dataset = ctx.load("memory", data=scan())
    return [ctx.run_udf(dataset, SumUDF(), backends=b) for b in (("numpy",), "numpy")]


@clause("`run_udf(dataset, udf, roi, corrections, progress, backends, plots, sync)`")
def progress(ctx):
    return ctx.run_udf(ctx.load("memory", data=scan()), SumUDF(), progress=True)


class Notes(ProgressReporter):
    def __init__(self):
        self.told = []

    def start(self, state):
        self.told.append(("start", state))

    def update(self, state):
        self.told.append(("update", state))

    def end(self, state):
        self.told.append(("end", state))


@clause("`run_udf(dataset, udf, roi, corrections, progress, backends, plots, sync)`")
def progress_reporter(ctx):
    reporter = Notes()
    for roi in (None, some_of()):
        ctx.run_udf(ctx.load("memory", data=scan()), SumUDF(), roi=roi, progress=reporter)
    runs = dict.fromkeys(state.progress_id for _, state in reporter.told)
    told = [[s for s in reporter.told if s[1].progress_id == run] for run in runs]
    counted = [[state.num_frames_complete for _, state in states] for states in told]
    first, last = [states[0] for states in told], [states[-1] for states in told]
    return [
        [(what, float(s.num_frames_complete), s.num_frames_total) for what, s in (*first, *last)],
        [sorted(counts) == counts for counts in counted],
        [s.num_part_complete == s.num_part_total for _, s in last],
        [{what for what, _ in states[1:-1]} == {"update"} for states in told],
        [isinstance(state, ProgressState) for _, state in first],
    ]


class Bar(TQDMProgressReporter):
    def start(self, state):
        self._bar = Counter(state.num_frames_total)
        self._bar.desc = self._get_description(state)

    def update(self, state):
        return self._update(state, clip=True, refresh=False)


class Counter:
    def __init__(self, total):
        self.n, self.total, self.is_closed = 0, total, False

    def update(self, by):
        self.n += by

    def set_description(self, text, refresh=True):
        self.desc = text

    def refresh(self):
        pass

    def close(self):
        self.is_closed = True


@clause("`run_udf(dataset, udf, roi, corrections, progress, backends, plots, sync)`")
def progress_in_a_bar_of_ones_own(ctx):
    reporter = Bar()
    ctx.run_udf(ctx.load("memory", data=scan()), SumUDF(), progress=reporter)
    bar = reporter._bar
    done, total = re.fullmatch(r"Partitions (\d+)/(\d+), Frames", bar.desc).groups()
    return bar.n, bar.total, bar.is_closed, done == total


@clause("`sync=False` gives an awaitable of the same")
def awaited(ctx):
    dataset = ctx.load("memory", data=scan())

    async def main():
        single = await ctx.run_udf(dataset=dataset, udf=SumUDF(), sync=False)
        several = await ctx.run_udf(dataset=dataset, udf=[SumUDF()], sync=False)
        task = asyncio.create_task(ctx.run_udf(dataset=dataset, udf=SumSigUDF(), sync=False))
        return list(single), type(several), single, several, await task

    return asyncio.run(main())


@clause("`sync=False` gives an awaitable of the same")
def awaited_together(ctx):
    dataset = ctx.load("memory", data=scan())

    async def main():
        return await asyncio.gather(
            ctx.run_udf(dataset=dataset, udf=SumUDF(), sync=False),
            ctx.run_udf(dataset=dataset, udf=SumSigUDF(), sync=False),
        )

    return asyncio.run(main())


class Passes(UDF):
    """Counts how often a frame was looked at."""

    def get_result_buffers(self):
        return {"seen": self.buffer("nav", dtype="int32")}

    def process_frame(self, frame):
        self.results.seen += 1


@clause("Several UDFs run in one pass")
def one_pass(ctx):
    dataset = ctx.load("memory", data=scan())
    return ctx.run_udf(dataset=dataset, udf=[Passes(), SumUDF(), Passes()])


# roi


def selected(ctx, roi):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = ctx.run_udf(ctx.load("memory", data=scan()), Passes(), roi=roi)
    kinds = sorted({w.category.__name__ for w in caught if "dtype" in str(w.message)})
    return result["seen"].data, result["seen"].raw_data, kinds


@clause("`roi`: bool array of nav shape")
def roi_bool(ctx):
    return selected(ctx, some_of()), selected(ctx, np.ones((4, 5), bool))


@clause("a non-bool array is cast with a UserWarning")
def roi_cast(ctx):
    return selected(ctx, some_of().astype(int)), selected(ctx, some_of().astype("f4"))


@clause("also scipy.sparse and pydata/sparse arrays")
def roi_scipy(ctx):
    kinds = (scipy.sparse.coo_matrix, scipy.sparse.csr_matrix, scipy.sparse.csc_matrix)
    return [selected(ctx, kind(some_of())) for kind in kinds]


@clause("also scipy.sparse and pydata/sparse arrays", needs=("engine.plan.roi:resolve_roi",))
def roi_pydata(ctx):
    try:
        import sparse
    except ImportError:
        # Ours does not depend on it: any array with the same face will do.
        class COO:
            def __init__(self, array):
                self.array, self.dtype, self.shape = array, array.dtype, array.shape

            def todense(self):
                return self.array

    else:
        COO = sparse.COO  # noqa: N806
    return selected(ctx, COO(some_of()))


@clause("a coordinate tuple, or a list of (coordinate, bool)")
def roi_coordinates(ctx):
    forms = [
        (1, 2),
        [((1, 2), True)],
        [((1, 2), True), ((3, 4), True)],
        (((1, 2), True), ((3, 4), True)),
        ((1, 2), True),
        ((1, 2), False),
    ]
    return [attempt(ctx, form) for form in forms]


@clause("a coordinate tuple, or a list of (coordinate, bool)")
def roi_coordinates_on_a_line(ctx):
    data = scan(nav=(7,))
    forms = [(1,), [((1,), True)], [((1,), True), ((3,), True)], [1, 3], 3]
    return [attempt(ctx, form, data) for form in forms]


def attempt(ctx, roi, data=None):
    dataset = ctx.load("memory", data=scan() if data is None else data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ctx.run_udf(dataset, Passes(), roi=roi)["seen"].data
        except Exception:
            return "refused"


@clause("`roi`: bool array of nav shape")
def roi_is_copied(ctx):
    roi = some_of()
    steps = ctx.run_udf_iter(ctx.load("memory", data=scan()), Passes(), roi=roi)
    roi[:] = False
    *_, last = steps
    return last.buffers[0]["seen"].data


@clause("`roi`: bool array of nav shape")
def roi_of_nothing(ctx):
    result = ctx.run_udf(ctx.load("memory", data=scan()), SumUDF(), roi=np.zeros((4, 5), bool))
    return result["intensity"].data


@clause("Wrong shape: ValueError naming both shapes")
def roi_of_wrong_shape(ctx):
    dataset = ctx.load("memory", data=scan())
    try:
        ctx.run_udf(dataset, SumUDF(), roi=np.ones((3, 3), bool))
    except ValueError as error:
        return "(3, 3)" in str(error), "(4, 5)" in str(error)


# errors


@clause("empty UDF list -> ValueError")
def empty(ctx):
    dataset = ctx.load("memory", data=scan())
    return error_of(ctx.run_udf, dataset, []), error_of(ctx.run_udf, dataset, ())


@clause("a UDF with no `process_*` -> TypeError")
def without_process(ctx):
    class Lazy(UDF):
        def get_result_buffers(self):
            return {}

    return error_of(ctx.run_udf, ctx.load("memory", data=scan()), Lazy())


@clause("a UDF class instead of an instance -> TypeError")
def class_not_instance(ctx):
    return error_of(ctx.run_udf, ctx.load("memory", data=scan()), SumUDF)


class Fails(UDF):
    def get_result_buffers(self):
        return {"seen": self.buffer("nav")}

    def fail(self, where):
        if self.params.where == where:
            raise self.params.error("on purpose")

    def preprocess(self):
        self.fail("preprocess")

    def postprocess(self):
        self.fail("postprocess")

    def get_task_data(self):
        self.fail("get_task_data")
        return {}

    def process_frame(self, frame):
        self.fail("process_frame")

    def merge(self, dest, src):
        self.fail("merge")

    def get_results(self):
        self.fail("get_results")
        return {}


@clause("an exception inside a UDF keeps its type")
def failing(ctx):
    dataset = ctx.load("memory", data=scan())
    errors = (ZeroDivisionError, KeyError, RuntimeError)
    places = (
        "preprocess",
        "get_task_data",
        "process_frame",
        "postprocess",
        "merge",
        "get_results",
    )
    return [
        error_of(ctx.run_udf, dataset, Fails(where=where, error=error))
        for where in places
        for error in errors
    ]


@clause("an exception inside a UDF keeps its type")
def works_after_failing(ctx):
    dataset = ctx.load("memory", data=scan())
    failed = error_of(ctx.run_udf, dataset, Fails(where="process_frame", error=KeyError))
    return failed, ctx.run_udf(dataset, SumUDF())


@clause("`close()`, `with`")
def many_runs_of_one_context(ctx):
    dataset = ctx.load("memory", data=scan())
    return [ctx.run_udf(dataset, SumUDF()) for _ in range(3)]


@clause("`Context()`: default executor threads", needs=())
def context_with_executor(ctx):
    with Context(executor=ctx.executor) as other:
        return other.run_udf(other.load("memory", data=scan()), SumUDF())
