"""Merlin scans of Quantum Detectors: `.mib` files, with or without their `.hdr`."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.base import DataSet
from udfwidgets.io.dataset.mib.check import check_headers
from udfwidgets.io.dataset.mib.header import FrameLayout, hdr_number, nav_from_hdr, read_hdr
from udfwidgets.io.dataset.mib.parts import Part, hdr_of, part_paths, read_parts
from udfwidgets.io.dataset.mib.r64 import decode
from udfwidgets.io.layout.files import PathLike, check_unchanged, existing_file, map_array
from udfwidgets.io.layout.folding import fold
from udfwidgets.io.layout.synced import synced
from udfwidgets.io.source import Array, Scratch, Source

# Each map holds a file descriptor, and 1024 is a usual limit for a process.
_MAX_MAPS = 64


class MIBDataSet(DataSet):
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
        Frames to skip at the start, or if negative, blank frames to put there.
    disable_glob : bool, default False
        Read this one `.mib` file alone, without others whose names go on from it.

    Raises
    ------
    DataSetException
        If a file is not a Merlin file, is truncated or missing, lacks frames between its first
        and its last, changes its layout, or is one of a kind that cannot be read (R64 of several
        chips other than 2x2, or of 24 bit from four).
    """

    def __init__(
        self,
        path: PathLike,
        nav_shape: Sequence[int] | None = None,
        sig_shape: Sequence[int] | None = None,
        sync_offset: int = 0,
        *,
        disable_glob: bool = False,
    ) -> None:
        self._path = existing_file(path)
        paths = part_paths(self._path, disable_glob)
        self._layout, self._parts = read_parts(paths)
        for part in self._parts:
            # The last frame tells now what reading would find after a long run.
            raw = map_array(part.path, np.uint8, 0, (part.n_bytes,))
            check_headers(raw, part, self._layout.stride, part.n_frames - 1, 1)
        n_stored = sum(part.n_frames for part in self._parts)
        stored_nav = None if nav_shape is not None else _nav(self._path, paths, n_stored)
        self._fold = fold(
            str(self._path),
            n_stored,
            self._layout.sig,
            stored_nav,
            nav_shape=nav_shape,
            sig_shape=sig_shape,
            sync_offset=sync_offset,
        )
        super().__init__(self._fold.shape, self._layout.stored_dtype, self._fold.notes)

    @property
    def files(self) -> tuple[Path, ...]:
        """The part files."""
        return tuple(part.path for part in self._parts)

    def open(self) -> Source:
        """Look at the parts; each is mapped when it is first read."""
        for part in self._parts:
            check_unchanged(part.path, part.n_bytes)
        source = MIBSource(self._parts, self._layout, self.shape.sig.to_tuple())
        return synced(source, self._fold)


def _nav(path: Path, paths: list[Path], n_stored: int) -> tuple[int, int] | None:
    """Ask the `.hdr` for the scan shape, and hold it against what the parts have."""
    hdr_path = hdr_of(path, paths)
    if hdr_path is None:
        return None
    hdr = read_hdr(hdr_path)
    n_recorded = hdr_number(hdr, "Frames in Acquisition (Number)")
    nav = nav_from_hdr(hdr_path, hdr)
    expected = math.prod(nav) if nav else n_recorded
    if expected and expected != n_stored:
        raise DataSetException(
            f"{hdr_path} promises {expected} frames{f' as {nav}' if nav else ''}, but the .mib "
            f"files hold {n_stored}: a part file is missing, or the scan was stopped; "
            "pass the nav_shape= that was recorded"
        )
    return nav


class MIBSource(Source):
    """Frames decoded from memory-mapped part files.

    Unsigned pixels are copied too, not handed out as a view: there is a header between any two
    frames, so a view would not be contiguous, and kernels would be compiled for that as well.

    Parameters
    ----------
    parts : list of Part
        In order.
    layout : FrameLayout
        Of all frames.
    sig : tuple of int
        Shape of the frames as they are handed out.
    """

    def __init__(self, parts: list[Part], layout: FrameLayout, sig: tuple[int, ...]) -> None:
        self._parts = parts
        self._layout = layout
        self._sig = sig
        self._dtype = layout.stored_dtype.newbyteorder("=")
        self._ends = np.cumsum([part.n_frames for part in parts])
        self._lock = threading.Lock()
        self._maps: OrderedDict[int, npt.NDArray[np.uint8]] = OrderedDict()
        self._is_closed = False

    def read(self, start: int, stop: int, scratch: Scratch) -> Array:
        """Decode the frames into the scratch."""
        out = scratch.array((stop - start, *self._layout.sig), self._dtype)
        at = start
        while at < stop:
            index = int(np.searchsorted(self._ends, at, side="right"))
            first = int(self._ends[index]) - self._parts[index].n_frames
            end = min(stop, int(self._ends[index]))
            self._decode(index, at - first, out[at - start : end - start])
            at = end
        return out.reshape(stop - start, *self._sig)

    def _decode(self, index: int, first: int, out: Array) -> None:
        layout = self._layout
        raw = self._map(index)
        begin = first * layout.stride
        check_headers(raw, self._parts[index], layout.stride, first, len(out))
        if layout.is_raw:
            decode(raw, begin, layout, out)
            return
        width = layout.sig[1]
        itemsize = layout.stored_dtype.itemsize
        pixels: Array = np.ndarray(
            out.shape,
            layout.stored_dtype,
            raw.data,
            begin + layout.header_bytes,
            (layout.stride, width * itemsize, itemsize),
        )
        np.copyto(out, pixels)  # swaps bytes on the way, without the GIL

    def _map(self, index: int) -> npt.NDArray[np.uint8]:
        with self._lock:
            if self._is_closed:
                raise ValueError("read from a source that is closed")
            raw = self._maps.get(index)
            if raw is None:
                part = self._parts[index]
                raw = map_array(part.path, np.uint8, 0, (part.n_bytes,))
                self._maps[index] = raw
                if len(self._maps) > _MAX_MAPS:
                    self._maps.popitem(last=False)
            else:
                self._maps.move_to_end(index)
            return raw

    def close(self) -> None:
        """Drop the maps."""
        with self._lock:
            self._is_closed = True
            self._maps.clear()
