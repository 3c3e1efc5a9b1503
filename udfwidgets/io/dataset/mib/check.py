"""Holds the headers of a `.mib` file against the first one of that file."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from udfwidgets.compiling import compiled
from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.mib.header import MAGIC
from udfwidgets.io.dataset.mib.parts import Part

# The field has six digits. A scan of 1024 x 1024 has more frames than that: whether the number
# then takes a seventh digit or starts over is not written anywhere, so both are taken.
_MODULUS = 1_000_000
# A sequence number of more digits than this is none; shorter than any header, so always inside.
_MOST_DIGITS = 12


def check_headers(
    raw: npt.NDArray[np.uint8], part: Part, stride: int, first: int, n_frames: int
) -> None:
    """Check that frames of a part go on in sequence and have the layout of its first frame.

    Parameters
    ----------
    raw : numpy.ndarray
        All bytes of the part, dtype uint8.
    part : Part
        With the sequence number and the layout fields of its first frame.
    stride : int
        Bytes from one frame to the next.
    first, n_frames : int
        First frame to check, counted in this part, and how many.

    Raises
    ------
    DataSetException
        If a header is damaged, is of another layout, or is not that of the next frame.
    """
    fixed = np.frombuffer(part.fixed, np.uint8)
    sequence = part.sequence - part.first  # of the first frame of the file, were none lost
    bad = _first_bad_header(raw, part.first + first, n_frames, stride, sequence, fixed)
    if bad < 0:
        return
    at = bad * stride
    expected = MAGIC + b"%06d" % (sequence + bad) + part.fixed
    found = raw[at : at + len(expected)].tobytes()
    if not found.startswith(MAGIC):
        found, expected, cause = found[: len(MAGIC)], MAGIC, "it is damaged"
    elif part.fixed in found:
        cause = (
            "frames are missing, or others have come between; if they were lost, pass "
            "lost='missing' to go on without them"
        )
    else:
        cause = "frames of another layout follow, or it is damaged"
    raise DataSetException(
        f"{part.path} has {found!r} at byte {at}, expected {expected!r} at the start of frame "
        f"{bad} of this file; {cause}"
    )


def check_some(
    raw: npt.NDArray[np.uint8], part: Part, stride: int, numbers: npt.NDArray[np.int64]
) -> None:
    """Check frames that need not follow each other, counted in their part and ascending.

    Raises
    ------
    DataSetException
        As `check_headers`.
    """
    fixed = np.frombuffer(part.fixed, np.uint8)
    sequence = part.sequence - part.first
    bad = _first_bad_of(raw, numbers + part.first, stride, sequence, fixed)
    if bad >= 0:
        check_headers(raw, part, stride, bad - part.first, 1)


def pieces(raw: npt.NDArray[np.uint8], part: Part, stride: int) -> list[Part]:
    """Cut a part where frames were lost: where sequence numbers leave some out.

    Parameters
    ----------
    raw, part, stride
        As for `check_headers`; the part is a whole file.

    Raises
    ------
    DataSetException
        If a header is damaged, or a number is smaller than the one before.
    """
    numbers = _sequence_numbers(raw, part.n_frames, stride)
    steps = np.diff(numbers) % _MODULUS
    wrong = np.flatnonzero((numbers[1:] < 0) | (steps == 0) | (steps > _MODULUS // 2))
    if wrong.size:
        # It is the same for who reads it: where the frame before is right, this one is not.
        before = int(wrong[0])
        sequence = int(numbers[before]) % _MODULUS
        check_headers(raw, replace(part, sequence=sequence, first=before), stride, 0, 2)
    begins = [0, *(np.flatnonzero(steps != 1) + 1).tolist()]
    sequences = part.sequence + np.append(0, np.cumsum(steps))
    return [
        replace(part, sequence=int(sequences[begin]), n_frames=end - begin, first=begin)
        for begin, end in pairwise([*begins, part.n_frames])
    ]


@compiled()
def _sequence_numbers(raw, n_frames, stride):  # type: ignore[no-untyped-def]
    """Return the number in each header; -1 where there is none."""
    numbers = np.full(n_frames, -1, np.int64)
    for frame in range(n_frames):
        at = frame * stride + 4
        number = 0
        for i in range(_MOST_DIGITS):
            if not 48 <= raw[at + i] <= 57:
                break
            number = number * 10 + (raw[at + i] - 48)
            numbers[frame] = number
    return numbers


@compiled()
def _first_bad_header(raw, first, n_frames, stride, sequence, fixed):  # type: ignore[no-untyped-def]
    """Return the number of the first frame whose header is not the expected one, or -1."""
    for frame in range(first, first + n_frames):
        at = frame * stride
        if raw[at] != 77 or raw[at + 1] != 81 or raw[at + 2] != 49 or raw[at + 3] != 44:
            return frame  # not "MQ1,"
        at += 4
        number = 0
        n_digits = 0
        while n_digits < _MOST_DIGITS and 48 <= raw[at] <= 57:
            number = number * 10 + (raw[at] - 48)
            at += 1
            n_digits += 1
        if n_digits == 0 or (number - sequence - frame) % _MODULUS != 0:
            return frame
        if at + len(fixed) > (frame + 1) * stride:
            return frame
        for i in range(len(fixed)):
            if raw[at + i] != fixed[i]:
                return frame
    return -1


@compiled()
def _first_bad_of(raw, frames, stride, sequence, fixed):  # type: ignore[no-untyped-def]
    """Do so for frames that need not follow each other."""
    for frame in frames:
        if _first_bad_header(raw, frame, 1, stride, sequence, fixed) >= 0:
            return frame
    return -1
