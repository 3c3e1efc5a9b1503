"""Shapes split into nav and sig, and compare like tuples."""

from __future__ import annotations

import numpy as np
import pytest

from udfwidgets.shapes import Shape, Slice


def test_split():
    shape = Shape((2, 3, 4, 5), sig_dims=2)
    assert shape.nav == (2, 3)
    assert shape.sig == (4, 5)
    assert (shape.size, shape.nav.size, shape.sig.size) == (120, 6, 20)
    assert shape.flatten_nav() == (6, 4, 5)
    assert shape.flatten_sig() == (2, 3, 20)


def test_is_a_sequence():
    shape = Shape((2, 3, 4), sig_dims=2)
    assert tuple(shape) == shape.to_tuple() == (2, 3, 4)
    assert shape[0] == 2
    assert shape[1:] == (3, 4)
    assert (1, *shape) == (1, 2, 3, 4)
    assert shape + (1,) == (2, 3, 4, 1)  # noqa: RUF005 - the operator is what is tested
    assert (1,) + shape == (1, 2, 3, 4)  # noqa: RUF005
    assert np.zeros(shape).shape == (2, 3, 4)
    assert repr(shape) == "(2, 3, 4)"


def test_equality_knows_the_split():
    assert Shape((2, 3), 1) != Shape((2, 3), 2)
    assert Shape((2, 3), 1) == Shape([2, 3], 1)
    assert hash(Shape((2, 3), 1)) == hash(Shape((2, 3), 1))


def test_sig_dims_must_fit():
    with pytest.raises(ValueError, match="sig_dims=3"):
        Shape((2, 3), 3)


def test_slice_cuts():
    box = Slice((1, 2, 0), Shape((2, 2, 3), sig_dims=2))
    array = np.arange(5 * 6 * 7).reshape(5, 6, 7)
    np.testing.assert_array_equal(box.get(array), array[1:3, 2:4, 0:3])
    np.testing.assert_array_equal(box.get(array[0], sig_only=True), array[0, 2:4, 0:3])
    assert box.get(nav_only=True) == (slice(1, 3),)
