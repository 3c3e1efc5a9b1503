"""Pictures in one PNG: what stands in for a card where widgets cannot be shown."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from typing import Any

from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

#: Pixels between pictures, and the longest side of a picture there: it goes into the notebook.
GAP, LONGEST = 4, 512
#: Pixels of a row at most, where there are several pictures, and of the line above each.
ROW, LINE = 1040, 22
#: Bytes of the file; pictures that take more become smaller, each time by a third.
LARGEST, STEP = 400_000, 1.5
INK, FAINT = "#212121", "#616161"
#: Pixels to which small pictures are enlarged, where captions say that a person looks at them.
STILL = 256
#: Of a picture that is none, such as a number.
BLANK = (180, 4)


def side_by_side(pngs: Sequence[bytes | None], captions: Sequence[tuple[str, str]] = ()) -> bytes:
    """Return pictures in rows, enlarged to about the same height, as a PNG.

    Parameters
    ----------
    pngs : sequence of bytes or None
        One per picture; None for one that has nothing but its caption.
    captions : sequence of tuple of str
        What is written above and below each; nothing by default.

    Returns
    -------
    bytes
        The file, of 400 kB at most. It says of itself that it comes from here.
    """
    longest = LONGEST
    while True:
        file = _encoded(_sheet(pngs, captions, longest))
        if len(file) <= LARGEST or longest < LONGEST // 8:
            return file
        longest = round(longest / STEP)


def _sheet(
    pngs: Sequence[bytes | None], captions: Sequence[tuple[str, str]], longest: int
) -> Image.Image:
    """Return pictures with their longest side at most this, from left to right in rows."""
    pictures = [_opened(png, longest) for png in pngs]
    height = max(picture.height for picture in pictures)
    if captions:
        height = max(height, min(STILL, longest))
    tiles = [
        picture if png is None else _enlarged(picture, height, longest)
        for png, picture in zip(pngs, pictures, strict=True)
    ]
    if captions:
        tiles = [_captioned(tile, *lines) for tile, lines in zip(tiles, captions, strict=True)]
    rows: list[list[Image.Image]] = [[]]
    for tile in tiles:
        if rows[-1] and sum(each.width + GAP for each in rows[-1]) + tile.width > ROW:
            rows.append([])
        rows[-1].append(tile)
    heights = [max(tile.height for tile in row) for row in rows]
    width = max(sum(tile.width + GAP for tile in row) for row in rows) - GAP
    sheet = Image.new("RGB", (width, sum(heights) + GAP * (len(rows) - 1)), "white")
    y = 0
    for row, height in zip(rows, heights, strict=True):
        x = 0
        for tile in row:
            sheet.paste(tile, (x, y))
            x += tile.width + GAP
        y += height + GAP
    return sheet


def _opened(png: bytes | None, longest: int) -> Image.Image:
    if png is None:
        return Image.new("RGB", BLANK, "white")
    picture = Image.open(io.BytesIO(png))
    picture.thumbnail((longest, longest))
    return picture


def _enlarged(picture: Image.Image, height: int, longest: int) -> Image.Image:
    """Return a picture about as high as others; by a whole number, so that pixels stay sharp."""
    times = max(1, min(height // picture.height, longest // picture.width))
    size = (picture.width * times, picture.height * times)
    return picture.resize(size, Image.Resampling.NEAREST)


def _captioned(picture: Image.Image, above: str, below: str) -> Image.Image:
    """Return a picture between two lines, which are cut where there is no more room."""
    width = max(picture.width, BLANK[0])
    foot = LINE + picture.height
    tile = Image.new("RGB", (width, foot + (LINE if below else 0)), "white")
    for text, y, ink in ((above, 0, INK), (below, foot, FAINT)):
        ImageDraw.Draw(tile).text((1, y + 3), _cut(text, width), fill=ink, font=_font())
    tile.paste(picture, (0, LINE))
    return tile


def _cut(text: str, width: int) -> str:
    while len(text) > 1 and _font().getlength(text) > width:
        text = text[:-2] + "…"
    return text


@cache
def _font() -> Any:
    try:
        return ImageFont.load_default(13)
    except TypeError:  # Pillow 10.0 knows one size
        return ImageFont.load_default()


def _encoded(sheet: Image.Image) -> bytes:
    file = io.BytesIO()
    sheet.save(file, "PNG", pnginfo=signed())
    return file.getvalue()


def signed() -> PngImagePlugin.PngInfo:
    """Return what has a PNG say where it comes from, in its first bytes."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Software", "udfwidgets")
    return info
