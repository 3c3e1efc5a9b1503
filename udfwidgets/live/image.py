"""An image that sharpens while a run goes on, under marks of bqplot."""

from __future__ import annotations

import base64
import io
import math
import os
import pkgutil
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeAlias, cast

import bqplot
import ipywidgets
import numpy as np
import traitlets
from PIL import Image

from udfwidgets import calibration
from udfwidgets.keeping.kept import Kept, kept_image
from udfwidgets.live.closer.looked import Looked, Measured
from udfwidgets.live.drawn import Drawn
from udfwidgets.live.fronts.pictured import Pictured
from udfwidgets.live.fronts.stills import complete, stills
from udfwidgets.live.imaging.components import Components, ComponentTraits, traits_of
from udfwidgets.live.imaging.figure import Figure, Scale, layout_of
from udfwidgets.live.picture.channels import Form
from udfwidgets.live.picture.colour import COLORMAPS, REVERSED, centred
from udfwidgets.live.picture.contrast import Limits
from udfwidgets.live.picture.image_feed import OVERVIEW, ImageFeed
from udfwidgets.live.picture.newest import in_components
from udfwidgets.live.picture.panel import Panel, title_of
from udfwidgets.live.picture.tint.planes import COMPONENTS, Nature, unit_of
from udfwidgets.live.picture.tint.wheel import tinted
from udfwidgets.live.quick import Layout, Quick, new_name
from udfwidgets.live.shapes.overlay import Overlay
from udfwidgets.live.shapes.pointed import Pointed
from udfwidgets.live.shapes.sized import Sized, checked_width
from udfwidgets.live.wire.hub import hub
from udfwidgets.told.names import Listed

#: Room for the title and the axes around the pixels, in CSS pixels.
MARGIN = {"top": 34, "bottom": 26, "left": 44, "right": 14}
#: More of it above, for a slider.
SLIDER = 24
#: Of an image that is on no card, and for which nobody has chosen one.
WIDTH = 360
#: Shapes flatter or taller than this are stretched, or nothing could be seen.
FLATTEST, TALLEST = 0.2, 1.6

#: What loads what it writes with when it is first used.
SAVE, CHECK = "udfwidgets.keeping.saving:save", "udfwidgets.keeping.saving:check"

#: Returns what an image shows, given the chosen slice, a calibration or None, and a title.
Newest: TypeAlias = Callable[[int, "calibration.Calibration | None", str], Kept]


class Canvas(Looked, ComponentTraits, Drawn):
    """The pixels of a `LiveImage`; made by it, never alone."""

    _kind = traitlets.Unicode("image").tag(sync=True)
    _interaction = traitlets.Unicode("").tag(sync=True)
    image_kind = traitlets.Enum(("nav", "sig")).tag(sync=True)
    shape = traitlets.List().tag(sync=True)
    margin = traitlets.Dict().tag(sync=True)
    ratio = traitlets.Float(1.0).tag(sync=True)
    title = traitlets.Unicode().tag(sync=True)
    #: Those of the figure, once there is one.
    scale_x = traitlets.Instance(bqplot.LinearScale, allow_none=True).tag(
        sync=True, **ipywidgets.widget_serialization
    )
    scale_y = traitlets.Instance(bqplot.LinearScale, allow_none=True).tag(
        sync=True, **ipywidgets.widget_serialization
    )
    colormap = traitlets.Enum(COLORMAPS + REVERSED, "viridis").tag(sync=True)
    log_scale = traitlets.Bool(False).tag(sync=True)
    gamma = traitlets.Float(1.0).tag(sync=True)
    auto = traitlets.Bool(True).tag(sync=True)
    limits = traitlets.List().tag(sync=True)
    overlay = traitlets.Bool(True).tag(sync=True)
    #: What a value of 1 is, in its own unit and in others: pairs of a size and a unit.
    value_units = traitlets.List().tag(sync=True)
    #: Of the whole widget, in CSS pixels; 0 for as much as there is room.
    width = traitlets.Int(0).tag(sync=True)
    #: Axes of which one position is shown, and what such a slice is called; frames say which one.
    slices = traitlets.List().tag(sync=True)
    slice_name = traitlets.Unicode().tag(sync=True)
    #: The line of bqplot that pages draw the pixels as, where they make one.
    line = traitlets.Instance(bqplot.Lines, allow_none=True).tag(
        sync=True, **ipywidgets.widget_serialization
    )
    #: The pixel as a number in words, where there is only one.
    text = traitlets.Unicode().tag(sync=True)


