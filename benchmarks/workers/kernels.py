"""Loops over frames that numba compiles: the least that has to be done for a result."""

# No annotations: numba takes the types from the arguments.
# mypy: ignore-errors

import numba
import numpy as np
from numba import uint32, uint64  # numba widens a sum of two to 64 bits unless told otherwise


@numba.njit(nogil=True, cache=True)
def add(frames, total, sums_of_frames):
    """Add frames to a total and sum each, in one pass."""
    for f in range(frames.shape[0]):
        s = uint32(0)
        for p in range(frames.shape[1]):
            value = uint32(frames[f, p])
            total[p] = uint32(total[p] + value)
            s = uint32(s + value)
        sums_of_frames[f] = s


@numba.njit(nogil=True, cache=True)
def add_eight(frames, total, sums_of_frames):
    """Do the same with eight frames at a time: an eighth of the work on the total."""
    if frames.shape[0] % 8:
        raise ValueError("the number of frames is not a multiple of eight")
    for f in range(0, frames.shape[0], 8):
        s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = uint32(0)
        for p in range(frames.shape[1]):
            v0, v1 = uint32(frames[f, p]), uint32(frames[f + 1, p])
            v2, v3 = uint32(frames[f + 2, p]), uint32(frames[f + 3, p])
            v4, v5 = uint32(frames[f + 4, p]), uint32(frames[f + 5, p])
            v6, v7 = uint32(frames[f + 6, p]), uint32(frames[f + 7, p])
            low = uint32(uint32(v0 + v1) + uint32(v2 + v3))
            high = uint32(uint32(v4 + v5) + uint32(v6 + v7))
            total[p] = uint32(total[p] + uint32(low + high))
            s0, s1 = uint32(s0 + v0), uint32(s1 + v1)
            s2, s3 = uint32(s2 + v2), uint32(s3 + v3)
            s4, s5 = uint32(s4 + v4), uint32(s5 + v5)
            s6, s7 = uint32(s6 + v6), uint32(s7 + v7)
        sums_of_frames[f], sums_of_frames[f + 1] = s0, s1
        sums_of_frames[f + 2], sums_of_frames[f + 3] = s2, s3
        sums_of_frames[f + 4], sums_of_frames[f + 5] = s4, s5
        sums_of_frames[f + 6], sums_of_frames[f + 7] = s6, s7


@numba.njit(nogil=True, cache=True)
def add_in_parts(frames, total, sums_of_frames):
    """Do it with some pixels after the others, whose totals stay in the first-level cache."""
    n_frames, n_pixels = frames.shape
    sums_of_frames[:] = 0
    for begin in range(0, n_pixels, 4096):
        end = min(begin + 4096, n_pixels)
        for f in range(0, n_frames, 8):
            for at in range(begin, end, 1024):
                to = min(at + 1024, end)
                part, totals = frames[f : f + 8], total[at:to]
                a, b, c, d = part[0, at:to], part[1, at:to], part[2, at:to], part[3, at:to]
                e, g, h, k = part[4, at:to], part[5, at:to], part[6, at:to], part[7, at:to]
                s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = uint32(0)
                for p in range(to - at):
                    v0, v1, v2, v3 = uint32(a[p]), uint32(b[p]), uint32(c[p]), uint32(d[p])
                    v4, v5, v6, v7 = uint32(e[p]), uint32(g[p]), uint32(h[p]), uint32(k[p])
                    low = uint32(uint32(v0 + v1) + uint32(v2 + v3))
                    high = uint32(uint32(v4 + v5) + uint32(v6 + v7))
                    totals[p] = uint32(totals[p] + uint32(low + high))
                    s0, s1, s2, s3 = (
                        uint32(s0 + v0),
                        uint32(s1 + v1),
                        uint32(s2 + v2),
                        uint32(s3 + v3),
                    )
                    s4, s5, s6, s7 = (
                        uint32(s4 + v4),
                        uint32(s5 + v5),
                        uint32(s6 + v6),
                        uint32(s7 + v7),
                    )
                sums = sums_of_frames[f : f + 8]
                for number, s in enumerate((s0, s1, s2, s3, s4, s5, s6, s7)):
                    sums[number] += s


@numba.njit(nogil=True, cache=True)
def add_all(frames):
    """Add up all numbers."""
    total = uint64(0)
    for f in range(frames.shape[0]):
        s = uint32(0)
        for p in range(frames.shape[1]):
            s = uint32(s + uint32(frames[f, p]))
        total += uint64(s)
    return total


@numba.njit(nogil=True, cache=True, fastmath=True)
def weigh(frames, weights, found):
    """Multiply each frame with a mask and add up, four frames at a time."""
    if frames.shape[0] % 4:
        raise ValueError("the number of frames is not a multiple of four")
    for f in range(0, frames.shape[0], 4):
        s0 = s1 = s2 = s3 = np.float32(0)
        for p in range(frames.shape[1]):
            w = weights[p]
            s0 += np.float32(frames[f, p]) * w
            s1 += np.float32(frames[f + 1, p]) * w
            s2 += np.float32(frames[f + 2, p]) * w
            s3 += np.float32(frames[f + 3, p]) * w
        found[f], found[f + 1], found[f + 2], found[f + 3] = s0, s1, s2, s3


@numba.njit(nogil=True, cache=True, fastmath=True)
def weigh_eight(frames, weights, found):
    """Multiply each frame with eight masks and add up; BLAS over converted tiles is slower."""
    for f in range(frames.shape[0]):
        s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = np.float32(0)
        for p in range(frames.shape[1]):
            v = np.float32(frames[f, p])
            s0 += v * weights[0, p]
            s1 += v * weights[1, p]
            s2 += v * weights[2, p]
            s3 += v * weights[3, p]
            s4 += v * weights[4, p]
            s5 += v * weights[5, p]
            s6 += v * weights[6, p]
            s7 += v * weights[7, p]
        found[f, 0], found[f, 1], found[f, 2], found[f, 3] = s0, s1, s2, s3
        found[f, 4], found[f, 5], found[f, 6], found[f, 7] = s4, s5, s6, s7


@numba.njit(nogil=True, cache=True)
def add_squares(frames, total, squares):
    """Add frames and their squares to totals, in one pass."""
    for f in range(frames.shape[0]):
        for p in range(frames.shape[1]):
            value = uint32(frames[f, p])
            total[p] = uint32(total[p] + value)
            squares[p] = uint32(squares[p] + uint32(value * value))


@numba.njit(nogil=True, cache=True)
def moments(frames, found):
    """Find the centre of mass of each frame, with integers that fit those of any file here."""
    for f in range(frames.shape[0]):
        total, weighted_y, weighted_x = uint32(0), uint64(0), uint32(0)
        for y in range(frames.shape[1]):
            s = uint32(0)
            for x in range(frames.shape[2]):
                value = uint32(frames[f, y, x])
                s = uint32(s + value)
                weighted_x = uint32(weighted_x + uint32(value * uint32(x)))
            total = uint32(total + s)
            weighted_y += uint64(s) * uint64(y)
        found[f, 0] = weighted_y / total
        found[f, 1] = weighted_x / total
