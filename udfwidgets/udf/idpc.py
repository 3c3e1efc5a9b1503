"""Integrated differential phase contrast (iDPC): what a centre-of-mass field is the slope of.

Where the specimen is thin, the field is proportional to the slope of its projected potential, and
what is integrated is proportional to that potential: Lazić et al., Ultramicroscopy 160, 265 (2016).
"""

from __future__ import annotations

import numpy as np
import scipy.fft
import scipy.ndimage

from udfwidgets.buffers import Array, BoolArray


def integrate_field(y_centers: Array, x_centers: Array, known: BoolArray | None = None) -> Array:
    """Return the image whose slope, per scan step, is nearest to a field in the least squares.

    The field is measured where the image is wanted, so between two neighbours the image is to rise
    by the mean of their fields, as in W. H. Southwell, J. Opt. Soc. Am. 70, 998 (1980). With
    g_y[i] = (F_y[i] + F_y[i+1]) / 2 between rows, and g_x likewise between columns, the image of
    least squares solves the discrete Poisson equation

        sum over the neighbours n of p: phi[n] - phi[p] = g towards n

    Beyond the rim nothing is known and nothing is assumed: a pixel there has fewer neighbours,
    which is Neumann's condition. A cosine transform (DCT-II), a Fourier transform of the image
    mirrored at its rims, makes of the left side a product with
    2 cos(pi k / n_y) + 2 cos(pi l / n_x) - 4, by which it is divided: D. C. Ghiglia and L. A.
    Romero, J. Opt. Soc. Am. A 11, 107 (1994). Other than with an FFT of the field as it is,
    which takes the scan to go on periodically, opposite rims do not see each other.

    What the rotation of the scan leaves as curl in the field is left out by that; a mean of the
    field, as of a tilted beam, becomes a slope over the image, which `regression` takes away.

    Parameters
    ----------
    y_centers, x_centers : (ny, nx) numpy.ndarray
        The field, see `CoMUDF`. NaN counts as not known.
    known : (ny, nx) numpy.ndarray of bool, optional
        Positions that are in. Elsewhere the field of the nearest known one stands in while the
        image is made, which is NaN there.

    Returns
    -------
    (ny, nx) numpy.ndarray
        In detector pixels times scan steps, with a mean of zero; float64, complex for complex
        fields.
    """
    field = np.stack([y_centers, x_centers]).astype(np.result_type(y_centers, np.float64))
    there = np.isfinite(field).all(axis=0)
    there = there if known is None else there & known
    if not there.any():
        return np.full_like(field[0], np.nan)
    if not there.all():
        rows, columns = _nearest(there)
        field = field[:, rows, columns]
    image = np.asarray(_poisson(_towards_neighbours(*field)))
    if there.all():
        return image
    return np.where(there, image - image[there].mean(), np.nan)


def _nearest(there: BoolArray) -> Array:
    """Return for each position the row and the column of the nearest one that is there."""
    found: Array = scipy.ndimage.distance_transform_edt(
        ~there, return_distances=False, return_indices=True
    )
    return found


def _towards_neighbours(y: Array, x: Array) -> Array:
    """Return for each pixel the sum of the rises to all of its neighbours."""
    rises = np.zeros_like(y)
    down, right = (y[:-1] + y[1:]) / 2, (x[:, :-1] + x[:, 1:]) / 2
    rises[:-1] += down
    rises[1:] -= down
    rises[:, :-1] += right
    rises[:, 1:] -= right
    return rises


def _poisson(rises: Array) -> Array:
    """Return the image with these sums of rises, and a mean of zero."""
    ny, nx = rises.shape
    ky, kx = np.ogrid[:ny, :nx]
    divisor = 2 * np.cos(np.pi * ky / ny) + 2 * np.cos(np.pi * kx / nx) - 4
    divisor[0, 0] = 1  # the mean, which is free
    spectrum = scipy.fft.dctn(rises, type=2) / divisor
    spectrum[0, 0] = 0
    image: Array = scipy.fft.idctn(spectrum, type=2)
    return image
