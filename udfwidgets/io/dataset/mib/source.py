"""Reads the frames of Merlin files that are complete."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

import numpy as np
import numpy.typing as npt

from udfwidgets.io.dataset.mib.check import check_headers
from udfwidgets.io.dataset.mib.header import FrameLayout
from udfwidgets.io.dataset.mib.parts import Part
from udfwidgets.io.dataset.mib.r64 import decode
from udfwidgets.io.layout.files import check_whole, map_array
from udfwidgets.io.source import Array, Scratch, Source

# Each map holds a file descriptor, and 1024 is a usual limit for a process.
_MAX_MAPS = 64


class MIBSource(Source):
    """Frames decoded from memory-mapped part files; blank ones for those that were lost.

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
    begin : int
        Sequence number of frame 0.
    """

    def __init__(
        self, parts: list[Part], layout: FrameLayout, sig: tuple[int, ...], begin: int
    ) -> None:
        self._parts = parts
        self._layout = layout
        self._sig = sig
        self._dtype = layout.stored_dtype.newbyteorder("=")
        self._starts = [part.sequence - begin for part in parts]
        self._ends = np.array(self._starts) + [part.n_frames for part in parts]
        self._lock = threading.Lock()
        self._maps: OrderedDict[Path, npt.NDArray[np.uint8]] = OrderedDict()
        self._is_closed = False

    def read(self, start: int, stop: int, scratch: Scratch) -> Array:
        """Decode the frames into the scratch."""
        out = scratch.array((stop - start, *self._layout.sig), self._dtype)
        at = start
        while at < stop:
            index = int(np.searchsorted(self._ends, at, side="right"))
            first, end = self._starts[index], min(stop, int(self._ends[index]))
            if at < first:
                end = min(stop, first)
                out[at - start : end - start] = 0
            else:
                self._decode(self._parts[index], at - first, out[at - start : end - start])
            at = end
        return out.reshape(stop - start, *self._sig)

    def _decode(self, part: Part, first: int, out: Array) -> None:
        layout = self._layout
        raw = self._map(part)
        begin = (part.first + first) * layout.stride
        check_headers(raw, part, layout.stride, first, len(out))
        if layout.is_raw:
            decode(raw, begin, layout, out)
            check_whole(raw)
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
        check_whole(raw)

    def _map(self, part: Part) -> npt.NDArray[np.uint8]:
        with self._lock:
            if self._is_closed:
                raise ValueError("read from a source that is closed")
            raw = self._maps.get(part.path)
            if raw is None:
                raw = map_array(part.path, np.uint8, 0, (part.n_bytes,))
                self._maps[part.path] = raw
                if len(self._maps) > _MAX_MAPS:
                    self._maps.popitem(last=False)
            else:
                self._maps.move_to_end(part.path)
            return raw

    def close(self) -> None:
        """Drop the maps."""
        with self._lock:
            self._is_closed = True
            self._maps.clear()
