"""Real numbers as 16-bit codes, precisely enough for the contrast in use.

Code 0 means "no value". Codes 1 to 65535 lie between the smallest and the largest value of the
data: evenly where that serves the contrast, so that another one seldom needs new codes. Where one
value lies far from all others, half of the codes or more are for what the contrast shows, and the
rest for what is outside of it. The range is sticky: it has headroom and changes only when data
leaves it or shrinks a lot, because every change re-sends the image.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from udfwidgets.live.picture.contrast import LARGEST, Limits, widened
from udfwidgets.live.picture.loops import COMPILED, encode, is_compiled, own
from udfwidgets.live.picture.place import knee, values_at

#: Codes above 1.
STEPS = 65534
#: A contrast is served by this many codes for each of its levels, ...
CODES_A_LEVEL = 2
#: ... of which there are so many.
LEVELS = 256
#: Of what decides whether they serve it.
ROUNDING = 1e-6
#: Share of the codes for what lies on one side outside of the contrast.
OUTSIDE = 0.25
# Shares of the range: room on both sides, so that it seldom has to change, and how little of it may
# be in use before the codes are too coarse.
HEADROOM = 0.25
SHRUNK = 0.125

#: Pixels that are encoded at a time: their float64 stay in the cache, and in memory that was used
#: before. A picture of 512 x 512 takes half the time.
STRIP = 32768

#: Limits, and whether they are those of a logarithmic scale.
Contrast = tuple[Limits, bool]


@dataclass(frozen=True)
class Curve:
    """Has the codes lie evenly in arsinh((v - centre) / scale), in each of three parts.

    Attributes
    ----------
    centre, scale : float
        Values nearer to the centre than the scale are told apart evenly, others by their ratio.
    lo, hi : float
        The part of the range that the contrast in use shows.
    """

    centre: float
    scale: float
    lo: float
    hi: float


@dataclass(frozen=True)
class Encoding:
    """What codes stand for.

    Attributes
    ----------
    lo, hi : float
        Values of codes 1 and 65535.
    curve : Curve, optional
        Of codes that do not lie evenly.
    """

    lo: float
    hi: float
    curve: Curve | None = None

    def encode(self, values: npt.NDArray[Any]) -> npt.NDArray[np.uint16]:
        """Return the codes of values; what is outside the range gets its ends, NaN gets 0.

        The GIL is released meanwhile: by compiled code where there is any, or by NumPy's ufuncs.
        """
        codes = np.empty(values.shape, np.uint16)
        if self.curve is None and values.dtype in COMPILED and is_compiled(encode):
            # One pass, not six: 28 us in place of 142 for 256 x 256 pixels.
            # It is compiled for floats only, and ends may be given as whole numbers.
            lo, hi = float(self.lo), float(self.hi)
            encode(own(values).reshape(-1), lo, hi, STEPS, codes.reshape(-1))
            return codes
        step = max(1, STRIP * len(values) // max(1, values.size))
        for first in range(0, len(values), step):
            strip = slice(first, first + step)
            codes[strip] = self._encode(values[strip])
        return codes

    def _encode(self, values: npt.NDArray[Any]) -> npt.NDArray[np.uint16]:
        work = values.astype(np.float64)
        missing = np.isnan(work) if values.dtype.kind == "f" else None
        work = self._steps(work)
        # Code 0 is taken, and what is cut off below has to round.
        work += 1.5
        if missing is not None and missing.any():
            work[missing] = 0
        return work.astype(np.uint16)

    def decode(self, codes: npt.NDArray[np.uint16]) -> npt.NDArray[np.float64]:
        """Return the values of codes; code 0 gives NaN."""
        u = (codes.astype(np.float64) - 1) / STEPS
        if self.curve is None:
            values = self.lo + u * (self.hi - self.lo)
        else:
            bent = np.interp(u, self._shares, self._knots)
            values = self.curve.centre + self.curve.scale * np.sinh(bent)
        return np.where(codes == 0, np.nan, np.clip(values, self.lo, self.hi))

    def serves(self, contrast: Contrast) -> bool:
        """Return whether all levels of a contrast can be told apart, as far as there are values."""
        limits, log = contrast
        # The most frequent answer by far, in one division: levels and codes both lie evenly.
        level = (limits[1] - limits[0]) / (LEVELS - 1) / (self.hi - self.lo)
        if self.curve is None and not log and level * STEPS > CODES_A_LEVEL + ROUNDING:
            return True
        levels = values_at(np.linspace(0, 1, LEVELS), limits, log=log)
        levels = levels[(self.lo <= levels) & (levels <= self.hi)]
        return bool((np.diff(self._steps(levels)) >= CODES_A_LEVEL).all())

    def _steps(self, work: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return values as codes before rounding, counted from 0; `work` is written over."""
        np.clip(work, self.lo, self.hi, out=work)
        if self.curve is None:
            work -= self.lo
            work *= STEPS / (self.hi - self.lo)
            return work
        work -= self.curve.centre
        work /= self.curve.scale
        np.arcsinh(work, out=work)
        steps = np.interp(work, self._knots, self._shares)
        steps *= STEPS
        return np.asarray(steps)

    @cached_property
    def _knots(self) -> npt.NDArray[np.float64]:
        """Where the parts of the curve meet."""
        assert self.curve is not None, "only asked for where there is one"
        ends = np.array([self.lo, self.curve.lo, self.curve.hi, self.hi])
        return np.arcsinh((ends - self.curve.centre) / self.curve.scale)

    @cached_property
    def _shares(self) -> npt.NDArray[np.float64]:
        """Which share of the codes lies below each of them."""
        assert self.curve is not None, "only asked for where there is one"
        below = OUTSIDE if self.lo < self.curve.lo else 0.0
        above = OUTSIDE if self.curve.hi < self.hi else 0.0
        return np.array([0.0, below, 1.0 - above, 1.0])


