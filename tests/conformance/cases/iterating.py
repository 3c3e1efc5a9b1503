"""run_udf_iter, in steps, sync and async."""

import asyncio

import numpy as np
from libertem.api import Context
from libertem.udf import UDF
from libertem.udf.stddev import StdDevUDF
from libertem.udf.sum import SumUDF
from libertem.udf.sumsigudf import SumSigUDF

from tests.conformance.case import clause, error_of, scan, some_of


def large():
    # Several partitions in either package.
    return scan(nav=(16, 16), sig=(64, 64), dtype="f4")


def load(ctx):
    return ctx.load("memory", data=large(), num_partitions=8)


def is_close(a, b):
    return np.allclose(a, b, rtol=1e-3, equal_nan=True)


@clause(
    "`run_udf_iter(...)`, same parameters: yields a `UDFResults` after each merge step",
    "`.buffers` (always a tuple, one dict per UDF)",
)
def steps(ctx):
    several = False
    for number, step in enumerate(ctx.run_udf_iter(dataset=load(ctx), udf=SumUDF())):
        several = several or number > 0
        facts = type(step.buffers), len(step.buffers), list(step.buffers[0])
    return several, facts, step.buffers


@clause("`.buffers` (always a tuple, one dict per UDF)")
def steps_of_a_list(ctx):
    *_, last = ctx.run_udf_iter(dataset=load(ctx), udf=[SumUDF(), SumSigUDF()])
    return last.buffers


@clause("`.damage` (a `BufferWrapper`, kind nav, dtype bool)")
def damage(ctx):
    counts = []
    for step in ctx.run_udf_iter(dataset=load(ctx), udf=SumUDF()):
        counts.append(int(np.count_nonzero(step.damage.data)))
        facts = step.damage.kind, step.damage.dtype, step.damage.data.shape, step.damage.data.dtype
    return sorted(counts) == counts, counts[-1], facts, repr(step.damage)


@clause("`.damage` (a `BufferWrapper`, kind nav, dtype bool)")
def damage_with_roi(ctx):
    roi = some_of((16, 16))
    *_, last = ctx.run_udf_iter(dataset=load(ctx), udf=SumUDF(), roi=roi)
    return last.damage.data, last.damage.raw_data


@clause(
    "Every yielded result equals a fresh run with `roi=result.damage.data`",
    "exactly for sig, at damaged positions for nav",
)
def equals_a_fresh_run(ctx):
    dataset, same = load(ctx), []
    for step in ctx.run_udf_iter(dataset, [SumUDF(), SumSigUDF(), StdDevUDF()]):
        # Not by this Context: its executor is at work.
        with Context.make_with("inline") as other:
            fresh = other.run_udf(
                other.load("memory", data=large()),
                [SumUDF(), SumSigUDF(), StdDevUDF()],
                roi=step.damage.data,
            )
        at = step.damage.data
        by_frame = [results["intensity"].data[at] for results in (step.buffers[1], fresh[1])]
        same.append(
            is_close(step.buffers[0]["intensity"].data, fresh[0]["intensity"].data)
            and is_close(*by_frame)
            and is_close(step.buffers[2]["var"].data, fresh[2]["var"].data)
        )
    return all(same)


@clause("with `sync=False` async iterator")
def async_steps(ctx):
    async def main():
        async for step in ctx.run_udf_iter(dataset=load(ctx), udf=SumUDF(), sync=False):
            last = step
        return type(last.buffers), last.buffers, last.damage.data

    return asyncio.run(main())


@clause("`close`/`aclose`")
def closing(ctx):
    steps = ctx.run_udf_iter(dataset=load(ctx), udf=SumUDF())
    next(steps)
    steps.close()
    return error_of(next, steps), ctx.run_udf(dataset=load(ctx), udf=SumUDF())


@clause("`close`/`aclose`")
def closing_async(ctx):
    async def main():
        steps = ctx.run_udf_iter(dataset=load(ctx), udf=SumUDF(), sync=False)
        async for _ in steps:
            break
        await steps.aclose()
        return await ctx.run_udf(dataset=load(ctx), udf=SumUDF(), sync=False)

    return asyncio.run(main())


@clause("`close`/`aclose`")
def leaving_the_loop(ctx):
    for _ in ctx.run_udf_iter(dataset=load(ctx), udf=SumUDF()):
        break
    return ctx.run_udf(dataset=load(ctx), udf=SumUDF())


@clause(
    "`throw`/`athrow`",
    "the exception travels through the run and comes back out, and the run is torn down",
)
def throwing(ctx):
    class Own(Exception):
        pass

    steps = ctx.run_udf_iter(dataset=load(ctx), udf=SumUDF())
    next(steps)
    thrown = error_of(steps.throw, Own("stop"))
    return thrown, error_of(next, steps), ctx.run_udf(dataset=load(ctx), udf=SumUDF())


@clause(
    "`throw`/`athrow`",
    "the exception travels through the run and comes back out, and the run is torn down",
)
def throwing_async(ctx):
    async def main():
        steps = ctx.run_udf_iter(dataset=load(ctx), udf=SumUDF(), sync=False)
        async for _ in steps:
            break
        try:
            await steps.athrow(ValueError("stop"))
        except ValueError as error:
            return str(error)

    return asyncio.run(main())


class Scaled(UDF):
    def __init__(self, factor, unused=None):
        super().__init__(factor=factor, unused=unused)

    def get_result_buffers(self):
        return {"factor": self.buffer("nav")}

    def process_frame(self, frame):
        self.results.factor[:] = self.params.factor


def changed(values):
    values = list(values)
    return values[0], values[-1]


@clause("`update_parameters_experimental([dict per UDF])`")
def updating(ctx):
    steps = ctx.run_udf_iter(dataset=load(ctx), udf=[Scaled(factor=1)])
    next(steps)
    steps.update_parameters_experimental([{"factor": 2}])
    *_, last = steps
    return set(np.unique(last.buffers[0]["factor"].data)) <= {1.0, 2.0}


@clause("`update_parameters_experimental([dict per UDF])`")
def updating_async(ctx):
    async def main():
        steps = ctx.run_udf_iter(dataset=load(ctx), udf=[Scaled(factor=1)], sync=False)
        async for _ in steps:
            break
        await steps.update_parameters_experimental([{"factor": 2}])
        async for step in steps:
            last = step
        return set(np.unique(last.buffers[0]["factor"].data)) <= {1.0, 2.0}

    return asyncio.run(main())


@clause("an exception inside a UDF keeps its type")
def failing(ctx):
    class Fails(UDF):
        def get_result_buffers(self):
            return {"x": self.buffer("nav")}

        def process_frame(self, frame):
            raise ZeroDivisionError

    def consume():
        for _ in ctx.run_udf_iter(dataset=load(ctx), udf=Fails()):
            pass

    return error_of(consume)


@clause("`run_udf_iter(...)`, same parameters: yields a `UDFResults` after each merge step")
def is_its_own_iterator(ctx):
    steps = ctx.run_udf_iter(dataset=load(ctx), udf=SumUDF())
    same = iter(steps) is steps
    steps.close()
    return same


@clause("empty UDF list -> ValueError")
def empty(ctx):
    return error_of(lambda: list(ctx.run_udf_iter(load(ctx), [])))
