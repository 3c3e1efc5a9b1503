from __future__ import annotations

import numpy as np

from udfwidgets import ApplyMasksUDF, Context, SumUDF

DATA = np.random.default_rng(1).random((6, 8, 4, 4)).astype(np.float32)


def test_names_of_masks_are_titles():
    with Context.make_with("threads", cpus=2) as ctx:
        scan = ctx.load("memory", data=DATA)
        masks = {"bright field": np.eye(4), "dark field": 1 - np.eye(4)}
        live = ctx.live(scan, ApplyMasksUDF(masks))
        assert [image.title for image in live.images] == ["bright field", "dark field"]
        (results,) = live.result()
        expected = np.stack([(DATA * mask).sum((2, 3)) for mask in masks.values()], axis=-1)
        np.testing.assert_allclose(results["intensity"].data, expected, rtol=1e-5)
        live.close()
        one = [ApplyMasksUDF({name: mask}) for name, mask in masks.items()]
        live = ctx.live(scan, one)
        assert [image.title for image in live.images] == ["bright field", "dark field"]
        live.close()
        live = ctx.live(scan, one, plots=[{"BF": "intensity"}, ["intensity"]])
        assert [image.title for image in live.images] == ["BF", "dark field"]
        live.close()


def test_a_card_names_each_kind_of_udf_once():
    with Context.make_with("threads", cpus=2) as ctx:
        scan = ctx.load("memory", data=DATA)
        masks = [ApplyMasksUDF(lambda: np.eye(4)), SumUDF(), ApplyMasksUDF(lambda: 1 - np.eye(4))]
        live = ctx.live(scan, masks)
        assert live.status.title == "2 × ApplyMasksUDF, SumUDF"
        live.close()
