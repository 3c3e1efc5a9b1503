"""What each channel is shown as: an image, a line that grows under axes, or a number."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, ClassVar, NoReturn

import bqplot
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from udfwidgets.live.image import MARGIN, LiveImage
from udfwidgets.live.imaging.figure import Axis, Figure, Scale
from udfwidgets.live.picture.channels import Channel, Form
from udfwidgets.live.picture.colour import USUAL
from udfwidgets.live.picture.picture import Picture
from udfwidgets.live.picture.sampling import block_mean, factor_for

Floats = npt.NDArray[np.float64]

#: Points of a line that are drawn; of more it shows means. A figure is rarely wider.
POINTS = 2048
#: Pixels of a line, and from its edge, where widgets cannot be shown.
STILL, EDGE = (320, 200), 8
COLOUR = "#1976d2"
THIN = "\u202f"


class LiveLine(LiveImage):
    """One row of numbers, drawn as a line that grows.

    It is a `LiveImage` of one row in all but what pages make of the pixels: they move the line in
    its figure, without a word to Python. In the end the line has the numbers themselves.
    """

    _form = "line"
    _longest = POINTS
    # Numbers along the edge are values here, and not pixels.
    _margin: ClassVar[Mapping[str, int]] = {**MARGIN, "left": 56}
    _more_traits: ClassVar[Mapping[str, Any]] = {"_kind": "line"}
    _line: bqplot.Lines | None = None
    #: Of the numbers along the edge, which have room for seven characters.
    _format = ".5~g"

    @staticmethod
    def _ratio_of(ny: int, nx: int) -> float:
        return 0.62

    def _make_figure(self) -> Figure:
        n = self.shape[1]
        x, y = Scale(min=0, max=max(1, n - 1)), Scale()
        line = bqplot.Lines(x=positions(n), y=np.zeros(0), scales={"x": x, "y": y}, colors=[COLOUR])
        left = Axis(scale=y, side="left", grid_lines="none", tick_format=self._format)
        axes = [Axis(scale=x, grid_lines="none"), left]
        figure = self._figure_of(x, y, axes, [line])
        self.canvas.line = self._line = line
        return figure

    def _shown(self, picture: Picture) -> None:
        # With a prefix of the SI only where there are too many digits: half is not "500m".
        self._format = ".5~s" if max(map(abs, self._feed.limits)) >= 1e5 else ".5~g"
        if self._figure is not None:
            self._figure.axes[1].tick_format = self._format

    def values(self) -> Floats | None:
        """Return what the line shows: NaN where it has a gap."""
        picture = self._feed.picture
        if picture is None:
            return None
        covered = picture.coverage if self._feed.kind_of_axes == "nav" else None
        # Of wider integers bqplot takes another number, or none.
        row = np.asarray(picture.values, np.float64)
        return np.asarray(block_mean(row, factor_for(self.shape, POINTS), covered)[0])

    def _save(self, header: dict[str, Any], buffers: dict[str, memoryview]) -> None:
        super()._save(header, buffers)
        values = self.values()
        if self._line is not None and values is not None:
            self._line.y = values

    def png(self, *, overview: bool = False) -> bytes | None:
        """Return the line as a PNG."""
        values = self.values()
        return None if values is None else _drawn(values)

    def close(self) -> None:
        """Release everything, in the kernel and in all browsers. May be called twice."""
        super().close()
        if self._line is not None:
            self._line.close()


class LiveNumber(LiveImage):
    """One number, in digits: a `LiveImage` of one pixel in all but what pages make of it."""

    _form = "number"
    _more_traits: ClassVar[Mapping[str, Any]] = {"_kind": "number"}

    @staticmethod
    def _ratio_of(ny: int, nx: int) -> float:
        return 0.05

    def _shown(self, picture: Picture) -> None:
        self.canvas.text = spelt(picture.values[0, 0]) if picture.fraction else ""

    def _complete(self) -> None:
        """Do without a figure."""

    @property
    def figure(self) -> NoReturn:
        """Raise an error: a number has no axes."""
        raise RuntimeError(f"{self!r} is shown as digits and has no figure")

    def png(self, *, overview: bool = False) -> None:
        """Return nothing: it is no picture."""


#: What each form of a channel is shown as.
SHOWN_AS: dict[Form, type[LiveImage]] = {
    "image": LiveImage,
    "line": LiveLine,
    "number": LiveNumber,
}


def image_of(channel: Channel, width: int | None) -> LiveImage:
    """Return what a channel is shown as, as wide as that, or as there is room."""
    layout = channel.layout
    return SHOWN_AS[layout.form](
        layout.shape,
        **channel.told,
        colormap=channel.colormap or USUAL[layout.kind],
        width=width,
        # Next to the central disk nothing else of a pattern shows on a linear scale.
        log=layout.kind == "sig" and channel.is_raw,
    )


def positions(n: int) -> Floats:
    """Return where the points of a line of `n` numbers are; each stands for some in a row."""
    factor = factor_for((1, n), POINTS)
    first = np.arange(0, n, factor)
    return np.asarray((first + np.minimum(first + factor, n) - 1) / 2, np.float64)


def spelt(value: Any) -> str:
    """Return a number in digits: all of a whole number, six of another one."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    text = f"{int(value):,}" if isinstance(value, (int, np.integer)) else f"{float(value):,.6g}"
    return text.replace(",", THIN).replace("-", "\u2212")


def _drawn(values: Floats) -> bytes:
    picture = Image.new("RGB", STILL, "white")
    known = np.flatnonzero(np.isfinite(values))
    if known.size:
        width, height = (side - 2 * EDGE for side in STILL)
        lo, hi = values[known].min(), values[known].max()
        x = EDGE + known / max(1, len(values) - 1) * width
        y = EDGE + (hi - values[known]) / ((hi - lo) or 1.0) * height
        points = [(float(a), float(b)) for a, b in zip(x, y, strict=True)]
        ImageDraw.Draw(picture).line(points, fill=COLOUR, width=2)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
