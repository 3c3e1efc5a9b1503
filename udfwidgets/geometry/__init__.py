"""Shapes on an image: what a person draws, what they cover, and where the central disk is.

A shape is plain, frozen data in pixels: x to the right, y down, (0, 0) in the centre of the first
pixel. Angles are in degrees, from +x towards +y. A pixel belongs to a shape if its centre does; the
docstring of each shape has the rule as it is computed, in float64, by Python and by the page::

    annulus = Annulus(cx=31.5, cy=32, ri=8, ro=16)
    annulus.mask((64, 64))                  # bool, (ny, nx)
    annulus.moved(dx=1, dy=0)               # another one
    from_plain(annulus.to_plain())          # as it travels, and as it is saved
    presets(find_disk(sum_pattern))["HAADF"]

The floors: ``plain | presets | finding``, then the shapes (``centred | drawn``), then what they
share (``figure``), then how pixels and disks are found (``rasters | directions | checking |
guessing | rim``), and at the bottom ``repairing``.
"""

from udfwidgets.geometry.centred import Annulus, Disk, Ellipse, Point, Rectangle, Sector
from udfwidgets.geometry.drawn import Brush, Lasso, Polygon
from udfwidgets.geometry.figure import Figure
from udfwidgets.geometry.finding import DiskNotFound, find_disk
from udfwidgets.geometry.plain import from_plain
from udfwidgets.geometry.presets import presets, sectors

__all__ = [
    "Annulus",
    "Brush",
    "Disk",
    "DiskNotFound",
    "Ellipse",
    "Figure",
    "Lasso",
    "Point",
    "Polygon",
    "Rectangle",
    "Sector",
    "find_disk",
    "from_plain",
    "presets",
    "sectors",
]
