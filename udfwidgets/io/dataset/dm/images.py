"""The images of a DigitalMicrograph file, as its tags tell of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.dm.tags import Lying, Tags, Value

_DTYPES = {
    1: "i2", 2: "f4", 3: "c8", 6: "u1", 7: "i4", 9: "i1", 10: "u2", 11: "u4", 12: "f8",
    13: "c16", 14: "?", 39: "i8", 40: "u8",
}  # fmt: skip
_MOST_AXES = 8


@dataclass(frozen=True)
class Image:
    """One image of a file.

    Parameters
    ----------
    index : int
        Which one, as the file counts.
    shape : tuple of int
        As it lies in the file, the axis last along which pixels follow each other.
    dtype : numpy.dtype
        In the byte order of the file.
    offset : int
        Where it begins.
    sig_dims : int
        How many axes a frame has: 1 for spectra.
    is_turned : bool or None
        Whether the axes of the frame come first, so that each pixel has all its values one after
        the other; None where nothing tells.
    scales, origins : tuple of float
        Of each axis: how large a pixel is, and which is at zero.
    units : tuple of str
        Of each axis.
    """

    index: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int
    sig_dims: int
    is_turned: bool | None
    scales: tuple[float, ...]
    origins: tuple[float, ...]
    units: tuple[str, ...]


def find_image(path: Path, order: str, tags: Tags, index: int | None) -> Image:
    """Return the image that is asked for, or the one with the most axes.

    Parameters
    ----------
    path : Path
        Of the file, for messages.
    order : str
        Byte order.
    tags : dict
        All of the file.
    index : int or None
        Which image.

    Raises
    ------
    DataSetException
        If there is none of numbers, or several that could be meant.
    """
    groups = {key[1] for key in tags if key[0] == "ImageList" and len(key) > 2}
    thumbnail = _number(tags.get(("Thumbnails", "0", "ImageIndex")))
    found = []
    for group in sorted((name for name in groups if name.isdecimal()), key=int):
        image = _image(path, order, tags, int(group))
        is_asked = int(group) == index if index is not None else int(group) != thumbnail
        if image is not None and is_asked:
            found.append(image)
    if not found:
        which = "" if index is None else f" with dataset_index={index}"
        raise DataSetException(
            f"{path} has no image of numbers with two axes or more{which}, expected a scan or a "
            "stack of images"
        )
    most = max(len(image.shape) for image in found)
    likely = [image for image in found if len(image.shape) == most]
    if len(likely) > 1:
        listed = ", ".join(f"{image.index} {image.shape[::-1]}" for image in likely)
        raise DataSetException(f"{path} has several images: {listed}; pass dataset_index=")
    return likely[0]


def _image(path: Path, order: str, tags: Tags, index: int) -> Image | None:
    """Return an image; None for those that are no frames of numbers, as pictures in colour are."""
    own = ("ImageList", str(index))
    data = tags.get((*own, "ImageData", "Data"))
    kind = _number(tags.get((*own, "ImageData", "DataType")))
    lengths = _numbered(tags, (*own, "ImageData", "Dimensions"))
    shape = tuple(_number(length) for length in reversed(lengths))
    if not isinstance(data, Lying) or kind not in _DTYPES or not 2 <= len(shape) <= _MOST_AXES:
        return None
    dtype = np.dtype(order + _DTYPES[kind] if kind != 14 else "?")
    if min(shape) < 1 or math.prod(shape) * dtype.itemsize > data.n_bytes:
        raise DataSetException(
            f"{path} has {data.n_bytes} bytes at byte {data.offset} for image {index}, expected "
            f"{shape} pixels of {dtype.itemsize} bytes; it is damaged"
        )
    about = (*own, "ImageTags", "Meta Data")
    is_spectra = _text(tags.get((*about, "Format"))).lower() == "spectrum image"
    axes = range(len(shape) - 1, -1, -1)
    calibrations = (*own, "ImageData", "Calibrations", "Dimension")
    told = {
        name: tuple(tags.get((*calibrations, str(axis), name)) for axis in axes)
        for name in ("Scale", "Origin", "Units")
    }
    return Image(
        index,
        shape,
        dtype,
        data.offset,
        1 if is_spectra else 2,
        _is_turned(tags.get((*about, "Data Order Swapped")), len(shape), is_spectra),
        tuple(map(_float, told["Scale"])),
        tuple(map(_float, told["Origin"])),
        tuple(map(_text, told["Units"])),
    )


def _is_turned(swapped: Value | None, n_axes: int, is_spectra: bool) -> bool | None:
    """Tell whether each pixel has its values together, as older versions wrote scans."""
    if isinstance(swapped, (int, float)):
        return not swapped
    if isinstance(swapped, Lying) and swapped.text.strip() in ("0", "1"):
        return swapped.text.strip() == "0"
    if n_axes == 3:
        return is_spectra
    return False if n_axes == 2 else None


def _numbered(tags: Tags, path: tuple[str, ...]) -> list[Value]:
    values: list[Value] = []
    while (value := tags.get((*path, str(len(values))))) is not None:
        values.append(value)
    return values


def _number(value: Value | None) -> int:
    return value if isinstance(value, int) else -1


def _float(value: Value | None) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0


def _text(value: Value | None) -> str:
    return value.text if isinstance(value, Lying) else value if isinstance(value, str) else ""
