from __future__ import annotations

import json
from pathlib import Path

import cmap
import numpy as np
import pytest

from udfwidgets.live.picture.colour import COLORMAPS, centred, colour, levels, table
from udfwidgets.live.picture.quantise import Curve, Encoding

JS = Path(__file__).parents[3] / "js"
VECTORS = json.loads((JS / "test" / "vectors.json").read_text("utf-8"))


@pytest.mark.parametrize("name", COLORMAPS)
def test_browser_has_the_tables_of_cmap(name):
    digits = json.loads((JS / "src" / "picture" / "colormaps.json").read_text("utf-8"))[name]
    rgb = np.frombuffer(bytes.fromhex(digits), np.uint8).reshape(256, 3)
    truth = cmap.Colormap(name).lut(256)[:, :3] * 255
    assert np.abs(rgb - truth).max() <= 0.5
    np.testing.assert_array_equal(rgb, table(name))


@pytest.mark.parametrize("case", VECTORS["levels"], ids=lambda c: c["name"])
def test_levels_are_those_the_browser_is_tested_with(case):
    values = np.array([np.nan if v is None else v for v in case["values"]])
    shown = levels(values, tuple(case["limits"]), log=case["log"], gamma=case["gamma"])
    assert shown.tolist() == case["levels"]


@pytest.mark.parametrize("case", VECTORS["codes"], ids=lambda c: c["name"])
def test_values_are_those_the_browser_is_tested_with(case):
    encoding = Encoding(case["lo"], case["hi"], case["curve"] and Curve(*case["curve"]))
    values = encoding.decode(np.array(case["codes"], np.uint16))
    np.testing.assert_allclose(values, case["values"], rtol=1e-12, atol=1e-12)


def test_colour_of_nothing():
    rgb = colour(np.array([[np.nan, 1.0]]), (0, 1), "gray", empty=(1, 2, 3))
    assert rgb.tolist() == [[[1, 2, 3], [255, 255, 255]]]


@pytest.mark.parametrize(
    ("limits", "colormap", "expected"),
    [
        ((-2.0, 5.0), "vik", (-5.0, 5.0)),
        ((-7.0, 5.0), "RdBu_r", (-7.0, 7.0)),
        ((2.0, 5.0), "coolwarm", (-5.0, 5.0)),
        ((-2.0, 5.0), "viridis_r", (-2.0, 5.0)),
    ],
)
def test_zero_is_in_the_middle_of_a_diverging_map(limits, colormap, expected):
    assert centred(limits, colormap) == expected


def test_maps_can_be_taken_from_their_other_end():
    np.testing.assert_array_equal(table("vik_r"), table("vik")[::-1])


def test_unknown_map_is_named():
    with pytest.raises(ValueError, match=r"'jet'.*viridis"):
        table("jet")
