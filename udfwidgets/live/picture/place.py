"""Where a value lies between the limits of a contrast, on a linear and on a logarithmic scale.

A logarithmic scale shows the logarithm of the value where the limits are positive. Where they are
not it is a symmetric one ("symlog"), which has a place for zero and for negative numbers.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from udfwidgets.live.picture.contrast import LARGEST, Limits

Floats = npt.NDArray[np.float64]

#: A symmetric scale shows sign(v) log(1 + |v| / c): linear below c, which is the larger one of the
#: limits divided by this, so three decades.
LOG_DEPTH = 1000.0
#: More decades of a logarithm than a float64 has.
DEEPEST = 1e300


def places(values: npt.NDArray[Any], limits: Limits, *, log: bool = False) -> Floats:
    """Return the place of every value, 0 at the lower and 1 at the upper limit; that of NaN is 0.

    Parameters
    ----------
    values : numpy.ndarray
        Any real dtype; what is outside the limits gets their place.
    limits : tuple of float
        Smaller and larger one, finite.
    log : bool
        Logarithmic where both are positive, and symmetric otherwise.
    """
    lo, hi = limits
    v = np.clip(np.nan_to_num(np.asarray(values, np.float64), nan=lo), lo, hi)
    if log and lo < 0:
        below, above = _bent(np.array([lo, hi]), _knee(limits))
        return np.asarray((_bent(v, _knee(limits)) - below) / (above - below))
    t = (v - lo) / (hi - lo)
    if log:
        depth = _depth(limits)
        t = np.log1p(t * depth) / math.log1p(depth)
    return np.asarray(t)


def values_at(t: Floats, limits: Limits, *, log: bool = False) -> Floats:
    """Return the values at places; the inverse of `places`."""
    lo, hi = limits
    if log and lo < 0:
        knee = _knee(limits)
        below, above = _bent(np.array([lo, hi]), knee)
        y = below + t * (above - below)
        return np.asarray(np.sign(y) * np.expm1(np.abs(y)) * knee)
    if log:
        depth = _depth(limits)
        t = np.expm1(t * math.log1p(depth)) / depth
    return np.asarray(lo + t * (hi - lo))


def knee(limits: Limits) -> float:
    """Return the size of the values below which a logarithmic scale is about linear."""
    return limits[0] if limits[0] > 0 else _knee(limits)


def _depth(limits: Limits) -> float:
    """Return d so that log(1 + d t) is the scale of limits that are not negative."""
    lo, hi = limits
    # With d = (hi - lo) / lo it is log(v / lo).
    return min((hi - lo) / lo, DEEPEST) if lo > hi / LARGEST else LOG_DEPTH


def _knee(limits: Limits) -> float:
    return max(abs(limits[0]), abs(limits[1])) / LOG_DEPTH


def _bent(values: Floats, knee: float) -> Floats:
    return np.asarray(np.sign(values) * np.log1p(np.abs(values) / knee))
