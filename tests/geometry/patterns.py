"""Sum patterns with a disk in a known place, and what spoils them."""

import math

import numpy as np

Pattern = np.ndarray


def with_disk(
    shape: tuple[int, int],
    cx: float,
    cy: float,
    r: float,
    *,
    inside: float = 1000.0,
    outside: float = 20.0,
    soft: float = 0.5,
    structure: float = 0.0,
    rng: np.random.Generator | None = None,
) -> Pattern:
    """Return a disk on a diffuse background, with shot noise if there is a generator.

    `soft` is the standard deviation of what blurs the rim, in pixels; `structure` is by which part
    of its brightness the disk changes inside.
    """
    y, x = np.mgrid[: shape[0], : shape[1]]
    distance = np.hypot(y - cy, x - cx)
    edge = np.clip((distance - r) / (max(soft, 0.3) * math.sqrt(2)), -4, 4)
    disk = (1 - _erf(edge)) / 2
    if structure:
        waves = np.sin(7 * (x - cx) / r + 1) * np.sin(5 * (y - cy) / r + 2)
        disk = disk * (1 + structure * waves)
    background = outside * (0.5 + 1 / (1 + (distance / (3 * r)) ** 2))
    mean = (inside - outside) * disk + background
    return mean if rng is None else rng.poisson(mean).astype(float)


def _erf(x: np.ndarray) -> np.ndarray:
    # Abramowitz and Stegun 7.1.26, good to 1e-7
    t = 1 / (1 + 0.3275911 * abs(x))
    series = 0.254829592 + t * (
        -0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))
    )
    return np.sign(x) * (1 - t * series * np.exp(-x * x))


def beside(
    pattern: Pattern,
    cx: float,
    cy: float,
    r: float,
    *,
    angle: float,
    distance: float,
    level: float,
    n: int,
) -> Pattern:
    """Add disks of the same size around the central one, `distance` radii away."""
    y, x = np.mgrid[: pattern.shape[0], : pattern.shape[1]]
    out = pattern.copy()
    for k in range(n):
        turned = angle + 2 * math.pi * k / n
        v, u = cy + distance * r * math.sin(turned), cx + distance * r * math.cos(turned)
        out[np.hypot(y - v, x - u) <= r] += level
    return out


def hot(pattern: Pattern, rng: np.random.Generator, n: int, value: float) -> Pattern:
    """Set single pixels to a value."""
    out = pattern.copy()
    out.flat[rng.choice(out.size, n, replace=False)] = value
    return out


def stopped(
    pattern: Pattern, cx: float, cy: float, r: float, angle: float, value: float
) -> Pattern:
    """Put a beam stop over it: a bar with a round end in the middle, `r` / 2 wide."""
    y, x = np.mgrid[: pattern.shape[0], : pattern.shape[1]]
    along = (x - cx) * math.cos(angle) + (y - cy) * math.sin(angle)
    across = (y - cy) * math.cos(angle) - (x - cx) * math.sin(angle)
    out = pattern.copy()
    out[np.where(along > 0, abs(across), np.hypot(along, across)) <= r / 4] = value
    return out
