from __future__ import annotations

import numpy as np
import pytest

from udfwidgets.explore.formula import Formula, can_stand

A = np.array([[2.0, 4.0], [4.0, 12.0], [6.0, 4.0]])  # sums; weighted with y; with x
B = np.array([[1.0, 4.0]])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A - B", [1, 0]),
        ("(A - B) / (A + B)", [1 / 3, 0]),
        ("-A * 2 + .5", [-3.5, -7.5]),
        ("com_y(A)", [2, 3]),
        (" com_x( A ) - com_y(A)", [1, -2]),
        ("A / (B - 1)", [np.inf, 4 / 3]),
    ],
)
def test_value_is_arithmetic(text, expected):
    np.testing.assert_allclose(Formula(text).value({"A": A, "B": B}), expected)


def test_names_are_those_of_the_detectors():
    formula = Formula("com_x(A) + B + B")
    assert set(formula.names) == {"A", "B"}
    assert formula.of_moments == {"A"}


@pytest.mark.parametrize(
    "text",
    ["", "1 + 2", "A +", "A ** 2", "A.mask", "A[0]", "com_z(A)", "com_x(1)", "f(A)", "'A'", "True",
     "A < B", "lambda: A", "com_x(A, B)", "A" * 501, "__import__('os')"],
)  # fmt: skip
def test_anything_else_is_refused_in_words(text):
    with pytest.raises(ValueError, match=r"expected|detector"):
        Formula(text)


def test_a_detector_that_is_called_something_else_is_so_in_formulas():
    formula = Formula("(A - AB) / (A + 2.0) - com_x( A )")
    assert formula.renamed("A", "C1").text == "(C1 - AB) / (C1 + 2.0) - com_x( C1 )"
    assert Formula("com_x(com_x) + com_x").renamed("com_x", "B").text == "com_x(B) + B"
    fit = ("A", "ADF_2", "S1", "com_x", "bright field", "class", "1A", "A-B", "None", " A", "1")
    assert [name for name in fit if can_stand(name)] == ["A", "ADF_2", "S1", "com_x"]
