"""A source of several sources that follow each other along the scan."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from udfwidgets.io.source import Array, Scratch, Source, Stretch


class JoinedSource(Source):
    """Frames of several sources, numbered through.

    Parameters
    ----------
    sources : list of (int, Source)
        Number of frames, and the source. Closed together with this one.
    """

    def __init__(self, sources: list[tuple[int, Source]]) -> None:
        # One behind the other, whatever they were joined from: all would join in the same scratch.
        self._parts = [part for pair in sources for part in _parts_of(*pair)]
        self._sources = [source for _, source in self._parts]
        self._ends = np.cumsum([n_frames for n_frames, _ in self._parts])

    @property
    def stretches(self) -> Sequence[Stretch] | None:
        """Those of all sources, where all have some."""
        joined: list[Stretch] = []
        for source, end, (n_frames, _) in zip(self._sources, self._ends, self._parts, strict=True):
            lying = source.stretches
            if lying is None:
                return None
            begin = int(end) - n_frames
            joined += [Stretch(begin + at, frames[: n_frames - at]) for at, frames in lying]
        return joined

    def read(self, start: int, stop: int, scratch: Scratch) -> Array:
        """Pass on what one source has; only a run across a border is copied once more."""
        first = int(np.searchsorted(self._ends, start, side="right"))
        last = int(np.searchsorted(self._ends, stop, side="left"))
        begin = int(self._ends[first - 1]) if first else 0
        if first == last:
            return self._sources[first].read(start - begin, stop - begin, scratch)
        out: Array | None = None
        for index in range(first, last + 1):
            at, end = max(start, begin), min(stop, int(self._ends[index]))
            part = self._sources[index].read(at - begin, end - begin, scratch)
            if out is None:
                out = scratch.array((stop - start, *part.shape[1:]), part.dtype, "joined")
            out[at - start : end - start] = part
            begin = end
        assert out is not None
        return out

    def close(self) -> None:
        """Close all sources."""
        for source in self._sources:
            source.close()


def _parts_of(n_frames: int, source: Source) -> list[tuple[int, Source]]:
    return source._parts if isinstance(source, JoinedSource) else [(n_frames, source)]
