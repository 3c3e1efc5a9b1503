"""What lies over an image: its shapes, and the layer that shows them once there are any."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import bqplot

from udfwidgets.calibration import Scale
from udfwidgets.geometry import Figure
from udfwidgets.live.shapes.holder import Shapes, check_name, check_shape
from udfwidgets.live.shapes.layer import TOOLS, Layer

Scales = tuple[bqplot.LinearScale, bqplot.LinearScale]


class Overlay:
    """Shapes and tools of one image; it costs a page nothing as long as there are none.

    Safe on any thread.

    Parameters
    ----------
    show : callable
        Called with the layer when it is made, on the thread that needs it first.
    traits : object
        Those of the layer that do not change.
    """

    def __init__(self, show: Callable[[Layer], None], **traits: Any) -> None:
        self.shapes = Shapes(self._changed)
        self._show = show
        self._traits = traits
        #: Reentrant: who observes the image may set a shape while the layer is made.
        self._lock = threading.RLock()
        self._tools: tuple[str, ...] = ()
        self._presets: list[tuple[str, dict[str, Any] | None]] = []
        self._why = ""
        self._units: list[tuple[float, str] | None] = [None, None]
        self._interaction = ""
        self._scales: Scales | None = None
        self._layer: Layer | None = None
        self._is_open = True

    @property
    def tools(self) -> tuple[str, ...]:
        """Kinds of shapes that pages offer to draw."""
        return self._tools

    @tools.setter
    def tools(self, tools: Sequence[str]) -> None:
        if isinstance(tools, str) or not set(tools) <= set(TOOLS):
            raise ValueError(f"tools are {tools!r}, expected a sequence of any of {TOOLS}")
        with self._lock:
            self._tools = tuple(tools)
            if self._layer is not None:
                self._layer.tools = list(tools)
        self._lay()

    def measure(self, scales: Sequence[Scale | None]) -> None:
        """Have pages measure shapes in units: along y and along x, None for pixels."""
        units = [None if scale is None else (scale.size, scale.unit) for scale in scales]
        with self._lock:
            self._units = units
            if self._layer is not None:
                self._layer.units = units

    def offer(self, presets: Mapping[str, Figure | None], why: str) -> None:
        """Have pages offer shapes at one press; see `LiveImage.offer_shapes`."""
        for name, shape in presets.items():
            check_name(name)
            if shape is not None:
                check_shape(name, shape)
        plain = [(n, None if shape is None else shape.to_plain()) for n, shape in presets.items()]
        with self._lock:
            self._presets, self._why = plain, why
            if self._layer is not None:
                with self._layer.hold_sync():
                    self._layer.presets, self._layer.presets_why = plain, why
        self._lay()

    def follow(self, scales: Scales) -> None:
        """Take note of the scales of the figure, without which nothing is shown."""
        with self._lock:
            self._scales = scales
        self._lay()

    def interact(self, name: str) -> None:
        """Take note of what the figure does with the pointer."""
        with self._lock:
            self._interaction = name
            if self._layer is not None:
                self._layer._interaction = name

    def close(self) -> None:
        """Close the layer and tell of nothing any more; the shapes can still be read."""
        with self._lock:
            # The figure may be made at this moment, and have its scales followed a moment later.
            self._is_open = False
            layer, self._layer = self._layer, None
        self.shapes.close()
        if layer is not None:
            layer.close()

    def _lay(self) -> Layer | None:
        """Return the layer; make it if it is needed and can be."""
        with self._lock:
            is_needed = self._is_open and bool(self._tools or self._presets or self.shapes)
            if self._layer is None and self._scales is not None and is_needed:
                self._layer = Layer(
                    self.shapes,
                    self._scales,
                    tools=list(self._tools),
                    presets=self._presets,
                    presets_why=self._why,
                    units=self._units,
                    _interaction=self._interaction,
                    **self._traits,
                )
                self._show(self._layer)
            return self._layer

    def _changed(self) -> None:
        layer = self._lay()
        if layer is not None:
            layer.changed()
