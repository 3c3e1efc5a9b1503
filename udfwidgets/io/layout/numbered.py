"""Finds all files of a recording that went into several, numbered ones."""

from __future__ import annotations

import re
from pathlib import Path

from udfwidgets.errors import DataSetException


def numbered_paths(path: Path) -> list[Path]:
    """Return all files of a recording, from the one that is numbered 000 on.

    Parameters
    ----------
    path : Path
        Of one of them, ``NAME_000.suffix``; of a file without a number, which is alone.

    Raises
    ------
    DataSetException
        If one of them is missing.
    """
    named = re.fullmatch(r"(.*_)([0-9]{3,})", path.stem)
    if named is None:
        return [path]
    numbers = {}
    for file in path.parent.iterdir():
        digits = file.stem[len(named[1]) :]
        same = file.stem.startswith(named[1]) and file.suffix == path.suffix
        if same and re.fullmatch(r"[0-9]{3,9}", digits):
            numbers[int(digits)] = file
    missing = next((n for n in range(len(numbers)) if n not in numbers), None)
    if missing is not None:
        raise DataSetException(
            f"{path} is one of {len(numbers)} files of a recording, number {missing:03d} is "
            f"missing: expected {named[1]}{missing:03d}{path.suffix} beside it"
        )
    return [numbers[number] for number in sorted(numbers)]


def next_path(path: Path) -> Path | None:
    """Return what the file after one of a recording is called; None for a file without a number."""
    named = re.fullmatch(r"(.*_)([0-9]{3,9})", path.stem)
    if named is None:
        return None
    return path.with_name(f"{named[1]}{int(named[2]) + 1:0{len(named[2])}d}{path.suffix}")
