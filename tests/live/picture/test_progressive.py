"""Three percent of a scan, coarse to fine, already make the picture."""

from __future__ import annotations

import numpy as np
import pytest

from udfwidgets import ApplyMasksUDF, Context, SumSigUDF
from udfwidgets.demo import Sample
from udfwidgets.engine.plan.order import coarse_to_fine
from udfwidgets.live.picture.sampling import spread
from udfwidgets.masks import ring
from udfwidgets.udf.base import UDF


def dark_field() -> UDF:
    return ApplyMasksUDF(lambda: ring(32, 32, 64, 64, 30, 10))


@pytest.mark.parametrize("nav", [(96, 96), (64, 64)])
@pytest.mark.parametrize("make", [SumSigUDF, dark_field], ids=["sum per frame", "dark field"])
def test_three_percent_are_recognisable(make, nav):
    frames = Sample(nav, (64, 64), seed=1).frames(0, nav[0] * nav[1]).reshape(*nav, 64, 64)
    with Context() as ctx:
        dataset = ctx.load("memory", data=frames)
        merged = np.zeros(nav, bool)
        merged.reshape(-1)[coarse_to_fine(dataset.shape.nav, 1)[: merged.size * 3 // 100]] = True
        final = ctx.run_udf(dataset, make())["intensity"].data.reshape(nav)
        early = ctx.run_udf(dataset, make(), roi=merged)["intensity"].data.reshape(nav)
    shown = spread(early, merged, np.ones(nav, bool))
    assert np.corrcoef(shown.reshape(-1), final.reshape(-1))[0, 1] > 0.8
