"""The part of a live image that is about sizes: of its pixels, its values, and of itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from udfwidgets.calibration import Scale
from udfwidgets.live.shapes.overlay import Overlay

#: CSS pixels: what is narrower shows nothing, and what is wider is on no screen.
NARROWEST, WIDEST = 120, 16384


class Sized:
    """How large an image is, on the screen and in the world."""

    canvas: Any
    _overlay: Overlay
    _scales: tuple[Scale | None, Scale | None] = (None, None)

    @property
    def width(self) -> int | None:
        """Of the whole image in CSS pixels, as chosen here or by hand; None: the room there is."""
        return self.canvas.width or None

    @width.setter
    def width(self, width: int | None) -> None:
        self.canvas.width = checked_width(width)

    def measure_shapes(self, y: Scale | None, x: Scale | None) -> None:
        """Have pages tell lengths in units: beside a bar, under the pointer, and of shapes.

        Parameters
        ----------
        y, x : Scale or None
            How large a pixel is along each axis; None for one that is counted in pixels.
        """
        if (y, x) == self._scales:
            return
        self._scales = (y, x)
        self.canvas.units = [_plain(y), _plain(x)]
        self._overlay.measure((y, x))

    def measure_values(self, units: Sequence[Scale]) -> None:
        """Have pages say what values are counted in.

        Parameters
        ----------
        units : sequence of Scale
            How much a value of 1 is: ``[Scale(1, "px"), Scale(0.4, "mrad")]``. The first one is
            that of the colour bar. Empty where it is not known.
        """
        if units or self.canvas.value_units:
            self.canvas.value_units = [_plain(unit) for unit in units]


def checked_width(width: int | None) -> int:
    """Return a width that a user has chosen; 0 for none.

    Raises
    ------
    ValueError
        If it is no width.
    """
    if width is None:
        return 0
    if isinstance(width, bool) or not isinstance(width, int) or not NARROWEST <= width <= WIDEST:
        raise ValueError(
            f"width is {width!r:.60}, expected CSS pixels from {NARROWEST} to {WIDEST}, or None "
            "for the room there is"
        )
    return width


def _plain(scale: Scale | None) -> tuple[float, str] | None:
    return None if scale is None else (scale.size, scale.unit)
