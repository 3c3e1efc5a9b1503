"""Writes shapes with the pixels they cover, which the tests of the page are held to as well.

``python -m tests.geometry.examples`` writes `examples.json` beside this file::

    {"directions": [[degrees, cosine, sine], ...],
     "examples": [{"frame": [ny, nx], "shape": {"type": ...}, "runs": [[y, first, stop], ...]},
                  ...]}

`runs` are the pixels of the mask, row by row from the top: those from `first` to `stop`, exclusive.
Floats are written so that reading them gives the same bits.
"""

import itertools
import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from udfwidgets.geometry import (
    Annulus,
    Brush,
    Disk,
    Ellipse,
    Figure,
    Lasso,
    Point,
    Polygon,
    Rectangle,
    Sector,
    sectors,
)
from udfwidgets.geometry.directions import direction

PATH = Path(__file__).with_name("examples.json")
FRAME = (24, 32)
HUGE = 1e9

# On a pixel, between pixels, where decimals are rounded, in a corner, outside.
CENTRES = ((15, 11), (15.5, 11.5), (14.1, 10.7), (0, 0), (-0.5, 23.5), (-30, 200))
# Rounded: the last digit of a cosine depends on the machine.
STAR = [
    (
        round(15 + 11 * math.cos(2.4 * k * math.pi), 3),
        round(12 + 11 * math.sin(2.4 * k * math.pi), 3),
    )
    for k in range(5)
]


def figures() -> Iterator[Figure]:
    """Yield shapes whose rims lie on pixels, and tiny, empty, huge and far ones."""
    for centre in (*CENTRES, (0.49999999999999994, 7.499999999999999), (31.5, 2), (HUGE, -HUGE)):
        yield Point(*centre)
    for centre in CENTRES:
        yield from _around(*centre)
    yield from _alone()
    yield from _of_points()
    yield from _by_chance()


def _around(cx: float, cy: float) -> Iterator[Figure]:
    # 5, 6.5 and 2.5 are met exactly by pixels (3, 4), (2.5, 6) and (1.5, 2) away.
    for r in (0, 0.3, 5, 6.5, 2.9):
        yield Disk(cx, cy, r)
    for ri, ro in ((0, 5), (5, 5), (2.5, 6.5), (5, 100)):
        yield Annulus(cx, cy, ri, ro)
    for start, stop in ((0, 90), (45, 225), (135, 45), (30, 60), (0.1, 180.1), (-20, 340)):
        yield Sector(cx, cy, 1, 10, start, stop)
    for width, height in ((4, 3), (0.5, 30), (7.2, 9.4)):
        yield Rectangle(cx, cy, width, height)
    for rx, ry, angle in ((5, 5, 0), (10, 5, 90), (13, 6.5, 45), (8, 3, 30), (9.7, 0.2, -77.7)):
        yield Ellipse(cx, cy, rx, ry, angle)
    yield Brush([(cx, cy)], 5)
    yield Brush([(cx, cy), (cx, cy), (cx + 12, cy + 9)], 2.5)


def _alone() -> Iterator[Figure]:
    yield Disk(15, 11, 1e-200)
    yield Disk(15, 11, HUGE)
    yield Disk(15 - HUGE, 11, HUGE)
    yield Annulus(15, 11, HUGE, HUGE)
    yield Annulus(15, 11, 0, HUGE)
    yield Sector(15, 11, 0, HUGE, 10, 20)
    yield Sector(15, 11, 0, 9, 70, 70)
    yield Sector(15, 11, 0, 9, 0, -360)
    yield Sector(15, 11, 0, 9, 90, 270)
    yield Sector(15, 11, 0, 9, 123456789.125, 987654321.875)
    yield from sectors(Annulus(15.5, 11.5, 1, 10), 7, start=12.3)
    yield Rectangle(15, 11, 0, 9)
    yield Rectangle(15, 11, 9, 0)
    yield Rectangle(15, 11, HUGE, HUGE)
    yield Rectangle(15, 11, 1e-300, 4)
    yield Ellipse(15, 11, 1e-6, 9)
    yield Ellipse(15, 11, 9e-7, 9)
    yield Ellipse(15, 11, 0, 0)
    yield Ellipse(15, 11, HUGE, 3, 20)
    yield Ellipse(15, 11, HUGE, HUGE, 1)


