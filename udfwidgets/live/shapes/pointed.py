"""The part of a live image that is about shapes: those on it, and those that it offers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from udfwidgets.geometry import Figure as Drawing
from udfwidgets.live.shapes.holder import Shapes
from udfwidgets.live.shapes.overlay import Overlay


class Pointed:
    """Shapes of an image, for pages and for Python."""

    _overlay: Overlay

    @property
    def shapes(self) -> Shapes:
        """What is pointed at: shapes of `udfwidgets.geometry`, by name.

        They are set, moved and deleted by hands in the pages, and by Python on any thread::

            image.shapes["BF"] = Disk(cx=64, cy=64, r=20)
            image.shapes.on_change(lambda name, shape, resting: print(name, shape))

        They show with the figure, which comes after the first picture, and are saved with the
        notebook.
        """
        return self._overlay.shapes

    @property
    def tools(self) -> tuple[str, ...]:
        """Kinds of shapes that pages offer to draw, such as ``("disk", "annulus")``."""
        return self._overlay.tools

    @tools.setter
    def tools(self, tools: Sequence[str]) -> None:
        self._overlay.tools = tools

    def offer_shapes(self, shapes: Mapping[str, Drawing | None], why_not: str = "") -> None:
        """Have pages offer shapes, each of which is there at one press of a button.

        Parameters
        ----------
        shapes : mapping
            By name. Without a shape a button says why there is none.
        why_not : str
            In words for the person who presses it.
        """
        self._overlay.offer(shapes, why_not)