def _short(number: float) -> str:
    return f"{number:.0f}" if 100 <= abs(number) < 1e5 else f"{number:.3g}"


def _delegated(name: str, doc: str) -> property:
    """Return a property of `LiveImage` that is a trait of its canvas."""

    def read(image: LiveImage) -> Any:
        return getattr(image.canvas, name)

    def write(image: LiveImage, value: Any) -> None:
        setattr(image.canvas, name, value)

    return property(read, write, doc=doc)


class LiveImage(
    Measured,
    Listed,
    Sized,
    Pointed,
    Components,
    Pictured,
    Quick,
    ipywidgets.GridBox,  # type: ignore[misc]
):
    """One nav or sig image that is redrawn whenever there is something new.

    Marks and selectors are bqplot's, in `figure`, which is transparent; the pixels lie under
    it, on a canvas that follows the figure's scales. Scales count pixels: x from 0 to nx, y from 0
    at the top to ny, and pixel (0, 0) lies between 0 and 1.

    A page takes longer to make a figure than to draw a picture: the figure comes after the first
    picture is on a screen, with the last one, or when Python asks for it.

    Parameters
    ----------
    shape : tuple of int
        (ny, nx).
    kind : {'nav', 'sig'}
        Which axes of the dataset the image has. A nav image shows what is not merged yet as a
        hatch; a sig image has a strip along its edge that shows how much of the scan is in.
    title : str
        Shown above.
    colormap : str
        One of `udfwidgets.live.picture.colour.COLORMAPS`.
    width : int, optional
        Of the whole widget, in CSS pixels. The height follows, so that pixels are square. By
        default a card shares the room that it has among its images.
    log : bool
        Begin with a logarithmic scale.
    slices : tuple of int
        Axes before those of the image, of which pictures have all positions, in one row; one of
        them is shown at a time, and a slider chooses which.
    slice_name : str
        What such a slice is called, such as 'mask'.
    nature : {'real', 'complex', 'vector', 'colours'}
        What the numbers of a pixel are; see `component` for how others than real ones are shown.

    Attributes
    ----------
    canvas : anywidget.AnyWidget
        The pixels.
    """

    _feed: ImageFeed
    #: False as well for one whose arguments were refused, which Python still disposes of.
    _open = False
    _unlisted = ("keep_by", "offer", "panel", "seen", "told", "wait_saved", "wait_saved_async")
    #: What is made of the pixels.
    _form: ClassVar[Form] = "image"
    _newest: Newest | None = None

    def __init__(
        self,
        shape: tuple[int, int],
        *,
        kind: Literal["nav", "sig"],
        title: str = "",
        colormap: str = "viridis",
        width: int | None = None,
        log: bool = False,
        slices: tuple[int, ...] = (),
        slice_name: str = "",
        nature: Nature = "real",
    ) -> None:
        if len(shape) != 2 or min(shape) < 1:
            raise ValueError(f"shape is {shape}, expected (ny, nx), both at least 1")
        if kind not in ("nav", "sig"):
            raise ValueError(f"kind is {kind!r}, expected 'nav' or 'sig'")
        ny, nx = (int(n) for n in shape)
        chosen, width = checked_width(width), width or WIDTH
        ratio = self._ratio_of(ny, nx)
        margin = dict(self._margin)
        margin["top"] += SLIDER if slices or COMPONENTS[nature] else 0
        inside = width - margin["left"] - margin["right"]
        height = round(inside * ratio) + margin["top"] + margin["bottom"]
        key = new_name()
        self._figure: Figure | None = None
        #: Held while the figure is made; reentrant, as who observes the image may ask for it.
        self._making = threading.RLock()
        self.canvas = Canvas(
            key,
            image_kind=kind,
            shape=[ny, nx],
            margin=margin,
            ratio=ratio,
            title=title,
            width=chosen,
            **traits_of(nature, colormap),
            log_scale=log,
            slices=list(slices),
            slice_name=slice_name,
            layout=layout_of(width, height),
            **self._more_traits,
        )
        super().__init__(
            [self.canvas],
            layout=Layout(
                grid_template_columns=f"{width}px",
                grid_template_rows=f"{height}px",
                width=f"{width}px",
                overflow="visible",
            ),
            _dom_classes=["udfw-image"],
        )
        self._overlay = Overlay(
            self._add, image_kind=kind, shape=[ny, nx], margin=margin, title=title
        )
        self._feed = ImageFeed(
            key,
            (ny, nx),
            kind,
            self._save,
            self._complete,
            log,
            slices=math.prod(slices),
            longest=self._longest,
            on_shown=self._shown,
            nature=nature,
            on_command=self._command,
        )
        self.canvas.observe(self._note_contrast, ["limits", "auto", "log_scale"])
        self.canvas.observe(self._note_component, "component")
        self.canvas.connect(self._feed)
        stills.watch(self.canvas)
        self._open = True

    #: Longest side of what is sent of a whole picture.
    _longest = OVERVIEW
    _margin: ClassVar[Mapping[str, int]] = MARGIN
    _more_traits: ClassVar[Mapping[str, Any]] = {}

    @staticmethod
    def _ratio_of(ny: int, nx: int) -> float:
        """Return how high the image is, of its width."""
        return min(max(ny / nx, FLATTEST), TALLEST)

    @property
    def figure(self) -> bqplot.Figure:
        """Where marks (`figure.marks`) and selectors (`figure.interaction`) go.

        Raises
        ------
        RuntimeError
            If the image is closed and never had one.
        """
        self._complete()
        if self._figure is None:
            raise RuntimeError("this image is closed: start a new analysis with ctx.live()")
        return self._figure

    def _complete(self) -> None:
        """Make the figure, unless it is there; on any thread."""
        with self._making:
            if self._figure is None and self._open:
                canvas = self.canvas
                self._figure = figure = self._make_figure()
                figure.observe(self._note_interaction, "interaction")
                with canvas.hold_sync():
                    canvas.scale_x, canvas.scale_y = figure.scale_x, figure.scale_y
                self.children = [canvas, figure]
                self._overlay.follow((figure.scale_x, figure.scale_y))

    def _add(self, layer: ipywidgets.DOMWidget) -> None:
        self.children = [*self.children, layer]

    def _make_figure(self) -> Figure:
        ny, nx = self.shape
        x, y = Scale(min=0, max=nx), Scale(min=ny, max=0)
        # Pages draw axes by themselves: with the pixels, in units, and where there is no bqplot.
        return self._figure_of(x, y, [])

    def _figure_of(self, x: Scale, y: Scale, axes: list[Any], marks: Sequence[Any] = ()) -> Figure:
        """Return a figure; its layout is that of the pixels, on which it lies at whatever size."""
        return Figure(
            axes=axes,
            marks=list(marks),
            scale_x=x,
            scale_y=y,
            fig_margin=self.canvas.margin,
            background_style={"fill": "none"},
            display_toolbar=False,
            # Padding would shift the axes against the pixels.
            padding_x=0,
            padding_y=0,
            min_aspect_ratio=0.01,
            max_aspect_ratio=100,
            animation_duration=0,
            layout=self.canvas.layout,
        )

    colormap = _delegated("colormap", "Name of the colour map.")
    log = _delegated("log_scale", "Whether the scale is logarithmic; `scale` says it as a word.")
    gamma = _delegated("gamma", "Exponent of the position in the range of colours.")
    overlay = _delegated("overlay", "Whether coverage is drawn.")
    title = _delegated("title", "The line above the image.")

    @property
    def scale(self) -> str:
        """'linear' or 'log'."""
        return "log" if self.log else "linear"

    @scale.setter
    def scale(self, name: str) -> None:
        if name not in ("linear", "log"):
            raise ValueError(f"scale is {name!r}, expected 'linear' or 'log'")
        self.log = name == "log"

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx)."""
        return self._feed.shape

    @property
    def limits(self) -> tuple[float, float] | None:
        """The values shown as first and last colour; None leaves the choice to the data."""
        return None if self.canvas.auto else tuple(self.canvas.limits)

    @limits.setter
    def limits(self, limits: tuple[float, float] | None) -> None:
        if limits is not None and not limits[0] < limits[1]:
            raise ValueError(f"limits are {limits}, expected (lo, hi) with lo < hi")
        with self.canvas.hold_sync():
            self.canvas.limits = [] if limits is None else [float(n) for n in limits]
            self.canvas.auto = limits is None

    @property
    def slice(self) -> int:
        """Which of several slices is shown, counted from 0 in the order of their axes."""
        return self._feed.slice

    @slice.setter
    def slice(self, index: int) -> None:
        n = self._feed.slices
        if not -n <= index < n:
            raise ValueError(f"slice is {index}, expected one of {n}, counted from 0")
        self._feed.choose_slice(int(index) % n)
        hub().news(urgent=self._feed.urgent)

    @property
    def window(self) -> tuple[float, float, float, float]:
        """What is shown, in pixels: left, right, top, bottom; all of it from 0 to the shape."""
        ny, nx = self.shape
        if self._figure is None:
            return 0.0, float(nx), 0.0, float(ny)
        x, y = self._figure.scale_x, self._figure.scale_y
        return x.min, x.max, y.max, y.min

    @window.setter
    def window(self, window: tuple[float, float, float, float]) -> None:
        left, right, top, bottom = (float(edge) for edge in window)
        if not (left < right and top < bottom):
            raise ValueError(f"window is {window}, expected left < right and top < bottom")
        figure = self.figure
        with figure.scale_x.hold_sync(), figure.scale_y.hold_sync():
            figure.scale_x.min, figure.scale_x.max = left, right
            figure.scale_y.max, figure.scale_y.min = top, bottom

    def png(self, *, overview: bool = False) -> bytes | None:
        """Return the newest picture that was taken as a PNG.

        Parameters
        ----------
        overview : bool
            As pages show it, with 512 pixels a side at most; otherwise in pixels of the data.
        """
        picture, seen = self._feed.picture, self._feed.overview()
        if picture is None or seen is None:
            return None
        is_nav = self._feed.kind_of_axes == "nav"
        values, covered = seen if overview else (picture.values, picture.coverage)
        limits, tint = self._shown_limits, self._feed.tint(overview=overview)
        rgb = tinted(values, tint, limits, self.colormap, log=self.log, gamma=self.gamma)
        if self.overlay and is_nav and covered is not None:
            rgb[~covered] = (190, 190, 190)
        file = io.BytesIO()
        Image.fromarray(rgb).save(file, "PNG")
        return file.getvalue()

    def told(self) -> str:
        """Return in words what a picture does not tell: its colours, and how large it is."""
        parts = []
        if self._feed.nature != "colours":
            lo, hi = self._shown_limits
            unit = "".join(f" {unit}" for _, unit in self.canvas.value_units[:1])
            parts.append(f"{_short(lo)} to {_short(hi)}{unit}" + (", log" if self.log else ""))
        x = self._scales[1]
        if x is not None:
            parts.append(f"{self.shape[1] * x.size:.3g} {x.unit} wide")
        return "; ".join(parts)

    @property
    def _shown_limits(self) -> Limits:
        automatic = self._feed.limits_log if self.log else self._feed.limits
        return self.limits or centred(automatic, self.colormap)

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        calibration: calibration.Calibration | None = None,
        title: str = "",
    ) -> Path:
        """Save what the image shows, in the format that the name of the file asks for.

        A picture has the colours of the page; all other formats have the numbers. Of several
        slices it is the one that is shown.

        Parameters
        ----------
        path : str or path
            ``.png``, ``.svg`` or ``.pdf`` for a picture with axes and colour bar, ``.npy``,
            ``.h5`` or ``.tif`` for the numbers; see `BufferWrapper.save`.
        overwrite : bool
            Replace a file that exists.
        calibration : Calibration, optional
            How large pixels are, in place of what the file of the dataset tells.
        title : str
            In place of the one above the image.

        Returns
        -------
        Path
            Of the file.

        Raises
        ------
        ValueError
            If there is no such format.
        FileExistsError
            If there is such a file and `overwrite` is not set.
        RuntimeError
            If there is no picture yet.
        """
        pkgutil.resolve_name(CHECK)(path, overwrite, calibration)
        shown = self._kept(calibration, title or self.title)
        return cast(
            "Path",
            pkgutil.resolve_name(SAVE)(
                [in_components(shown, self._feed.nature, self.component)],
                path,
                overwrite=overwrite,
                panels=lambda: [self.panel(shown)],
            ),
        )

    def keep_by(self, newest: Newest) -> None:
        """Have `save` ask for the newest of what is shown: pages may have been shown an older one.

        Parameters
        ----------
        newest : callable
            Takes the chosen slice, a calibration or None, and a title.
        """
        self._newest = newest

    def panel(self, shown: Kept) -> Panel:
        """Return how something is drawn in the colours of this image."""
        values, tint = self._seen(shown.values)
        return Panel(
            np.atleast_2d(values),
            title_of(shown) + self._suffix,
            self._form,
            None if shown.valid is None or not self.overlay else np.atleast_2d(shown.valid),
            shown.scales,
            self.colormap,
            self.limits,
            self.log,
            self.gamma,
            unit=unit_of(self.component, shown.unit),
            component=self.component,
            tint=tint,
            arrows=shown.values if self.arrows and self.components else None,
        )

    def _kept(self, given: calibration.Calibration | None, title: str) -> Kept:
        if self._newest is not None:
            return self._newest(self.slice, given, title)
        picture, kind = self._feed.newest, self._feed.kind_of_axes
        if picture is None:
            raise RuntimeError(f"{self!r} has no picture yet: save it when it has one")
        scales = self._scales if given is None else given.scales(kind, 2)
        covered = picture.coverage if kind == "nav" else None
        return kept_image(picture.values, kind, title, covered, scales)

    def close(self) -> None:
        """Release everything, in the kernel and in all browsers. May be called twice."""
        if self._open:
            self._open = False
            self._overlay.close()
            self.canvas.disconnect()
            self.canvas.unobserve(self._note_contrast, ["limits", "auto", "log_scale"])
            self.canvas.unobserve(self._note_component, "component")
            with self._making:
                figure = self._figure
            if figure is not None:
                figure.unobserve(self._note_interaction, "interaction")
                for widget in (*figure.axes, figure.scale_x, figure.scale_y, figure):
                    widget.close()
            self.canvas.close()
        super().close()

    def _save(self, header: dict[str, Any], buffers: dict[str, memoryview]) -> None:
        self._complete()
        self.canvas._saved = {
            "header": header,
            "buffers": {name: base64.b64encode(b).decode() for name, b in buffers.items()},
        }

    def _note_contrast(self, change: dict[str, Any]) -> None:
        limits = self.limits
        self._feed.contrast((limits[0], limits[1]) if limits else None, self.log)
        hub().news()

    def _note_interaction(self, change: dict[str, Any]) -> None:
        kind = change["new"]
        panzoom = isinstance(kind, bqplot.PanZoom)
        name = "" if kind is None else "panzoom" if panzoom else "selector"
        self.canvas._interaction = name
        self._overlay.interact(name)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        mime: dict[str, Any] = super()._repr_mimebundle_(**kwargs) or {}
        return complete(mime, repr(self), lambda: self.png(overview=True))

    def __repr__(self) -> str:
        ny, nx = self._feed.shape
        title = f" {self.title!r}" if self.title else ""
        return f"<{type(self).__name__} {self.canvas.image_kind} {ny}x{nx}{title}>"
