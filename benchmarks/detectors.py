"""Virtual detectors that every contender weighs frames with."""

from __future__ import annotations

from typing import Any

import numpy as np

#: Counts that a pixel has to exceed for Python code that looks at one after the other.
THRESHOLD = 2


def ring(sig_shape: tuple[int, ...]) -> Any:
    """Return an annular detector of zeros and ones, as float32 of sig shape."""
    distance = _distance(sig_shape)
    return ((distance >= 0.25) & (distance < 0.75)).astype(np.float32)


def moved(sig_shape: tuple[int, ...], kind: str, step: int) -> Any:
    """Return a disk of radius 14 or an annulus from 20 to 60, some pixels beside the centre."""
    inner, outer = _RADII[kind]
    y, x = np.indices(sig_shape)
    distance = np.hypot(y - sig_shape[0] // 2, x - sig_shape[1] // 2 - _aside(step))
    return ((distance > inner) & (distance <= outer)).astype(np.float32)


def shape(sig_shape: tuple[int, ...], kind: str, step: int) -> Any:
    """Return the same as a shape of udfwidgets."""
    from udfwidgets.geometry import Annulus, Disk  # noqa: PLC0415 - only some contenders have it

    (inner, outer), cy, cx = _RADII[kind], sig_shape[0] // 2, sig_shape[1] // 2 + _aside(step)
    return Disk(cx, cy, outer) if inner < 0 else Annulus(cx, cy, inner, outer)


_RADII = {"disk": (-1, 14), "annulus": (20, 60)}


def _aside(step: int) -> int:
    """Return by how many pixels: to and fro, so that it stays on the detector."""
    return abs((step + 6) % 24 - 12) - 6


def segments(sig_shape: tuple[int, ...], count: int = 8) -> Any:
    """Return dense weights that look into `count` directions, as float32 (count, *sig)."""
    y, x = _from_centre(sig_shape)
    angles = np.arange(count) * 2 * np.pi / count
    return np.stack([1.5 + np.cos(np.arctan2(y, x) - a) for a in angles]).astype(np.float32)


def moments(sig_shape: tuple[int, ...]) -> Any:
    """Return the weights one, y and x, whose sums give the centre of mass, as float32."""
    y, x = np.indices(sig_shape)
    return np.stack([np.ones_like(y), y, x]).astype(np.float32)


def _distance(sig_shape: tuple[int, ...]) -> Any:
    """Distance from the centre of the detector, in halves of its shorter side."""
    return np.hypot(*_from_centre(sig_shape)) / (min(sig_shape) / 2)


def _from_centre(sig_shape: tuple[int, ...]) -> Any:
    """Return y and x of every pixel, from the centre of the detector."""
    n_y, n_x = sig_shape
    y, x = np.indices(sig_shape)
    return y - (n_y - 1) / 2, x - (n_x - 1) / 2
