"""All forms of a roi resolve to the same mask."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

from udfwidgets.engine.plan.roi import resolve_roi
from udfwidgets.shapes import Shape

NAV = Shape((3, 4), 0)


@pytest.fixture
def mask():
    mask = np.zeros(NAV, bool)
    mask[1, 2] = mask[2, 0] = True
    return mask


def test_none_selects_all_without_a_mask():
    assert resolve_roi(None, NAV) is None


def test_bool_array_is_copied(mask):
    resolved = resolve_roi(mask, NAV)
    np.testing.assert_array_equal(resolved, mask)
    assert not np.shares_memory(resolved, mask)


@pytest.mark.parametrize(
    "convert",
    [
        scipy.sparse.csr_matrix,
        scipy.sparse.coo_array,
        lambda mask: mask.tolist(),
        lambda mask: [tuple(row) for row in mask.tolist()],
        lambda mask: tuple(tuple(row) for row in mask.tolist()),
        lambda mask: [tuple(c) for c in np.argwhere(mask).tolist()],
        lambda mask: [(tuple(c), True) for c in np.argwhere(mask).tolist()],
        lambda mask: [(tuple(c), False) for c in np.argwhere(~mask).tolist()],
    ],
    ids=[
        "csr",
        "coo",
        "nested-list",
        "tuples",
        "nested-tuple",
        "coordinates",
        "selecting-pairs",
        "deselecting-pairs",
    ],
)
def test_forms(mask, convert):
    resolved = resolve_roi(convert(mask), NAV)
    assert resolved.dtype == bool
    np.testing.assert_array_equal(resolved, mask)


def test_one_coordinate():
    resolved = resolve_roi((1, 2), NAV)
    assert np.argwhere(resolved).tolist() == [[1, 2]]


def test_other_dtypes_are_cast_with_a_warning(mask):
    with pytest.warns(UserWarning, match="int64, expected bool"):
        resolved = resolve_roi(mask.astype(np.int64) * 7, NAV)
    np.testing.assert_array_equal(resolved, mask)


def test_wrong_shape_names_both():
    with pytest.raises(ValueError, match=r"\(4, 3\).*\(3, 4\)"):
        resolve_roi(np.ones((4, 3), bool), NAV)


def test_wrong_number_of_coordinates():
    with pytest.raises(ValueError, match=r"\(1, 2, 3\) has 3 numbers"):
        resolve_roi([(1, 2, 3)], NAV)


def test_coordinate_outside():
    with pytest.raises(IndexError):
        resolve_roi((3, 0), NAV)
