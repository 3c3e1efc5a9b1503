"""The axes and marks of bqplot over the pixels of an image."""

from __future__ import annotations

import bqplot

from udfwidgets.live.quick import Layout, Quick

_CELL = "1 / 1 / 2 / 2"


class Scale(Quick, bqplot.LinearScale):  # type: ignore[misc]
    """Between pixels of the data and the screen."""


class Axis(Quick, bqplot.Axis):  # type: ignore[misc]
    """Numbers along an edge."""


class Figure(Quick, bqplot.Figure):  # type: ignore[misc]
    """Axes and marks over the pixels."""


def layout_of(width: int, height: int) -> Layout:
    """Return the layout of what lies one over the other, in CSS pixels."""
    # JupyterLab gives figures a margin, which would shift them against the pixels.
    return Layout(
        width=f"{width}px",
        height=f"{height}px",
        min_width="0",
        min_height="0",
        margin="0",
        grid_area=_CELL,
    )
