"""How large an image is: its pixels, its values, itself."""

from __future__ import annotations

import numpy as np
import pytest

from udfwidgets import Calibration, Context, SumSigUDF, SumUDF
from udfwidgets.calibration import Scale
from udfwidgets.live.image import LiveImage
from udfwidgets.udf.com import CoMUDF

DATA = np.random.default_rng(1).random((6, 8, 4, 4)).astype(np.float32)
GIVEN = Calibration(nav=[(2.5, "nm"), (2.0, "nm")], sig=(0.4, "mrad"))


@pytest.fixture
def ctx():
    with Context.make_with("threads", cpus=2) as context:
        yield context


@pytest.fixture
def scan(ctx):
    return ctx.load("memory", data=DATA, calibration=GIVEN)


def shown(live):
    live.result()
    return [(image.canvas.units, image.canvas.value_units) for image in live.images]


def test_images_are_told_how_large_their_pixels_are(ctx, scan):
    live = ctx.live(scan, [SumUDF(), SumSigUDF()])
    sig, nav = [(0.4, "mrad")] * 2, [(2.5, "nm"), (2.0, "nm")]
    assert shown(live) == [(sig, []), (nav, [])]
    scan.calibrate(nav=(5, "µm"))
    live.restart()
    assert shown(live) == [(sig, []), ([(5.0, "µm")] * 2, [])]
    live.close()


def test_values_in_pixels_are_told_in_units_of_the_detector(ctx, scan):
    plots = [["field_x", ("field", lambda field: field[..., 0])]]
    live = ctx.live(scan, CoMUDF.with_params(cy=2, cx=2), plots=plots)
    assert [values for _, values in shown(live)] == [[(1.0, "px"), (0.4, "mrad")], []]
    live.close()
    scan.calibrate(sig=[(0.4, "mrad"), (0.5, "mrad")])
    live = ctx.live(scan, CoMUDF.with_params(cy=2, cx=2), plots=[["field_x"]])
    assert [values for _, values in shown(live)] == [[(1.0, "px")]]
    live.close()


def test_what_is_no_width_is_refused_and_starts_nothing(ctx, scan):
    for width in (0, -5, 50, 1e6, "500px", True):
        with pytest.raises(ValueError, match="expected CSS pixels from 120 to 16384, or None"):
            ctx.live(scan, SumUDF(), width=width)
    assert not ctx.analyses


def test_a_width_is_chosen_for_all_images_or_for_one(ctx, scan):
    live = ctx.live(scan, [SumUDF(), SumSigUDF()], width=500)
    live.furnish()
    assert [image.width for image in live.images] == [500, 500]
    live.images[0].width = None
    assert [image.canvas.width for image in live.images] == [0, 500]
    live.close()
    live = ctx.live(scan, SumUDF())
    live.furnish()
    assert live.images[0].width is None
    live.close()


def test_shapes_and_units_can_be_told_without_a_run():
    image = LiveImage((4, 4), kind="sig", width=400)
    assert (image.width, image.canvas.layout.width) == (400, "400px")
    image.measure_shapes(None, Scale(0.5, "1/nm"))
    image.measure_values([Scale(1, "px")])
    assert (image.canvas.units, image.canvas.value_units) == (
        [None, (0.5, "1/nm")],
        [(1.0, "px")],
    )
    image.close()
