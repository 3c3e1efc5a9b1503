"""Channels: what of the results is shown, as an image, as a line, or as a number."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from udfwidgets.buffers import Array, BufferDeclaration, UDFResults
from udfwidgets.live.picture.tint.planes import Nature, joined
from udfwidgets.shapes import Shape

Kind = Literal["nav", "sig"]
Form = Literal["image", "line", "number"]

#: Dtypes of what can be drawn: numbers.
NUMBERS = "biufc"


@dataclass(frozen=True)
class Layout:
    """How the axes of an array are drawn.

    Attributes
    ----------
    kind : {'nav', 'sig'}
        Whose axes it has; those of neither count as 'sig', so that how much of the scan is in is
        told for the whole of it.
    form : {'image', 'line', 'number'}
        What its last two, its last one, or none of its axes make.
    shape : tuple of int
        Of one slice; a line is one row, a number one pixel.
    slices : tuple of int
        Axes of which one position is shown at a time; they come first.
    """

    kind: Kind
    form: Form
    shape: tuple[int, int]
    slices: tuple[int, ...] = ()

    @property
    def n_slices(self) -> int:
        """How many there are to choose from; 1 for what is shown as a whole."""
        return math.prod(self.slices)

    @property
    def full_shape(self) -> tuple[int, ...]:
        """Of what is drawn: all slices in a row, if there are several, and the shape of one."""
        return (self.n_slices, *self.shape) if self.slices else self.shape

    @classmethod
    def of(cls, declaration: BufferDeclaration, shape: Shape) -> Layout | None:
        """Return how a result is drawn, or None for what is no number or has too many axes."""
        if not declaration.visible or declaration.dtype.kind not in NUMBERS:
            return None
        axes, extra = axes_of(declaration, shape), long_axes(declaration.extra_shape)
        if declaration.kind == "single":
            axes, extra = extra[-2:], extra[:-2]
        return cls.of_axes("nav" if declaration.kind == "nav" else "sig", axes, extra)

    @classmethod
    def of_axes(
        cls, kind: Kind, axes: tuple[int, ...], slices: tuple[int, ...] = ()
    ) -> Layout | None:
        """Return how an array of these axes is drawn, or None if it cannot be."""
        if len(axes) > 2 or 0 in (*axes, *slices):
            return None
        if len(axes) == 2:
            return cls(kind, "image", (axes[0], axes[1]), slices)
        n = math.prod(axes)
        return cls(kind, "line" if n > 1 else "number", (1, n), slices)


@dataclass(frozen=True)
class Channel:
    """Something of the results that is shown.

    Attributes
    ----------
    udf : int or None
        Which UDF of the run, counted from 0; None for what is made of several.
    title : str
        For people.
    layout : Layout
        How it is drawn.
    make : callable
        Makes an array of `layout.full_shape` of the results, maybe with axes of length 1 left out.
    is_raw : bool
        Whether it is a result as it is, and not what a function makes of it.
    slice_name : str
        What one of its slices is called, such as 'mask'.
    is_named : bool
        Whether a user has chosen the title.
    colormap : str
        In which colour map it is shown at first; empty for the usual one.
    unit : str
        Of its values; empty where that is not known.
    nature : {'real', 'complex', 'vector', 'colours'}
        What the numbers of a pixel are. Of others than images the magnitude is shown.
    """

    udf: int | None
    title: str
    layout: Layout
    make: Callable[[UDFResults], Any]
    is_raw: bool = True
    slice_name: str = ""
    is_named: bool = False
    colormap: str = ""
    unit: str = ""
    nature: Nature = "real"

    @property
    def told(self) -> dict[str, Any]:
        """What an image that shows it is told of it."""
        return {
            "kind": self.layout.kind,
            "title": self.title,
            "slices": self.layout.slices,
            "slice_name": self.slice_name,
            "nature": self.nature,
        }

    def image_of(self, results: UDFResults) -> Array:
        """Return it as it stands in a snapshot: numbers of `layout.full_shape`.

        They are real; of vectors x + iy; of colours bytes with a last axis of the three.

        Raises
        ------
        ValueError
            If a function gives something else.
        """
        # What is not merged yet is 0 or NaN, and the logarithm of it is nothing to warn of.
        with np.errstate(all="ignore"):
            image = self._numbers(self.make(results))
        layout = self.layout
        if layout.form != "image" and not layout.slices and image.size == math.prod(layout.shape):
            image = image.reshape(layout.shape)
        shape = (*layout.full_shape, 3) if self.nature == "colours" else layout.full_shape
        if image.shape != shape or image.dtype.kind not in NUMBERS:
            raise ValueError(
                f"{self.title} gives an array of shape {image.shape} and dtype {image.dtype}, "
                f"expected numbers of shape {shape}"
            )
        if layout.form == "line" and image.dtype.kind == "f":
            return np.where(np.isfinite(image), image, np.nan)  # a gap
        return image

    def _numbers(self, made: Any) -> Array:
        """Return what was made as an array of what the numbers of this channel are."""
        if self.nature == "real":
            return real(made)
        image, nature = joined(made)
        if nature != "real" or self.nature == "colours":
            return image
        return image.astype(np.result_type(image, np.complex64))


def axes_of(declaration: BufferDeclaration, shape: Shape) -> tuple[int, ...]:
    """Return the axes of the dataset that a buffer has."""
    axes = {"nav": shape.nav.axes, "sig": shape.sig.axes, "single": ()}
    return axes[declaration.kind]


def long_axes(axes: tuple[int, ...]) -> tuple[int, ...]:
    """Return axes without those of length 1, along which there is nothing to choose."""
    return tuple(n for n in axes if n != 1)


def real(values: Any) -> Array:
    """Return an array, of complex numbers their magnitude."""
    array: Array = np.asarray(values)
    return np.abs(array) if array.dtype.kind == "c" else array


def slice_title(word: str, index: int, axes: tuple[int, ...]) -> str:
    """Return the name of a slice, counted in the order of its axes: 'mask 3', or '[1, 2]'."""
    place = ", ".join(str(int(n)) for n in np.unravel_index(index, axes))
    return f"{word} {place}" if word else f"[{place}]"
