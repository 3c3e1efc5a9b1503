"""Which part of complex numbers or vectors an image shows, and whether it has arrows."""

from __future__ import annotations

from typing import Any

import traitlets

from udfwidgets.buffers import Array
from udfwidgets.live.picture.image_feed import ImageFeed, Tint
from udfwidgets.live.picture.tint.planes import (
    COMPONENTS,
    SUITED,
    Nature,
    component_of,
    tint_of,
    tinting,
)
from udfwidgets.live.wire.hub import hub
from udfwidgets.unknown import unknown

#: Those that a picture does not tell by itself: others are magnitudes, or have a key.
SAID = ("phase", "direction", "real", "imaginary", "y", "x")


class ComponentTraits(traitlets.HasTraits):  # type: ignore[misc]
    """What a page knows of the components of an image."""

    #: Name and colour map of each.
    components = traitlets.List().tag(sync=True)
    component = traitlets.Unicode().tag(sync=True)
    arrows = traitlets.Bool(False).tag(sync=True)


def traits_of(nature: Nature, colormap: str) -> dict[str, Any]:
    """Return the traits that a canvas begins with; components with a suited map have that."""
    known = [[name, SUITED.get(name, colormap)] for name in COMPONENTS[nature]]
    component, colormap = known[0] if known else ("", colormap)
    return {"components": known, "component": component, "colormap": colormap}


class Components:
    """A mixin of a `LiveImage`."""

    canvas: Any
    _feed: ImageFeed

    @property
    def components(self) -> tuple[str, ...]:
        """What can be shown of an image of complex numbers or vectors; nothing of others.

        'wheel' is all at once: the direction as hue, and the magnitude as brightness.
        """
        return self._feed.components

    @property
    def component(self) -> str:
        """Which of `components` is shown."""
        return self._feed.component

    @component.setter
    def component(self, name: str) -> None:
        if name not in self.components:
            raise ValueError(unknown(name, self.components, "component "))
        maps: dict[str, str] = dict(self.canvas.components)
        with self.canvas.hold_sync():
            self.canvas.component, self.canvas.colormap = name, maps[name]
            self.canvas.limits, self.canvas.auto, self.canvas.log_scale = [], True, False
        self._choose(name)

    @property
    def arrows(self) -> bool:
        """Whether arrows are drawn over an image of complex numbers or vectors."""
        return bool(self.canvas.arrows)

    @arrows.setter
    def arrows(self, shown: bool) -> None:
        self.canvas.arrows = bool(shown)

    def _choose(self, name: str) -> None:
        if name in self.components:
            self._feed.choose_component(self.components.index(name))
            hub().news(urgent=self._feed.urgent)

    def _note_component(self, change: dict[str, Any]) -> None:
        self._choose(change["new"])

    @property
    def _suffix(self) -> str:
        """What is to be told of it in a title."""
        return f", {self.component}" if self.component in SAID else ""

    def _seen(self, values: Array) -> tuple[Array, Tint]:
        """Return what is shown of numbers: real ones, and the tint of each pixel."""
        planes = tinting(values, self.component)
        return component_of(values, self.component), tint_of(planes)
