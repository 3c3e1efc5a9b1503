"""Finds which frames are whole in all sectors of a K2IS scan, and where their blocks are.

Blocks are numbered through, 32 for each frame. What lies between two blocks whose numbers differ by
as much as their places is taken to have no gap; when it is read, the header of each is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from udfwidgets.errors import DataSetException
from udfwidgets.io.layout.files import map_array

N_SECTORS, N_BLOCKS = 8, 32
BLOCK_BYTES, HEADER_BYTES = 0x5758, 40
ROWS, COLUMNS = 930, 16
SIG = (2 * ROWS, N_SECTORS * N_BLOCKS // 2 * COLUMNS)
FRAME_BYTES = N_BLOCKS * BLOCK_BYTES
_SYNC = 0xFFFF0055
_SHUTTER_IS_OPEN = 1
_MOST_GAPS = 1 << 10
_HEADER = np.dtype(
    {
        "names": ["sync", "flags", "size", "frame", "place", "bytes"],
        "formats": [">u4", "u1", "2>u2", ">u4", "2>u2", ">u4"],
        "offsets": [0, 9, 20, 24, 28, 36],
        "itemsize": HEADER_BYTES,
    }
)


class Sector(NamedTuple):
    """One of the eight files, and its size."""

    path: Path
    n_bytes: int


class Whole(NamedTuple):
    """Frames without a gap that are whole in all sectors.

    Parameters
    ----------
    first : int
        What the camera numbers the first of them.
    n_frames : int
        How many there are.
    offsets : tuple of int
        Where the first of them begins in each sector.
    """

    first: int
    n_frames: int
    offsets: tuple[int, ...]


def sector_paths(path: Path) -> list[Path]:
    """Return the eight files of a scan, of which one is given, or the `.gtg` beside them.

    Raises
    ------
    DataSetException
        If there are not eight.
    """
    stem = path.stem if path.suffix.lower() == ".gtg" else path.stem.rstrip("0123456789")
    named = re.compile(re.escape(stem) + r"([0-9]{1,4})\.bin", re.IGNORECASE)
    found = [(named.fullmatch(each.name), each) for each in path.parent.iterdir()]
    paths = [each for told, each in sorted((int(told[1]), each) for told, each in found if told)]
    if len(paths) != N_SECTORS:
        raise DataSetException(
            f"{path} belongs to {len(paths)} files {stem}*.bin, expected the {N_SECTORS} sectors "
            "of a K2"
        )
    return paths


def whole_frames(sectors: Sequence[Sector]) -> list[Whole]:
    """Return the frames that are whole, in their order.

    Raises
    ------
    DataSetException
        If there are none, or a file has something else than blocks.
    """
    common = [[Whole(*run[:2], (run[2],)) for run in _frames(sector)] for sector in sectors]
    whole = common[0]
    for other in common[1:]:
        whole = _in_both(whole, other)
    if not whole:
        names = ", ".join(sector.path.name for sector in sectors)
        raise DataSetException(
            f"{sectors[0].path.parent} has no frame that is whole in all of {names}, expected one"
        )
    return whole


def shutter_opens(sector: Sector, whole: Sequence[Whole]) -> int | None:
    """Return which of the frames is the first with an open shutter, None if none is.

    It opens once: some frames are looked at, and then those between two of them.
    """
    headers = _headers(sector)
    first = whole[0].first
    end = whole[-1].first + whole[-1].n_frames - first
    begin, step = 0, max(1, end >> 12)
    while True:
        numbers = np.arange(begin, end, step)
        at = np.full(len(numbers), -1)
        for each in whole:
            within = numbers - (each.first - first)
            is_own = (within >= 0) & (within < each.n_frames)
            at[is_own] = each.offsets[0] // BLOCK_BYTES + within[is_own] * N_BLOCKS
        numbers, at = numbers[at >= 0], at[at >= 0]
        is_open = np.flatnonzero(headers["flags"][at] & _SHUTTER_IS_OPEN)
        if not is_open.size or step == 1:
            return int(numbers[is_open[0]]) if is_open.size else None
        end = int(numbers[is_open[0]]) + 1
        begin, step = max(0, end - step), 1


def _headers(sector: Sector) -> npt.NDArray[Any]:
    raw = map_array(sector.path, np.uint8, 0, (sector.n_bytes,))
    n_blocks = sector.n_bytes // BLOCK_BYTES
    headers: npt.NDArray[Any] = np.ndarray((n_blocks,), _HEADER, raw.data, 0, (BLOCK_BYTES,))
    return headers


def _frames(sector: Sector) -> list[tuple[int, int, int]]:
    """Return the frames of a sector: the first of each run, how many, and where that begins."""
    if sector.n_bytes < BLOCK_BYTES:
        raise DataSetException(
            f"{sector.path} has {sector.n_bytes} bytes, expected blocks of {BLOCK_BYTES} bytes of "
            "a K2; the file is truncated"
        )
    found: list[tuple[int, int, int]] = []
    for block, number, n_blocks in _runs(sector):
        first = -(-number // N_BLOCKS)
        n_frames = (number + n_blocks) // N_BLOCKS - first
        if n_frames > 0:
            found.append((first, n_frames, (block + first * N_BLOCKS - number) * BLOCK_BYTES))
    return found


def _runs(sector: Sector) -> list[tuple[int, int, int]]:
    """Return runs of blocks without a gap: place and number of the first, and how many."""
    headers = _headers(sector)
    last = len(headers) - 1
    cuts: list[int] = []
    left = [(0, _number(sector, headers, 0), last, _number(sector, headers, last))]
    while left:
        low, first, high, number = left.pop()
        if number - first == high - low:
            continue
        if high - low == 1:
            cuts.append(high)
            if number <= first or len(cuts) > _MOST_GAPS:
                raise DataSetException(
                    f"{sector.path} has block {number} of its scan behind block {first}, at byte "
                    f"{high * BLOCK_BYTES}, and {len(cuts)} gaps; the file is damaged"
                )
            continue
        middle = (low + high) // 2
        between = _number(sector, headers, middle)
        left += [(middle, between, high, number), (low, first, middle, between)]
    begins = [0, *sorted(cuts)]
    ends = [*begins[1:], last + 1]
    return [
        (begin, _number(sector, headers, begin), end - begin)
        for begin, end in zip(begins, ends, strict=True)
    ]


def _number(sector: Sector, headers: npt.NDArray[Any], index: int) -> int:
    """Return the number of a block, after a look at its header."""
    header = headers[index]
    x, y = header["place"].tolist()
    told = (int(header["sync"]), int(header["bytes"]), header["size"].tolist(), x % 16, y % ROWS)
    if told != (_SYNC, BLOCK_BYTES, [256, 2 * ROWS], 0, 0) or x >= 256 or y > ROWS:
        raise DataSetException(
            f"{sector.path} has no header of a block of {256} x {2 * ROWS} pixels at byte "
            f"{index * BLOCK_BYTES}; the file is damaged, or of another camera than a K2"
        )
    # The rightmost blocks come first, those of the upper half before the others.
    place: int = 15 - x // COLUMNS + y // ROWS * 16
    return int(header["frame"]) * N_BLOCKS + place


def _in_both(ones: list[Whole], others: list[Whole]) -> list[Whole]:
    """Return the frames that are in both, with the places of both."""
    found: list[Whole] = []
    at = 0
    for one in ones:
        end = one.first + one.n_frames
        while at < len(others) and others[at].first + others[at].n_frames <= one.first:
            at += 1
        for other in others[at:]:
            first = max(one.first, other.first)
            n_frames = min(end, other.first + other.n_frames) - first
            if n_frames <= 0:
                break
            offsets = [each + (first - one.first) * FRAME_BYTES for each in one.offsets]
            offsets += [each + (first - other.first) * FRAME_BYTES for each in other.offsets]
            found.append(Whole(first, n_frames, tuple(offsets)))
    return found
