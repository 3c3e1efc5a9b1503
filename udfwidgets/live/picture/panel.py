"""What one image or line of a picture for paper shows, and in which colours."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from udfwidgets.buffers import BoolArray
from udfwidgets.calibration import Scale
from udfwidgets.keeping.kept import Kept
from udfwidgets.live.picture.channels import Form, Kind, Layout, real
from udfwidgets.live.picture.colour import USUAL, centred
from udfwidgets.live.picture.contrast import LINEAR, LOGARITHMIC, Limits
from udfwidgets.live.picture.sheet import side_by_side
from udfwidgets.live.picture.tint.planes import Bytes, Directions, limits_of
from udfwidgets.live.picture.tint.wheel import tinted

Scales = tuple[Scale | None, Scale | None]

#: Images of a picture that can still be read.
MOST = 12
#: What is not merged, as in the picture of a saved notebook.
NOT_MERGED = (190, 190, 190)


@dataclass(frozen=True, eq=False)
class Panel:
    """One image or line, and how it is drawn.

    Attributes
    ----------
    values : numpy.ndarray
        Real numbers, (ny, nx); a line has one row.
    title : str
        Above it.
    form : {'image', 'line', 'number'}
        What is made of it.
    covered : numpy.ndarray of bool or None
        Which pixels are merged; None for all of them.
    scales : tuple of Scale or None
        How large a pixel is, along y and along x.
    colormap : str
        As in `udfwidgets.live.picture.colour`.
    limits : tuple of float or None
        First and last colour; None for those that are proposed on the page.
    log : bool
        Whether colours follow the logarithm.
    gamma : float
        Exponent of the position in the range of colours.
    unit : str
        Of the values; empty where that is not known.
    component : str
        Which part of complex numbers or vectors it is, see `udfwidgets.live.picture.tint.planes`.
    tint : numpy.ndarray or None
        Directions or colours of the pixels, as in `udfwidgets.live.picture.tint.wheel`.
    arrows : numpy.ndarray or None
        Vectors to be drawn as arrows, x + iy.
    """

    values: npt.NDArray[Any]
    title: str
    form: Form = "image"
    covered: BoolArray | None = None
    scales: Scales = (None, None)
    colormap: str = "viridis"
    limits: Limits | None = None
    log: bool = False
    gamma: float = 1.0
    unit: str = ""
    component: str = ""
    tint: Directions | Bytes | None = None
    arrows: npt.NDArray[Any] | None = None

    @property
    def range(self) -> Limits:
        """First and last colour."""
        if self.limits is not None:
            return self.limits
        proposed = LOGARITHMIC if self.log else LINEAR
        limits = limits_of(self.component, proposed(self.values, self.covered))
        return centred(limits, self.colormap)

    def pixels(self) -> npt.NDArray[np.uint8]:
        """Return the image in colours."""
        scale: Any = {"log": self.log, "gamma": self.gamma}
        rgb = tinted(self.values, self.tint, self.range, self.colormap, **scale)
        if self.covered is not None:
            rgb[~self.covered] = NOT_MERGED
        return rgb


def title_of(kept: Kept) -> str:
    """Return the title of a panel, with how much is merged where that is not all."""
    merged, selected = (0, 0) if kept.origin is None else kept.origin.counts
    if merged >= selected:
        return kept.title
    return f"{kept.title} ({100 * merged // selected} % of the scan)"


def panels_of(results: Sequence[Kept]) -> list[Panel]:
    """Return a panel for each image and line among results, and for each of their slices."""
    return [panel for kept in results for panel in _slices_of(kept)]


def _slices_of(kept: Kept) -> list[Panel]:
    shape = kept.values.shape
    kind: Kind = "nav" if kept.kind == "nav" else "sig"
    layout = Layout.of_axes(kind, shape[kept.n_slices :], shape[: kept.n_slices])
    if layout is None or layout.form == "number" or kept.values.dtype.kind not in "biufc":
        return []
    images = real(kept.values).reshape(-1, *layout.shape)
    covered = None if kept.valid is None else kept.valid.reshape(images.shape)
    words = [axis.name for axis in kept.axes[: kept.n_slices]]
    colormap = kept.colormap or USUAL[kind]
    places_of = np.ndindex(*layout.slices)
    return [
        Panel(
            image,
            ", ".join([title_of(kept), *(f"{w} {n}" for w, n in zip(words, place, strict=True))]),
            layout.form,
            None if covered is None or kind == "sig" else covered[number],
            kept.scales,
            colormap,
            log=kind == "sig" and layout.form == "image",
            unit=kept.unit,
        )
        for number, (image, place) in enumerate(zip(images, places_of, strict=True))
    ]


def png_of(results: Sequence[Kept]) -> bytes | None:
    """Return results side by side as a PNG of nothing but pixels; None if none can be shown."""
    images = [panel for panel in panels_of(results) if panel.form == "image"]
    return side_by_side([_png(panel) for panel in images[:MOST]]) if images else None


def _png(panel: Panel) -> bytes:
    file = io.BytesIO()
    Image.fromarray(panel.pixels()).save(file, "PNG")
    return file.getvalue()
