"""The polycrystal: its grains, their lattices, and what the beam meets at each scan position.

Everything is a smooth function of the place in the sample, so a scan of any size sees the same
sample, and any run of frames can be made by itself.

* Grains are the cells of a Voronoi diagram on a gently warped plane. A boundary is inclined, so
  near it the beam goes through two grains.
* Each grain is a face-centred cubic crystal seen along [001], [011] or [111], turned in the plane
  at random. So the reflections of all grains together make the rings of a powder.
* The foil is bent. Reflections light up where the bending brings them to the Bragg condition, which
  draws bend contours into the grains, and the foil is thicker away from the hole in it.
* The beam wanders while it scans (descan), and an electric field in the sample deflects it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from udfwidgets.demo.render import render
from udfwidgets.shapes import Shape

Floats = npt.NDArray[np.float32]

_N_GRAINS = 52
# Reciprocal basis vectors in units of 1/a, as (length, length, angle between them), and the
# share of the grains that are seen along this zone axis.
_ZONES = (
    (2.0, 2.0, math.pi / 2, 0.35),  # [001]: 200 and 020
    (math.sqrt(3), math.sqrt(3), math.acos(1 / 3), 0.45),  # [011]: two of 111
    (math.sqrt(8), math.sqrt(8), math.pi / 3, 0.2),  # [111]: two of 220
)
_MAX_G = 5.2  # in 1/a; farther reflections are too weak to see
_N_REFLECTIONS = 56


@dataclass(frozen=True)
class Truth:
    """What the sample is at each scan position; all arrays have the nav shape first.

    Parameters
    ----------
    grain : numpy.ndarray
        Number of the grain, -1 in the hole. int16.
    thickness : numpy.ndarray
        Of the foil, 0 in the hole and about 1 in the middle. float32.
    shift : numpy.ndarray
        Of the pattern from the middle of the detector in pixels, as (y, x) along the last axis.
        float32.
    """

    grain: npt.NDArray[np.int16]
    thickness: Floats
    shift: Floats


class Sample:
    """A polycrystal with a hole, ready to be scanned.

    Parameters
    ----------
    nav_shape : (int, int)
        Lines of the scan, and positions in a line.
    sig_shape : (int, int)
        Detector pixels.
    seed : int
        The same seed gives the same sample, and the same noise in each frame.
    dose : float
        Electrons that meet each position.
    defects : bool
        Whether the detector has a few hot and a few dead pixels.
    """

    def __init__(
        self,
        nav_shape: Sequence[int] = (96, 96),
        sig_shape: Sequence[int] = (64, 64),
        *,
        seed: int = 0,
        dose: float = 25_000.0,
        defects: bool = True,
    ) -> None:
        if len(nav_shape) != 2 or len(sig_shape) != 2 or min(*nav_shape, *sig_shape) < 1:
            raise ValueError(
                f"nav_shape={tuple(nav_shape)} and sig_shape={tuple(sig_shape)}, expected two "
                "positive numbers each"
            )
        self.shape = Shape((*nav_shape, *sig_shape), 2)
        self.seed = seed
        self.dose = dose
        rng = np.random.default_rng(seed)
        self._seeds = _spread_points(rng, _N_GRAINS)
        self._noise = [_SmoothNoise(rng) for _ in range(5)]
        self._hole = rng.uniform(0, 2 * math.pi)
        self._reflections, self._strength = _lattices(rng, min(sig_shape))
        self._tilt = rng.normal(0, 0.22, (_N_GRAINS, 2))
        self._bend = rng.normal(0, 0.3, (_N_GRAINS, 2, 2))
        self._gain = _detector(rng, tuple(sig_shape), defects)

    def frames(self, start: int, stop: int) -> npt.NDArray[np.uint16]:
        """Make the frames `start` to `stop` (exclusive), of shape (stop - start, *sig)."""
        out = np.empty((stop - start, *self.shape.sig), np.uint16)
        place = self._place(np.arange(start, stop))
        render(
            place["grains"],
            place["weights"],
            place["thickness"],
            place["tilts"],
            place["shift"],
            self._reflections,
            self._strength,
            self._gain,
            np.float32(self.dose),
            np.uint64(self.seed),
            np.int64(start),
            out,
        )
        return out

    def truth(self) -> Truth:
        """Return what the sample is at each position of the scan."""
        place = self._place(np.arange(self.shape.nav.size))
        nav = self.shape.nav.to_tuple()
        grain = np.where(place["thickness"] > 0, place["grains"][:, 0], -1)
        return Truth(
            grain.reshape(nav).astype(np.int16),
            place["thickness"].reshape(nav),
            place["shift"].reshape(*nav, 2),
        )

    def _place(self, numbers: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[Any]]:
        """Return what the beam meets in the frames of these numbers."""
        height, width = self.shape.nav
        row, column = np.divmod(numbers, width)
        # The longer axis of the scan is 1 long, and (0, 0) is in the middle.
        longest = max(height, width)
        y = (row + 0.5 - height / 2) / longest
        x = (column + 0.5 - width / 2) / longest
        n = [noise(y, x) for noise in self._noise]
        grains, weights = self._grains(y + 0.028 * n[0], x + 0.028 * n[1])
        bending = np.stack([y + 0.3 * n[2], x + 0.3 * n[3]], axis=-1)
        tilts = self._tilt[grains] + np.einsum("fgij,fj->fgi", self._bend[grains] * 2.2, bending)
        return {
            "grains": grains,
            "weights": weights,
            "thickness": self._thickness(y, x, n[4]),
            "tilts": tilts.astype(np.float32),
            "shift": self._shift(y, x),
        }

    def _grains(
        self, y: npt.NDArray[np.float64], x: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.int64], Floats]:
        """Return the two nearest grains and the share of the foil that each of them has."""
        distance = np.hypot(y[:, None] - self._seeds[:, 0], x[:, None] - self._seeds[:, 1])
        grains = np.argsort(distance, axis=1, kind="stable")[:, :2]
        near = np.take_along_axis(distance, grains, axis=1)
        share = 1 / (1 + np.exp(-(near[:, 1] - near[:, 0]) / 0.006))
        return grains, np.stack([share, 1 - share], axis=-1).astype(np.float32)

    def _thickness(
        self,
        y: npt.NDArray[np.float64],
        x: npt.NDArray[np.float64],
        noise: npt.NDArray[np.float64],
    ) -> Floats:
        """Return 0 in the hole, a steep edge, and a slow rise away from it."""
        centre = 0.62 * math.sin(self._hole), 0.62 * math.cos(self._hole)
        depth = np.hypot(y - centre[0], x - centre[1]) - 0.27 + 0.05 * noise
        foil = (1 - np.exp(-depth / 0.05)) * (0.65 + 0.45 * depth + 0.05 * noise)
        return np.maximum(0, foil).astype(np.float32)

    def _shift(self, y: npt.NDArray[np.float64], x: npt.NDArray[np.float64]) -> Floats:
        """Return the descan, a tilted and bent plane, and the deflection by a field."""
        pixel = min(self.shape.sig) / 64
        dy = 0.9 * y + 0.5 * x * x
        dx = -0.7 * x + 0.4 * y
        # The field of a charged line, of finite width.
        r2 = (y - 0.12) ** 2 + (x + 0.1) ** 2 + 0.004
        dy = dy + 0.06 * (y - 0.12) / r2
        dx = dx + 0.06 * (x + 0.1) / r2
        return (pixel * np.stack([dy, dx], axis=-1)).astype(np.float32)


class _SmoothNoise:
    """A smooth random function of the place, of about unit size: a few long waves."""

    def __init__(self, rng: np.random.Generator) -> None:
        direction = rng.uniform(0, 2 * math.pi, 7)
        frequency = 2 * math.pi * rng.uniform(0.7, 2.6, 7)
        self._ky, self._kx = frequency * np.sin(direction), frequency * np.cos(direction)
        self._phase = rng.uniform(0, 2 * math.pi, 7)

    def __call__(
        self, y: npt.NDArray[np.float64], x: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        waves = np.cos(y[:, None] * self._ky + x[:, None] * self._kx + self._phase)
        return np.asarray(waves.sum(axis=1) / math.sqrt(3.5))


def _spread_points(rng: np.random.Generator, n_points: int) -> npt.NDArray[np.float64]:
    """Return random points that keep some distance, so that no grain is a sliver."""
    points = [rng.uniform(-0.5, 0.5, 2)]
    while len(points) < n_points:
        tries = rng.uniform(-0.55, 0.55, (4, 2))
        gaps = np.hypot(*(tries[:, None] - np.array(points)).transpose(2, 0, 1)).min(axis=1)
        points.append(tries[gaps.argmax()])
    return np.array(points)


def _lattices(rng: np.random.Generator, n_pixels: int) -> tuple[Floats, Floats]:
    """Return the reflections of each grain in pixels from the middle, and their strengths.

    Shapes (grains, reflections, 2) and (grains, reflections). Places that are left over have the
    strength 0.
    """
    scale = 0.115 * n_pixels  # pixels for 1/a: 111 is at a fifth of the detector
    reflections = np.zeros((_N_GRAINS, _N_REFLECTIONS, 2), np.float32)
    strength = np.zeros((_N_GRAINS, _N_REFLECTIONS), np.float32)
    shares = [zone[3] for zone in _ZONES]
    for grain in range(_N_GRAINS):
        a, b, angle, _ = _ZONES[rng.choice(len(_ZONES), p=shares)]
        turn, strain = rng.uniform(0, 2 * math.pi), rng.normal(1, 0.004)
        h, k = np.mgrid[-4:5, -4:5].reshape(2, -1)
        gx = h * a + k * b * math.cos(angle)
        gy = k * b * math.sin(angle)
        length = np.hypot(gy, gx)
        is_seen = (length > 0) & (length < _MAX_G)
        gy, gx, length = gy[is_seen], gx[is_seen], length[is_seen]
        order = np.argsort(length, kind="stable")[:_N_REFLECTIONS]
        turned = (
            gy * math.cos(turn) + gx * math.sin(turn),
            gx * math.cos(turn) - gy * math.sin(turn),
        )
        n = len(order)
        reflections[grain, :n, 0] = turned[0][order] * scale * strain
        reflections[grain, :n, 1] = turned[1][order] * scale * strain
        # The atoms' scattering falls off, and their thermal motion takes more of it.
        strength[grain, :n] = np.exp(-0.16 * length[order] ** 2) * 1.5
    return reflections, strength


def _detector(rng: np.random.Generator, sig: tuple[int, ...], defects: bool) -> Floats:
    """Return the gain of each pixel; a negative one stands for a hot pixel's counts."""
    gain = rng.normal(1, 0.01, sig).astype(np.float32)
    if defects and min(sig) >= 16:
        for value in (0.0, 0.0, 0.0, -12.0, -25.0, -40.0):
            # Away from the direct beam, which would make every picture about this pixel.
            angle, radius = rng.uniform(0, 2 * math.pi), rng.uniform(0.2, 0.45)
            y, x = (
                (0.5 + radius * math.sin(angle)) * sig[0],
                (0.5 + radius * math.cos(angle)) * sig[1],
            )
            gain[int(y), int(x)] = value
    return gain
