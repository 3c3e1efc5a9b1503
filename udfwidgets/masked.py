"""Masked arrays of NumPy: what they leave out is left out here, or they are refused."""

from __future__ import annotations

from typing import Any

import numpy as np


def without_mask(array: Any, what: str, instead: str) -> Any:
    """Return an array of which nothing is masked, and everything else as it is.

    `numpy.asarray` drops the mask of a masked array without a word, and what was masked counts.

    Parameters
    ----------
    array : object
        A masked array, or anything else.
    what, instead : str
        What it is, and what to do, for the message.

    Raises
    ------
    ValueError
        If an element is masked.
    """
    if not isinstance(array, np.ma.MaskedArray):
        return array
    if count := int(np.count_nonzero(np.ma.getmaskarray(array))):
        raise ValueError(
            f"{what} is a masked array, with {count} of {array.size} values masked, expected one "
            f"without a mask: {instead}"
        )
    return array.data


def left_out(array: Any) -> Any:
    """Return a masked array with zeros (False) where it is masked, and everything else as it is."""
    return array.filled(0) if isinstance(array, np.ma.MaskedArray) else array


def blanked(array: Any) -> Any:
    """Return a masked array with NaN where it is masked, and everything else as it is.

    What a dtype without NaN has there stays.
    """
    if not isinstance(array, np.ma.MaskedArray):
        return array
    return array.filled(np.nan) if array.dtype.kind in "fc" else array.data
