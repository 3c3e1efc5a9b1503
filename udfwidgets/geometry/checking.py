"""What numbers a shape takes, and in which words it refuses others."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Points: TypeAlias = tuple[tuple[float, float], ...]

# Products of four such numbers are far from the end of float64, so no rule overflows; farther out
# than this nobody has pixels.
FARTHEST = 1e9
# A hand draws some hundred; more come from a page that went wrong, and take long to fill.
MOST_POINTS = 10_000


def number(what: str, value: object) -> float:
    """Return a finite number as float; `what` names it in the error."""
    # bool is a number to Python, and a mistake here.
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ValueError(f"{what} is {_shown(value)}, expected a number of pixels or degrees")
    try:
        given = float(value)
    except OverflowError:  # a large int
        given = math.inf
    if not abs(given) <= FARTHEST:  # NaN is not
        raise ValueError(
            f"{what} is {_shown(value)}, expected a number from {-FARTHEST:g} to {FARTHEST:g}"
        )
    return given + 0.0  # no negative zero, which is written in another way


def size(what: str, value: object) -> float:
    """Return a finite number that is not negative."""
    given = number(what, value)
    if given < 0:
        raise ValueError(f"{what} is {given:g}, expected 0 or more pixels")
    return given


def points(what: str, value: object, fewest: int) -> Points:
    """Return pairs of finite numbers, at least `fewest` and at most `MOST_POINTS`."""
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise ValueError(f"{what} is {_shown(value)}, expected a sequence of (x, y)")
    given = value if isinstance(value, tuple | list | np.ndarray) else list(value)
    if not fewest <= len(given) <= MOST_POINTS:
        raise ValueError(
            f"{what} has {len(given)} points, expected {fewest} to {MOST_POINTS} pairs (x, y)"
        )
    array = _as_array(given)
    if array is not None and array.shape[1:] == (2,) and (abs(array) <= FARTHEST).all():
        return tuple((x, y) for x, y in (array + 0.0).tolist())
    return tuple(_pair(f"{what}[{n}]", pair) for n, pair in enumerate(given))


def _as_array(given: Sequence[object] | npt.NDArray[Any]) -> npt.NDArray[np.float64] | None:
    """Return the points as an array if they are plain numbers: one by one is slow."""
    try:
        array = np.array(given)
    except (ValueError, TypeError, OverflowError):
        return None
    return array.astype(np.float64) if array.dtype.kind in "iuf" else None


def _pair(what: str, pair: object) -> tuple[float, float]:
    if not isinstance(pair, tuple | list | np.ndarray) or len(pair) != 2:
        raise ValueError(f"{what} is {_shown(pair)}, expected (x, y)")
    return number(f"x of {what}", pair[0]), number(f"y of {what}", pair[1])


def _shown(value: object) -> str:
    """Return what came, in at most a line: it may be anything."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
