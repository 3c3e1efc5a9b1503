"""Finds the disk of the direct beam in a pattern: its centre and its radius."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from udfwidgets.geometry.centred import Disk
from udfwidgets.geometry.guessing import Guess, guesses
from udfwidgets.geometry.repairing import Floats, repaired
from udfwidgets.geometry.rim import Rim, fit_rim

# In each direction.
_FEWEST_PIXELS = 8
# A circle is fitted to so many of the best guesses.
_MOST_FITTED = 8
# Circles that are weaker than that part of the strongest one are not the central disk.
_RIVAL = 0.3
# By how many standard deviations of the noise a disk must be brighter than what is around it, as a
# mean over its pixels. In noise alone the best of all circles comes to 6 or 7.
_CLEAREST_NOISE = 12.0
# Part of all rays that must see the rim, and part of those that must agree.
_LEAST_SEEN = 0.25
_LEAST_SUPPORT = 0.6
# Part of the contrast that must fall at the rim; a Gaussian hump comes to 0.48. A ring that is dark
# inside falls by more than what it is inside.
_SHARPNESS = (0.55, 1.6)


class DiskNotFound(ValueError):
    """There is no disk in the pattern, or none that can be told from the rest; says why."""


@np.errstate(over="ignore", invalid="ignore")
def find_disk(pattern: npt.ArrayLike) -> Disk:
    """Return centre and radius of the disk of the direct beam.

    The disk is the one with the strongest rim, contrast times length, wherever it lies. Its rim is
    where the pattern falls to half way between inside and outside.

    Parameters
    ----------
    pattern : array_like
        2-D, such as the sum or the mean over a scan, raw counts rather than their logarithm. NaN
        stands for pixels without a value. Single hot and dead pixels, a beam stop over a part of
        the disk, a disk cut by an edge of the frame, other disks beside it (at most six as near as
        the nearest one, as in a lattice: more make a ring) and a structure inside it do no harm.

    Returns
    -------
    Disk
        Good to half a pixel for radii from 3 pixels on (5 behind a beam stop or close to other
        disks), where the rim is blurred by a standard deviation of no more than a sixth of the
        radius or 7 pixels. Frames larger than 1024 pixels are halved for the search: in them radii
        begin with 6, 12 and so on.

    Raises
    ------
    DiskNotFound
        If there is no disk, or no rim of one that can be told from the noise.
    ValueError
        If the pattern is not a 2-D array of real numbers, of 8 x 8 or more.
    """
    image = _checked(pattern)
    clean = repaired(image)
    known = clean[np.isfinite(clean)]
    if known.size < _FEWEST_PIXELS**2:
        raise DiskNotFound(f"only {known.size} pixels of the pattern have a value: too few")
    if known.min() == known.max():
        raise DiskNotFound(f"the pattern is flat, {known.min():g} everywhere: no disk to be seen")
    # In units of its largest value: whatever unit it came in, nothing leaves the range of float64.
    largest = abs(known).max()
    clean /= largest
    rims = _fitted(clean, guesses(clean))
    if not rims:
        raise DiskNotFound("nothing in the pattern has a round rim: no disk to be seen")
    noise = _noise(image / largest)
    for rim in rims:
        if _weakness(rim, noise) is None and _strength(rim) >= _RIVAL * _strength(rims[0]):
            return Disk(rim.cx, rim.cy, rim.r)
    best = rims[0]
    raise DiskNotFound(
        f"no disk can be told from the rest of the pattern: the best circle, at cx={best.cx:.1f} "
        f"cy={best.cy:.1f} with r={best.r:.1f}, {_weakness(best, noise)}"
    )


def _checked(pattern: npt.ArrayLike) -> Floats:
    image = np.asarray(pattern)
    if image.ndim != 2 or min(image.shape) < _FEWEST_PIXELS or image.dtype.kind not in "iuf":
        raise ValueError(
            f"the pattern is an array of {image.dtype} of shape {image.shape}, expected real "
            f"numbers in two dimensions, {_FEWEST_PIXELS} x {_FEWEST_PIXELS} at least"
        )
    return image


def _fitted(pattern: Floats, guessed: Iterable[Guess]) -> list[Rim]:
    """Return the circles that come out of the best guesses, the strongest first."""
    rims: list[Rim] = []
    best = sorted(guessed, key=lambda guess: guess.votes, reverse=True)[:_MOST_FITTED]
    for guess in best:
        if not any(_is_of(guess, rim) for rim in rims):
            rim = fit_rim(pattern, guess.cx, guess.cy, guess.r)
            if rim is not None:
                rims.append(rim)
    return sorted(rims, key=_strength, reverse=True)


def _is_of(guess: Guess, rim: Rim) -> bool:
    """Whether a guess is of a disk that is known by now, well supported."""
    off = math.hypot(guess.cx - rim.cx, guess.cy - rim.cy)
    return rim.support > 0.8 and off < 0.6 * rim.r and 0.6 < guess.r / rim.r < 1.6


def _strength(rim: Rim) -> float:
    return rim.contrast * rim.r * rim.support**2 * min(1.0, 2 * rim.seen)


def _clearness(rim: Rim) -> float:
    """Return the contrast in standard deviations of a mean over the pixels, for noise of 1."""
    return rim.contrast * rim.r * math.sqrt(rim.seen * rim.support * math.pi / 2)


def _weakness(rim: Rim, noise: float) -> str | None:
    """Return what speaks against a circle, None if nothing does."""
    if rim.contrast <= 0 or _clearness(rim) < _CLEAREST_NOISE * noise:
        return "is no brighter inside than noise may be"
    if rim.seen < _LEAST_SEEN:
        return f"is seen over {rim.seen:.0%} of its rim only"
    if rim.support < _LEAST_SUPPORT:
        return f"fits {rim.support:.0%} of the rim only"
    if rim.sharpness < _SHARPNESS[0]:
        return "has no rim, the pattern falls slowly from the centre on"
    if rim.sharpness > _SHARPNESS[1]:
        return "is a ring, darker inside"
    return None


def _noise(pattern: Floats) -> float:
    """Return the standard deviation of a pixel, from how it differs from the four around it."""
    pattern = np.where(np.isfinite(pattern), pattern, np.nan)
    around = pattern[:-2, 1:-1] + pattern[2:, 1:-1] + pattern[1:-1, :-2] + pattern[1:-1, 2:]
    differences = abs(pattern[1:-1, 1:-1] - around / 4)
    known = differences[np.isfinite(differences)]
    # 1.25: the variance of a difference, in those of a pixel.
    return float(1.4826 * np.median(known) / math.sqrt(1.25)) if known.size else 0.0
