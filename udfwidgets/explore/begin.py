"""Makes a view of what a user has given, or as the same cell has left it."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from udfwidgets.calibration import Calibration
from udfwidgets.explore.state import State
from udfwidgets.explore.subject import Starts, Subject
from udfwidgets.explore.view import Explorer
from udfwidgets.io.dataset.base import DataSet
from udfwidgets.live.where import current_cell

#: A cell, a scan, and its shape.
Place = tuple[str, object, tuple[int, ...]]
#: Cells of which is remembered how they were left.
REMEMBERED = 64

_open: weakref.WeakValueDictionary[Place, Explorer] = weakref.WeakValueDictionary()
_left: dict[Place, Mapping[str, Any]] = {}


def explore(
    context: Starts,
    dataset: DataSet,
    given: Mapping[str, Any],
    state: Mapping[str, Any] | None = None,
    roi: Any = None,
    corrections: Any = None,
    calibration: Calibration | None = None,
) -> Explorer:
    """Return a view; see `Context.explore`."""
    subject = Subject(context, dataset, roi, corrections, calibration)
    axes = (*dataset.shape.nav.axes, *dataset.shape.sig.axes)
    place = (current_cell(), dataset.files or id(dataset), axes)
    if state is None:
        # The view of the last time is closed only when this cell is through.
        before = _open.get(place)
        state = _left.get(place) if before is None else before.state
    begin = State() if state is None else State.from_plain(state)
    wanted = {name: value for name, value in given.items() if value is not None}
    view = Explorer(subject, replace(begin, **wanted), partial(_note, place))
    if place[0]:
        _open[place] = view
    return view


def _note(place: Place, state: Mapping[str, Any]) -> None:
    """Remember how a cell was left."""
    if not place[0]:
        return  # nobody says which cell it was
    _left.pop(place, None)
    _left[place] = state
    while len(_left) > REMEMBERED:
        del _left[next(iter(_left))]
