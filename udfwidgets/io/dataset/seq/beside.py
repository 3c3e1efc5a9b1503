"""What is beside a sequence: a dark and a gain image, and what the camera was set to."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.mrc import MRCDataSet
from udfwidgets.io.layout.files import read_start
from udfwidgets.io.source import Array, Scratch

_LONGEST = 1 << 24


def image_beside(sequence: Path, name: str, kind: str, sig: tuple[int, int]) -> Array | None:
    """Return the dark or gain image ``NAME.seq.KIND.mrc`` that is beside a sequence.

    Raises
    ------
    DataSetException
        If it is of another shape than the frames.
    """
    path = sequence.with_name(f"{name}.seq.{kind}.mrc")
    if not path.exists():
        return None
    image = MRCDataSet(path)
    if image.shape.to_tuple() != (1, *sig):
        raise DataSetException(
            f"{path} has the shape {image.shape.to_tuple()}, expected one {kind} image of "
            f"{sig} for {sequence.name}; move it away to go on without it"
        )
    with image.open() as source:
        frame: Array = source.read(0, 1, Scratch())[0]
    return frame.astype(np.float64)


def settings_path(sequence: Path, name: str) -> Path:
    """Return where the settings of the camera would be."""
    return sequence.with_name(f"{name}.seq.Config.Metadata.xml")


def frames_per_buffer(path: Path) -> int | None:
    """Return how many frames of a Celeritas are in a buffer; None if there are no settings.

    Raises
    ------
    DataSetException
        If they do not tell.
    """
    if not path.exists():
        return None
    text = read_start(path, _LONGEST)
    try:
        # Nothing that is needed is declared, and what is may grow without bounds.
        root = ElementTree.fromstring(b"" if b"<!DOCTYPE" in text else text)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise DataSetException(f"{path} is no XML that can be read: {error}") from error
    told = next(root.iter("SegmentPreBuffer"), None)
    number = "" if told is None else told.get("Value", told.text or "").strip()
    if not re.fullmatch("[1-9][0-9]{0,5}", number):
        raise DataSetException(
            f"{path} has {number!r} as SegmentPreBuffer, expected how many frames there are in a "
            "buffer"
        )
    return int(number)
