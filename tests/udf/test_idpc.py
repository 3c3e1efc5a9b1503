"""The integrated field against a dense solution of least squares, and images that are known."""

from __future__ import annotations

import numpy as np
import pytest

from udfwidgets import Context
from udfwidgets.udf.com import CoMUDF
from udfwidgets.udf.idpc import integrate_field

SHAPES = [(5, 7), (6, 4), (1, 5), (4, 1), (1, 1)]


def dense(y, x):
    """Return the image of least squares whose rises between neighbours are those of the field."""
    ny, nx = y.shape
    rows, wanted = [], []
    number = np.arange(ny * nx).reshape(ny, nx)
    for field, here, there in (
        (y, np.s_[:-1, :], np.s_[1:, :]),
        (x, np.s_[:, :-1], np.s_[:, 1:]),
    ):
        for a, b in zip(number[here].flat, number[there].flat, strict=True):
            row = np.zeros(ny * nx)
            row[a], row[b] = -1, 1
            rows.append(row)
            wanted.append((field.flat[a] + field.flat[b]) / 2)
    if not rows:
        return np.zeros((ny, nx))
    # Of all solutions that of the smallest norm, so with a mean of zero.
    return np.linalg.lstsq(np.array(rows), np.array(wanted), rcond=None)[0].reshape(ny, nx)


@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_the_solution_of_least_squares(shape):
    y, x = np.random.default_rng(0).normal(size=(2, *shape))
    np.testing.assert_allclose(integrate_field(y, x), dense(y, x), atol=1e-12)


def test_a_parabola_comes_back_with_its_rims():
    y, x = np.mgrid[:9, :12].astype(float)
    image = 0.3 * y**2 - x * y + 0.1 * x**2 + 5 * x
    found = integrate_field(0.6 * y - x, -y + 0.2 * x + 5)
    np.testing.assert_allclose(found, image - image.mean(), atol=1e-11)


def test_a_field_of_complex_numbers_is_integrated_by_parts():
    y, x = np.random.default_rng(1).normal(size=(2, 4, 5)) + 1j * np.ones((4, 5))
    expected = integrate_field(y.real, x.real) + 1j * integrate_field(y.imag, x.imag)
    np.testing.assert_allclose(integrate_field(y, x), expected, atol=1e-12)


def test_what_is_not_known_has_no_value_and_does_no_harm():
    y, x = np.full((6, 8), 2.0), np.full((6, 8), -1.0)
    known = np.ones((6, 8), bool)
    known[::2, 3:5] = False
    expected = 2.0 * np.arange(6)[:, None] - np.arange(8)
    for field in ((np.where(known, y, np.nan), x, None), (np.where(known, y, 9e9), x, known)):
        found = integrate_field(*field)
        assert np.array_equal(np.isnan(found), ~known)
        np.testing.assert_allclose(found[known], (expected - expected[known].mean())[known])
    assert np.isnan(integrate_field(y, x, np.zeros((6, 8), bool))).all()


@pytest.mark.parametrize("roi", [None, np.random.default_rng(2).random((6, 7)) > 0.3])
def test_a_live_view_shows_the_integrated_field(roi):
    data = np.random.default_rng(3).poisson(20, (6, 7, 8, 8)).astype("u2")
    with Context.make_with("threads", cpus=2) as ctx:
        live = ctx.live(ctx.load("memory", data=data), CoMUDF(), roi=roi, plots=[["idpc"]])
        (results,) = live.result()
        (image,) = live.images
        assert image.wait_saved(10)
        field = results["field"].data
        expected = integrate_field(field[..., 0], field[..., 1])
        shown = image._feed.picture.values
        np.testing.assert_allclose(shown, expected, atol=1e-9)
        assert image.title == "CoMUDF: idpc"
        with pytest.raises(ValueError, match=r"'field', .*'idpc'"):
            ctx.live(ctx.load("memory", data=data), CoMUDF(), plots=[["nothing"]])
        live.close()
