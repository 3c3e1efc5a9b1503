"""Detectors by their names, and a ring cut into sectors."""

import pytest

from udfwidgets.geometry import Annulus, Disk, presets, sectors


def test_the_radii_are_those_of_the_field():
    assert presets(Disk(30, 31, 8)) == {
        "BF": Disk(30, 31, 8),
        "ABF": Annulus(30, 31, 4, 8),
        "ADF": Annulus(30, 31, 8, 16),
        "HAADF": Annulus(30, 31, 16, 32),
    }


def test_sectors_are_named_by_angles_within_a_turn():
    quarters = sectors(Annulus(5, 6, 1, 4), 4)
    assert [(s.start, s.stop) for s in quarters] == [(0, 90), (90, 180), (180, 270), (270, 360)]
    turned = sectors(Annulus(5, 6, 1, 4), 4, start=45)
    assert [(s.start, s.stop) for s in turned] == [(45, 135), (135, 225), (225, 315), (315, 45)]


@pytest.mark.parametrize("n", [0, -1, 361])
def test_so_many_sectors_cannot_be(n):
    with pytest.raises(ValueError, match=f"in {n} sectors"):
        sectors(Annulus(0, 0, 1, 2), n)
