"""Masks: virtual detectors as arrays, from a centre and radii in pixels.

Coordinates are those of the array: pixel (0, 0) has its centre at y = 0, x = 0. Sizes come as
``imageSizeX, imageSizeY`` and the masks have shape ``(imageSizeY, imageSizeX)``. An antialiased
mask weights the pixels on its rim by how far they reach in, so that its sum changes smoothly with
its radius.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from udfwidgets.names import further

Array: TypeAlias = npt.NDArray[Any]
BoolArray: TypeAlias = npt.NDArray[np.bool_]

# Rings that cover less of the detector than this are stored sparsely unless asked otherwise.
SPARSE_BELOW = 0.1


def circular(
    centerX: float,
    centerY: float,
    imageSizeX: int,
    imageSizeY: int,
    radius: float,
    antialiased: bool = False,
) -> Array:
    """Return a filled disk: bool, rim included; float64 from 0 to 1 if antialiased."""
    if antialiased:
        return _only_ring(centerX, centerY, imageSizeX, imageSizeY, radius, 0.0)
    y, x = _offsets(centerX, centerY, imageSizeX, imageSizeY)
    disk: BoolArray = x * x + y * y <= radius * radius
    return disk


def ring(
    centerX: float,
    centerY: float,
    imageSizeX: int,
    imageSizeY: int,
    radius: float,
    radius_inner: float,
    antialiased: bool = False,
) -> Array:
    """Return a ring: its outer rim belongs to it, its inner rim does not.

    The dtype is that of `circular`.

    Raises
    ------
    ValueError
        If the inner radius is larger than the outer one.
    """
    check_radii(radius_inner, radius)
    if antialiased:
        return _only_ring(centerX, centerY, imageSizeX, imageSizeY, radius, radius_inner)
    frame = (centerX, centerY, imageSizeX, imageSizeY)
    return circular(*frame, radius) & ~circular(*frame, radius_inner)


def check_radii(inner: float, outer: float) -> None:
    """Raise a ValueError if the inner radius of a ring is larger than its outer one."""
    if inner > outer:
        raise ValueError(
            f"the inner radius of the ring is {inner}, the outer one {outer}: nothing lies between "
            "them; exchange the two"
        )


def radial_gradient(
    centerX: float,
    centerY: float,
    imageSizeX: int,
    imageSizeY: int,
    radius: float,
    antialiased: bool = False,
) -> Array:
    """Return a disk that rises linearly from 0 in its centre to 1 at its rim, float64."""
    y, x = _offsets(centerX, centerY, imageSizeX, imageSizeY)
    distance = np.sqrt(x * x + y * y)
    if antialiased:
        return radial_gradient_background_subtraction(distance, r0=radius, r_outer=0)
    disk = circular(centerX, centerY, imageSizeX, imageSizeY, radius)
    return np.asarray(disk * distance / radius)


def radial_gradient_background_subtraction(
    r: Array, r0: float, r_outer: float, delta: float = 1
) -> Array:
    """Return a radial gradient surrounded by a negative ring.

    Parameters
    ----------
    r : numpy.ndarray of float
        Distance of each pixel from the centre, of any shape; see `polar_map`.
    r0 : float
        Radius of the disk, in which values rise linearly from 0 to 1.
    r_outer : float
        Outer radius of the ring around it, in which they are -1.
    delta : float
        Width of the crossing from one to the other, around `r0`.

    Returns
    -------
    numpy.ndarray
        Of the shape and dtype of `r`.
    """
    inner, outer = r0 - delta / 2, r0 + delta / 2
    around = np.where(r <= r_outer, -1, 0)
    falling = np.where(r < outer, (r0 - r) / (delta / 2), around)
    return np.where(r < inner, r / r0, falling).astype(r.dtype)


def background_subtraction(
    centerX: float,
    centerY: float,
    imageSizeX: int,
    imageSizeY: int,
    radius: float,
    radius_inner: float,
    antialiased: bool = False,
) -> Array:
    """Return a disk and a negative ring around it, which cancel on a flat background.

    Parameters
    ----------
    radius, radius_inner : float
        Outer radius of the ring, and radius of the disk inside it.
    """
    frame = (centerX, centerY, imageSizeX, imageSizeY)
    disk = circular(*frame, radius_inner, antialiased)
    around = ring(*frame, radius, radius_inner, antialiased)
    return np.asarray(disk - around * (disk.sum() / around.sum()))


def balance(template: Array) -> Array:
    """Return a copy whose negative part is scaled so that the sum is zero."""
    positive, negative = template > 0, template < 0
    balanced = np.array(template)
    balanced[negative] *= -template[positive].sum() / template[negative].sum()
    return balanced


def rectangular(
    X: float,
    Y: float,
    Width: float,
    Height: float,
    imageSizeX: int,
    imageSizeY: int,
) -> BoolArray:
    """Return a filled rectangle.

    Parameters
    ----------
    X, Y : float
        A corner.
    Width, Height : float
        From there to the opposite corner, which belongs to the rectangle; negative to the left
        and up. Zero for one of them leaves the mask empty.
    """
    mask = np.zeros((imageSizeY, imageSizeX), bool)
    if Width and Height:
        top, bottom = sorted((int(Y), int(Y + Height)))
        left, right = sorted((int(X), int(X + Width)))
        mask[max(top, 0) : max(bottom + 1, 0), max(left, 0) : max(right + 1, 0)] = True
    return mask


def gradient_x(
    imageSizeX: int,
    imageSizeY: int,
    dtype: npt.DTypeLike = np.float32,
) -> Array:
    """Return the x coordinate of each pixel."""
    return np.tile(np.arange(imageSizeX, dtype=dtype), (imageSizeY, 1))


def gradient_y(
    imageSizeX: int,
    imageSizeY: int,
    dtype: npt.DTypeLike = np.float32,
) -> Array:
    """Return the y coordinate of each pixel."""
    return np.asarray(gradient_x(imageSizeY, imageSizeX, dtype).T)


def polar_map(
    centerX: float,
    centerY: float,
    imageSizeX: int,
    imageSizeY: int,
    stretchY: float = 1.0,
    angle: float = 0.0,
) -> tuple[Array, Array]:
    """Return radius and angle of each pixel, in pixels and radians.

    Parameters
    ----------
    stretchY, angle : float
        Turn circles into ellipses, `stretchY` times as long in a direction that is `angle`
        (radians) away from the y axis.

    Returns
    -------
    radius, phi : numpy.ndarray of float64
        `phi` is 0 along x and rises towards y.
    """
    y, x = _offsets(centerX, centerY, imageSizeX, imageSizeY)
    if stretchY != 1 or angle != 0:
        cos, sin = np.cos(angle), np.sin(angle)
        y, x = (y * cos - x * sin) / stretchY, x * cos + y * sin
    return np.hypot(y, x), np.arctan2(y, x)


def bounding_radius(
    centerX: float,
    centerY: float,
    imageSizeX: int,
    imageSizeY: int,
) -> int:
    """Return a whole radius that covers the frame, with a pixel to spare."""
    far_y, far_x = max(centerY, imageSizeY - centerY), max(centerX, imageSizeX - centerX)
    return int(np.ceil(np.sqrt(far_y**2 + far_x**2))) + 1


def radial_bins(
    centerX: float,
    centerY: float,
    imageSizeX: int,
    imageSizeY: int,
    radius: float | None = None,
    radius_inner: float = 0,
    n_bins: int | None = None,
    normalize: bool = False,
    use_sparse: bool | str | None = None,
    dtype: npt.DTypeLike | None = None,
) -> Any:
    """Return concentric, antialiased rings of equal width that add up to 1 everywhere.

    Parameters
    ----------
    radius, radius_inner : float, optional
        The outermost and innermost radius; by default all of the frame.
    n_bins : int, optional
        How many rings; by default about one per pixel of radius.
    normalize : bool
        Scale each ring to a sum of 1.
    use_sparse : bool, optional
        True for a ``sparse.COO`` stack, which needs the package ``sparse``; by default where the
        rings cover little of the frame and the package is installed.
    dtype : dtype, optional
        Of the masks, float64 by default.

    Returns
    -------
    numpy.ndarray or sparse.COO
        Of shape ``(n_bins, imageSizeY, imageSizeX)``.
    """
    frame = (centerX, centerY, imageSizeX, imageSizeY)
    outermost = bounding_radius(*frame) if radius is None else radius
    check_radii(radius_inner, outermost)
    count = int(np.round(outermost - radius_inner)) if n_bins is None else n_bins
    if use_sparse is None:
        width = (outermost - radius_inner) / count
        share = np.pi * (outermost**2 - (outermost - width) ** 2) / (imageSizeX * imageSizeY)
        use_sparse = share < SPARSE_BELOW and importlib.util.find_spec("sparse") is not None
    rings = _rings(frame, outermost, radius_inner, count, normalize, np.dtype(dtype))
    if not use_sparse:
        return np.stack(list(rings))
    sparse = pydata_sparse()
    return sparse.stack([sparse.COO.from_numpy(one) for one in rings])


def sparse_template_multi_stack(
    mask_index: Sequence[int],
    offsetX: npt.ArrayLike,
    offsetY: npt.ArrayLike,
    template: Array,
    imageSizeX: int,
    imageSizeY: int,
) -> Any:
    """Return a ``sparse.COO`` stack of masks with a template stamped in at many places.

    Parameters
    ----------
    mask_index : sequence of int
        In which mask of the stack each stamp goes.
    offsetX, offsetY : sequence of int
        Where the first pixel of the template comes to lie; what is outside the frame is cut off.
    template : numpy.ndarray
        2-D.
    """
    height, width = template.shape
    mask, y, x = np.broadcast_arrays(
        np.asarray(mask_index)[:, None, None],
        np.asarray(offsetY)[:, None, None] + np.arange(height)[:, None],
        np.asarray(offsetX)[:, None, None] + np.arange(width),
    )
    inside = (y >= 0) & (y < imageSizeY) & (x >= 0) & (x < imageSizeX)
    values = np.broadcast_to(template, mask.shape)
    return pydata_sparse().COO(
        coords=np.stack([mask[inside], y[inside], x[inside]]),
        data=values[inside],
        shape=(int(max(mask_index)) + 1, imageSizeY, imageSizeX),
    )


def sparse_circular_multi_stack(
    mask_index: Sequence[int],
    centerX: npt.ArrayLike,
    centerY: npt.ArrayLike,
    imageSizeX: int,
    imageSizeY: int,
    radius: float,
) -> Any:
    """Return a ``sparse.COO`` stack of masks with disks at many places, on whole pixels.

    The parameters are those of `sparse_template_multi_stack`, with the centres of the disks.
    """
    reach = int(np.ceil(radius))
    size = 2 * reach + 1
    return sparse_template_multi_stack(
        mask_index,
        offsetX=np.asarray(centerX).astype(int) - reach,
        offsetY=np.asarray(centerY).astype(int) - reach,
        template=circular(reach, reach, size, size, radius),
        imageSizeX=imageSizeX,
        imageSizeY=imageSizeY,
    )


def is_sparse(arr: Any) -> bool:
    """Return whether an array is one of ``scipy.sparse`` or of the package ``sparse``."""
    sparse = sys.modules.get("sparse")
    return is_scipy_sparse(arr) or (sparse is not None and isinstance(arr, sparse.SparseArray))


def scipy_sparse() -> Any:
    """Return the module ``scipy.sparse``: it takes a tenth of a second, and most do without."""
    return importlib.import_module("scipy.sparse")


def pydata_sparse() -> Any:
    """Return the package ``sparse``, which an ImportError asks for where it is not installed."""
    try:
        return importlib.import_module("sparse")
    except ImportError as error:
        raise ImportError(
            "a stack of sparse masks needs the package 'sparse': install it"
        ) from error


def is_scipy_sparse(arr: Any) -> bool:
    """Return whether an array is one of ``scipy.sparse``."""
    # Nothing is, before somebody has imported it.
    module = sys.modules.get("scipy.sparse")
    return module is not None and bool(module.issparse(arr))


def to_dense(a: Any) -> Array:
    """Return an array with all its zeros."""
    return np.asarray(a.toarray() if is_scipy_sparse(a) else _densified(a))


def to_sparse(a: Any, shape: Sequence[int] | None = None) -> Any:
    """Return an array as ``sparse.COO``, optionally reshaped."""
    coo = pydata_sparse().COO.from_numpy(to_dense(a))
    return coo if shape is None else coo.reshape(tuple(shape))


def _densified(a: Any) -> Any:
    return a.todense() if hasattr(a, "todense") else a


def _offsets(center_x: float, center_y: float, size_x: int, size_y: int) -> tuple[Array, Array]:
    """Return y and x of each pixel from the centre, to be broadcast."""
    return (np.arange(size_y) - center_y)[:, None], (np.arange(size_x) - center_x)[None, :]


def _only_ring(
    center_x: float, center_y: float, size_x: int, size_y: int, radius: float, inner: float
) -> Array:
    frame = (center_x, center_y, size_x, size_y)
    (only,) = _rings(frame, radius, inner, 1, False, np.dtype(np.float64))
    return only


def _rings(
    frame: tuple[float, float, int, int],
    radius: float,
    radius_inner: float,
    n_bins: int,
    normalize: bool,
    dtype: np.dtype[Any],
) -> Iterator[Array]:
    center_x, center_y, size_x, size_y = frame
    distance, _ = polar_map(*frame)
    width = (radius - radius_inner) / n_bins
    for number in range(n_bins):
        middle = radius_inner + (number + 0.5) * width
        # Rims fall off over one pixel, by which neighbours overlap: together they are 1.
        weights = np.clip(width / 2 + 0.5 - np.abs(distance - middle), 0, 1)
        total = weights.sum()
        if normalize and not np.isclose(total, 0):
            weights /= total
        if number == 0 and radius_inner < 0.5:
            # The innermost ring has no inner rim: its central pixel is full.
            y, x = int(np.round(center_y)), int(np.round(center_x))
            if 0 <= y < size_y and 0 <= x < size_x:
                weights[y, x] = 1 - radius_inner
        yield weights.astype(dtype)


if not TYPE_CHECKING:
    __all__ = [n for n, each in globals().items() if getattr(each, "__module__", "") == __name__]
    __getattr__ = further(__name__)
