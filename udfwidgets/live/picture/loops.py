"""Loops over the pixels of a picture that are compiled, and whether they are by now.

Compiling takes seconds after an installation, and as long again where others compile, too: it is
not done by whoever makes a picture, which goes without until then.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import numpy.typing as npt

from udfwidgets.compiling import compiled

#: Dtypes of the images that they are compiled for; others take four times as long.
COMPILED = (np.float32, np.float64)
#: From one number to the next that `extremes` looks at.
STEP = 16
#: Name of the thread that compiles.
COMPILER = "udfwidgets-compiler"

#: Those that are compiled by now.
_done: set[Any] = set()
# Never given back: what cannot be compiled is not tried again for each picture.
_begun = threading.Lock()


def is_compiled(loop: Any) -> bool:
    """Return whether one of the loops can be called without having to be compiled first."""
    return loop in _done


def compile_aside() -> None:
    """Have a thread compile all of them, once."""
    if not _done and _begun.acquire(blocking=False):
        threading.Thread(target=compile_all, name=COMPILER, daemon=True).start()


def compile_all() -> None:
    """Compile what pictures need, or load it."""
    known, image = np.eye(2, dtype=bool), np.ones((2, 2))
    # First what makes more of the first picture, and not only makes it sooner.
    fill(image, known, ~known, 1.0)
    _done.add(fill)
    for dtype in COMPILED:
        values = image.astype(dtype)
        means(values, known, False, 2, np.empty((1, 1)))
        extremes(values[0], np.empty(1, dtype), np.empty(1, dtype))
        encode(values[0], 0.0, 1.0, 1, np.empty(2, np.uint16))
    difference(np.zeros((1, 1), np.uint16), np.ones((1, 1), np.uint16))
    _done.update((means, extremes, encode, difference))


def own(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return an array as compiled code knows it: what cannot be written to is copied."""
    return np.require(array, requirements=["C", "W"])


@compiled()
def encode(values, lo, hi, steps, codes):  # type: ignore[no-untyped-def]
    """Write codes that lie evenly, so many from the lowest to the highest value, and 0 for NaN."""
    per_step = steps / (hi - lo)
    for i in range(len(values)):
        value = np.float64(values[i])
        # Code 0 is taken, and what is cut off below has to round.
        code = np.int32((min(max(value, lo), hi) - lo) * per_step + 1.5)
        codes[i] = 0 if np.isnan(value) else code


@compiled()
def difference(before, after):  # type: ignore[no-untyped-def]
    """Return y, x, height and width of the smallest rectangle that holds every difference."""
    height, width = before.shape
    top, bottom, left, right = height, 0, width, 0
    for y in range(height):
        x = 0
        while x < width and before[y, x] == after[y, x]:
            x += 1
        if x == width:
            continue
        top, bottom, left = min(top, y), y + 1, min(left, x)
        x = width - 1
        while before[y, x] == after[y, x]:
            x -= 1
        right = max(right, x + 1)
    return (top, left, bottom - top, right - left) if bottom else (0, 0, 0, 0)


@compiled()
def extremes(values, lowest, highest):  # type: ignore[no-untyped-def]
    """Write the smallest numbers, ascending, and the largest, descending, as many as have room."""
    lowest[:], highest[:] = np.inf, -np.inf
    # With steps in between: where they grow from row to row each one would be the largest so far.
    for begin in range(STEP):
        for value in values[begin::STEP]:
            if value < lowest[-1]:
                at = len(lowest) - 1
                while at > 0 and lowest[at - 1] > value:
                    lowest[at] = lowest[at - 1]
                    at -= 1
                lowest[at] = value
            if value > highest[-1]:
                at = len(highest) - 1
                while at > 0 and highest[at - 1] < value:
                    highest[at] = highest[at - 1]
                    at -= 1
                highest[at] = value


@compiled()
def fill(image, known, missing, reach):  # type: ignore[no-untyped-def]
    """Give missing pixels the value of the nearest known one, unless that is too far.

    Exact, in two passes over the image: what is the nearest one in the same column, and which
    columns of a row have the nearest of all. Seen from the pixels of a row, the squared distance
    to what a column has is a parabola, and the lower envelope of parabolas is found from left to
    right (Felzenszwalb and Huttenlocher, Theory of Computing 8, 415, 2012).

    `reach` is squared.
    """
    height, width = image.shape
    nearest = np.empty((height, width), np.int64)  # rows; negative where a column has none
    for y in range(height):
        for x in range(width):
            nearest[y, x] = y if known[y, x] else nearest[y - 1, x] if y > 0 else -1
    for y in range(height - 2, -1, -1):
        for x in range(width):
            above, below = nearest[y, x], nearest[y + 1, x]
            if below >= 0 and (above < 0 or below - y < y - above):
                nearest[y, x] = below
    columns = np.empty(width, np.int64)
    begins = np.empty(width)  # where each of them begins to be the nearest
    for y in range(height):
        n = 0
        for x in range(width):
            if nearest[y, x] < 0:
                continue
            begin = -np.inf
            while n > 0:
                other = columns[n - 1]
                rise = (y - nearest[y, x]) ** 2 - (y - nearest[y, other]) ** 2
                begin = (x + other + rise / (x - other)) / 2
                if begin > begins[n - 1]:
                    break
                n -= 1
                begin = -np.inf
            columns[n], begins[n] = x, begin
            n += 1
        at = 0
        for x in range(width):
            if not missing[y, x] or n == 0:
                continue
            while at + 1 < n and begins[at + 1] < x:
                at += 1
            column = columns[at]
            row = nearest[y, column]
            if (y - row) ** 2 + (x - column) ** 2 <= reach:
                image[y, x] = image[row, column]


@compiled()
def means(values, covered, is_whole, factor, found):  # type: ignore[no-untyped-def]
    """Write the mean of each block, see `sampling`; `covered` is not looked at if `is_whole`."""
    height, width = values.shape
    for row in range(found.shape[0]):
        for column in range(found.shape[1]):
            total, count = 0.0, 0
            for y in range(row * factor, min((row + 1) * factor, height)):
                for x in range(column * factor, min((column + 1) * factor, width)):
                    value = values[y, x]
                    if (is_whole or covered[y, x]) and not np.isnan(value):
                        total += value
                        count += 1
            found[row, column] = total / count if count else np.nan
