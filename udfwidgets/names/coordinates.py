"""Matrices between the axes of the scan and those of the detector: scale, rotate, mirror.

They act on (y, x) from the left and are put together with ``@``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]


def identity() -> Matrix:
    """Return the matrix that changes nothing."""
    return np.eye(2)


def scale(factor: float) -> Matrix:
    """Return the matrix that makes vectors longer by a factor."""
    return np.diag((float(factor), float(factor)))


def rotate(radians: float) -> Matrix:
    """Return the matrix that rotates, from y = 0 towards smaller y for positive angles."""
    sine, cosine = np.sin(radians), np.cos(radians)
    return np.array(((cosine, sine), (-sine, cosine)))


def rotate_deg(degrees: float) -> Matrix:
    """Return `rotate` by an angle in degrees."""
    return rotate(np.radians(degrees))


def flip_y() -> Matrix:
    """Return the matrix that mirrors y."""
    return np.diag((-1.0, 1.0))


def flip_x() -> Matrix:
    """Return the matrix that mirrors x."""
    return np.diag((1.0, -1.0))


def scale_rotate_flip_y(mat: npt.ArrayLike) -> tuple[float, float, bool]:
    """Take ``scale(f) @ rotate(a) @ flip_y()``, or the same without `flip_y`, apart again.

    Returns
    -------
    (float, float, bool)
        The factor, the angle in radians, and whether y is mirrored.

    Raises
    ------
    ValueError
        If the matrix shears, or scales y and x differently.
    """
    matrix = np.asarray(mat, np.float64)
    lengths = np.linalg.norm(matrix, axis=0)
    if not np.isclose(*lengths):
        raise ValueError(f"the y scale {lengths[0]} and the x scale {lengths[1]} differ")
    factor = float(lengths[0])
    sign = np.linalg.det(matrix / factor)
    if not np.isclose(abs(sign), 1):
        raise ValueError(f"the matrix shears: its determinant is {sign} after scaling, not 1 or -1")
    # The second column is that of the rotation, mirrored or not.
    angle = float(np.arctan2(matrix[0, 1], matrix[1, 1]))
    return factor, angle, bool(sign < 0)
