"""Where disks may be, roughly: the rim of each votes for its centre.

On a rim, the gradient points to the centre. So each pixel votes for the places that lie so many
pixels ahead of it, as strongly as its gradient is, and the votes of a whole rim meet in one place
(a Hough transform). Small disks are looked for in the pattern as it is, larger ones in the pattern
halved again and again, where their rims are sharp, too, if they are soft.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from udfwidgets.compiling import compiled
from udfwidgets.geometry.repairing import Floats, halved

# Radii in pixels of one level. An octave would do; more makes neighbouring levels agree.
_SMALLEST, _LARGEST = 2, 16
# In larger ones a disk of a few pixels is not looked for: the votes take sixty bytes a pixel.
_LARGEST_FRAME = 1024
# A pattern is not halved to fewer pixels than that.
_SMALLEST_FRAME = 16
# Rims are all around in a crystal: a few guesses for each level.
_GUESSES = 4
# Gradients below this part of the strongest one are no rim of the brightest disk.
_FAINTEST = 0.03


@dataclass(frozen=True)
class Guess:
    """A circle that may be the rim of a disk; `votes` grow with its contrast and its length."""

    cx: float
    cy: float
    r: float
    votes: float


def guesses(pattern: Floats) -> Iterator[Guess]:
    """Yield some circles for each size, the strongest first; `pattern` may have gaps (NaN)."""
    scale = 1
    while max(pattern.shape) > _LARGEST_FRAME:
        pattern, scale = halved(pattern), 2 * scale
    yield from _of_level(pattern, scale)
    while min(pattern.shape) >= 2 * _SMALLEST_FRAME:
        pattern, scale = halved(pattern), 2 * scale
        yield from _of_level(pattern, scale)


def _of_level(pattern: Floats, scale: int) -> Iterator[Guess]:
    votes = np.zeros((_LARGEST - _SMALLEST + 1, *pattern.shape), np.float32)
    _vote(pattern, _FAINTEST, _SMALLEST, votes)
    together = _summed(votes)
    for _ in range(_GUESSES):
        k, y, x = np.unravel_index(np.argmax(together), together.shape)
        strongest = together[k, y, x]
        if strongest <= 0:
            return
        # The middle of a pixel of this level, among those of the pattern.
        cx, cy = (x + 0.5) * scale - 0.5, (y + 0.5) * scale - 0.5
        yield Guess(float(cx), float(cy), float((k + _SMALLEST) * scale), float(strongest * scale))
        _forget(together, int(k), int(y), int(x))


def _summed(votes: Floats) -> Floats:
    """Return the votes for each circle and those next to it: rims are wider than a pixel."""
    together = votes
    for axis in range(3):
        moved = np.moveaxis(together, axis, 0)
        wider = 2 * moved
        wider[1:] += moved[:-1]
        wider[:-1] += moved[1:]
        together = np.moveaxis(wider, 0, axis)
    return together


def _forget(votes: Floats, k: int, y: int, x: int) -> None:
    reach = max(2, (k + _SMALLEST) // 2)
    rows, columns = slice(max(y - reach, 0), y + reach + 1), slice(max(x - reach, 0), x + reach + 1)
    votes[max(k - 2, 0) : k + 3, rows, columns] = 0


@compiled()
def _vote(pattern, faintest, smallest, votes):
    n_radii, height, width = votes.shape
    slopes = np.zeros((2, height, width))
    strongest = 0.0
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            # Sobel's: the difference across, smoothed along.
            above = pattern[y - 1, x - 1 : x + 2]
            here = pattern[y, x - 1 : x + 2]
            below = pattern[y + 1, x - 1 : x + 2]
            gx = (above[2] - above[0] + 2 * (here[2] - here[0]) + below[2] - below[0]) / 8
            gy = (below[0] - above[0] + 2 * (below[1] - above[1]) + below[2] - above[2]) / 8
            slope = np.hypot(gx, gy)
            if slope == slope:
                slopes[0, y, x], slopes[1, y, x] = gx, gy
                strongest = max(strongest, slope)
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            gx, gy = slopes[0, y, x], slopes[1, y, x]
            slope = np.hypot(gx, gy)
            if slope <= faintest * strongest:
                continue
            for k in range(n_radii):
                ahead = (k + smallest) / slope
                v, u = round(y + gy * ahead), round(x + gx * ahead)
                if 0 <= v < height and 0 <= u < width:
                    votes[k, v, u] += slope
