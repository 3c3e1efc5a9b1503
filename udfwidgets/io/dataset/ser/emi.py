"""Finds the series that an `.emi` of TIA stands for, and what it tells of the microscope."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.ser.series import element_of, read_series
from udfwidgets.io.layout.files import read_start

_LONGEST = 1 << 26


def series_of(emi: Path) -> tuple[Path, dict[str, Any]]:
    """Return the `.ser` that an `.emi` stands for, and what it tells of the microscope.

    Raises
    ------
    DataSetException
        If there is none, or several are as large.
    """
    found: list[tuple[bool, int, Path, int]] = []
    refused: list[DataSetException] = []
    for path in emi.parent.iterdir():
        named = re.fullmatch(r"_([0-9]{1,4})\.ser", path.name[len(emi.stem) :], re.IGNORECASE)
        if named is None or not path.name.startswith(emi.stem):
            continue
        try:
            series = read_series(path)
            sig, _, _ = element_of(path, series, 0)
        except DataSetException as error:
            refused.append(error)
            continue
        n_pixels = len(series.offsets) * math.prod(sig)
        found.append((series.is_image, n_pixels, path, int(named[1])))
    if not found and refused:
        raise refused[0]
    if not found:
        raise DataSetException(f"{emi} has no .ser beside it, expected {emi.stem}_1.ser")
    best = max(found)[:2]
    meant = sorted(str(each[2]) for each in found if each[:2] == best)
    if len(meant) > 1:
        raise DataSetException(f"{emi} stands for several series, name one of them: {meant}")
    return max(found)[2], {"experiment": _experiment(emi, max(found)[3])}


def _experiment(emi: Path, number: int) -> dict[str, str]:
    """Return what is said of the microscope, in the words of TIA."""
    begin, end = b"<ObjectInfo>", b"</ObjectInfo>"
    texts = read_start(emi, _LONGEST).split(begin)[1:]
    text = texts[min(number, len(texts)) - 1].partition(end)[0] if texts else b""
    try:
        # Nothing that is needed is declared, and what is may grow without bounds.
        root = ElementTree.fromstring(begin + (b"" if b"<!" in text else text) + end)
    except (ElementTree.ParseError, ValueError, LookupError):
        return {}
    told = root.iterfind("ExperimentalDescription/Root/Data")
    rows = ([data.findtext(tag, "") for tag in ("Label", "Value", "Unit")] for data in told)
    return {label: f"{value} {unit}".strip() for label, value, unit in rows}
