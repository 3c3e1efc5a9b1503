"""Tells what has arrived of an acquisition that goes on, and why nothing more comes."""

from __future__ import annotations

import threading
import time
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from udfwidgets.errors import AcquisitionEnded, DataSetException
from udfwidgets.io.source import Source

# Looking for new frames costs up to a millisecond; nobody sees a picture change faster than this.
_LOOK_EVERY = 0.005
# A detector at work pauses so long between lines without being said to have stopped.
_QUIET = 1.0


@dataclass(frozen=True)
class Arrived:
    """What has come.

    Parameters
    ----------
    n_frames : int
        In scan order from the first one, without a gap.
    end : str
        Why no more will come; empty while more may.
    cause : BaseException, optional
        What ended it.
    note : str
        What a person should know while nothing comes.
    """

    n_frames: int
    end: str = ""
    cause: BaseException | None = None
    note: str = ""


def check_stall_timeout(seconds: float | None) -> float | None:
    """Return a timeout as it is, or raise a `ValueError`."""
    if seconds is not None and not seconds > 0:
        raise ValueError(
            f"stall_timeout={seconds}, expected seconds, more than 0, or None to wait for ever"
        )
    return seconds


class GrowingSource(Source):
    """A source of frames that are still coming.

    A class for a kind of file says in `_look` what is there; asking seldom enough, the order of
    telling and raising, and the words are here.

    Parameters
    ----------
    where : str
        What is being recorded, for messages.
    expected : int
        Frames of the whole scan.
    stall_timeout : float or None
        Seconds without a new frame after which runs fail; None for never. If frames come later
        on, runs that are started then get them.
    advice : str
        What to do with an acquisition that did not come to its end.
    on_complete : callable
        Called when the last frame is in.
    """

    def __init__(
        self,
        where: str,
        expected: int,
        stall_timeout: float | None,
        advice: str,
        on_complete: Callable[[], None],
    ) -> None:
        self._where = where
        self._expected = expected
        self._stall_timeout = stall_timeout
        self._advice = advice
        self._on_complete = on_complete
        self._lock = threading.Lock()
        self._told = 0
        self._arrived = Arrived(0)
        self._next_look = 0.0
        self._newest = time.monotonic()

    @abstractmethod
    def _look(self) -> Arrived:
        """Look what is there; called by one thread at a time."""

    def available(self) -> int:
        """Return how many frames are there, as `Source.available` says."""
        # A thread that finds another one looking can do with what is known.
        if self._told < self._expected and self._lock.acquire(blocking=False):
            try:
                self._update()
            finally:
                self._lock.release()
        return self._told

    def _update(self) -> None:
        now = time.monotonic()
        # After the end nothing comes; after a stall something may.
        if now >= self._next_look and not self._arrived.end:
            self._arrived = self._look_safely()
            self._next_look = time.monotonic() + _LOOK_EVERY
            if self._arrived.n_frames > self._told:
                self._told, self._newest = min(self._arrived.n_frames, self._expected), now
                if self._told == self._expected:
                    self._on_complete()
                return
        if end := self._end(now - self._newest):
            # A new one each time: several runs may add what they know to theirs.
            raise AcquisitionEnded(
                f"{self._where}: {self._told} of {self._expected} frames have come, and {end}; "
                f"{self._advice}",
                self._told,
            ) from self._arrived.cause

    def _look_safely(self) -> Arrived:
        try:
            return self._look()
        except (DataSetException, OSError, RuntimeError) as error:  # as h5py raises, too
            return Arrived(self._told, str(error), error)

    def _end(self, quiet: float) -> str:
        """Say why a run is not to wait any longer, if so."""
        if self._arrived.end:
            return f"no more will: {self._arrived.end}"
        if self._stall_timeout is None or quiet <= self._stall_timeout:
            return ""
        note = f" ({self._arrived.note})" if self._arrived.note else ""
        return f"nothing has come for {_duration(quiet)}{note}"

    def waiting_for(self) -> str:
        """Return since when nothing has come, once that is longer than usual."""
        quiet = time.monotonic() - self._newest
        if self._told == self._expected or quiet < _QUIET:
            return ""
        came = f"{self._told} of {self._expected} are in"
        text = f"no new frames for {_duration(quiet)} ({came})"
        if self._told == 0:
            text = f"waiting for the first of {self._expected} frames for {_duration(quiet)}"
        return f"{text}: {self._arrived.note}" if self._arrived.note else text


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h"
