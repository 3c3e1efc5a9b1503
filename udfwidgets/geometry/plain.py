"""Makes shapes from plain data, which a page sent or a notebook kept: it may be anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from udfwidgets.geometry.centred import Annulus, Disk, Ellipse, Point, Rectangle, Sector
from udfwidgets.geometry.drawn import Brush, Lasso, Polygon
from udfwidgets.geometry.figure import Figure

KINDS: Mapping[str, type[Figure]] = {
    kind.kind(): kind
    for kind in (Point, Disk, Annulus, Sector, Rectangle, Ellipse, Polygon, Lasso, Brush)
}


def from_plain(plain: Mapping[str, Any]) -> Figure:
    """Return the shape that `Figure.to_plain` made into plain data.

    Parameters
    ----------
    plain : mapping
        ``{"type": "disk", "cx": 1.5, "cy": 2, "r": 3}``: all fields of the shape, and no others.

    Raises
    ------
    ValueError
        If that is not what came; the message says what did.
    """
    if not isinstance(plain, Mapping):
        raise ValueError(f"a shape came as a {type(plain).__name__}, expected a dict with a 'type'")
    name = plain.get("type")
    if not isinstance(name, str) or name not in KINDS:
        raise ValueError(f"a shape has the type {name!r:.60}, expected one of {sorted(KINDS)}")
    kind = KINDS[name]
    given = {key: value for key, value in plain.items() if key != "type"}
    known = {field.name: field.default is MISSING for field in fields(kind)}
    unknown = [key for key in given if key not in known]
    missing = [key for key, is_needed in known.items() if is_needed and key not in given]
    if unknown or missing:
        raise ValueError(
            f"a {name} has the fields {list(given)!s:.200}, expected {list(known)}: "
            f"{len(unknown)} too many, {len(missing)} missing"
        )
    return kind(**given)
