"""Subclasses of the built-in UDFs, in the ways that people write them.

They read and write `results.intensity` in any hook, and what they do to a tile before they hand it
on is calculated with floats.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.examples.contract import Example, ExampleContract
from udfwidgets.udf.masks import ApplyMasksUDF
from udfwidgets.udf.sum import SumUDF
from udfwidgets.udf.sumsigudf import SumSigUDF

DATA = np.random.default_rng(0).integers(0, 1000, (5, 6, 7, 8)).astype("u2")
MASKS = [lambda: np.ones((7, 8)), lambda: np.eye(7, 8)]


class RootSum(SumUDF):
    """Looks at another thing than the counts."""

    def process_tile(self, tile):
        super().process_tile(np.sqrt(tile))


class SquareSum(SumUDF):
    """Adds up by itself. In 16 bits the squares would overflow."""

    def process_tile(self, tile):
        self.results.intensity[:] += (tile**2).sum(axis=0)


class Scaled(SumUDF):
    """Changes what a partition brings."""

    def postprocess(self):
        self.results.intensity[:] *= 2


class Largest(SumUDF):
    """Merges in another way, without which it would depend on the partitions."""

    def process_tile(self, tile):
        self.results.intensity[:] = np.maximum(self.results.intensity, tile.max(axis=0))

    def merge(self, dest, src):
        dest.intensity[:] = np.maximum(dest.intensity, src.intensity)


class WithMean(SumUDF):
    """Adds a result."""

    def get_result_buffers(self):
        mean = self.buffer("sig", dtype="float32", use="result_only")
        return {**super().get_result_buffers(), "mean": mean}

    def get_results(self):
        n_frames = np.count_nonzero(self.meta.get_valid_nav_mask())
        total = self.results.intensity
        return {"intensity": total, "mean": total / np.float32(n_frames)}


class MeanOfFrame(SumSigUDF):
    def postprocess(self):
        self.results.intensity[:] /= self.meta.dataset_shape.sig.size


class RootOfFrame(SumSigUDF):
    def process_tile(self, tile):
        super().process_tile(np.sqrt(tile))


class Shares(ApplyMasksUDF):
    def postprocess(self):
        self.results.intensity[:] /= self.results.intensity[:, :1]


class SquaredMasks(ApplyMasksUDF):
    """In 16 bits the squares would overflow."""

    def process_tile(self, tile):
        super().process_tile(tile**2)


class Ratio(ApplyMasksUDF):
    def get_result_buffers(self):
        ratio = self.buffer("nav", dtype="float32", use="result_only")
        return {**super().get_result_buffers(), "ratio": ratio}

    def get_results(self):
        whole, diagonal = self.results.intensity.T
        return {"intensity": self.results.intensity, "ratio": diagonal / np.maximum(whole, 1)}


def masked(frames):
    return np.stack([frames.sum(axis=(1, 2)), np.trace(frames, axis1=1, axis2=2)], axis=1)


def shares(frames):
    intensity = masked(frames)
    return intensity / intensity[:, :1]


CASES = {
    "root of each value": (RootSum(), lambda f: {"intensity": np.sqrt(f).sum(axis=0)}),
    "sum of squares": (SquareSum(), lambda f: {"intensity": (f**2).sum(axis=0)}),
    "scaled": (Scaled(), lambda f: {"intensity": 2 * f.sum(axis=0)}),
    "largest": (Largest(), lambda f: {"intensity": f.max(axis=0)}),
    "mean": (WithMean(), lambda f: {"intensity": f.sum(axis=0), "mean": f.mean(axis=0)}),
    "mean of frame": (MeanOfFrame(), lambda f: {"intensity": f.mean(axis=(1, 2))}),
    "root of frame": (RootOfFrame(), lambda f: {"intensity": np.sqrt(f).sum(axis=(1, 2))}),
    "shares": (Shares(MASKS), lambda f: {"intensity": shares(f)}),
    "squared masks": (SquaredMasks(MASKS), lambda f: {"intensity": masked(f**2)}),
    "ratio": (
        Ratio(MASKS),
        lambda f: {"intensity": masked(f), "ratio": shares(f)[:, 1]},
    ),
}


class TestSubclassing(ExampleContract):
    @pytest.fixture(params=CASES)
    def example(self, request):
        udf, expected = CASES[request.param]
        return Example(udf, DATA, lambda data, roi: expected(data[roi].astype(float)))
