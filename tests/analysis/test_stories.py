"""Whole notebooks of LiberTEM's users, told in other words: every call they make, in order."""

from __future__ import annotations

import asyncio
import copy
import pprint

import h5py
import numpy as np
import pytest
from scipy.ndimage import center_of_mass

import udfwidgets.api as lt
from tests.udf.test_builtin import make_data
from udfwidgets import masks
from udfwidgets.udf import UDF
from udfwidgets.udf.com import CoMUDF, guess_corrections
from udfwidgets.udf.sum import SumUDF
from udfwidgets.udf.sumsigudf import SumSigUDF

DATA = make_data((12, 14, 20, 22), "f4") + 60


@pytest.fixture
def path(tmp_path):
    with h5py.File(tmp_path / "scan.emd", "w") as file:
        file["experimental/science_data/data"] = DATA
    return str(tmp_path / "scan.emd")


def test_virtual_detectors_and_own_udfs(path):
    with lt.Context() as ctx:
        ds = ctx.load("auto", path=path)
        assert all(isinstance(fact["name"], str) for fact in ds.diagnostics)
        ring = ctx.create_ring_analysis(dataset=ds, ri=6, ro=9)
        ring_res = ctx.run(ring, progress=True)
        assert "<AnalysisResult: intensity>" in repr(ring_res)
        expected = (DATA * masks.ring(11, 10, 22, 20, 9, 6)).sum((2, 3))
        np.testing.assert_allclose(ring_res.intensity.raw_data, expected, rtol=1e-5)

        class Picked(UDF):
            def get_result_buffers(self):
                return {"pixel": self.buffer(kind="nav", dtype=np.float32)}

            def process_frame(self, frame):
                self.results.pixel[:] = frame[self.params.y, self.params["x"]]

        class Highest(UDF):
            def get_result_buffers(self):
                return {"peak": self.buffer(kind="sig", dtype=np.float32)}

            def process_tile(self, tile):
                self.results.peak[:] = np.maximum(self.results.peak, tile.max(axis=0))

            def merge(self, dest, src):
                dest["peak"][:] = np.maximum(dest["peak"], src["peak"])

        roi = masks.circular(7, 6, 14, 12, 4)
        peak = ctx.run_udf(dataset=ds, udf=Highest(), roi=roi, progress=True)["peak"]
        np.testing.assert_array_equal(peak, DATA[roi].max(axis=0))
        pixel = ctx.run_udf(dataset=ds, udf=Picked(y=3, x=5))["pixel"]
        # As plotting libraries take it.
        np.testing.assert_array_equal(np.array(pixel), DATA[:, :, 3, 5])
        np.testing.assert_allclose(ctx.map(dataset=ds, f=np.sum), DATA.sum((2, 3)), rtol=1e-5)


def test_center_of_mass(path):
    with lt.Context() as ctx:
        ds = ctx.load("hdf5", path=path, ds_path="experimental/science_data/data")
        (_scan_y, _scan_x, detector_y, detector_x) = ds.shape
        cx, cy = detector_x / 2, detector_y / 2
        analysis = ctx.create_com_analysis(dataset=ds, cx=cx, cy=cy, mask_radius=None)
        result = ctx.run(analysis, progress=True)
        assert "key: field" in str(result.field)
        for key in ("field", "magnitude"):
            assert result[key].visualized.shape == (12, 14, 3)
        picked = ctx.run(ctx.create_pick_analysis(dataset=ds, x=0, y=0))
        by_scipy = center_of_mass(picked.intensity.raw_data)
        ours = (result.y.raw_data[0, 0] + cy, result.x.raw_data[0, 0] + cx)
        np.testing.assert_allclose(ours, by_scipy, rtol=1e-5)
        guess = guess_corrections(result.y.raw_data, result.x.raw_data)
        udf = CoMUDF.with_params(**guess._asdict())
        assert ctx.run_udf(dataset=ds, udf=udf)["field"].data.shape == (12, 14, 2)


def test_asynchronous_runs(path):
    udfs = [SumUDF(), SumSigUDF()]

    async def story(ctx, ds):
        both = await ctx.run_udf(dataset=ds, udf=udfs, sync=False)
        one = await ctx.run_udf(dataset=ds, udf=udfs[0], sync=False)
        assert pprint.pformat(both[0]) == pprint.pformat(one)

        async def last(udfs):
            async for step in ctx.run_udf_iter(dataset=ds, udf=udfs, sync=False):
                assert np.count_nonzero(step.damage.data) > 0
            return step

        steps = await asyncio.gather(last(copy.deepcopy(udfs)), last(copy.deepcopy(udfs)))
        assert all(step.damage.data.all() for step in steps)

    with lt.Context() as ctx:
        ds = ctx.load("auto", path=path)
        res = ctx.run_udf(dataset=ds, udf=udfs)
        text = pprint.pformat(res)
        assert "<BufferWrapper kind=sig dtype=float32 extra_shape=()>" in text
        for step in ctx.run_udf_iter(dataset=ds, udf=udfs):
            assert len(step.buffers) == 2
        asyncio.run(story(ctx, ds))
