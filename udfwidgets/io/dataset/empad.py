"""Scans of an EMPAD detector: float32 frames, with two rows of other things behind each.

The `.raw` holds frames of 130 x 128, of which the first 128 rows are pixels. The `.xml` beside it
names the `.raw` and tells the scan; without one, the name of the `.raw` may, as in
``scan_x256_y128.raw``.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np

from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.strided import Layout, StridedFile
from udfwidgets.io.layout.files import existing_file, read_start, size_of
from udfwidgets.io.layout.strided import Piece
from udfwidgets.io.telling import EMPAD_BYTES, nav_in_name
from udfwidgets.names import further

SIG, DTYPE = (128, 128), np.dtype("<f4")
_LONGEST_XML = 1 << 22
_MOST = 1 << 24  # positions of a scan along one axis


class EMPADDataSet(StridedFile):
    """A scan of an EMPAD: the `.xml`, or the `.raw` alone.

    Takes the parameters of a `StridedFile`.

    Raises
    ------
    DataSetException
        If the `.xml` does not name a `.raw` that is there, or that does not hold whole frames.
    """

    def _find(self, path: Path, *, is_told: bool) -> Layout:
        told: list[tuple[int, ...]] = []
        metadata: dict[str, Any] = {}
        if path.suffix.lower() == ".xml":
            path, told, metadata = _read_xml(path)
        elif (named := nav_in_name(path.name)) is not None:
            told = [named]
        n_bytes = size_of(path)
        n_stored, rest = divmod(n_bytes, EMPAD_BYTES)
        if not n_stored or (rest and not is_told):
            raise DataSetException(
                f"{path} has {n_bytes} bytes, expected a whole number of EMPAD frames of "
                f"{EMPAD_BYTES} bytes; {rest} bytes are left: pass nav_shape= if the scan was "
                "stopped, or load another file as 'raw'"
            )
        # Where the detector records more than the image that is looked for, it is told apart.
        fitting = [nav for nav in told if int(np.prod(nav, dtype=object)) == n_stored]
        nav = next(iter([*fitting, *told]), None)
        notes = [] if not rest else [f"the last {rest} bytes are no whole frame, and are left out"]
        if nav is not None and not is_told and not fitting:
            notes.append(f"the scan is told to be {nav}, the file has {n_stored} frames")
        piece = Piece(path, n_bytes, 0, EMPAD_BYTES, n_stored)
        return Layout([piece], SIG, DTYPE, nav, notes, _with_scales(metadata, nav))


def _read_xml(path: Path) -> tuple[Path, list[tuple[int, ...]], dict[str, Any]]:
    """Return the `.raw`, the scan shapes that are told, the likeliest first, and what else is."""
    content = read_start(path, _LONGEST_XML)
    try:
        # Nothing that this format needs is declared, and what is may grow without bounds. In
        # whatever encoding: those of 16 bits have zeros between.
        if b"<!" in content.replace(b"\0", b"").replace(b"<!--", b""):
            raise ElementTree.ParseError("it declares entities or types")
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise DataSetException(
            f"{path} cannot be parsed ({error}), expected the .xml of an EMPAD scan"
        ) from error
    named = root.find("raw_file")
    name = "" if named is None else named.get("filename", "")
    # Written on Windows as often as not, and moved since.
    name = re.split(r"[/\\]", name.strip())[-1]
    if not name or "\0" in name:
        raise DataSetException(f"{path} names no raw_file, expected the .xml of an EMPAD scan")
    told = [nav for nav in _told_shapes(root) if nav and all(0 < n < _MOST for n in nav)]
    if (in_name := nav_in_name(name)) is not None:
        told.append(in_name)
    return existing_file(path.with_name(name)), told, _metadata(root)


def _told_shapes(root: ElementTree.Element) -> list[tuple[int, ...]]:
    if _text(root, "type") == "series":
        return [(_number(_text(root, "count")),)]
    shapes: list[tuple[int, ...]] = []
    for mode in ("acquire", "search"):
        for found in root.findall("scan_parameters"):
            if found.get("mode") == mode:
                axes = ("scan_resolution_y", "scan_resolution_x")
                shapes.append(tuple(_number(_text(found, axis)) for axis in axes))
    shapes.append((_number(_text(root, "pix_y")), _number(_text(root, "pix_x"))))
    series = _text(root, "scan_parameters/series_count")
    return [(_number(series),), *shapes] if series else shapes


def _metadata(root: ElementTree.Element) -> dict[str, Any]:
    """Return how wide the field of view is that is scanned, in metres, if that is told."""
    view = _length(_text(root, "iom_measurements/full_scan_field_of_view/x"))
    factor = _length(_text(root, "iom_measurements/full_scan_field_of_view/scale_factor"))
    # What is written is the view times the part of it that the detector's own scan takes.
    return {"field_of_view": view / factor} if view and factor else {}


def _with_scales(metadata: dict[str, Any], nav: tuple[int, ...] | None) -> dict[str, Any]:
    """Add how large a step is: the view is that of the longer axis."""
    if nav is None or len(nav) != 2 or "field_of_view" not in metadata:
        return metadata
    step = metadata["field_of_view"] / max(nav)
    return {**metadata, "nav_scales": (step, step), "nav_units": ("m", "m")}


def _length(text: str) -> float:
    """Return a number above zero, 0 where it is none."""
    if not re.fullmatch(r"[0-9]*\.?[0-9]+([eE][-+]?[0-9]{1,3})?", text):
        return 0.0
    length = float(text)
    return length if math.isfinite(length) else 0.0


def _text(root: ElementTree.Element, path: str) -> str:
    return (root.findtext(path) or "").strip()


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
