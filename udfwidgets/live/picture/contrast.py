"""Which range of values an image should show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from udfwidgets.live.picture.loops import COMPILED, extremes, is_compiled, own

Limits = tuple[float, float]

#: Differences of numbers beyond this overflow a float64, so ranges are cut here.
LARGEST = 8e307
#: A range narrower than this cannot be divided by.
NARROWEST = 1e-290
#: About how many pixels are looked at: they put percentiles within a fraction of one colour level,
#: in a tenth of a millisecond.
SAMPLE = 16_000
#: Numbers that are the smallest or largest ones so far, and are kept in order, one by one.
FEW = 200


@dataclass(frozen=True)
class PercentileLimits:
    """Leave out a share of the darkest and of the brightest pixels.

    Many detector images are zero nearly everywhere. When the chosen percentiles coincide although
    the values differ, they are taken again over the values that differ from the commonest one.

    Parameters
    ----------
    low, high : float
        Percentiles, 0 <= low < high <= 100.
    """

    low: float = 0.1
    high: float = 99.8

    def __call__(
        self, values: npt.NDArray[Any], covered: npt.NDArray[np.bool_] | None = None
    ) -> Limits:
        """Return the limits of an image; takes what `sample` takes."""
        return self.of(sample(values, covered))

    def of(self, known: npt.NDArray[Any]) -> Limits:
        """Return (lo, hi) with lo < hi, both finite, from what `sample` gave."""
        return proposals(known, [self])[0]

    def _settled(self, known: npt.NDArray[Any], lo: float, hi: float) -> Limits:
        """Return the limits of numbers with these percentiles."""
        if not lo < hi:
            rest = known[known != lo]
            if not rest.size:
                return widened(lo, lo)
            # The commonest value stays in the range: it is the background of the rest.
            lowest, highest = _percentiles(rest, (self.low, self.high))
            lo, hi = min(lo, lowest), max(hi, highest)
        return widened(lo, hi)


def proposals(known: npt.NDArray[Any], limits: Sequence[PercentileLimits]) -> list[Limits]:
    """Return what several of them propose for what `sample` gave, which is gone through once.

    Parameters
    ----------
    known : numpy.ndarray
        From `sample`.
    limits : sequence of PercentileLimits
        Which ones.
    """
    if not known.size:
        return [(0.0, 1.0)] * len(limits)
    found = iter(_percentiles(known, [p for each in limits for p in (each.low, each.high)]))
    return [each._settled(known, next(found), next(found)) for each in limits]


#: With a linear scale a few hot pixels may saturate, so that the rest can be seen.
LINEAR = PercentileLimits()
#: A logarithmic scale has room for the bright beam.
LOGARITHMIC = PercentileLimits(low=0.5, high=100.0)


def widened(lo: float, hi: float) -> Limits:
    """Return a range that is not empty: one value alone is shown against zero."""
    lo, hi = _cut(lo), _cut(hi)
    if hi - lo > NARROWEST:
        return (lo, hi)
    if abs(lo) <= NARROWEST:
        return (0.0, 1.0)
    return (0.0, lo) if lo > 0 else (lo, 0.0)


def finite_range(values: npt.NDArray[Any]) -> Limits | None:
    """Return the smallest and largest finite value, or None if there is none."""
    if not values.size:
        return None
    if values.dtype.kind != "f":
        return (float(values.min()), float(values.max()))
    # fmin and fmax step over NaN; only infinities need the slower way.
    lo, hi = float(np.fmin.reduce(values, axis=None)), float(np.fmax.reduce(values, axis=None))
    if not (np.isfinite(lo) and np.isfinite(hi)):
        known = values[np.isfinite(values)]
        if not known.size:
            return None
        lo, hi = float(known.min()), float(known.max())
    return (_cut(lo), _cut(hi))


def _percentiles(known: npt.NDArray[Any], percents: Sequence[float]) -> list[float]:
    """Return percentiles of some numbers, between two of them by linear interpolation."""
    last = known.size - 1
    places = [last * percent / 100 for percent in percents]
    ends = [(int(place), min(int(place) + 1, last)) for place in places]
    ranks = sorted({end for pair in ends for end in pair})
    placed = _extremes(known, ranks)
    if placed is None:
        # Put in place together: one by one, or all of them sorted, takes processors that have slow
        # instructions for it three to nine times as long.
        placed = dict(zip(ranks, np.partition(known, ranks)[ranks], strict=True))
    found = []
    for place, (below, above) in zip(places, ends, strict=True):
        lo, hi = _cut(placed[below]), _cut(placed[above])
        found.append(lo + (hi - lo) * (place - below))
    return found


def _extremes(known: npt.NDArray[Any], ranks: Sequence[int]) -> dict[int, Any] | None:
    """Return numbers by their ranks, which ascend; None where these are far from both ends.

    One pass: 35 us in place of 157 for percentiles near the ends of 13 107 numbers.
    """
    middle = len(known) // 2
    n_low = max((rank + 1 for rank in ranks if rank < middle), default=1)
    n_high = max((len(known) - rank for rank in ranks if rank >= middle), default=1)
    if max(n_low, n_high) > FEW or known.dtype not in COMPILED or not is_compiled(extremes):
        return None
    lowest, highest = np.empty(n_low, known.dtype), np.empty(n_high, known.dtype)
    extremes(own(known), lowest, highest)
    return {
        rank: lowest[rank] if rank < middle else highest[len(known) - 1 - rank] for rank in ranks
    }


def _cut(value: Any) -> float:
    return min(max(float(value), -LARGEST), LARGEST)


def sample(
    values: npt.NDArray[Any], covered: npt.NDArray[np.bool_] | None = None
) -> npt.NDArray[Any]:
    """Return finite values that stand for all: of a large image every n-th one.

    Parameters
    ----------
    values : numpy.ndarray
        Any real dtype; NaN and infinities are left out.
    covered : numpy.ndarray of bool, optional
        Only these pixels count.
    """
    flat = values.reshape(-1)
    mask = None if covered is None or covered.all() else covered.reshape(-1)
    if mask is not None and np.count_nonzero(mask) < flat.size // 2:
        # A sparse scan would leave a strided sample with next to nothing.
        flat, mask = flat[mask], None
    # An odd stride does not fall in step with the rows of an image of even width.
    step = (flat.size // SAMPLE) | 1 if flat.size > SAMPLE else 1
    flat = np.ascontiguousarray(flat[::step])
    known = flat if mask is None else flat[mask[::step]]
    if known.dtype.kind == "f":
        finite = np.isfinite(known)
        known = known if finite.all() else known[finite]
    return known
