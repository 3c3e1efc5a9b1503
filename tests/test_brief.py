"""What is done without giving up the GIL comes out as NumPy has it."""

from __future__ import annotations

import numpy as np
import pytest

from udfwidgets.brief import LONGEST, MOST_BYTES, add_to, put, zeros

SIZES = [0, 1, 499, 500, 501, 1700, LONGEST, LONGEST + 1]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", ["u8", "f8", "c16"])
def test_adding(size, dtype):
    one, other = np.arange(size).astype(dtype), np.arange(size)[::-1].astype(dtype)
    total = one.copy()
    add_to(total, other)
    np.testing.assert_array_equal(total, one + other)


def test_adding_what_is_not_contiguous():
    total, part = np.zeros((40, 60)), np.arange(1200.0).reshape(40, 30)
    add_to(total[:, ::2], part)
    np.testing.assert_array_equal(total[:, ::2], part)
    assert not total[:, 1::2].any()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("extra", [(), (3,)])
def test_putting(size, extra):
    rows = np.random.default_rng(0).permutation(2 * size)[:size]
    values = np.random.default_rng(1).random((size, *extra))
    array, expected = np.zeros((2 * size, *extra)), np.zeros((2 * size, *extra))
    put(array, rows, values)
    expected[rows] = values
    np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize("size", SIZES)
def test_putting_one_value(size):
    rows = np.arange(size) * 2
    array = np.zeros(2 * size, bool)
    put(array, rows, True)
    assert array[::2].all()
    assert array.sum() == size


@pytest.mark.parametrize("shape", [(0,), (1,), (3, 5), (MOST_BYTES // 8,), (MOST_BYTES // 8 + 1,)])
@pytest.mark.parametrize("dtype", ["bool", "u2", "f8", "c16", "O", "M8[s]", "U3"])
def test_zeros(shape, dtype):
    array, expected = zeros(shape, np.dtype(dtype)), np.zeros(shape, dtype)
    assert (array.shape, array.dtype) == (expected.shape, expected.dtype)
    assert array.flags.writeable
    assert array.flags.c_contiguous
    assert array.flags.aligned
    np.testing.assert_array_equal(array, expected)
