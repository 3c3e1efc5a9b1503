"""Merlin scans of Quantum Detectors: `.mib` files, with or without their `.hdr`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.folded import FoldedDataSet
from udfwidgets.io.dataset.mib.check import check_headers, pieces
from udfwidgets.io.dataset.mib.header import FrameLayout, hdr_number, nav_from_hdr, read_hdr
from udfwidgets.io.dataset.mib.parts import Part, hdr_of, part_paths, read_parts, truncated
from udfwidgets.io.dataset.mib.source import MIBSource
from udfwidgets.io.layout.files import PathLike, check_unchanged, existing_file, map_array
from udfwidgets.io.layout.folding import fold, square
from udfwidgets.io.source import Source


class MIBDataSet(FoldedDataSet):
    """A scan recorded with a Merlin detector.

    Parameters
    ----------
    path : str or os.PathLike
        The `.hdr`, or one of the `.mib` files. ``~`` is expanded.
    nav_shape : sequence of int, optional
        Scan shape. Without it, the `.hdr` tells; without one, the frames must make a square.
    sig_shape : sequence of int, optional
        Detector axes to fold a frame into.
    sync_offset : int, default 0
        Frames to skip at the start, or if negative, positions to leave without a frame there.
    disable_glob : bool, default False
        Read this one `.mib` file alone, without others whose names go on from it.
    flyback : int, default 0
        Frames to drop after each line of the scan.
    snake : bool, default False
        Every other line, from the second one on, was recorded backwards.
    lost : {'error', 'missing'}
        What sequence numbers that are left out mean: a file that is refused, or positions without
        a frame. For the latter the header of each frame is looked at when the dataset is made.

    Raises
    ------
    DataSetException
        If a file is not a Merlin file, is missing or truncated before the last one, lacks frames
        between its first and its last, changes its layout, or is one of a kind that cannot be read
        (R64 of several chips other than 2x2, or of 24 bit from four).
    """

    def __init__(
        self,
        path: PathLike,
        nav_shape: Sequence[int] | None = None,
        sig_shape: Sequence[int] | None = None,
        sync_offset: int = 0,
        *,
        disable_glob: bool = False,
        flyback: int = 0,
        snake: bool = False,
        lost: Literal["error", "missing"] = "error",
    ) -> None:
        if lost not in ("error", "missing"):
            raise ValueError(f"lost={lost!r}, expected 'error' or 'missing'")
        self._path = existing_file(path)
        paths = part_paths(self._path, disable_glob)
        self._layout, whole = read_parts(paths, lost == "missing")
        self._parts = list[Part]()
        for part in whole:
            raw = map_array(part.path, np.uint8, 0, (part.n_bytes,))
            self._parts += pieces(raw, part, self._layout.stride) if lost == "missing" else [part]
            # The last frame tells now what reading would find after a long run.
            last = self._parts[-1]
            check_headers(raw, last, self._layout.stride, last.n_frames - 1, 1)
        notes = _about_rests(whole, self._layout)
        hdr_path, stored_nav = hdr_of(self._path, paths), None
        if hdr_path is not None and nav_shape is None:
            stored_nav, guess = _nav(read_hdr(hdr_path))
            notes += guess
        if notes and stored_nav is None and nav_shape is None:
            # More frames than are whole: any shape that these make would be wrong.
            raise truncated(whole[-1], self._layout)
        n_promised = math.prod(stored_nav or ())
        self._begin = _begin(self._parts, n_promised, lost == "missing")
        folded = fold(
            str(self._path),
            self._parts[-1].sequence + self._parts[-1].n_frames - self._begin,
            self._layout.sig,
            stored_nav,
            nav_shape=nav_shape,
            sig_shape=sig_shape,
            sync_offset=sync_offset,
            flyback=flyback,
            snake=snake,
            lost=_gaps(self._parts, self._begin),
        )
        super().__init__(str(self._path), folded, self._layout.stored_dtype, notes)

    @property
    def files(self) -> tuple[Path, ...]:
        """The part files."""
        return tuple(dict.fromkeys(part.path for part in self._parts))

    def open(self) -> Source:
        """Look at the parts; each is mapped when it is first read."""
        for part in self._parts:
            check_unchanged(part.path, part.n_bytes)
        sig = self.shape.sig.to_tuple()
        return self._placed(MIBSource(self._parts, self._layout, sig, self._begin))


def _about_rests(parts: list[Part], layout: FrameLayout) -> list[str]:
    cut = [part.path.name for part in parts if part.n_bytes % layout.stride]
    return [f"the last frame of {name} is not complete, and is left out" for name in cut]


def _nav(hdr: dict[str, str]) -> tuple[tuple[int, int] | None, list[str]]:
    """Return the scan shape that a `.hdr` tells, and what is to be said if that is a guess."""
    nav = nav_from_hdr(hdr)
    n_frames = hdr_number(hdr, "Frames in Acquisition (Number)")
    if nav is not None or not n_frames:
        return nav, []
    nav = square(n_frames) or (n_frames, 1)
    return nav, [
        f"the .hdr does not tell how long a line is; the shape {nav} is a guess: pass nav_shape="
    ]


def _begin(parts: list[Part], n_promised: int, may_be_lost: bool) -> int:
    """Return the sequence number that belongs to the first position of the scan.

    Raises
    ------
    DataSetException
        If the first of the frames that a `.hdr` promises are missing.
    """
    first, last = parts[0], parts[-1]
    end = last.sequence + last.n_frames
    # Acquisitions are counted from 1; what fits no such one begins where it does.
    if first.sequence <= 1 or not end - first.sequence < n_promised or end > n_promised + 1:
        return first.sequence
    if may_be_lost:
        return 1
    raise DataSetException(
        f"{first.path} begins with frame {first.sequence}, expected 1 as the .hdr promises "
        f"{n_promised} frames, of which {end - first.sequence} are there; a part file is missing: "
        "to go on without it, pass lost='missing'"
    )


def _gaps(parts: list[Part], begin: int) -> tuple[tuple[int, int], ...]:
    """Return which frames were lost, counted from the first position of the scan."""
    starts = [part.sequence - begin for part in parts]
    ends = [0, *(start + part.n_frames for start, part in zip(starts, parts, strict=True))]
    return tuple((end, start) for end, start in zip(ends, starts, strict=False) if end < start)
