"""Folds the frames that a file holds into scan and detector axes."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np

from udfwidgets.errors import DataSetException
from udfwidgets.io.layout.placing import Fold
from udfwidgets.shapes import Shape
from udfwidgets.warned import warn

_logger = logging.getLogger(__name__)


# A scan of more positions, most of them without a frame, is a header that is wrong.
_MOST_MISSING = 1 << 28


def axes(value: Sequence[int] | int, name: str) -> tuple[int, ...]:
    """Return axis lengths as a tuple of positive int, or raise a `ValueError`."""
    given = (int(value),) if isinstance(value, (int, np.integer)) else tuple(value)
    lengths = tuple(int(n) for n in given)
    if not lengths or any(n < 1 or n != g for n, g in zip(lengths, given, strict=True)):
        raise ValueError(f"{name}={value!r}, expected one or more positive whole numbers")
    return lengths


def square(n_frames: int) -> tuple[int, int] | None:
    """Return (n, n) if the frames make a square scan, else None."""
    side = math.isqrt(n_frames)
    return (side, side) if side * side == n_frames else None


def fold(
    where: str,
    n_stored: int,
    stored_sig: tuple[int, ...],
    stored_nav: tuple[int, ...] | None,
    *,
    nav_shape: Sequence[int] | None = None,
    sig_shape: Sequence[int] | None = None,
    sync_offset: int = 0,
    flyback: int = 0,
    snake: bool = False,
    lost: tuple[tuple[int, int], ...] = (),
) -> Fold:
    """Bring what the file says and what the user asked for together.

    Parameters
    ----------
    where : str
        The file, for messages.
    n_stored : int
        Frames in the file.
    stored_sig : tuple of int
        Shape of one frame in the file.
    stored_nav : tuple of int or None
        Scan shape in the file. None if the file does not say, a square is assumed then.
    nav_shape : sequence of int, optional
        Scan shape the user asked for. It may hold fewer frames than the file, or more: positions
        without a frame are missing then.
    sig_shape : sequence of int, optional
        Detector shape the user asked for, of as many pixels as `stored_sig`.
    sync_offset, flyback, snake, lost
        See `Fold`. Frames that they move out of the scan are dropped.

    Raises
    ------
    DataSetException
        If nothing tells the shape of the scan, or none of the frames of the file is in it.
    ValueError
        If an axis, an offset or another number cannot be right.
    """
    _check_geometry(sync_offset, flyback, snake)
    sig = sig_of(where, stored_sig, sig_shape)
    nav = _nav(where, n_stored, stored_nav, nav_shape)
    n_nav = math.prod(nav)
    folded = Fold(
        Shape((*nav, *sig), len(sig)), n_stored, int(sync_offset), int(flyback), bool(snake), lost
    )
    if folded.n_missing == n_nav:
        raise DataSetException(
            f"{where}: sync_offset={sync_offset} leaves nothing of a scan of {n_nav} frames, the "
            f"file holds {n_stored}"
        )
    if folded.n_missing > _MOST_MISSING:
        raise DataSetException(
            f"{where}: holds {n_stored} frames, of a scan of {nav} {folded.n_missing} frames are "
            "missing; pass the nav_shape= that was recorded"
        )
    if n_nav < n_stored and sync_offset == flyback == 0:
        _logger.warning("%s holds %d frames, nav_shape=%s uses %d", where, n_stored, nav, n_nav)
    if nav_shape is None and stored_nav is None and n_stored > 1:
        folded = replace(folded, notes=(tell_guess(where, n_stored, nav),))
    return folded


def sig_of(
    where: str, stored_sig: tuple[int, ...], sig_shape: Sequence[int] | None
) -> tuple[int, ...]:
    """Return the detector shape that is asked for, or that of the file.

    Raises
    ------
    DataSetException
        If it has more or fewer pixels than a frame of the file.
    """
    sig = stored_sig if sig_shape is None else axes(sig_shape, "sig_shape")
    if math.prod(sig) != math.prod(stored_sig):
        raise DataSetException(
            f"{where}: sig_shape={sig} has {math.prod(sig)} pixels, expected the "
            f"{math.prod(stored_sig)} of a stored frame of shape {stored_sig}"
        )
    return sig


def _check_geometry(sync_offset: Any, flyback: Any, snake: Any) -> None:
    """Raise unless the numbers are whole, and the switch is one: nothing is cut off in silence."""
    if not _is_whole(sync_offset):
        raise ValueError(f"sync_offset={sync_offset!r}, expected a whole number of frames")
    if not _is_whole(flyback) or flyback < 0:
        raise ValueError(f"flyback={flyback!r}, expected how many frames to drop after each line")
    if not isinstance(snake, (bool, np.bool_)):
        raise ValueError(f"snake={snake!r}, expected True or False")


def _is_whole(value: Any) -> bool:
    return isinstance(value, Real) and value % 1 == 0


def tell_guess(where: str, n_frames: int, nav: tuple[int, ...]) -> str:
    """Warn that a scan shape is nothing but a guess, and return what was said."""
    note = (
        f"{where}: nothing says how its {n_frames} frames make a scan; the shape {nav} is a "
        "guess, because they make a square; pass nav_shape="
    )
    warn(note)
    return note


def _nav(
    where: str,
    n_stored: int,
    stored_nav: tuple[int, ...] | None,
    nav_shape: Sequence[int] | None,
) -> tuple[int, ...]:
    if nav_shape is not None:
        return axes(nav_shape, "nav_shape")
    nav = stored_nav if stored_nav is not None else square(n_stored)
    if nav is None:
        raise DataSetException(
            f"{where}: holds {n_stored} frames, which is not a square scan; pass nav_shape="
        )
    if math.prod(nav) < 1:
        raise DataSetException(f"{where}: the scan of shape {nav} holds no frames")
    # A single image is a scan of one position.
    return nav or (1,)


def split_axes(
    where: str,
    shape: tuple[int, ...],
    sig_dims: int,
    sig_shape: Sequence[int] | None = None,
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the nav axes and the sig axes of an array in a file.

    Where a `sig_shape` is asked for, the last axes that have as many pixels are the sig axes.

    Raises
    ------
    DataSetException
        If it has too few axes, or no elements.
    """
    if sig_dims < 1:
        raise ValueError(f"sig_dims={sig_dims}, expected at least 1")
    if len(shape) < sig_dims:
        raise DataSetException(
            f"{where}: an array of shape {shape}, expected at least sig_dims={sig_dims} axes"
        )
    if math.prod(shape) < 1:
        raise DataSetException(f"{where}: an array of shape {shape} holds no frames")
    n_nav = len(shape) - sig_dims
    if sig_shape is not None:
        sig = axes(sig_shape, "sig_shape")
        n_pixels = math.prod(sig)
        fitting = [n for n in range(len(shape)) if math.prod(shape[n:]) == n_pixels]
        if not fitting:
            raise DataSetException(
                f"{where}: an array of shape {shape}, expected last axes that hold the {n_pixels} "
                f"pixels of sig_shape={sig}"
            )
        as_stored = len(shape) - len(sig)
        n_nav = as_stored if shape[-len(sig) :] == sig else fitting[-1]
    return shape[:n_nav], shape[n_nav:]
