"""Draws diffraction patterns with their shot noise, in compiled code.

A pattern is a bright disk, disks of the same size at the reflections of the lattice, and diffuse
scattering. The detector counts electrons, so each pixel is a Poisson number, drawn by a generator
of its own for each frame: a frame does not depend on which others are made with it.
"""

from __future__ import annotations

import math

import numpy as np

from udfwidgets.compiling import compiled


@compiled()
def render(  # type: ignore[no-untyped-def]
    grains,
    weights,
    thickness,
    tilts,
    shift,
    reflections,
    strength,
    gain,
    dose,
    seed,
    first,
    out,
):
    """Fill `out`, of shape (n_frames, height, width) and dtype uint16.

    Parameters
    ----------
    grains, weights : arrays (n_frames, 2)
        The grains that the beam meets, and the share of each.
    thickness : array (n_frames)
        0 for nothing.
    tilts : array (n_frames, 2, 2)
        Of each of the grains, in units of the width of a reflection per 1/a.
    shift : array (n_frames, 2)
        Of the pattern, in pixels.
    reflections, strength : arrays (n_grains, n_reflections, 2), (n_grains, n_reflections)
        In pixels, and relative to the incoming beam.
    gain : array (height, width)
        Of the detector's pixels; if negative, the counts of a hot pixel.
    dose : float
        Electrons for each frame.
    seed, first : int
        The noise depends on these and on the place of the frame behind `first`.
    """
    n_frames, height, width = out.shape
    n_pixels = min(height, width)
    radius = max(1.0, 0.047 * n_pixels)
    image = np.empty((height, width), np.float32)
    excited = np.empty((2, reflections.shape[1]), np.float32)
    for frame in range(n_frames):
        t = thickness[frame]
        cy = (height - 1) / 2 + shift[frame, 0]
        cx = (width - 1) / 2 + shift[frame, 1]
        total = _excite(
            grains[frame], weights[frame], tilts[frame], reflections, strength, n_pixels, excited
        )
        # Near a zone axis electrons are scattered out to high angles, beyond the detector.
        seen = dose * math.exp(-t * (0.12 + 1.3 * total / (6 + total)))
        diffracted = (1 - math.exp(-1.1 * t)) * total / (3 + total)
        diffuse = 0.25 * (1 - math.exp(-0.9 * t))
        _draw_diffuse(image, cy, cx, 0.1 * n_pixels, seen * diffuse)
        direct = seen * (1 - diffuse) * (1 - diffracted)
        _draw_disk(image, cy, cx, radius, direct)
        if total > 0:
            each = seen * (1 - diffuse) * diffracted / total
            for i in range(2):
                grain = grains[frame, i]
                for r in range(reflections.shape[1]):
                    value = each * excited[i, r]
                    if value > 0.5:
                        gy = cy + reflections[grain, r, 0]
                        gx = cx + reflections[grain, r, 1]
                        _draw_disk(image, gy, gx, radius, value)
        _count(image, gain, _mix(seed, np.uint64(first + frame)), out[frame])


@compiled()
def _excite(grains, weights, tilts, reflections, strength, n_pixels, excited):  # type: ignore[no-untyped-def]
    """Write how strongly each reflection is excited, and return the sum."""
    total = np.float32(0)
    per_pixel = 1 / (0.115 * n_pixels)
    for i in range(2):
        grain = grains[i]
        for r in range(reflections.shape[1]):
            excited[i, r] = 0
            if weights[i] < 0.01 or strength[grain, r] == 0:
                continue
            gy, gx = reflections[grain, r, 0] * per_pixel, reflections[grain, r, 1] * per_pixel
            # Distance from the Ewald sphere: the tilt along g, and the sphere's curvature.
            s = gy * tilts[i, 0] + gx * tilts[i, 1] + 0.045 * (gy * gy + gx * gx)
            value = weights[i] * strength[grain, r] * math.exp(-3.5 * s * s)
            excited[i, r] = value
            total += value
    return total


@compiled()
def _draw_diffuse(image, cy, cx, width, total):  # type: ignore[no-untyped-def]
    """Set the image to a peak that falls off with the third power of the distance."""
    # The integral of (1 + r^2 / w^2)^(-3/2) over the plane is 2 pi w^2.
    height = total / (2 * math.pi * width * width)
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            q = 1 + ((y - cy) ** 2 + (x - cx) ** 2) / (width * width)
            image[y, x] = height / (q * math.sqrt(q))


@compiled()
def _draw_disk(image, cy, cx, radius, total):  # type: ignore[no-untyped-def]
    """Add a disk with an edge one pixel wide."""
    height, width = image.shape
    value = total / (math.pi * radius * radius)
    for y in range(max(0, int(cy - radius - 1)), min(height, int(cy + radius + 3))):
        for x in range(max(0, int(cx - radius - 1)), min(width, int(cx + radius + 3))):
            inside = radius + 0.5 - math.sqrt((y - cy) ** 2 + (x - cx) ** 2)
            if inside > 0:
                image[y, x] += value * min(1.0, inside)


@compiled()
def _mix(seed, number):  # type: ignore[no-untyped-def]
    """Return a well mixed 64-bit number for a frame (the finaliser of SplitMix64)."""
    z = (seed + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) ^ (
        number * np.uint64(0xD1B54A32D192ED03)
    )
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@compiled()
def _count(image, gain, state, out):  # type: ignore[no-untyped-def]
    """Draw the counts of each pixel.

    Small numbers by inversion. From 30 on a rounded normal number, which no eye and no UDF tells
    from a Poisson number.
    """
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            mean = image[y, x] * gain[y, x] if gain[y, x] >= 0 else -gain[y, x]
            state += np.uint64(0x9E3779B97F4A7C15)
            u = _uniform(state)
            if mean < 30:
                p = math.exp(-mean)
                count, below = 0, p
                while u > below and count < 200:
                    count += 1
                    p *= mean / count
                    below += p
                out[y, x] = count
            else:
                state += np.uint64(0x9E3779B97F4A7C15)
                v = _uniform(state)
                normal = math.sqrt(-2 * math.log(u)) * math.cos(2 * math.pi * v)
                out[y, x] = min(65535, max(0, round(mean + math.sqrt(mean) * normal)))


@compiled()
def _uniform(state):  # type: ignore[no-untyped-def]
    """Return a number within (0, 1) for a state of SplitMix64."""
    z = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return (np.float64(z >> np.uint64(11)) + 0.5) / 9007199254740992.0
