"""Vector fields over a scan: from sums over frames to shifts, their slopes and their rotation."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from udfwidgets.buffers import Array


class GuessResult(NamedTuple):
    """What `guess_corrections` finds out, by the names of `CoMUDF.with_params`."""

    scan_rotation: int
    flip_y: bool
    cy: float
    cx: float


def center_shifts(
    img_sum: Array, img_y: Array, img_x: Array, ref_y: float, ref_x: float
) -> tuple[Array, Array]:
    """Return y and x of the centre of mass, relative to a reference.

    Parameters
    ----------
    img_sum, img_y, img_x : numpy.ndarray
        Sums over each frame: of the intensity, and of the intensity times y and x.
    ref_y, ref_x : float
        The reference, in pixels. Where the sum is zero, the shift is zero.
    """
    dark = img_sum == 0
    divisor = np.where(dark, 1, img_sum)
    with np.errstate(invalid="ignore"):  # positions that are not in are NaN
        y, x = img_y / divisor - ref_y, img_x / divisor - ref_x
    return np.where(dark, 0, y), np.where(dark, 0, x)


def apply_correction(
    y_centers: Array,
    x_centers: Array,
    scan_rotation: float,
    flip_y: bool,
    forward: bool = True,
) -> tuple[Array, Array]:
    """Return shifts in the coordinates of the scan, from those in coordinates of the detector.

    Parameters
    ----------
    y_centers, x_centers : numpy.ndarray
        The shifts, of any shape.
    scan_rotation : float
        Degrees by which vectors are turned clockwise, as seen with y pointing down.
    flip_y : bool
        Mirror y before that.
    forward : bool
        False for the way back.
    """
    angle = np.deg2rad(scan_rotation)
    cos, sin, sign = np.cos(angle), np.sin(angle), -1 if flip_y else 1
    if forward:
        y = sign * y_centers
        return cos * y + sin * x_centers, cos * x_centers - sin * y
    return sign * (cos * y_centers - sin * x_centers), cos * x_centers + sin * y_centers


def divergence(y_centers: Array, x_centers: Array) -> Array:
    """Return the divergence of a field on the scan grid, per scan step.

    Central differences, one-sided at the rim; NaN on a scan of a single row or column.
    """
    return _slope(y_centers, 0) + _slope(x_centers, 1)


def curl_2d(y_centers: Array, x_centers: Array) -> Array:
    """Return the curl, dFy/dx - dFx/dy, of a field on the scan grid; see `divergence`."""
    return _slope(y_centers, 1) - _slope(x_centers, 0)


def _slope(values: Array, axis: int) -> Array:
    if values.shape[axis] < 2:
        return np.full_like(values, np.nan)
    return np.asarray(np.gradient(values, axis=axis))


def magnitude(y_centers: Array, x_centers: Array) -> Array:
    """Return the length of each vector of a field."""
    return np.asarray(np.sqrt(y_centers**2 + x_centers**2))


def coordinate_check(y_centers: Array, x_centers: Array, roi: Any = None) -> tuple[Array, Array]:
    """Return how much curl is left for each scan rotation, without and with a mirrored y axis.

    An electric field has no curl: the right settings give the smallest values.

    Parameters
    ----------
    y_centers, x_centers : numpy.ndarray
        Shifts, of 2-D nav shape.
    roi : index, optional
        Which positions count, as an index into the scan. By default all but the last row and
        column, where a flyback may have left its mark.

    Returns
    -------
    straight, flipped : (360,) numpy.ndarray
        Root mean square of the curl for rotations of 0, 1, ... 359 degrees.
    """
    roi = _without_flyback if roi is None else roi
    angles = np.deg2rad(np.arange(360))
    cos, sin = np.cos(angles), np.sin(angles)

    def left_over(y: Array) -> Array:
        # Turning a field mixes its curl c and divergence d: c cos + d sin. So three means do.
        curl, div = curl_2d(y, x_centers)[roi], divergence(y, x_centers)[roi]
        mean = cos**2 * np.mean(curl**2) + sin**2 * np.mean(div**2)
        return np.asarray(np.sqrt(np.maximum(mean + 2 * cos * sin * np.mean(curl * div), 0)))

    return left_over(y_centers), left_over(-y_centers)


_without_flyback = (slice(0, -1), slice(0, -1))


def guess_corrections(y_centers: Array, x_centers: Array, roi: Any = None) -> GuessResult:
    """Guess rotation, mirroring and centre from the centres of mass of an atomic resolution scan.

    It is assumed that the field has no curl, and no mean over the scan; and that the divergence
    has its strongest values at the nuclei, which attract the electrons, where it is negative.

    Parameters
    ----------
    y_centers, x_centers, roi
        As for `coordinate_check`. The guess is relative to the corrections that have been
        applied to them.

    Returns
    -------
    GuessResult
        Its rotation is above -180 and up to 180 degrees.

    Examples
    --------
    >>> com = ctx.run_udf(dataset=dataset, udf=CoMUDF())["raw_com"].data
    >>> guess = guess_corrections(com[..., 0], com[..., 1])
    >>> udf = CoMUDF.with_params(**guess._asdict())
    """
    roi = _without_flyback if roi is None else roi
    straight, flipped = coordinate_check(y_centers, x_centers, roi)
    flip_y = bool(flipped.min() < straight.min())
    angle = int(np.argmin(flipped if flip_y else straight))
    div = divergence(*apply_correction(y_centers, x_centers, angle, flip_y))[roi]
    # Half a turn leaves the curl as small but changes the sign of the divergence.
    reach = max(-div.min(), div.max())
    counts, _ = np.histogram(div, range=(-reach, reach), bins=5)
    if counts[0] < counts[-1]:
        angle += 180
    if angle > 180:
        angle -= 360
    return GuessResult(
        angle, flip_y, float(np.mean(y_centers[roi])), float(np.mean(x_centers[roi]))
    )
