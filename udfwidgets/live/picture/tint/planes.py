"""Images with more than one number for each pixel: complex numbers, vectors, colours."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from udfwidgets.live.picture.contrast import LINEAR, Limits
from udfwidgets.live.picture.place import places

Array = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]
Directions = npt.NDArray[np.uint16]

#: What the numbers of a pixel are. Vectors are held as complex numbers: x + iy, with y down.
Nature = Literal["real", "complex", "vector", "colours"]

#: What can be shown of each, the first one at first. 'wheel' has the direction as hue, and the
#: magnitude as brightness.
COMPONENTS: Mapping[Nature, tuple[str, ...]] = {
    "real": (),
    "complex": ("magnitude", "phase", "real", "imaginary", "wheel"),
    "vector": ("wheel", "magnitude", "direction", "y", "x"),
    "colours": (),
}
#: Colour maps that suit a component: a cyclic one for angles, one with zero in its middle for what
#: has a sign. Others are shown in that of the image.
SUITED = {
    "wheel": "phase",
    "phase": "phase",
    "direction": "phase",
    **dict.fromkeys(("real", "imaginary", "y", "x"), "vik"),
}
ANGLES = ("phase", "direction")
#: Steps of a direction; there are 257 to each of the 255 steps of a colour map.
TURN = 65535


@dataclass(frozen=True, eq=False)
class Vectors:
    """What a function that is given as a channel returns to have a field shown.

    Attributes
    ----------
    y, x : array_like
        The components, of one shape; y points down, as rows are counted.
    """

    y: Any
    x: Any

    def joined(self) -> Array:
        """Return x + iy."""
        y, x = np.asarray(self.y), np.asarray(self.x)
        if y.shape != x.shape or {y.dtype.kind, x.dtype.kind} - set("biuf"):
            raise ValueError(
                f"vectors have a y of shape {y.shape} and dtype {y.dtype} and an x of shape "
                f"{x.shape} and dtype {x.dtype}, expected real numbers of one shape"
            )
        # Each by itself: a sum would make NaN of infinities.
        joined = np.empty(y.shape, np.result_type(y, x, np.complex64))
        joined.real, joined.imag = x, y
        return joined


@dataclass(frozen=True, eq=False)
class RGB:
    """What a function that is given as a channel returns to have a picture in colours shown.

    Attributes
    ----------
    red, green, blue : array_like
        Real numbers of one shape. Bytes are taken as they are; all others are brightest at their
        highest and black at their lowest, with a few outliers left out.
    """

    red: Any
    green: Any
    blue: Any

    def joined(self) -> Bytes:
        """Return bytes with a last axis of the three."""
        planes = [_bytes_of(np.asarray(each)) for each in (self.red, self.green, self.blue)]
        shapes = [plane.shape for plane in planes]
        if len(set(shapes)) > 1:
            raise ValueError(f"colours have the shapes {shapes}, expected one shape")
        return np.stack(planes, axis=-1)


def _bytes_of(values: Array) -> Bytes:
    if values.dtype == np.uint8:
        return values
    if values.dtype.kind not in "biuf":
        raise ValueError(f"a colour has the dtype {values.dtype}, expected real numbers")
    return np.floor(places(values, LINEAR(values)) * 255 + 0.5).astype(np.uint8)


def joined(made: Any) -> tuple[Array, Nature]:
    """Return what a channel makes as one array, and what its numbers are."""
    if isinstance(made, Vectors):
        return made.joined(), "vector"
    if isinstance(made, RGB):
        return made.joined(), "colours"
    array = np.asarray(made)
    return array, "complex" if array.dtype.kind == "c" else "real"


def unit_of(component: str, unit: str) -> str:
    """Return what a component is counted in, of numbers in a unit: angles have one of their own."""
    return "rad" if component in ANGLES else unit


def component_of(values: Array, component: str) -> Array:
    """Return real numbers of an image: its magnitude, or that of a colour wheel, or a part."""
    if values.dtype == np.uint8 and values.ndim == 3:
        return np.asarray(values.max(axis=-1))
    if values.dtype.kind != "c":
        return values
    match component:
        case "phase" | "direction":
            return np.asarray(np.angle(values))
        case "real" | "x":
            return values.real
        case "imaginary" | "y":
            return values.imag
        case _:
            return np.asarray(np.abs(values))


def limits_of(component: str, proposed: Limits) -> Limits:
    """Return proposed limits as a component wants them: angles go around, a wheel begins at 0."""
    if component in ANGLES:
        return -math.pi, math.pi
    return (0.0, proposed[1]) if component == "wheel" else proposed


def tinting(values: Array, component: str) -> tuple[Array, ...]:
    """Return the planes that tell the tint of each pixel; none where its value alone does."""
    if values.dtype == np.uint8 and values.ndim == 3:
        return values[..., 0], values[..., 1], values[..., 2]
    return (values.imag, values.real) if component == "wheel" else ()


def tint_of(planes: tuple[Array, ...]) -> Directions | Bytes | None:
    """Return the tint that planes tell: directions, or colours along a last axis."""
    if len(planes) == 2:
        return directions(*planes)
    if not planes:
        return None
    return np.stack([np.nan_to_num(plane).astype(np.uint8) for plane in planes], axis=-1)


def directions(y: Array, x: Array) -> Directions:
    """Return where vectors point to, from -180 degrees at 0 by 0 (right) to 180 at `TURN`."""
    turns = np.arctan2(y, x) / (2 * np.pi) + 0.5
    return np.floor(np.nan_to_num(turns, nan=0.5) * TURN + 0.5).astype(np.uint16)
