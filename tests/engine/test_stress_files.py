"""Analyses of files that are truncated, replaced and deleted all the time: exact, or an error.

It goes on for UDFWIDGETS_STRESS_SECONDS, by default a few. Whoever reads a map that is torn without
care ends the process, and this test with it.
"""

from __future__ import annotations

import gc
import os
import random
import warnings
from collections import Counter

import anyio
import numpy as np
import pytest

from tests.conftest import _open_files
from tests.engine.test_changed import FORMATS, FRAMES, open_scan
from udfwidgets import Context, StdDevUDF, SumSigUDF, SumUDF
from udfwidgets.errors import DataSetException
from udfwidgets.udf.base import UDF

SECONDS = float(os.environ.get("UDFWIDGETS_STRESS_SECONDS", "1.5"))
ENDS = {"exact", "refused"}
DEEDS = ("truncate", "truncate", "empty", "replace", "delete")
# What a file may hold, one after the other; no two have a frame in common.
VERSIONS = [FRAMES, FRAMES[::-1, ::-1] // 2 + 7]


class ByFrame(UDF):
    """Takes its time over each frame."""

    def get_result_buffers(self):
        return {"intensity": self.buffer("nav", dtype="float64")}

    def process_frame(self, frame):
        self.results.intensity[:] = frame.sum(dtype="f8")


class Scan:
    """A file that is there in one of its versions, or damaged."""

    def __init__(self, folder, how, seed):
        self.how, self.rng = how, random.Random(seed)
        self.sums = [frames.sum(axis=(2, 3)) for frames in VERSIONS]
        self.whole = []
        for number, frames in enumerate(VERSIONS):
            made = folder / f"{how} {number}"
            made.mkdir()
            self.path, _ = FORMATS[how](made, frames)
            self.whole.append(self.path.read_bytes())
        self.folder = self.path.parent

    def put(self):
        """Put a whole file in its place, in one go."""
        new = self.path.with_suffix(".new")
        new.write_bytes(self.rng.choice(self.whole))
        new.replace(self.path)

    def harm(self):
        deed = self.rng.choice(DEEDS)
        if deed == "replace" or not self.path.exists():
            self.put()
        elif deed == "delete":
            self.path.unlink()
        else:
            size = self.path.stat().st_size
            os.truncate(self.path, self.rng.randrange(size) if deed == "truncate" and size else 0)

    def load(self, ctx):
        form = self.how if self.how in ("raw", "npy", "mib") else "hdf5"
        form, options = ("raw", RAW | {"dtype": ">u2"}) if self.how == "swapped" else (form, {})
        options = {"raw": RAW, "mib": {"nav_shape": FRAMES.shape[:2]}}.get(self.how, options)
        path = self.folder / "master.h5" if self.how == "elsewhere" else self.path
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a file that was short when it was loaded
            return ctx.load(form, path=path, **options)

    def is_named_in(self, error):
        return str(self.folder) in str(error)

    def check(self, dataset, results):
        """Hold all results against one of the versions; return whether frames were missing."""
        missing = np.zeros(FRAMES.shape[:2], bool) if dataset.missing is None else dataset.missing
        by_frame, summed, by_sum, deviations = results
        found = by_frame["intensity"].data
        fits = [bool((found == sums)[~missing].all()) for sums in self.sums]
        assert any(fits), self.how
        frames = VERSIONS[fits.index(True)][~missing]
        np.testing.assert_array_equal(by_sum["intensity"].data[~missing], found[~missing])
        np.testing.assert_array_equal(summed["intensity"].data, frames.sum(axis=0, dtype="f8"))
        np.testing.assert_array_equal(deviations["sum"].data, frames.sum(axis=0, dtype="f8"))
        return missing.any()


RAW = {"dtype": "u2", "nav_shape": FRAMES.shape[:2], "sig_shape": FRAMES.shape[2:]}


async def analyse(ctx, scan, ended):
    """Load a scan and run over it a few times; see how each run ends."""
    while True:
        try:
            dataset = scan.load(ctx)
            for order in ("scan", "progressive", None):
                udfs = [ByFrame(), SumUDF(), SumSigUDF(), StdDevUDF()]
                results = await ctx.run_udf(dataset, udfs, sync=False, order=order)
                ended["short" if scan.check(dataset, results) else "exact"] += 1
        except DataSetException as error:
            ended["refused" if scan.is_named_in(error) else str(error)] += 1
        await anyio.sleep(0)


async def harm(scan):
    """Damage a scan at any time, and leave it whole for as long as a run may take."""
    while True:
        await anyio.sleep(scan.rng.random() * 0.1)
        scan.harm()
        await anyio.sleep(scan.rng.random() * 0.1)
        scan.put()


async def comes_free(folder):
    """Collect until no file of a folder is open: tasks that were cancelled are in cycles."""
    with anyio.move_on_after(10):
        while any(target.startswith(str(folder)) for _, target in _open_files()):
            gc.collect()
            await anyio.sleep(0.05)


@pytest.mark.anyio
@pytest.mark.timeout(60 + 4 * SECONDS)
async def test_files_that_change_while_they_are_read(tmp_path):
    ended = {how: Counter() for how in FORMATS}
    with Context() as ctx:
        began = anyio.current_time()
        async with anyio.create_task_group() as tasks:
            for seed, how in enumerate(FORMATS):
                scan = Scan(tmp_path, how, seed)
                tasks.start_soon(harm, scan)
                for _ in range(2):
                    tasks.start_soon(analyse, ctx, scan, ended[how])
            while (
                anyio.current_time() < began + SECONDS or not set().union(*ended.values()) >= ENDS
            ):
                await anyio.sleep(0.05)
            tasks.cancel_scope.cancel()
        # The Context is as good as new.
        for how in FORMATS:
            (tmp_path / how).mkdir()
            _, dataset = open_scan(ctx, tmp_path / how, how)
            result = await ctx.run_udf(dataset, SumUDF(), sync=False)
            np.testing.assert_array_equal(result["intensity"].data, FRAMES.sum(axis=(0, 1)))
    assert set().union(*ended.values()) <= ENDS | {"short"}
    await comes_free(tmp_path)
