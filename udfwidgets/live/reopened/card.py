"""The card of results that were saved: their images, as of a run that is over."""

from __future__ import annotations

from functools import partial
from typing import Any

import ipywidgets
import numpy as np
from IPython.core.getipython import get_ipython

from udfwidgets.buffers import BoolArray
from udfwidgets.calibration import Calibration, Scale
from udfwidgets.keeping.kept import Kept, kept_image
from udfwidgets.keeping.loading import Saved
from udfwidgets.live.derived import Pictures, WithPictures
from udfwidgets.live.fronts.stills import complete
from udfwidgets.live.generation import PATIENCE
from udfwidgets.live.image import LiveImage
from udfwidgets.live.keepers import Keepers
from udfwidgets.live.offered import wait_saved
from udfwidgets.live.picture.channels import NUMBERS, Channel, Kind, Layout, real, slice_title
from udfwidgets.live.picture.panel import png_of
from udfwidgets.live.picture.picture import Picture, Status
from udfwidgets.live.picture.tint.planes import Nature
from udfwidgets.live.plot import image_of
from udfwidgets.live.quick import Layout as Arrangement
from udfwidgets.live.quick import Quick
from udfwidgets.live.status import StatusBar
from udfwidgets.told.names import Listed


class SavedCard(WithPictures, Listed, Quick, ipywidgets.VBox):  # type: ignore[misc]
    """Shows results that were saved, as the card of a run does that is over.

    It goes when nothing shows it any more.

    Parameters
    ----------
    saved : Saved
        What was read.

    Attributes
    ----------
    status : StatusBar
        What it is, and how much of the scan was in.
    images : tuple of LiveImage
        One per result that can be drawn, those included that are lines or numbers.
    """

    _unlisted = ("keepers", "model_id")

    def __init__(self, saved: Saved) -> None:
        self.keepers = Keepers(self, lambda: None, self.close)
        self._saved = saved
        self.status = StatusBar(saved.name)
        self.status.on_deleted(self.keepers.outputs.deleted)
        self.images = tuple(image for each in saved.kept for image in _images_of(each, saved))
        self._pictures = Pictures(self.images, layout=self.status.layout)
        super().__init__(
            (self.status, self._pictures), layout=Arrangement(), _dom_classes=["udfw-analysis"]
        )
        status = _status_of(saved)
        self.status.offer(lambda: status, final=True)
        # What executes a notebook drops what comes later.
        wait_saved((self.status, *self.images), PATIENCE)

    def close(self) -> None:
        """Release everything, in the kernel and in all browsers. May be called twice."""
        if self.comm is None:
            return
        for widget in (*self.children, *self.images):
            widget.close()
        super().close()
        # A widget that is closed hides its own; this one still has a picture to show.
        self.__dict__.pop("_repr_mimebundle_", None)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        mime: dict[str, Any] = {}
        if self.comm is not None:
            self.keepers.outputs.note()
            mime = super()._repr_mimebundle_(**kwargs) or {}
        return complete(mime, repr(self), lambda: png_of(self._saved.kept))

    def __repr__(self) -> str:
        return f"<SavedCard {self._saved.name}>"


def _status_of(saved: Saved) -> Status:
    merged, selected = saved.counts
    return Status(
        "done" if merged == selected else "cancelled",
        merged / selected if selected else 1.0,
        frames_done=merged,
        frames_total=selected,
        note=", ".join(saved.calls),
    )


def _images_of(kept: Kept, saved: Saved) -> list[LiveImage]:
    """Return what shows a result, with its picture; nothing for what cannot be drawn."""
    channel = _channel_of(kept)
    if channel is None:
        return []
    image = image_of(channel, None)
    image.measure_shapes(*kept.scales)
    image.measure_values([Scale(1, kept.unit)] if kept.unit else [])
    image.keep_by(partial(_slice_of, kept, channel))
    picture = _picture_of(kept, channel, saved)
    image.offer(lambda: picture, final=True)
    return [image]


def _channel_of(kept: Kept) -> Channel | None:
    shape, n = kept.values.shape, kept.n_slices
    kind: Kind = "nav" if kept.kind == "nav" else "sig"
    layout = Layout.of_axes(kind, shape[n:], shape[:n])
    if layout is None or kept.values.dtype.kind not in NUMBERS:
        return None
    is_complex = kept.values.dtype.kind == "c" and layout.form == "image"
    nature: Nature = "complex" if is_complex else "real"
    words = {axis.name for axis in kept.axes[:n]}
    word = words.pop() if len(words) == 1 else ""
    return Channel(
        None,
        kept.title,
        layout,
        make=lambda _: kept.values,
        slice_name=word,
        colormap=kept.colormap,
        unit=kept.unit,
        nature=nature,
    )


def _picture_of(kept: Kept, channel: Channel, saved: Saved) -> Picture:
    layout, valid = channel.layout, kept.valid
    values = kept.values if channel.nature == "complex" else real(kept.values)
    merged, selected = saved.counts
    coverage: BoolArray | None = saved.coverage
    expected: BoolArray | None = None
    if layout.kind == "nav":
        # Slices have all been merged together.
        shape = (layout.n_slices, *layout.shape)
        coverage = None if valid is None else np.asarray(valid.reshape(shape).any(axis=0))
        expected = coverage
    return Picture(
        values.reshape(layout.full_shape),
        coverage=coverage,
        fraction=merged / selected if selected else 1.0,
        final=True,
        expected=expected,
    )


def _slice_of(
    kept: Kept, channel: Channel, index: int, given: Calibration | None, title: str
) -> Kept:
    """Return a slice as a file has it."""
    layout = channel.layout
    shape = (layout.n_slices, *kept.values.shape[kept.n_slices :])
    if layout.slices:
        title = f"{title}, {slice_title(channel.slice_name, index, layout.slices)}"
    valid = None if kept.valid is None else kept.valid.reshape(shape)[index]
    scales = [axis.scale for axis in kept.axes[kept.n_slices :]]
    if given is not None and kept.kind != "single":
        scales = list(given.scales(kept.kind, len(scales)))
    values = np.reshape(kept.values, shape)[index]
    return kept_image(values, kept.kind, title, valid, scales, kept.origin, kept.unit)


def bundle_of(saved: Saved, text: str) -> dict[str, Any]:
    """Return what is displayed of results: a card where there is a kernel, or else a picture.

    Parameters
    ----------
    saved : Saved
        What was read.
    text : str
        In the place of it, where nothing else can be shown.
    """
    if not hasattr(get_ipython(), "kernel"):
        return complete({}, text, lambda: png_of(saved.kept))
    return {**SavedCard(saved)._repr_mimebundle_(), "text/plain": text}
