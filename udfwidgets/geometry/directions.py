"""The unit vector of an angle, computed so that Python and the page get the same bits.

Sine and cosine of two mathematical libraries differ in the last digit, and one digit can move a
pixel on a rim. So both sides evaluate the same polynomials in the same order, and nothing else than
``+``, ``-``, ``*`` and an exact remainder.
"""

from __future__ import annotations

import math
from typing import TypeAlias

Direction: TypeAlias = tuple[float, float]

_RADIANS = math.pi / 180
_HALF_ROOT = math.sqrt(0.5)  # correctly rounded, as IEEE 754 asks of a root
# 1/n! of the series; what is left out is below 1e-17 within 45 degrees.
_SINE = tuple((-1) ** k / math.factorial(2 * k + 1) for k in range(9))
_COSINE = tuple((-1) ** k / math.factorial(2 * k) for k in range(10))


def direction(degrees: float) -> Direction:
    """Return cosine and sine of an angle in degrees.

    The angle is reduced: ``t = fmod(degrees, 360)``, plus 360 if that is negative; ``quarter =
    floor(t / 90 + 0.5)``; ``rest = t - 90 * quarter``, from -45 to 45, which multiplied by pi / 180
    goes into the series. Quarters and eighths of a turn are exact: (1, 0), (a, a) with a the root
    of one half, (0, 1), and so on.
    """
    turned = math.fmod(degrees, 360.0)
    if turned < 0:
        turned += 360.0
    quarter = math.floor(turned / 90.0 + 0.5)
    cosine, sine = _of_an_eighth(turned - 90.0 * quarter)
    for _ in range(quarter % 4):
        cosine, sine = -sine, cosine
    return cosine + 0.0, sine + 0.0


def _of_an_eighth(rest: float) -> Direction:
    if abs(rest) == 45:
        return _HALF_ROOT, math.copysign(_HALF_ROOT, rest)
    x = rest * _RADIANS
    square = x * x
    return _horner(_COSINE, square), x * _horner(_SINE, square)


def _horner(coefficients: tuple[float, ...], x: float) -> float:
    value = 0.0
    for coefficient in reversed(coefficients):
        value = value * x + coefficient
    return value
