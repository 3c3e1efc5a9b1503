"""Pictures side by side in one PNG: what stands in for a card where widgets cannot be shown."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image

#: Pixels between pictures, and the longest side of a picture there: it goes into the notebook.
GAP, LONGEST = 4, 512


def side_by_side(pngs: Sequence[bytes]) -> bytes:
    """Return pictures in a row, enlarged to about the same height, as a PNG."""
    pictures: list[Image.Image] = [Image.open(io.BytesIO(png)) for png in pngs]
    for picture in pictures:
        picture.thumbnail((LONGEST, LONGEST))
    height = max(picture.height for picture in pictures)
    scaled = [_enlarged(picture, height) for picture in pictures]
    width = sum(picture.width + GAP for picture in scaled) - GAP
    sheet = Image.new("RGB", (width, height), "white")
    x = 0
    for picture in scaled:
        sheet.paste(picture, (x, 0))
        x += picture.width + GAP
    file = io.BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()


def _enlarged(picture: Image.Image, height: int) -> Image.Image:
    """Return a picture about as high as others; by a whole number, so that pixels stay sharp."""
    times = max(1, min(height // picture.height, LONGEST // picture.width))
    size = (picture.width * times, picture.height * times)
    return picture.resize(size, Image.Resampling.NEAREST)
