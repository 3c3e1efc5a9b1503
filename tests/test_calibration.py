from __future__ import annotations

import numpy as np
import pytest

from udfwidgets.calibration import Calibration, Scale, checked, spelt

MRAD, NM = Scale(0.4, "mrad"), Scale(2.5, "nm")


@pytest.mark.parametrize(
    ("given", "n_axes", "expected"),
    [
        (None, 2, (None, None)),
        (MRAD, 2, (MRAD, MRAD)),
        ((0.4, "mrad"), 3, (MRAD, MRAD, MRAD)),
        ([0.4, " mrad "], 1, (MRAD,)),
        ([MRAD, (2.5, "nm")], 2, (MRAD, NM)),
        ((None, MRAD), 2, (None, MRAD)),
        ((np.float32(2.5), "nm"), 1, (NM,)),
    ],
)
def test_scales_are_those_of_each_axis(given, n_axes, expected):
    calibration = Calibration(sig=given)
    assert calibration.scales("sig", n_axes) == expected
    assert calibration.scales("nav", n_axes) == (None,) * n_axes
    assert Calibration(nav=given).scales("nav", n_axes) == expected
    assert hash(calibration) == hash(Calibration(sig=given))


def test_as_many_as_there_are_axes():
    with pytest.raises(ValueError, match="has 2 scales for nav, the dataset 1 such axes"):
        Calibration(nav=[MRAD, NM]).scales("nav", 1)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ((0, "nm"), "size of a pixel is 0, expected a number above 0"),
        ((-1.0, "nm"), "size of a pixel is -1.0"),
        ((float("nan"), "nm"), "size of a pixel is nan"),
        ((float("inf"), "nm"), "size of a pixel is inf"),
        ((True, "nm"), "size of a pixel is True"),
        (("1", "nm"), "size of a pixel is '1'"),
        ((1.0, " "), "unit of a pixel is ' '"),
        ((1.0, "x" * 21), "of up to 20 characters"),
        ((1.0, 2.0), r"calibration of sig\[0\] is 1.0, expected \(size, unit\)"),
        ("nm", "calibration of sig is 'nm', expected"),
        (0.4, "calibration of sig is 0.4, expected"),
        ([MRAD, (1.0,)], r"calibration of sig\[1\] is \(1.0,\)"),
    ],
)
def test_what_is_no_calibration_is_refused_in_words(given, says):
    with pytest.raises(ValueError, match=says):
        Calibration(sig=given)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("nm", "nm"),
        ("[n_m]", "nm"),
        ("[n_m^-1]", "1/nm"),
        ("A^-1", "1/Å"),
        ("$A^{-1}$", "1/Å"),
        ("Å\u207b\u00b9", "1/Å"),
        ("1/nm", "1/nm"),
        ("nanometer", "nm"),
        ("\u03bcm", "µm"),
        ("mrad", "mrad"),
        ("pixels", ""),
        ("[px]", ""),
        ("<undefined>", ""),
        ("", ""),
        ("\n", ""),
    ],
)
def test_units_are_written_in_one_way(written, expected):
    assert spelt(written) == expected
    told = Calibration.told({"sig_scales": (2.0,), "sig_units": (written,)}, 0, 1)
    assert told.scales("sig", 1) == (Scale(2.0, expected) if expected else None,)


def test_what_stands_in_its_place_is_checked():
    given = Calibration(nav=NM)
    assert (checked(given), checked(None)) == (given, Calibration())
    with pytest.raises(TypeError, match=r"calibration is \(1, 'nm'\), expected a udfwidgets"):
        checked((1, "nm"))
