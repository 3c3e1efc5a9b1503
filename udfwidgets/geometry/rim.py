"""Fits a circle to the rim of a disk: where each of many rays crosses it, without the outliers."""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from udfwidgets.compiling import compiled
from udfwidgets.geometry.repairing import Floats

_MOST_ROUNDS = 12
# In pixels: a change of the circle that ends the fit.
_SETTLED = 0.02
_LEAST_CONTRAST = 1e-300
_RIDGE = 1e-6 * np.eye(3)
# What is smaller is a hot spot: a radius in pixels.
_SMALLEST = 1.8
# Rays that must be seen to say anything.
_FEWEST_RAYS = 12


@dataclass(frozen=True)
class Rim:
    """A circle, and what speaks for it.

    Parameters
    ----------
    cx, cy, r : float
        The circle, in pixels.
    contrast : float
        Median over the rays of how much brighter it is inside.
    seen : float
        Part of all rays that do not leave the frame or meet a gap.
    support : float
        Part of the seen rays that cross the rim on the circle, with a fair contrast.
    sharpness : float
        How much of the contrast falls to the middle third around the rim, 1 for a sharp one.
    """

    cx: float
    cy: float
    r: float
    contrast: float
    seen: float
    support: float
    sharpness: float


@dataclass(frozen=True)
class _Rays:
    """Along each ray: its direction, where it crosses the rim (or NaN), and the levels beside."""

    cosine: Floats
    sine: Floats
    crossing: Floats
    contrast: Floats
    fall: Floats
    is_seen: Floats


def fit_rim(pattern: Floats, cx: float, cy: float, r: float) -> Rim | None:
    """Return the circle near the given one that follows the rim, None where there is no such.

    The rim is where the pattern is half way between inside and outside, along each ray for itself,
    so that what is inside may have a structure. Rays that cross elsewhere than the others (at a
    beam stop, at the next disk) lose their weight.
    """
    for _ in range(_MOST_ROUNDS):
        rays = _along_rays(pattern, cx, cy, r)
        step = _step(rays, r)
        if step is None:
            return None
        shift_x, shift_y, grown = step
        # Rays are looked at near the circle: not farther at once.
        most = 0.3 * r + 0.5
        longest = max(abs(shift_x), abs(shift_y), abs(grown))
        damped = min(1.0, most / longest) if longest else 1.0
        cx, cy, r = cx + damped * shift_x, cy + damped * shift_y, r + damped * grown
        if r < _SMALLEST or not _is_in(pattern, cx, cy):
            return None
        if longest < _SETTLED:
            break
    return _judged(_along_rays(pattern, cx, cy, r), cx, cy, r)


def _is_in(pattern: Floats, cx: float, cy: float) -> bool:
    height, width = pattern.shape
    return bool(-0.5 <= cx <= width - 0.5 and -0.5 <= cy <= height - 0.5)


def _along_rays(pattern: Floats, cx: float, cy: float, r: float) -> _Rays:
    n_rays = min(max(int(4 * r), 48), 240)
    angles = np.arange(n_rays) * (2 * math.pi / n_rays)
    cosine, sine = np.cos(angles), np.sin(angles)
    reach = max(2.5, 0.4 * r)
    first = max(r - reach, 0.0)
    n_samples = max(33, min(int(4 * reach), 129)) | 1
    step = (r + reach - first) / (n_samples - 1)
    samples = np.empty((n_rays, n_samples))
    _sample(pattern, cx, cy, cosine, sine, first, step, samples)
    at = first + step * np.arange(n_samples)
    is_seen = np.asarray(np.isfinite(samples).all(axis=1))
    samples = np.where(is_seen[:, None], samples, 0)
    inside = np.median(samples[:, at < r - reach / 2.5], axis=1)
    beyond = samples[:, at > r + reach / 2.5]
    # Below the middle: the next disk may lie there, too.
    outside = np.percentile(beyond, 30, axis=1)
    crossing = _crossings(samples, (inside + outside) / 2, at, r)
    crossing[~is_seen | (inside <= outside)] = np.nan
    near = np.argmin(abs(at - (r - reach / 3))), np.argmin(abs(at - (r + reach / 3)))
    fall = samples[:, near[0]] - samples[:, near[1]]
    contrast = inside - np.median(beyond, axis=1)
    return _Rays(cosine, sine, crossing, contrast, fall, is_seen)


