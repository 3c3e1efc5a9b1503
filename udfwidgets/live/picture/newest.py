"""What a channel shows of results, as a file has it, and in which units."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from udfwidgets.buffers import Array, BufferWrapper, UDFResults
from udfwidgets.calibration import Calibration, Scale
from udfwidgets.keeping.kept import Axis, Kept, kept_image, scales_of
from udfwidgets.live.picture.channels import Channel, slice_title
from udfwidgets.live.picture.tint.planes import Nature, component_of, unit_of
from udfwidgets.origin import DataOrigin

#: The unit of lengths on the detector.
PIXEL = "px"


def newest(
    channel: Channel,
    results: UDFResults,
    index: int,
    calibration: Calibration | None,
    title: str,
) -> Kept:
    """Return a slice of a channel.

    Parameters
    ----------
    channel : Channel
        What of the results.
    results : UDFResults
        Of its run.
    index : int
        Which slice, where there are several.
    calibration : Calibration or None
        How large pixels are, in place of what the dataset tells.
    title : str
        For people.
    """
    layout, image = channel.layout, channel.image_of(results)
    if layout.slices:
        image = image[index]
        title = f"{title}, {slice_title(channel.slice_name, index, layout.slices)}"
    shown: Any = image if layout.form == "image" else image.reshape(-1)
    plane = shown[..., 0] if channel.nature == "colours" else shown
    covered = results.damage.data.reshape(plane.shape) if layout.kind == "nav" else None
    origin = _one_of(channel, results).origin
    scales = () if origin is None else _scales(channel, origin.data, calibration)
    found = kept_image(plane, layout.kind, title, covered, scales, origin, channel.unit)
    return replace(found, values=shown, data=shown) if plane is not shown else found


def in_components(shown: Kept, nature: Nature, component: str) -> Kept:
    """Return an image as a file has its numbers: the component that is shown.

    Of what shows all of them at once: complex numbers, or slices of y and x, or of red, green and
    blue.
    """
    if nature == "colours":
        return _sliced(shown, "colour", np.moveaxis(shown.values, -1, 0))
    if nature == "vector" and component == "wheel":
        return _sliced(shown, "component", np.stack([shown.values.imag, shown.values.real]))
    if not component or component == "wheel":
        return shown
    values, data = component_of(shown.values, component), component_of(shown.data, component)
    title, unit = f"{shown.title}, {component}", unit_of(component, shown.unit)
    return replace(shown, values=values, data=data, title=title, unit=unit)


def _sliced(shown: Kept, name: str, values: Array) -> Kept:
    valid = None if shown.valid is None else np.broadcast_to(shown.valid, values.shape)
    axes = (Axis(name, len(values)), *shown.axes)
    return replace(shown, values=values, valid=valid, data=values, axes=axes, n_slices=1)


def measures(
    channel: Channel, data: DataOrigin | None
) -> tuple[Scale | None, Scale | None, tuple[Scale, ...]]:
    """Return how large a pixel of a channel is along y and along x, and what its values are.

    Of these the first says what they are counted in. What is in pixels of a detector that is
    calibrated is told in its unit, too.
    """
    if data is None:
        return None, None, ()
    y, x = (None, None, *_scales(channel, data, None))[-2:]
    if not channel.unit:
        return y, x, ()
    sig = set(data.calibration.scales("sig", len(data.sig)))
    pixel = sig.pop() if len(sig) == 1 and channel.unit == PIXEL else None
    counted = Scale(1, channel.unit)
    return y, x, (counted,) if pixel is None else (counted, pixel)


def _one_of(channel: Channel, results: UDFResults) -> BufferWrapper:
    """Return a result of the UDF that a channel belongs to, if only to see where it comes from."""
    return next(iter(results.buffers[channel.udf or 0].values()))


def _scales(
    channel: Channel, data: DataOrigin, calibration: Calibration | None
) -> tuple[Scale | None, ...]:
    """Return how large pixels are; nothing for what has the axes of neither scan nor detector."""
    kind = channel.layout.kind
    axes = data.nav if kind == "nav" else data.sig
    is_of_it = channel.layout.shape == (1, 1, *axes)[-2:] and len(axes) <= 2
    return scales_of(data, kind, len(axes), calibration) if is_of_it else ()
