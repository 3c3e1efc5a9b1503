"""What a channel shows of results, as a file has it."""

from __future__ import annotations

from typing import Any

from udfwidgets.buffers import BufferWrapper, UDFResults
from udfwidgets.calibration import Calibration, Scale
from udfwidgets.keeping.kept import Kept, kept_image, scales_of
from udfwidgets.live.picture.channels import Channel, slice_title


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
    covered = results.damage.data.reshape(shown.shape) if layout.kind == "nav" else None
    scales = _scales(channel, results, calibration)
    return kept_image(shown, layout.kind, title, covered, scales, _one_of(channel, results).origin)


def _one_of(channel: Channel, results: UDFResults) -> BufferWrapper:
    """Return a result of the UDF that a channel belongs to, if only to see where it comes from."""
    return next(iter(results.buffers[channel.udf or 0].values()))


def _scales(
    channel: Channel, results: UDFResults, calibration: Calibration | None
) -> tuple[Scale | None, ...]:
    """Return how large pixels are; nothing for what has the axes of neither scan nor detector."""
    origin, kind = _one_of(channel, results).origin, channel.layout.kind
    if origin is None:
        return ()
    axes = origin.data.nav if kind == "nav" else origin.data.sig
    is_of_it = channel.layout.shape == (1, 1, *axes)[-2:] and len(axes) <= 2
    return scales_of(origin, kind, len(axes), calibration) if is_of_it else ()