def settle(
    before: Encoding | None,
    span: Limits | None,
    *,
    whole_numbers: bool,
    contrasts: Sequence[Contrast],
    exact: bool = False,
) -> Encoding:
    """Return the encoding for data that spans `span`: the one before, wherever it still serves.

    Parameters
    ----------
    before : Encoding, optional
        In use until now.
    span : tuple of float, optional
        Smallest and largest finite value; None if there is none.
    whole_numbers : bool
        Integer data that fits is encoded without loss.
    contrasts : sequence of Contrast
        The first one is in use and is served for sure; the others, which a person may turn to, if
        one encoding serves all.
    exact : bool
        No more data will come, so headroom would be wasted.
    """
    if span is None:
        return before or Encoding(0.0, 1.0)
    lo, hi = span
    if whole_numbers and hi - lo <= STEPS:
        return _settle_whole(before, lo, hi)
    lo, hi = widened(lo, hi)
    offered = list(_offered(lo, hi, contrasts, exact))
    if before is not None and not exact and _fits(before, lo, hi):
        offered.insert(0, before)
    for wanted in (contrasts, contrasts[:1]):
        for encoding in offered:
            if all(encoding.serves(contrast) for contrast in wanted):
                return encoding
    return offered[-1]


def _fits(before: Encoding, lo: float, hi: float) -> bool:
    in_use = hi - lo >= SHRUNK * (before.hi - before.lo)
    return in_use and before.lo <= lo and hi <= before.hi


def _offered(
    lo: float, hi: float, contrasts: Sequence[Contrast], exact: bool
) -> Iterator[Encoding]:
    """Yield encodings, from one that serves any contrast of the data to one that serves the first.

    What is never negative stays so.
    """
    room = 0.0 if exact else HEADROOM * (hi / 2 - lo / 2) * 2
    lo, hi = (0.0 if 0 <= lo <= room else max(lo - room, -LARGEST)), min(hi + room, LARGEST)
    yield Encoding(lo, hi)
    inside = [limits for limits, _ in contrasts]
    by_ratio = min((knee(limits) for limits, log in contrasts if log), default=0.0)
    if by_ratio:
        yield _curved(lo, hi, 0.0, by_ratio, min(inside)[0], max(i[1] for i in inside))
    (low, high), log = contrasts[0]
    centre, scale = (0.0, knee((low, high))) if log else (low / 2 + high / 2, (high - low) / 8)
    yield _curved(lo, hi, centre, scale, low, high)


def _curved(lo: float, hi: float, centre: float, scale: float, low: float, high: float) -> Encoding:
    # The quotient of the largest number by it must be one, too.
    scale = max(scale, max(abs(lo), abs(hi)) * 1e-300, 1e-300)
    low, high = (min(max(end, lo), hi) for end in (low, high))
    return Encoding(lo, hi, Curve(centre, scale, low, high))


def _settle_whole(before: Encoding | None, lo: float, hi: float) -> Encoding:
    lossless = before is not None and before.curve is None and before.hi - before.lo == STEPS
    if lossless and before is not None and before.lo <= lo and hi <= before.hi:
        return before
    start = 0.0 if lo >= 0 and hi <= STEPS else lo
    if start + STEPS - start != STEPS:  # beyond 2**53 a float64 has no such steps
        return Encoding(*widened(lo, hi))
    return Encoding(start, start + STEPS)
