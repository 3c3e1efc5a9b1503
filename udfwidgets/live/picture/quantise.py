"""Real numbers as 16-bit codes, precisely enough for every contrast a person may choose.

Code 0 means "no value". Codes 1 to 65535 lie on a curve over the range of the data, not of the
contrast, so that changing the contrast needs no new pixels. The range is sticky: it has headroom
and changes only when data leaves it or shrinks a lot, because every change re-sends the image.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from udfwidgets.live.picture.contrast import LARGEST, Limits, widened

#: Codes above 1.
STEPS = 65534
#: The logarithmic curve is log(1 + CURVE_DEPTH * u), u from 0 to 1: a relative step of 4e-4 over
#: twelve decades, a tenth of a colour level.
CURVE_DEPTH = 1e12
#: A linear curve leaves a linear contrast this much narrower than the range 2000 codes, ...
NARROWEST = 32.0
#: ... and a logarithmic contrast is finer at its lower end by another factor of ten.
NARROWEST_LOG = 3.0
# Shares of the range: room on both sides, so that it seldom has to change, and how little of it may
# be in use before the codes are too coarse.
HEADROOM = 0.25
SHRUNK = 0.125


@dataclass(frozen=True)
class Encoding:
    """The curve between values and codes.

    Attributes
    ----------
    lo, hi : float
        Values of codes 1 and 65535.
    log : bool
        Whether the steps grow with the distance from `lo`.
    """

    lo: float
    hi: float
    log: bool = False

    def encode(self, values: npt.NDArray[Any]) -> npt.NDArray[np.uint16]:
        """Return the codes of values; what is outside the range gets its ends, NaN gets 0.

        All passes over the pixels are NumPy ufuncs, which release the GIL.
        """
        work = values.astype(np.float64)
        missing = np.isnan(work) if values.dtype.kind == "f" else None
        np.clip(work, self.lo, self.hi, out=work)
        work -= self.lo
        work *= (CURVE_DEPTH if self.log else STEPS) / (self.hi - self.lo)
        if self.log:
            np.log1p(work, out=work)
            work *= STEPS / math.log1p(CURVE_DEPTH)
        # Code 0 is taken, and what is cut off below has to round.
        work += 1.5
        if missing is not None:
            work[missing] = 0
        return work.astype(np.uint16)

    def decode(self, codes: npt.NDArray[np.uint16]) -> npt.NDArray[np.float64]:
        """Return the values of codes; code 0 gives NaN."""
        u = (codes.astype(np.float64) - 1) / STEPS
        if self.log:
            u = np.expm1(u * math.log1p(CURVE_DEPTH)) / CURVE_DEPTH
        return np.where(codes == 0, np.nan, self.lo + u * (self.hi - self.lo))


def settle(
    before: Encoding | None,
    span: Limits | None,
    *,
    whole_numbers: bool,
    linear: Limits,
    log: Limits,
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
    linear, log : tuple of float
        The contrast limits proposed for a linear and for a logarithmic scale.
    exact : bool
        No more data will come, so headroom would be wasted.
    """
    if span is None:
        return before or Encoding(0.0, 1.0)
    lo, hi = span
    if whole_numbers and hi - lo <= STEPS:
        return _settle_whole(before, lo, hi)
    lo, hi = widened(lo, hi)
    extent = hi - lo
    curved = extent > NARROWEST * _extent(linear) or extent > NARROWEST_LOG * _extent(log)
    if before is not None and not exact and before.log == curved:
        fits = before.lo <= lo and hi <= before.hi
        if fits and extent >= SHRUNK * (before.hi - before.lo):
            return before
    if not exact:
        room = HEADROOM * extent
        # What is never negative stays so.
        lo, hi = (0.0 if 0 <= lo <= room else lo - room), hi + room
    return Encoding(max(lo, -LARGEST), min(hi, LARGEST), curved)


def _settle_whole(before: Encoding | None, lo: float, hi: float) -> Encoding:
    lossless = before is not None and not before.log and before.hi - before.lo == STEPS
    if lossless and before is not None and before.lo <= lo and hi <= before.hi:
        return before
    start = 0.0 if lo >= 0 and hi <= STEPS else lo
    if start + STEPS - start != STEPS:  # beyond 2**53 a float64 has no such steps
        return Encoding(*widened(lo, hi))
    return Encoding(start, start + STEPS)


def _extent(limits: Limits) -> float:
    return limits[1] - limits[0]
