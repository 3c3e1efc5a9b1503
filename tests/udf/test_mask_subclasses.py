"""Subclasses of ApplyMasksUDF that look at its masks."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

from udfwidgets.api import Context
from udfwidgets.udf.masks import ApplyMasksUDF

DATA = np.random.default_rng(3).random((4, 5, 6, 7)).astype("f4")


class OfBest(ApplyMasksUDF):
    def get_result_buffers(self):
        dtype = np.result_type(self.meta.input_dtype, self.get_mask_dtype())
        return {
            "intensity": self.buffer("nav", (self.get_mask_count(),), dtype, use="private"),
            "seen": self.buffer("nav", dtype=dtype),
            "best": self.buffer("nav", dtype="i8", use="result_only"),
        }

    def process_tile(self, tile):
        super().process_tile(tile)
        np.testing.assert_array_equal(self.task_data.masks, self.masks)
        box = (0, *self.meta.sig_slice.get())
        self.results.seen[:] += (tile * self.task_data.masks[box]).sum(axis=(1, 2))

    def get_results(self):
        best = self.results.intensity.argmax(axis=1)
        return {"best": best.reshape(self.meta.dataset_shape.nav)}


@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_matrix])
def test_a_subclass_sees_the_masks(form) -> None:
    udf = OfBest(mask_factories=[lambda n=n: form(np.eye(6, 7, n, "f4")) for n in range(3)])
    with Context.make_with("inline") as ctx:
        for data in (DATA, DATA[:2]):
            result = ctx.run_udf(ctx.load("memory", data=data), udf)
            masks = np.stack([np.eye(6, 7, n) for n in range(3)])
            expected = np.tensordot(data, masks, ((2, 3), (1, 2)))
            np.testing.assert_array_equal(result["best"].data, expected.argmax(-1))
            np.testing.assert_allclose(result["seen"].data, expected[..., 0], rtol=1e-5)


def test_masks_are_made_anew_for_another_detector() -> None:
    class Own(ApplyMasksUDF):
        def get_result_buffers(self):
            return {
                "intensity": self.buffer("nav", (self.get_mask_count(),), self.get_mask_dtype())
            }

    size = [6, 7]
    udf = Own(mask_factories=lambda: np.ones((1, *size), "f4"))
    with Context.make_with("inline") as ctx:
        for data in (DATA, DATA[..., :5]):
            size[:] = data.shape[2:]
            result = ctx.run_udf(ctx.load("memory", data=data), udf)["intensity"]
            np.testing.assert_allclose(result.data[..., 0], data.sum((2, 3)), rtol=1e-5)


def test_a_subclass_has_parameters_of_its_own() -> None:
    class Scaled(ApplyMasksUDF):
        def process_tile(self, tile):
            super().process_tile(tile * self.params.factor)

    udf = Scaled(mask_factories=lambda: np.ones((6, 7), "f4"), factor=3)
    with Context.make_with("inline") as ctx:
        result = ctx.run_udf(ctx.load("memory", data=DATA), udf)["intensity"]
    np.testing.assert_allclose(result.data[..., 0], 3 * DATA.sum((2, 3)), rtol=1e-5)
    with pytest.raises(TypeError, match="'factor', a subclass may"):
        ApplyMasksUDF(mask_factories=lambda: np.ones((6, 7), "f4"), factor=3)