def _of_points() -> Iterator[Figure]:
    square = [(4, 3), (12, 3), (12, 9), (4, 9)]
    yield Polygon(square)
    yield Polygon(square[::-1])
    yield Polygon([(x + 0.5, y + 0.5) for x, y in square])
    yield Polygon([(x - 8.25, y - 6.75) for x, y in square])
    yield Polygon([(0, 0), (30, 10), (10, 22)])  # through pixels, a third of one per row
    yield Polygon([(0.1, 0.2), (30.7, 10.9), (10.3, 22.6)])
    yield Polygon([(3, 3), (3, 3), (3, 3)])
    yield Polygon([(2, 5), (28, 5), (9, 5)])
    yield Polygon([(2, 2), (28, 20), (28, 2), (2, 20)])  # crosses itself
    yield Polygon([*square, *square])  # twice around is outside
    yield Polygon([(-HUGE, -HUGE), (HUGE, -HUGE), (HUGE, HUGE)])
    yield Polygon([(100, 3), (120, 3), (110, 20)])
    yield Polygon([(-100, -30), (300, -30), (20, 400)])
    yield Lasso(STAR)
    yield Lasso([(x / 40, y / 40) for x, y in STAR])
    yield Brush(STAR, 0)
    yield Brush(STAR, 1.5)
    yield Brush([(0, 0), (30, 10)], math.sqrt(10))
    yield Brush([(3, 20), (27, 20), (3, 20), (3, 2)], 2)
    yield Brush([(-HUGE, 11), (HUGE, 11)], 3)
    yield Brush([(15, 11), (16, 12)], HUGE)
    yield Brush([(200, 200), (300, 250)], 9)


def _by_chance() -> Iterator[Figure]:
    rng = np.random.default_rng(20)
    for _ in range(6):
        x, y, ri, ro = rng.uniform((-2, -2, 0, 6), (34, 26, 6, 14)).tolist()
        start, stop = rng.uniform(-360, 720, 2).tolist()
        yield Sector(x, y, ri, ro, start, stop)
        yield Ellipse(x, y, ro, ri, start)
        yield Polygon(rng.uniform(-4, 36, (9, 2)))
        yield Brush(rng.uniform(-4, 36, (4, 2)), ri)


def runs(mask: np.ndarray) -> list[list[int]]:
    """Return the pixels of a mask as [y, first, stop], row by row."""
    found = []
    for y, row in enumerate(mask):
        (changes,) = np.nonzero(np.diff(row, prepend=False, append=False))
        found += [[y, int(first), int(stop)] for first, stop in changes.reshape(-1, 2)]
    return found


def content() -> str:
    """Return the text of the file, an example a line."""
    degrees = [*range(-90, 450, 15), 0.1, 180.1, 44.999999999999, 1e9, -1e-9, 359.99999999999994]
    directions = [json.dumps([angle, *direction(angle)]) for angle in degrees]
    framed = itertools.chain(
        ((FRAME, figure) for figure in figures()),
        (((1, 1), figure) for figure in (Disk(0, 0, 0), Disk(0.5, 0, 0.5), Point(0.4, -0.4))),
        (((0, 5), figure) for figure in (Disk(0, 0, 9), Polygon(STAR))),
        (((97, 131), figure) for figure in (Sector(60.2, 50.9, 20, 45, 200, 100), Lasso(STAR))),
    )
    examples = [
        json.dumps({"frame": frame, "shape": one.to_plain(), "runs": runs(one.mask(frame))})
        for frame, one in framed
    ]
    join = ",\n".join
    return f'{{"directions": [\n{join(directions)}\n],\n"examples": [\n{join(examples)}\n]}}\n'


if __name__ == "__main__":
    PATH.write_text(content(), encoding="utf-8")
