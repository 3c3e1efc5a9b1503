"""TIFF files of 32-bit floats, whose pixel size ImageJ and all that reads its files understand.

ImageJ has the unit in the description, and in the resolution tags how many pixels make one unit of
it. So any unit can be told, while TIFF itself knows the inch and the centimetre only.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, TiffImagePlugin

from udfwidgets.buffers import Array
from udfwidgets.calibration import Scale
from udfwidgets.keeping.kept import Kept

DESCRIPTION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT, SOFTWARE = 270, 282, 283, 296, 305
#: As a resolution unit: none that TIFF has a number for.
_NONE = 1
_IMAGEJ = "1.54f"
#: A resolution is a fraction of two numbers of 32 bits.
MOST_PER_UNIT = 1e9
#: More bytes than these have no place in a TIFF file.
MOST_BYTES = 4_000_000_000
_SPELT = {"\u00b5m": "micron", "\u03bcm": "micron", "\u00c5": "angstrom", "1/\u00c5": "1/angstrom"}


def write(path: Path, kept: Kept, software: str) -> None:
    """Write one result, a page for each of its slices; NaN where nothing has been merged.

    Parameters
    ----------
    path : Path
        Of the file.
    kept : Kept
        Of real numbers.
    software : str
        What is written down as having made it.

    Raises
    ------
    ValueError
        If it is no image of real numbers.
    """
    pages = [Image.fromarray(page) for page in _pages(kept)]
    tags = _tags(kept, software)
    pages[0].save(path, "TIFF", save_all=True, append_images=pages[1:], tiffinfo=tags)


def _pages(kept: Kept) -> Array:
    values = kept.values
    if values.dtype.kind not in "biuf" or values.ndim == 0 or not values.size:
        raise ValueError(
            f"{kept.title} has shape {values.shape} and dtype {values.dtype}; a TIFF file takes "
            "images of real numbers: save it as .h5 or .npy"
        )
    if values.size * 4 > MOST_BYTES:
        raise ValueError(f"{kept.title} is too large for a TIFF file: save it as .h5 or .npy")
    with np.errstate(over="ignore"):
        pages = np.asarray(values, np.float32)
    if kept.valid is not None:
        pages = np.where(kept.valid, pages, np.float32(np.nan))
    rows = pages.shape[-2] if pages.ndim - kept.n_slices > 1 else 1
    return np.ascontiguousarray(pages.reshape(-1, rows, pages.shape[-1]))


def _tags(kept: Kept, software: str) -> TiffImagePlugin.ImageFileDirectory_v2:
    scales = kept.scales
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[SOFTWARE] = software
    tags[DESCRIPTION] = _description(*scales)
    if scales != (None, None):
        tags[Y_RESOLUTION], tags[X_RESOLUTION] = map(_per_unit, scales)
        tags[RESOLUTION_UNIT] = _NONE
    return tags


def _per_unit(scale: Scale | None) -> float:
    """Return how many pixels make one unit."""
    pixels = 1.0 if scale is None else 1 / scale.size
    if not 1 / MOST_PER_UNIT < pixels < MOST_PER_UNIT:
        raise ValueError(
            f"a pixel of {scale} is nothing that a TIFF file can tell: give the calibration in a "
            "handier unit, such as nm in place of m"
        )
    return pixels


def _description(y: Scale | None, x: Scale | None) -> str:
    unit, y_unit = (_ascii("pixel" if each is None else each.unit) for each in (x, y))
    lines = [f"ImageJ={_IMAGEJ}", f"unit={unit}"]
    if y_unit != unit:
        lines.append(f"yunit={y_unit}")
    return "\n".join(lines) + "\n"


def _ascii(unit: str) -> str:
    """Return a unit in the characters that a tag may have; ImageJ reads the others so."""
    known = _SPELT.get(unit, " ".join(unit.split()))
    return "".join(c if c.isascii() else f"\\u{ord(c):04x}" for c in known)
