"""Analyses follow an acquisition: frames come while UDFs run, and everything that came is used."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest

from tests.io.elsewhere import eventually
from udfwidgets.api import Context
from udfwidgets.demo import SimulatedDetector, acquire
from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.base import DataSet
from udfwidgets.udf.base import UDF
from udfwidgets.udf.sum import SumUDF
from udfwidgets.udf.sumsigudf import SumSigUDF

NAV, SIG = (8, 12), (16, 16)
FRAMES = SimulatedDetector(NAV, SIG).expose(0, 96)
PER_FRAME = FRAMES.sum(axis=(1, 2), dtype=float)
UDFS = (SumUDF(), SumSigUDF())


def check(buffers: Any, n_frames: int) -> None:
    """Check that results are those of the first frames, and of no others."""
    check_those(buffers, np.arange(96) < n_frames)


def check_those(buffers: Any, merged: np.ndarray) -> None:
    """Check that results are those of the frames that a mask selects."""
    whole, per_frame = (result["intensity"].data for result in buffers)
    np.testing.assert_array_equal(whole, FRAMES[merged].sum(axis=0))
    np.testing.assert_array_equal(per_frame.ravel(), np.where(merged, PER_FRAME, 0))


async def given(n_frames: int, go_on: Callable[[], bool] = lambda: True) -> AsyncIterator[Any]:
    for frame in FRAMES[:n_frames]:
        yield frame
        await anyio.sleep(0)
        while not go_on():
            await anyio.sleep(0.001)


async def collect(
    ctx: Context, dataset: DataSet, steps: list[Any], udfs: Sequence[UDF] = UDFS
) -> None:
    async for step in ctx.run_udf_iter(dataset, udfs, sync=False):
        steps.append(step)


STREAM: dict[str, Any] = {"nav_shape": NAV, "sig_shape": SIG, "dtype": "u2"}


@pytest.fixture(params=["threads", "inline"])
def ctx(request: pytest.FixtureRequest) -> Any:
    with Context.make_with(request.param) as context:
        yield context


@pytest.mark.parametrize("name", ["scan.h5", "scan.hdr"])
def test_a_file_is_followed_to_its_end(ctx: Context, tmp_path: Path, name: str) -> None:
    with acquire(tmp_path / name, NAV, SIG, frames_per_second=500) as acquisition:
        dataset = ctx.load("auto", path=acquisition.path, follow=True)
        assert dataset.is_growing
        steps = list(ctx.run_udf_iter(dataset, UDFS))
        check(steps[-1].buffers, 96)
        # A latecomer finds all of it.
        check(ctx.run_udf(dataset, UDFS), 96)
        assert not dataset.is_growing


@pytest.mark.parametrize("name", ["scan.h5", "scan.hdr"])
def test_a_file_that_ends_early(ctx: Context, tmp_path: Path, name: str) -> None:
    # Long enough for whatever this test takes.
    with acquire(tmp_path / name, (640, 12), SIG, frames_per_second=200) as acquisition:
        options = {} if name == "scan.h5" else {"stall_timeout": 0.5}
        dataset = ctx.load("auto", path=acquisition.path, follow=True, **options)
        acquisition.stop()
        with pytest.raises(DataSetException, match="of 7680 frames have come") as caught:
            ctx.run_udf(dataset, UDFS)
        came = int(re.findall("([0-9]+) of 7680", str(caught.value))[0])
        assert 0 < came < 7680
        # The advice of the message.
        part = ctx.load("auto", path=acquisition.path, follow=True, nav_shape=(came,))
        _, per_frame = ctx.run_udf(part, UDFS)
        expected = SimulatedDetector((640, 12), SIG).expose(0, came).sum(axis=(1, 2), dtype=float)
        np.testing.assert_array_equal(per_frame["intensity"].data, expected)


@pytest.mark.anyio
async def test_a_stream_is_followed(ctx: Context) -> None:
    merged = 0

    async with ctx.load("stream", frames=given(96, lambda: merged > 0), **STREAM) as dataset:
        results = [ctx.run_udf(dataset, UDFS, sync=False) for _ in range(3)]
        async for step in ctx.run_udf_iter(dataset, UDFS, sync=False):
            check_those(step.buffers, step.damage.data.ravel())
            merged = np.count_nonzero(step.damage.data)
        assert merged == 96
        for result in results:
            check(await result, 96)
        check(await ctx.run_udf(dataset, UDFS, sync=False), 96)
        check(ctx.run_udf(dataset, UDFS), 96)


@pytest.mark.anyio
async def test_all_that_came_is_merged_before_the_error(ctx: Context) -> None:
    async with ctx.load("stream", frames=given(50), **STREAM) as dataset:
        for _ in range(2):
            steps: list[Any] = []
            with pytest.raises(DataSetException, match=r"50 of 96 .* the iterator has ended"):
                await collect(ctx, dataset, steps)
            assert np.count_nonzero(steps[-1].damage.data) == 50
            check(steps[-1].buffers, 50)
        # The advice of the message.
        roi = np.arange(96).reshape(NAV) < 50
        whole, _ = ctx.run_udf(dataset, UDFS, roi=roi)
        np.testing.assert_array_equal(whole["intensity"].data, FRAMES[:50].sum(axis=0))


class SlowUDF(SumSigUDF):
    """Has not taken all that came when the source has nothing more to tell."""

    def process_tile(self, tile: Any) -> None:
        time.sleep(0.02)
        super().process_tile(tile)

    def get_tiling_preferences(self) -> dict[str, Any]:
        return {"depth": 8, "total_size": UDF.TILE_SIZE_BEST_FIT}


@pytest.mark.anyio
async def test_a_udf_may_be_slower_than_the_end(ctx: Context) -> None:
    async with ctx.load("stream", frames=given(50), **STREAM) as dataset:
        steps: list[Any] = []
        with pytest.raises(DataSetException, match="50 of 96"):
            await collect(ctx, dataset, steps, [SumUDF(), SlowUDF()])
        assert np.count_nonzero(steps[-1].damage.data) == 50
        check(steps[-1].buffers, 50)


@pytest.mark.anyio
async def test_a_latecomer_to_what_has_ended(ctx: Context) -> None:
    async with ctx.load("stream", frames=given(50), **STREAM) as dataset:
        first, second = [], []

        async def come_late() -> None:
            while not first:
                await anyio.sleep(0.001)
            with pytest.raises(DataSetException, match="50 of 96"):
                await collect(ctx, dataset, second)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(come_late)
            with pytest.raises(DataSetException, match="50 of 96"):
                await collect(ctx, dataset, first, [SumUDF(), SlowUDF()])
        for steps in (first, second):
            assert np.count_nonzero(steps[-1].damage.data) == 50
            check(steps[-1].buffers, 50)


@pytest.mark.anyio
async def test_a_run_that_waits_can_be_cancelled(ctx: Context) -> None:
    async with ctx.load("stream", frames=given(96, lambda: False), **STREAM) as dataset:
        with anyio.move_on_after(0.1):
            await ctx.run_udf(dataset, UDFS, sync=False)
        async for _ in ctx.run_udf_iter(dataset, UDFS, sync=False):
            break


@pytest.mark.anyio
async def test_a_wait_without_an_end_is_refused(ctx: Context) -> None:
    async with ctx.load("stream", frames=given(96, lambda: False), **STREAM) as dataset:
        for blocking in (ctx.run_udf, ctx.run_udf_iter, lambda *a: ctx.map(a[0], np.max)):
            with pytest.raises(RuntimeError, match="blocks the event loop"):
                blocking(dataset, UDFS)


def test_in_a_script(ctx: Context) -> None:
    with ctx.load("stream", frames=given(96), **STREAM) as dataset:
        check(ctx.run_udf(dataset, UDFS), 96)


def test_closing_the_context_ends_its_streams() -> None:
    ctx = Context()
    dataset = ctx.load("stream", frames=given(96, lambda: False), **STREAM)
    source = dataset.open()
    ctx.close()
    with source, pytest.raises(DataSetException, match="the dataset was closed"):
        eventually(lambda: source.available() not in (0, 1))
