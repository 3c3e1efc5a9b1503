"""Takes out of a pattern what is not the beam's: pixels that are far from all around them."""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from udfwidgets.compiling import compiled

Floats: TypeAlias = npt.NDArray[Any]


def repaired(pattern: Floats) -> Floats:
    """Return a copy without single hot and dead pixels, float64.

    Each pixel is held between the third lowest and the third highest of its eight neighbours: one
    or two wrong pixels side by side vanish, the rim of a disk of three pixels stays. A pixel
    without a value takes the median of its neighbours if at least five of them have one; larger
    gaps stay NaN.
    """
    out = np.empty(pattern.shape)
    _repair(np.where(np.isfinite(pattern), pattern, np.nan).astype(np.float64), out)
    return out


@compiled()
def _repair(pattern, out):
    height, width = pattern.shape
    near = np.empty(8)
    for y in range(height):
        for x in range(width):
            n = 0
            for v in range(max(y - 1, 0), min(y + 2, height)):
                for u in range(max(x - 1, 0), min(x + 2, width)):
                    value = pattern[v, u]
                    if (v != y or u != x) and value == value:
                        # Sorted as they come: eight are too few for anything else.
                        k = n
                        while k > 0 and near[k - 1] > value:
                            near[k] = near[k - 1]
                            k -= 1
                        near[k] = value
                        n += 1
            own = pattern[y, x]
            if own != own:
                out[y, x] = near[n // 2] if n >= 5 else np.nan
            elif n >= 5:
                out[y, x] = min(max(own, near[2]), near[n - 3])
            else:
                out[y, x] = min(max(own, near[0]), near[n - 1]) if n else own


def halved(pattern: Floats) -> Floats:
    """Return a pattern of half the size: the mean of each four pixels, of those with a value.

    Two of them at least; otherwise it is NaN.
    """
    height, width = pattern.shape[0] // 2, pattern.shape[1] // 2
    fours = pattern[: 2 * height, : 2 * width].reshape(height, 2, width, 2)
    known = np.isfinite(fours)
    n = known.sum((1, 3))
    total = np.where(known, fours, 0).sum((1, 3))
    return np.where(n >= 2, total / np.maximum(n, 1), np.nan)
