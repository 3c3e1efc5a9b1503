"""Which points of a run are kept when they are too many: early and late ones, some between."""

from __future__ import annotations

import math
from collections.abc import Sequence


def thinned(points: Sequence[tuple[float, float]], most: int) -> list[tuple[float, float]]:
    """Return points without those that have the nearest neighbours, until they are few enough.

    The first and the last stay. Distances are those of a scale that is stretched at both ends of
    the run, the arcsine of the root, as `js/src/history/record.ts` has it for pictures.

    Parameters
    ----------
    points : sequence of tuple
        The share of the run comes first, and only grows.
    most : int
        At least 2.
    """
    kept = list(points)
    while len(kept) > most:
        at = [math.asin(math.sqrt(min(1.0, max(0.0, share)))) for share, _ in kept]
        inner = range(1, len(kept) - 1)
        kept.pop(min(inner, key=lambda i: at[i + 1] - at[i - 1]))
    return kept
