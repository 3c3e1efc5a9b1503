"""Channels: which of the results are shown as images, resolved from what the user asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from udfwidgets.buffers import Array, BufferDeclaration, BufferWrapper, UDFResults
from udfwidgets.shapes import Shape
from udfwidgets.udf.base import UDF

Function = Callable[[Array], Any]


@dataclass(frozen=True)
class Channel:
    """One result of one UDF that is shown as an image.

    Attributes
    ----------
    udf : int
        Which UDF of the run, counted from 0.
    name : str
        Of the result.
    function : callable or None
        Makes the image from the data of the result.
    kind : {'nav', 'sig'}
        Which axes the image has.
    shape : tuple of int
        Of the image.
    title : str
        For people.
    """

    udf: int
    name: str
    function: Function | None
    kind: Literal["nav", "sig"]
    shape: tuple[int, int]
    title: str

    def image_of(self, results: UDFResults) -> Array:
        """Return the image as it stands in a snapshot, real numbers of `shape`.

        Raises
        ------
        ValueError
            If the function gives something else.
        """
        wrapper = results.buffers[self.udf][self.name]
        # What is not merged yet is 0 or NaN, and the logarithm of it is nothing to warn of.
        with np.errstate(all="ignore"):
            made = self.function(wrapper.data) if self.function else _squeeze(wrapper)
            image = _real(made)
        if image.ndim == 1:
            image = image[np.newaxis]  # a line
        if image.shape != self.shape or image.dtype.kind not in "biuf":
            raise ValueError(
                f"{self.title} gives an array of shape {image.shape} and dtype {image.dtype}, "
                f"expected real numbers of shape {self.shape}"
            )
        return image


def resolve_channels(udfs: Sequence[UDF], plots: Any) -> tuple[Channel, ...]:
    """Return the channels to show.

    Parameters
    ----------
    udfs : sequence of UDF
        Bound to a dataset.
    plots : object
        True for the first channel of each UDF that is an image, if it has one; or a list with
        one entry per UDF: a list of channels, each a name or a tuple (name, function). The
        function is given the data of the result and returns a 2-D array.

    Raises
    ------
    ValueError
        If a channel does not exist or is no image; the message lists those that are.
    """
    if plots is True:
        firsts = [_images_of(index, udf)[:1] for index, udf in enumerate(udfs)]
        return tuple(channel for first in firsts for channel in first)
    if not isinstance(plots, (list, tuple)) or len(plots) != len(udfs):
        raise ValueError(
            f"plots is {plots!r}, expected True or a list with one list of channels for each of "
            f"{_names(udfs)}"
        )
    return tuple(
        _resolve(index, udf, channel)
        for index, (udf, channels) in enumerate(zip(udfs, plots, strict=True))
        for channel in ([channels] if isinstance(channels, str) else channels)
    )


def _resolve(index: int, udf: UDF, channel: Any) -> Channel:
    name, function = channel if isinstance(channel, tuple) else (channel, None)
    images = _images_of(index, udf)
    declaration = udf.declarations.get(name)
    if declaration is not None and declaration.visible and function is not None:
        return _with_function(index, udf, name, declaration, function)
    for image in images:
        if image.name == name:
            return image
    known = ", ".join(repr(image.name) for image in images) or "none"
    exists = declaration is not None and declaration.visible
    raise ValueError(
        f"channel {name!r} of {type(udf).__name__} "
        + ("is not an image" if exists else "does not exist")
        + f"; its channels that are images: {known}. Any other can be shown through a function "
        "that makes an image of it: (name, function)"
    )


def _images_of(index: int, udf: UDF) -> list[Channel]:
    """Return the channels of a UDF that are images as they are."""
    shape = udf.meta.dataset_shape
    channels = []
    for name, declaration in udf.declarations.items():
        axes = _as_image(_axes(declaration, shape))
        if declaration.visible and len(axes) == 2 and np.prod(declaration.extra_shape) == 1:
            kind: Literal["nav", "sig"] = "nav" if declaration.kind == "nav" else "sig"
            title = f"{type(udf).__name__}: {name}"
            channels.append(Channel(index, name, None, kind, (axes[0], axes[1]), title))
    return channels


def _with_function(
    index: int, udf: UDF, name: str, declaration: BufferDeclaration, function: Function
) -> Channel:
    shape = udf.meta.dataset_shape
    label = getattr(function, "__name__", "function")
    with np.errstate(all="ignore"):
        example = np.ones(_axes(declaration, shape) + declaration.extra_shape, declaration.dtype)
        image = np.asarray(function(example))
    size = _as_image(image.shape)
    if len(size) != 2:
        raise ValueError(
            f"channel ({name!r}, {label}) of {type(udf).__name__} gives an array of shape "
            f"{image.shape}, expected an image, or a line of one"
        )
    is_nav = declaration.kind == "nav" and image.shape == shape.nav.axes
    title = f"{type(udf).__name__}: {label}({name})"
    return Channel(index, name, function, "nav" if is_nav else "sig", (size[0], size[1]), title)


def _axes(declaration: BufferDeclaration, shape: Shape) -> tuple[int, ...]:
    """Return the axes of the dataset that a buffer has."""
    axes = {"nav": shape.nav.axes, "sig": shape.sig.axes, "single": ()}
    return axes[declaration.kind]


def _as_image(axes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape in which results are shown: a line as an image of one row."""
    return (1, *axes) if len(axes) == 1 else axes


def _squeeze(wrapper: BufferWrapper) -> Array:
    data = wrapper.data
    return data.reshape(data.shape[: data.ndim - len(wrapper.extra_shape)])


def _real(image: Any) -> Array:
    array: Array = np.asarray(image)
    return np.abs(array) if array.dtype.kind == "c" else array


def _names(udfs: Sequence[UDF]) -> str:
    return ", ".join(type(udf).__name__ for udf in udfs)
