"""Merlin scans that are still being recorded: `.mib` files that grow, one after the other.

Frames follow each other in a file, so its size says how many are complete; the rest is one that
is just being written. When a part file is full the next one appears, and its first header says
with which frame it begins. Nothing in the files marks the end: it is reached when all frames are in
that the `.hdr` promises, or that `nav_shape` has room for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from udfwidgets.errors import DataSetException
from udfwidgets.io.arriving.complete import CompleteSource
from udfwidgets.io.arriving.growing import check_stall_timeout
from udfwidgets.io.dataset.base import DataSet
from udfwidgets.io.dataset.mib.header import (
    FrameLayout,
    hdr_number,
    nav_from_hdr,
    read_frame_header,
    read_hdr,
)
from udfwidgets.io.dataset.mib.parts import Part, hdr_of, part_paths
from udfwidgets.io.dataset.mib.source import MIBSource
from udfwidgets.io.layout.files import PathLike, existing_file, size_of
from udfwidgets.io.layout.folding import axes, sig_of, square, tell_guess
from udfwidgets.io.source import Source
from udfwidgets.shapes import Shape

_ADVICE = "for what has come, load it with follow=True and a nav_shape= of no more frames"
# A folder may hold thousands of files, and a new part comes every few seconds at most.
_LIST_EVERY = 0.2
_LONGEST_HEADER = 1024


class GrowingMIBDataSet(DataSet):
    """A Merlin scan that is still being recorded.

    Parameters
    ----------
    path : str or os.PathLike
        The `.hdr`, or one of the `.mib` files. ``~`` is expanded. The first frame has to be there.
    nav_shape : sequence of int, optional
        Scan shape. Without it, the `.hdr` has to tell.
    sig_shape : sequence of int, optional
        Detector axes to fold a frame into.
    disable_glob : bool, default False
        Read this one `.mib` file alone, without others whose names go on from it.
    stall_timeout : float, optional
        Seconds without a new frame after which a run fails. By default it waits for ever: an
        acquisition that pauses goes on later, and the run shows since when it has been waiting.

    Raises
    ------
    DataSetException
        If there is no frame yet, if nothing tells how many there will be, or if a file is not one
        of those that `MIBDataSet` reads.
    ValueError
        If an axis, or the timeout, is not positive.
    """

    def __init__(
        self,
        path: PathLike,
        nav_shape: Sequence[int] | None = None,
        sig_shape: Sequence[int] | None = None,
        *,
        disable_glob: bool = False,
        stall_timeout: float | None = None,
    ) -> None:
        self._path = existing_file(path)
        self._disable_glob = disable_glob
        self._stall_timeout = check_stall_timeout(stall_timeout)
        self._is_complete = False
        parts = _Parts(self._path, disable_glob)
        self._layout = parts.layout
        nav, notes = _nav(self._path, [part.path for part in parts.found], nav_shape)
        sig = sig_of(str(self._path), self._layout.sig, sig_shape)
        super().__init__(Shape((*nav, *sig), len(sig)), self._layout.stored_dtype, notes)

    @property
    def is_growing(self) -> bool:
        """Whether no run has seen the last frame yet."""
        return not self._is_complete

    def open(self) -> Source:
        """Look which files there are."""
        parts = _Parts(self._path, self._disable_glob)
        if parts.layout != self._layout:
            raise DataSetException(
                f"{self._path} has now the layout {parts.layout}, but had {self._layout} when it "
                "was loaded; load it again"
            )
        return _GrowingMIBSource(parts, self.shape, self._stall_timeout, self._note_complete)

    def _note_complete(self) -> None:
        self._is_complete = True


class _GrowingMIBSource(CompleteSource):
    """Decodes frames of part files."""

    def __init__(
        self,
        parts: _Parts,
        shape: Shape,
        stall_timeout: float | None,
        on_complete: Callable[[], None],
    ) -> None:
        self._parts, self._sig = parts, shape.sig.to_tuple()
        where = str(parts.path)
        super().__init__(where, shape.nav.size, stall_timeout, _ADVICE, on_complete, parts)

    def _of_complete_frames(self) -> MIBSource:
        complete = [part for part in self._parts.found if part.n_frames]
        return MIBSource(complete, self._parts.layout, self._sig, self._parts.found[0].sequence)


class _Parts:
    """The part files that follow each other without a gap, and how far they have grown.

    Parameters
    ----------
    path : Path
        Of the `.hdr`, or of a `.mib` file.
    disable_glob : bool
        As for `part_paths`.

    Raises
    ------
    DataSetException
        If there is no file with the header of a frame yet.
    """

    def __init__(self, path: Path, disable_glob: bool) -> None:
        self.path = path
        self._disable_glob = disable_glob
        self._known: dict[Path, tuple[FrameLayout, Part]] = {}
        self.found: list[Part] = []
        self.note = ""
        self._next_listing = 0.0
        self.look()
        if not self.found:
            raise DataSetException(
                f"{path}: no .mib file with the header of a frame is there, expected the first "
                "frame; load it again when the acquisition has begun"
            )

    @property
    def layout(self) -> FrameLayout:
        """Of all frames."""
        return next(iter(self._known.values()))[0]

    @property
    def n_frames(self) -> int:
        """Complete frames from the first one, without a gap."""
        return sum(part.n_frames for part in self.found)

    def look(self) -> bool:
        """Look how far the files have grown, and for new ones; True if there are new frames."""
        before = self.found
        if time.monotonic() >= self._next_listing:
            self._next_listing = time.monotonic() + _LIST_EVERY
            for path in part_paths(self.path, self._disable_glob):
                if path not in self._known:
                    self._note_new(path)
        self.found = self._in_sequence()
        return self.found != before

    def _note_new(self, path: Path) -> None:
        try:
            layout, sequence, fixed = read_frame_header(path)
        except DataSetException:
            if size_of(path) < _LONGEST_HEADER:
                return  # the header itself is just being written
            raise
        if self._known and layout != self.layout:
            raise DataSetException(
                f"{path} has another layout than {next(iter(self._known))}: {layout}, expected "
                f"{self.layout}; to read one file alone, pass disable_glob=True"
            )
        self._known[path] = layout, Part(path, 0, sequence, 0, fixed)

    def _in_sequence(self) -> list[Part]:
        """Return the parts up to the first gap, each with what it has by now."""
        parts = sorted((part for _, part in self._known.values()), key=lambda part: part.sequence)
        self.note = ""
        # Only the last of them grows; those before are full.
        in_sequence = self.found[:-1]
        for part in parts[len(in_sequence) :]:
            expected = in_sequence[-1].sequence + in_sequence[-1].n_frames if in_sequence else 0
            if in_sequence and part.sequence < expected:
                raise DataSetException(
                    f"{part.path} begins with frame {part.sequence}, expected {expected} after "
                    f"{in_sequence[-1].path}: they hold the same frames, so they are not parts of "
                    "one scan; to read one file alone, pass its path and disable_glob=True"
                )
            if in_sequence and part.sequence > expected:
                self.note = (
                    f"{part.path.name} begins with frame {part.sequence}, but frame {expected} "
                    "has not come"
                )
                break
            in_sequence.append(self._grown(part))
        return in_sequence

    def _grown(self, part: Part) -> Part:
        """Return a part with the frames that are complete by now."""
        layout, before = self._known[part.path]
        n_bytes = size_of(part.path)
        n_frames = n_bytes // layout.stride
        if n_frames < before.n_frames:
            raise DataSetException(
                f"{part.path} has {n_bytes} bytes, but had {before.n_bytes} before; load it again"
            )
        grown = replace(part, n_bytes=n_frames * layout.stride, n_frames=n_frames)
        self._known[part.path] = layout, grown
        return grown


def _nav(
    path: Path, paths: list[Path], nav_shape: Sequence[int] | None
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return the shape that the scan is going to have, and a note if it is a guess."""
    if nav_shape is not None:
        return axes(nav_shape, "nav_shape"), ()
    hdr_path = hdr_of(path, paths)
    hdr = read_hdr(hdr_path) if hdr_path is not None else {}
    nav = nav_from_hdr(hdr)
    if nav is not None:
        return nav, ()
    n_frames = hdr_number(hdr, "Frames in Acquisition (Number)")
    nav = square(n_frames) if n_frames else None
    if nav is None:
        raise DataSetException(
            f"{path}: nothing says how many frames the scan will have, expected a .hdr that "
            "promises lines or a square scan; pass nav_shape="
        )
    return nav, (tell_guess(str(path), n_frames, nav),) if n_frames > 1 else ()
