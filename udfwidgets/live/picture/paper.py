"""Pictures for paper: with axes, a colour bar, a scale bar and a title, as PNG, SVG or PDF.

matplotlib draws them, without its global state: a notebook's own figures are not touched. Axes and
texts are vectors, pixels are embedded as they are, in the colours that they have on the page.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import FuncNorm, ListedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from udfwidgets.calibration import Scale
from udfwidgets.live.picture.colour import table
from udfwidgets.live.picture.contrast import Limits
from udfwidgets.live.picture.panel import MOST, Panel
from udfwidgets.live.picture.place import places, values_at
from udfwidgets.live.picture.sampling import block_mean
from udfwidgets.live.picture.tint.wheel import key

#: Panels in a row.
COLUMNS = 3
#: Inches of the longer side of an image.
SIDE = 3.2
#: Dots per inch: enough for all pixels of an image, within reason.
COARSEST, FINEST = 200, 600
#: As on the page: flatter or taller images are stretched.
FLATTEST, TALLEST = 0.2, 1.6
#: Inches around an image: for numbers, a colour bar, and a title.
LEFT, RIGHT, BOTTOM, TOP = 0.7, 1.1, 0.55, 0.45
#: Characters in a line of a title.
TITLE = 44
#: What formats call a text about a picture.
NOTE = {"png": "Description", "svg": "Description", "pdf": "Subject"}
#: Inches of the key of a colour wheel, and pixels.
KEY, KEY_PIXELS = 0.75, 256
#: Arrows along the longer side of an image.
ARROWS = 24
#: Longest scale bar, of the width of the image.
LONGEST_BAR = 0.3


def draw(path: Path, file_format: str, panels: Sequence[Panel], told: str) -> None:
    """Draw panels side by side, in rows of three.

    Parameters
    ----------
    path : Path
        Of the file.
    file_format : {'png', 'svg', 'pdf'}
        Whatever its name is.
    panels : sequence of Panel
        At least one.
    told : str
        Where they come from: it is written into the file beside the picture.

    Raises
    ------
    ValueError
        If they are too many.
    """
    if len(panels) > MOST:
        raise ValueError(
            f"there are {len(panels)} images, and a picture takes {MOST}: save one result, or one "
            "image, or all numbers as .h5"
        )
    # Texts stay texts: they can be searched, and edited.
    with matplotlib.rc_context({"svg.fonttype": "none", "pdf.fonttype": 42, "font.size": 9}):
        figure = _figure_of(panels)
        # Numbers may be longer than there is room for.
        figure.savefig(
            path,
            format=file_format,
            dpi=_dpi(panels),
            metadata={NOTE[file_format]: told},
            bbox_inches="tight",
        )


def _figure_of(panels: Sequence[Panel]) -> Figure:
    """Return the figure; sizes are in inches, as an image and its colour bar are of one height."""
    columns = min(len(panels), COLUMNS)
    rows = -(-len(panels) // columns)
    sizes = [_size(panel) for panel in panels]
    cell_width = LEFT + max(width for width, _ in sizes) + RIGHT
    cell_height = BOTTOM + max(height for _, height in sizes) + TOP
    full = (columns * cell_width, rows * cell_height)
    figure = Figure(figsize=full)
    for number, (panel, (width, height)) in enumerate(zip(panels, sizes, strict=True)):
        row, column = divmod(number, columns)
        left, top = column * cell_width + LEFT, (rows - row) * cell_height - TOP
        at = (left / full[0], (top - height) / full[1], width / full[0], height / full[1])
        _draw_panel(figure, figure.add_axes(at), panel)
    return figure


def _size(panel: Panel) -> tuple[float, float]:
    ratio = _ratio(panel)
    width = SIDE / max(1.0, ratio)
    return width, width * ratio


def _draw_panel(figure: Figure, axes: Axes, panel: Panel) -> None:
    axes.set_title(_broken(panel.title))
    match panel.form:
        case "image":
            _draw_image(figure, axes, panel)
        case "line":
            _draw_line(axes, panel)
        case "number":
            axes.set_axis_off()
            axes.text(0.5, 0.5, f"{panel.values[0, 0]:.6g}", ha="center", va="center", size=20)


def _draw_image(figure: Figure, axes: Axes, panel: Panel) -> None:
    ny, nx = panel.values.shape
    y, x = panel.scales
    dy, dx = (1.0 if scale is None else scale.size for scale in (y, x))
    # A pixel lies around its place, as in files of data.
    extent = (-0.5 * dx, (nx - 0.5) * dx, (ny - 0.5) * dy, -0.5 * dy)
    axes.imshow(panel.pixels(), extent=extent, aspect="auto", interpolation="none")
    axes.set_xlabel(_label("x", x))
    axes.set_ylabel(_label("y", y))
    if x is not None:
        _draw_bar(axes, x.unit, extent[1] - extent[0])
    _draw_colours(figure, axes, panel)
    if panel.arrows is not None:
        _draw_arrows(axes, panel)


def _draw_line(axes: Axes, panel: Panel) -> None:
    scale, values = panel.scales[1], panel.values
    if panel.covered is not None:
        values = np.where(panel.covered, values, np.nan)
    step = 1.0 if scale is None else scale.size
    axes.plot(np.arange(values.shape[1]) * step, values[0])
    axes.set_xlabel(_label("x", scale))
    axes.set_ylabel(panel.unit)


def _draw_bar(axes: Axes, unit: str, width: float) -> None:
    """Draw a scale bar into the lower left corner, seen on light and on dark."""
    length = bar_length(width * LONGEST_BAR)
    left, right = 0.05, 0.05 + length / width
    place: dict[str, Any] = {"transform": axes.transAxes, "color": "white"}
    outline = [withStroke(linewidth=5, foreground="black")]
    axes.plot(
        [left, right], [0.06, 0.06], lw=3, solid_capstyle="butt", path_effects=outline, **place
    )
    # An outline would make curves of the text.
    box = {"facecolor": "black", "alpha": 0.5, "linewidth": 0, "pad": 1.5}
    axes.text((left + right) / 2, 0.1, f"{length:g} {unit}", ha="center", bbox=box, **place)


def bar_length(most: float) -> float:
    """Return the longest of 1, 2, 5, 10, ... and of 0.5, 0.2, 0.1, ... that is not longer."""
    power = 10.0 ** math.floor(math.log10(most))
    # A hair of room: 0.3 / 0.1 is less than 3.
    steps = [step for step in (1, 2, 5, 10) if step * power <= most * (1 + 1e-9)]
    return float(f"{max(steps, default=1) * power:.6g}")


def _draw_colours(figure: Figure, axes: Axes, panel: Panel) -> None:
    """Draw the colour bar: to the right of the image, as high as that; or what is in its place."""
    if panel.tint is not None:
        if panel.component == "wheel":
            _draw_key(axes, panel)
        return
    limits, colours = panel.range, ListedColormap(table(panel.colormap) / 255)
    norm, ticks = _norm(limits, panel.log, panel.gamma)
    beside = axes.inset_axes((1.04, 0, 0.05, 1.0))
    bar = figure.colorbar(ScalarMappable(norm, colours), cax=beside, label=panel.unit)
    if ticks is not None:
        bar.set_ticks(ticks, labels=[f"{tick:.3g}" for tick in ticks])
        bar.ax.minorticks_off()


def _draw_key(axes: Axes, panel: Panel) -> None:
    """Draw a disk of all directions, with the magnitude that is brightest below."""
    across, up = _size(panel)
    width, height = KEY / across, KEY / up
    beside = axes.inset_axes((1 + 0.15 / across, 1 - height, width, height))
    beside.imshow(key(KEY_PIXELS, panel.colormap), interpolation="none")
    beside.set_axis_off()
    beside.set_title(f"{panel.range[1]:.3g}", y=-0.3, fontsize="medium")


def _draw_arrows(axes: Axes, panel: Panel) -> None:
    """Draw the mean vector of each cell, the longest as long as a cell."""
    assert panel.arrows is not None, "only called where there are some"
    ny, nx = panel.arrows.shape
    side = max(1, -(-max(ny, nx) // ARROWS))
    y, x = (
        block_mean(each, side, panel.covered) for each in (panel.arrows.imag, panel.arrows.real)
    )
    dy, dx = (1.0 if scale is None else scale.size for scale in panel.scales)
    rows, columns = (np.minimum(np.arange(0, n, side) + (side - 1) / 2, n - 1) for n in (ny, nx))
    longest = float(np.nanmax(np.hypot(y, x), initial=0)) or 1.0
    axes.quiver(
        columns * dx,
        rows * dy,
        x * dx,
        y * dy,
        angles="xy",
        scale_units="xy",
        scale=longest / side / 0.9,
        pivot="middle",
        color="white",
        edgecolor="black",
        linewidth=0.4,
        width=0.004,
    )


def _norm(limits: Limits, log: bool, gamma: float) -> tuple[Normalize, list[float] | None]:
    """Return what maps values to colours as the page does, and ticks where it has none itself."""
    lo, hi = limits
    if gamma == 1 and not log:
        return Normalize(lo, hi), None
    if gamma == 1 and lo > 0 and hi / lo > 10:
        return LogNorm(lo, hi), None

    def forward(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return places(np.asarray(values), limits, log=log) ** gamma

    def inverse(t: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return values_at(np.asarray(t, np.float64) ** (1 / gamma), limits, log=log)

    ticks = inverse(np.linspace(0, 1, 6)).tolist()
    return FuncNorm((forward, inverse), lo, hi), ticks


def _ratio(panel: Panel) -> float:
    """Return how high an image is, of its width."""
    if panel.form != "image":
        return 0.62
    (ny, nx), (y, x) = panel.values.shape, panel.scales
    stretch = 1.0
    if y is not None and x is not None and y.unit == x.unit:
        stretch = y.size / x.size
    return float(min(max(ny / nx * stretch, FLATTEST), TALLEST))


def _label(name: str, scale: Scale | None) -> str:
    return f"{name} ({'pixel' if scale is None else scale.unit})"


def _broken(title: str) -> str:
    """Return a title in lines; a dollar sign in it is no formula."""
    return textwrap.fill(title.replace("$", r"\$"), TITLE)


def _dpi(panels: Sequence[Panel]) -> int:
    longest = max(max(panel.values.shape) for panel in panels)
    return int(min(max(COARSEST, math.ceil(longest / SIDE)), FINEST))
