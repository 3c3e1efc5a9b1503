"""What the header of a TIA series tells, and what is before the pixels of each of its frames."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from udfwidgets.errors import DataSetException
from udfwidgets.io.layout.files import map_array, size_of
from udfwidgets.io.layout.records import read_record
from udfwidgets.names import further

MAGIC = b"II\x97\x01"
_VERSIONS = (0x0200, 0x0210, 0x0220)
_SPECTRA, _IMAGES = 0x4120, 0x4122
_HEADER = [
    ("magic", "S4"), ("version", "<u2"), ("kind", "<u4"), ("tags", "<u4"), ("total", "<u4"),
    ("valid", "<u4"),
]  # fmt: skip
_AXIS = [("size", "<u4"), ("begin", "<f8"), ("step", "<f8"), ("at", "<u4"), ("n_text", "<u4")]
_SPECTRUM = [("begin", "<f8"), ("step", "<f8"), ("at", "<u4"), ("type", "<u2"), ("n", "<u4")]
_IMAGE = [
    ("begin_x", "<f8"), ("step_x", "<f8"), ("at_x", "<u4"), ("begin_y", "<f8"), ("step_y", "<f8"),
    ("at_y", "<u4"), ("type", "<u2"), ("nx", "<u4"), ("ny", "<u4"),
]  # fmt: skip
_DTYPES = ("u1", "<u2", "<u4", "i1", "<i2", "<i4", "<f4", "<f8", "<c8", "<c16")
_MOST_AXES, _LONGEST_TEXT = 8, 1 << 12


class Series(NamedTuple):
    """What the header of a file tells.

    Parameters
    ----------
    is_image : bool
        Whether frames are images, and no spectra.
    offsets : numpy.ndarray
        Where the frames begin, with what is before their pixels.
    nav : tuple of int
        Shape of the scan.
    steps, units : tuple
        Of the axes of the scan, if they are known.
    """

    is_image: bool
    offsets: npt.NDArray[np.int64]
    nav: tuple[int, ...]
    steps: tuple[float, ...]
    units: tuple[str, ...]

    @property
    def element(self) -> np.dtype[Any]:
        """What is before the pixels of a frame."""
        return np.dtype(_IMAGE if self.is_image else _SPECTRUM)


def read_series(path: Path) -> Series:
    """Read the header, and the list of places.

    Raises
    ------
    DataSetException
        If it is no such file, or holds nothing.
    """
    header = read_record(path, _HEADER, "the header of a TIA series")
    magic = bytes(header["magic"])
    if magic != MAGIC or header["version"] not in _VERSIONS:
        raise DataSetException(
            f"{path} begins with {magic!r}, version {header['version']:#x}, expected "
            f"{MAGIC!r} and one of {', '.join(map(hex, _VERSIONS))} of a TIA series"
        )
    if header["kind"] not in (_SPECTRA, _IMAGES):
        raise DataSetException(
            f"{path} has data of type {header['kind']:#x} at byte 6, expected {_SPECTRA:#x} or "
            f"{_IMAGES:#x}"
        )
    total, valid = int(header["total"]), int(header["valid"])
    if not 0 < valid <= total:
        raise DataSetException(
            f"{path} holds {valid} of {total} frames; a single spectrum is in the .emi alone, "
            "save it in another format"
        )
    word = "<u4" if header["version"] <= 0x0210 else "<u8"
    rest = read_record(path, [("at", word), ("n_axes", "<u4")], "the header of a TIA series", 22)
    sizes, steps, units = _axes(path, 22 + rest.nbytes, int(rest["n_axes"]))
    at = int(rest["at"])
    if at >= size_of(path):
        raise DataSetException(
            f"{path} ends before byte {at}, where the places of its frames are listed; the file is "
            "truncated, or its header is damaged"
        )
    offsets = np.array(map_array(path, word, at, (valid,)))
    # Images that are merely counted were not to become a certain number.
    if math.prod(sizes) != total or (len(sizes) == 1 and not units[0]):
        sizes = (valid,)
    if len(sizes) != len(steps) or not all(units):
        steps, units = (), ()
    is_image = bool(header["kind"] == _IMAGES)
    return Series(is_image, _placed_in(path, offsets), sizes, steps, units)


def _placed_in(path: Path, offsets: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    if offsets.max() >= 1 << 62:
        raise DataSetException(
            f"{path} has frames at byte {offsets.max()}, expected places within the file; the list "
            "of places is damaged"
        )
    return offsets.astype(np.int64)


def _axes(
    path: Path, at: int, n_axes: int
) -> tuple[tuple[int, ...], tuple[float, ...], tuple[str, ...]]:
    """Return sizes, steps and units of the axes of a scan, which are stored from the fastest on."""
    if n_axes > _MOST_AXES:
        raise DataSetException(f"{path} has {n_axes} scan axes, expected {_MOST_AXES} at most")
    found: list[tuple[int, float, str]] = []
    for _ in range(n_axes):
        axis = read_record(path, _AXIS, "an axis of a TIA series", at)
        at += axis.nbytes + int(axis["n_text"])
        n_unit = int(read_record(path, [("n", "<u4")], "the unit of an axis", at)["n"])
        if max(n_unit, int(axis["n_text"])) > _LONGEST_TEXT:
            raise DataSetException(
                f"{path} has a unit of {n_unit} bytes at byte {at}, expected {_LONGEST_TEXT} at "
                "most; its header is damaged"
            )
        raw = read_record(path, f"V{n_unit}", "the unit of an axis", at + 4) if n_unit else b""
        at += 4 + n_unit
        unit = bytes(raw).decode("latin-1").strip("\0 ")
        found.append((int(axis["size"]), float(axis["step"]), unit.replace("meters", "m")))
    sizes, steps, units = zip(*found[::-1], strict=True) if found else ((), (), ())
    return tuple(sizes), tuple(steps), tuple(units)


def element_of(
    path: Path, series: Series, number: int
) -> tuple[tuple[int, ...], np.dtype[Any], Any]:
    """Return shape and dtype of a frame, and what is before its pixels."""
    at = int(series.offsets[number])
    element = read_record(path, series.element, f"frame {number} of a TIA series", at)
    if not 1 <= element["type"] <= len(_DTYPES):
        raise DataSetException(
            f"{path} has pixels of type {element['type']} in frame {number} at byte {at}, expected "
            f"1 to {len(_DTYPES)}"
        )
    axes = ("ny", "nx") if series.is_image else ("n",)
    sig = tuple(int(element[axis]) for axis in axes)
    return sig, np.dtype(_DTYPES[element["type"] - 1]), element


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
