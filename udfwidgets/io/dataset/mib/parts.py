"""Finds the `.mib` files that make one scan."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.mib.header import FrameLayout, read_frame_header
from udfwidgets.io.layout.files import size_of

_SEPARATORS = ("-", "_", " ", ".")


@dataclass(frozen=True)
class Part:
    """One `.mib` file of a scan, or a piece of one between frames that were lost.

    Parameters
    ----------
    path : Path
        Of the file.
    n_bytes : int
        Size of the file.
    sequence : int
        Number of its first frame, as the header counts.
    n_frames : int
        Complete frames in it.
    fixed : bytes
        What follows the sequence number in the header of its first frame, and so in all others.
    first : int
        Which frame of the file is its first one: more than 0 behind frames that were lost.
    """

    path: Path
    n_bytes: int
    sequence: int
    n_frames: int
    fixed: bytes
    first: int = 0


def part_paths(path: Path, disable_glob: bool) -> list[Path]:
    """Return the `.mib` files that belong to a `.hdr` or to one `.mib` file.

    They are those whose name is the prefix and a number, or for want of such files, the prefix,
    a separator and something else. A digit after a digit is another scan: `scan10.mib` belongs to
    `scan`, not to `scan1`. A file with a `.hdr` of its own belongs to that one.

    Raises
    ------
    DataSetException
        If there is none.
    """
    is_hdr = path.suffix.lower() == ".hdr"
    if disable_glob and not is_hdr:
        return [path]
    prefix = path.stem if is_hdr else re.sub(r"[0-9]+$", "", path.stem)
    if disable_glob:
        candidates = [found] if (found := _beside(path, prefix, ".mib")) else []
    else:
        files = _with_suffix(path, ".mib")
        candidates = [file for file in files if _continues(prefix, file.stem)] or [
            file for file in files if _continues(prefix.lower(), file.stem.lower())
        ]
    numbered = [f for f in candidates if re.fullmatch(r"[-_ ]*[0-9]*", f.stem[len(prefix) :])]
    own = [f for f in numbered or candidates if f == path or not _belongs_elsewhere(f, path)]
    if not own:
        raise DataSetException(
            f"{path} has no data: no file {prefix}*.mib beside it, with a number or a separator "
            f"(- _ . or a space) after {prefix!r}; put the .mib files next to it, or pass the "
            "path of one of them"
        )
    return own


def _continues(prefix: str, stem: str) -> bool:
    """Tell whether a name is the prefix, or goes on from it with a separator or a number."""
    if not stem.startswith(prefix):
        return False
    rest = stem[len(prefix) :]
    if not rest or rest[0] in _SEPARATORS or prefix.endswith(_SEPARATORS):
        return True
    return re.fullmatch(r"[0-9]+", rest) is not None and not re.search(r"[0-9]$", prefix)


def hdr_of(path: Path, paths: list[Path]) -> Path | None:
    """Return the `.hdr` of a scan, None if it has none.

    Parameters
    ----------
    path : Path
        That the scan was asked for by.
    paths : list of Path
        Its `.mib` files.
    """
    if path.suffix.lower() == ".hdr":
        return path
    stems = [paths[0].stem]
    if len(paths) > 1:
        # Parts are numbered after the name that they share with their header.
        prefix = re.sub(r"[0-9]+$", "", paths[0].stem)
        stems += [prefix, prefix.rstrip("".join(_SEPARATORS))]
    found = (_beside(path, stem, ".hdr") for stem in stems)
    return next((hdr for hdr in found if hdr is not None), None)


def _with_suffix(path: Path, suffix: str) -> list[Path]:
    """Return the files beside a path that have a suffix, in small letters or capitals."""
    names = sorted(os.listdir(path.parent))
    return [path.parent / name for name in names if name.lower().endswith(suffix)]


def _beside(path: Path, stem: str, suffix: str) -> Path | None:
    """Return the file of a name beside a path: written just so, or else in other capitals."""
    exact = path.with_name(stem + suffix)
    if exact.exists():
        return exact
    files = _with_suffix(path, suffix)
    same = [file for file in files if file.stem == stem]
    same += [file for file in files if file.stem.lower() == stem.lower()]
    return same[0] if same else None


def _belongs_elsewhere(file: Path, path: Path) -> bool:
    return file.stem.lower() != path.stem.lower() and _beside(file, file.stem, ".hdr") is not None


def read_parts(paths: list[Path], gaps_are_fine: bool = False) -> tuple[FrameLayout, list[Part]]:
    """Read the first header of each part, bring the parts in order and check that they fit.

    The last one may end within a frame, as where a scan was stopped, or a disk was full.

    Parameters
    ----------
    paths : list of Path
        The files.
    gaps_are_fine : bool
        Frames may be missing between two parts, and the end of any part.

    Raises
    ------
    DataSetException
        If a part is truncated or missing, or unlike the others.
    """
    read = [_read_part(path) for path in paths]
    layouts, parts = [layout for layout, _ in read], [part for _, part in read]
    for layout, part in read:
        if layout != layouts[0]:
            raise DataSetException(
                f"{part.path} has another layout than {parts[0].path}: {layout}, expected "
                f"{layouts[0]}; to read one file alone, pass disable_glob=True"
            )
    parts.sort(key=lambda part: part.sequence)
    for part in parts[:-1]:
        if not gaps_are_fine and part.n_bytes != part.n_frames * layouts[0].stride:
            raise truncated(part, layouts[0])
    for before, part in pairwise(parts):
        _check_sequel(before, part, gaps_are_fine)
    complete = [part for part in parts if part.n_frames]
    if not complete:
        raise truncated(parts[0], layouts[0])
    return layouts[0], complete


def _read_part(path: Path) -> tuple[FrameLayout, Part]:
    layout, sequence, fixed = read_frame_header(path)
    n_bytes = size_of(path)
    return layout, Part(path, n_bytes, sequence, n_bytes // layout.stride, fixed)


def truncated(part: Part, layout: FrameLayout) -> DataSetException:
    """Return the error for a part that ends within a frame."""
    begin = part.n_frames * layout.stride
    return DataSetException(
        f"{part.path} is truncated: frame {part.n_frames} of this file begins at byte {begin} and "
        f"has {part.n_bytes - begin} bytes, expected {layout.stride} ({layout.header_bytes} of "
        f"header, {layout.image_bytes} of pixels); if a scan was stopped there, pass its "
        "nav_shape="
    )


def _check_sequel(before: Part, part: Part, gaps_are_fine: bool) -> None:
    expected = before.sequence + before.n_frames
    if part.sequence == expected or (gaps_are_fine and part.sequence > expected):
        return
    problem = (
        f"frames {expected} to {part.sequence - 1} are missing, and a part file with them; to go "
        "on without them, pass lost='missing'"
        if part.sequence > expected
        else "they hold the same frames, so they are not parts of one scan; to read one file "
        "alone, pass its path and disable_glob=True"
    )
    raise DataSetException(
        f"{part.path} begins with frame {part.sequence}, expected {expected} after "
        f"{before.path}: {problem}"
    )
