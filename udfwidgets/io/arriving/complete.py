"""Reads what is complete of files that grow."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Protocol

from udfwidgets.io.arriving.growing import Arrived, GrowingSource
from udfwidgets.io.source import Array, Scratch, Source


class Found(Protocol):
    """Files of a recording, and how far they have grown."""

    #: What a person should know while nothing comes.
    note: str

    @property
    def n_frames(self) -> int:
        """Complete ones."""

    def look(self) -> bool:
        """Look how far the files have grown; True if there are new frames."""


class CompleteSource(GrowingSource):
    """Reads, each time that files have grown, with a new source of what is complete.

    Parameters
    ----------
    where, expected, stall_timeout, advice, on_complete
        As for a `GrowingSource`.
    found : Found
        Looked at again and again.
    sync_offset : int
        Frames to leave out at the start.
    """

    def __init__(
        self,
        where: str,
        expected: int,
        stall_timeout: float | None,
        advice: str,
        on_complete: Callable[[], None],
        found: Found,
        sync_offset: int = 0,
    ) -> None:
        super().__init__(where, expected, stall_timeout, advice, on_complete)
        self._found, self._sync_offset = found, sync_offset
        self._frames: Source | None = self._of_complete_frames()

    @abstractmethod
    def _of_complete_frames(self) -> Source:
        """Return a source of the frames that are complete by now."""

    def read(self, start: int, stop: int, scratch: Scratch) -> Array:
        """Read frames that have come."""
        frames = self._frames
        if frames is None:
            raise ValueError("read from a source that is closed")
        return frames.read(start + self._sync_offset, stop + self._sync_offset, scratch)

    def close(self) -> None:
        """Drop the maps."""
        with self._lock:
            if self._frames is not None:
                self._frames.close()
                self._frames = None

    def _look(self) -> Arrived:
        if self._frames is None:
            raise ValueError("asked a source that is closed")
        if self._found.look():
            # Not closed: other threads may be reading from it, and the last one drops its maps.
            self._frames = self._of_complete_frames()
        came = max(0, self._found.n_frames - self._sync_offset)
        return Arrived(came, note=self._found.note)