def _crossings(samples: Floats, level: Floats, at: Floats, r: float) -> Floats:
    """Return where each ray falls below its level, of several places the one nearest to `r`."""
    above = samples - level[:, None]
    falls = (above[:, :-1] > 0) & (above[:, 1:] <= 0)
    drop = np.where(falls, above[:, :-1] - above[:, 1:], 1)
    where = at[:-1] + (at[1] - at[0]) * above[:, :-1] / drop
    far = np.where(falls, abs(where - r), np.inf)
    nearest = np.argmin(far, axis=1)
    found = where[np.arange(len(where)), nearest]
    return np.where(np.isfinite(far.min(1)), found, np.nan)


def _step(rays: _Rays, r: float) -> Floats | None:
    """Return by how much to shift and to widen the circle, by weighted least squares."""
    crosses = np.isfinite(rays.crossing)
    if crosses.sum() < _FEWEST_RAYS:
        return None
    columns = np.stack([rays.cosine, rays.sine, np.ones_like(rays.sine)], axis=1)[crosses]
    off = rays.crossing[crosses] - r
    contrast = np.clip(rays.contrast[crosses], 0, None)
    # A faint crossing is that of something else.
    strong = np.clip(contrast / max(np.median(contrast), _LEAST_CONTRAST), 0, 1)
    weights, step = strong, np.zeros(3)
    for _ in range(5):
        weighted = columns * weights[:, None]
        # A trace of a ridge: rays of one side alone do not tell a shift from a radius.
        step = np.linalg.solve(weighted.T @ columns + _RIDGE, weighted.T @ off)
        rest = off - columns @ step
        spread = max(1.5 * np.median(abs(rest)), 0.1)
        # Tukey's weights: what is farther off than some spreads does not count at all.
        weights = strong * np.clip(1 - (rest / (4 * spread)) ** 2, 0, None) ** 2
    return step


def _judged(rays: _Rays, cx: float, cy: float, r: float) -> Rim | None:
    n_seen = rays.is_seen.sum()
    if n_seen < _FEWEST_RAYS:
        return None
    contrast = float(np.median(rays.contrast[rays.is_seen]))
    near = abs(rays.crossing - r) <= max(1.0, 0.08 * r)
    supports = rays.is_seen & near & (rays.contrast > 0.3 * contrast)
    total = rays.contrast[supports].sum()
    return Rim(
        cx,
        cy,
        r,
        contrast,
        float(n_seen / len(rays.is_seen)),
        float(supports.sum() / n_seen),
        float(rays.fall[supports].sum() / total) if total > 0 else 0.0,
    )


@compiled()
def _sample(pattern, cx, cy, cosine, sine, first, step, samples):
    """Read the pattern along rays, between pixels linearly; NaN outside and in gaps."""
    height, width = pattern.shape
    for ray in range(samples.shape[0]):
        for k in range(samples.shape[1]):
            distance = first + k * step
            x, y = cx + distance * cosine[ray], cy + distance * sine[ray]
            u, v = math.floor(x), math.floor(y)
            samples[ray, k] = np.nan
            if u < 0 or v < 0 or u >= width - 1 or v >= height - 1:
                continue
            right, down = x - u, y - v
            total, known = 0.0, 0.0
            for row, across in ((v, 1 - down), (v + 1, down)):
                for column, along in ((u, 1 - right), (u + 1, right)):
                    value = pattern[row, column]
                    if value == value:
                        total += across * along * value
                        known += across * along
            if known >= 0.5:
                samples[ray, k] = total / known
