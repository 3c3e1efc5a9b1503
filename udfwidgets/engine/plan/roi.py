"""A region of interest, resolved from all the forms a user may write it in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from udfwidgets.buffers import Array, BoolArray
from udfwidgets.masked import left_out
from udfwidgets.shapes import Shape
from udfwidgets.warned import warn


def resolve_roi(roi: Any, nav: Shape) -> BoolArray | None:
    """Return the roi as a bool array of nav shape that nobody else holds, or None for all.

    Parameters
    ----------
    roi : object
        None; an array of nav shape (a dtype other than bool is cast, with a warning), of which
        masked positions are not selected; a SciPy or pydata
        sparse array; one coordinate as a tuple of int; or a list of coordinates, or of
        (coordinate, bool) pairs. In a list of pairs that only deselects, all others are selected.
    nav : Shape
        Scan axes of the dataset.

    Raises
    ------
    ValueError
        If the shape of the roi is not that of the scan; both are named. If it holds no
        numbers.
    IndexError
        If a coordinate lies outside the scan.
    """
    if roi is None:
        return None
    if hasattr(roi, "todense"):
        roi = np.asarray(roi.todense())
    if isinstance(roi, tuple) and _is_coordinate(roi):
        return _from_coordinates([(roi, True)], nav)
    if isinstance(roi, (tuple, list)) and roi and isinstance(roi[0], (tuple, list)):
        pairs = [_as_pair(entry) for entry in roi]
        if all(pair is not None for pair in pairs):
            return _from_coordinates([pair for pair in pairs if pair], nav)
    mask: Array = np.asarray(left_out(roi))
    if mask.dtype.kind not in "buifc":
        raise ValueError(
            f"roi is {roi!r:.200}, expected an array of bool of nav shape {nav.axes}: make one by "
            "roi = np.zeros(nav_shape, bool), and set a part of it, as in roi[2:5, :8] = True"
        )
    if mask.dtype != bool:
        warn(f"roi is of dtype {mask.dtype}, expected bool: every non-zero position is selected")
    if mask.shape != nav.axes:
        raise ValueError(
            f"roi has shape {mask.shape}, the scan has nav shape {nav.axes}: they need to be equal"
        )
    selected: BoolArray = mask.astype(bool)
    return selected


def _is_coordinate(entry: tuple[Any, ...]) -> bool:
    # bool is an int in Python, but a tuple of them is a row of a mask.
    return all(isinstance(i, (int, np.integer)) and not isinstance(i, bool) for i in entry)


def _as_pair(entry: Sequence[Any]) -> tuple[tuple[int, ...], bool] | None:
    """Return (coordinate, selected), or None where the entry is a row of a nested list."""
    if len(entry) == 2 and isinstance(entry[0], (tuple, list)):
        return tuple(entry[0]), bool(entry[1])
    if isinstance(entry, tuple) and _is_coordinate(entry):
        return tuple(int(i) for i in entry), True
    return None


def _from_coordinates(pairs: list[tuple[tuple[int, ...], bool]], nav: Shape) -> BoolArray:
    only_deselects = not any(selected for _, selected in pairs)
    mask = np.full(nav.axes, only_deselects)
    for coordinate, selected in pairs:
        if len(coordinate) != nav.dims:
            raise ValueError(
                f"roi coordinate {coordinate} has {len(coordinate)} numbers, the scan has nav "
                f"shape {nav.axes}"
            )
        mask[coordinate] = selected
    return mask
