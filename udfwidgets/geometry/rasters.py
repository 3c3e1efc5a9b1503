"""Which pixels of a window belong to a shape: the rules that take a compiled loop.

Each of them writes into `out`, the window as a bool array that begins at row `top` and column
`left` of the frame. Nothing here is fused or reordered: the page gets the same bits.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import math

from udfwidgets.compiling import compiled


@compiled()
def keep_sector(out, dx, dy, start, stop, is_less_than_half):
    """Clear the pixels that are not between two rays.

    Parameters
    ----------
    out : numpy.ndarray
    dx, dy : numpy.ndarray
        How far each column and row is from the centre, float64.
    start, stop : (float, float)
        Directions of the rays.
    is_less_than_half : bool
        Whether it is less than half a turn from one to the other.
    """
    (uc, us), (vc, vs) = start, stop
    for row in range(len(dy)):
        for column in range(len(dx)):
            x, y = dx[column], dy[row]
            a = uc * y - us * x
            ahead = a > 0 or (a == 0 and uc * x + us * y > 0)
            before = vc * y - vs * x < 0
            between = (ahead and before) if is_less_than_half else (ahead or before)
            out[row, column] &= between


@compiled()
def fill_ellipse(out, dx, dy, rx, ry, axis):
    """Set the pixels within an ellipse.

    Parameters
    ----------
    out : numpy.ndarray
        All False.
    dx, dy : numpy.ndarray
        How far each column and row is from the centre, float64.
    rx, ry : float
        Half axes.
    axis : (float, float)
        Direction of the first one.
    """
    c, s = axis
    square = (rx * ry) * (rx * ry)
    for row in range(len(dy)):
        for column in range(len(dx)):
            u = (dx[column] * c + dy[row] * s) * ry
            v = (dy[row] * c - dx[column] * s) * rx
            out[row, column] = u * u + v * v <= square


@compiled()
def fill_polygon(out, top, left, points):
    """Set the pixels within a closed polygon, by the even-odd rule.

    Parameters
    ----------
    out : numpy.ndarray
        All False.
    top, left : int
    points : numpy.ndarray
        float64, of shape (n, 2): x and y.
    """
    height, width = out.shape
    n = len(points)
    for k in range(n):
        # From the upper end to the lower one, so that an edge is the same from both its sides.
        upper, lower = points[k], points[(k + 1) % n]
        if upper[1] > lower[1]:
            upper, lower = lower, upper
        first = max(math.ceil(upper[1]), top)
        stop = min(math.ceil(lower[1]), top + height)
        for y in range(first, stop):
            crossing = upper[0] + (y - upper[1]) * (lower[0] - upper[0]) / (lower[1] - upper[1])
            x = max(math.ceil(crossing), left)
            if x < left + width:
                out[y - top, x - left] ^= True
    for row in range(height):
        is_inside = False
        for column in range(width):
            is_inside ^= out[row, column]
            out[row, column] = is_inside


@compiled()
def paint_line(out, top, left, points, radius):
    """Set the pixels within a radius of a line from point to point.

    Parameters
    ----------
    out : numpy.ndarray
        All False.
    top, left : int
    points : numpy.ndarray
        float64, of shape (n, 2): x and y. With one point the line is that point.
    radius : float
        Of the brush.
    """
    height, width = out.shape
    for k in range(max(len(points) - 1, 1)):
        ax, ay = points[k]
        bx, by = points[min(k + 1, len(points) - 1)]
        # A pixel more on each side: which pixels are in is for the rule alone.
        first_y = max(math.floor(min(ay, by) - radius) - 1, top)
        stop_y = min(math.ceil(max(ay, by) + radius) + 2, top + height)
        first_x = max(math.floor(min(ax, bx) - radius) - 1, left)
        stop_x = min(math.ceil(max(ax, bx) + radius) + 2, left + width)
        for y in range(first_y, stop_y):
            for x in range(first_x, stop_x):
                if not out[y - top, x - left]:
                    out[y - top, x - left] = _is_near(x, y, ax, ay, bx, by, radius * radius)


@compiled(inline="always")
def _is_near(x, y, ax, ay, bx, by, square):
    """Return whether a pixel is no farther from a segment than the root of `square`."""
    ux, uy = bx - ax, by - ay
    wx, wy = x - ax, y - ay
    length = ux * ux + uy * uy
    along = wx * ux + wy * uy
    if along <= 0:
        return wx * wx + wy * wy <= square
    if along >= length:
        return (x - bx) * (x - bx) + (y - by) * (y - by) <= square
    across = ux * wy - uy * wx
    return across * across <= square * length
