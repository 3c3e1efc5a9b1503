"""The open sources of datasets, each shared by all runs that read from it."""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.base import DataSet
from udfwidgets.io.layout.files import noting_maps, torn
from udfwidgets.io.layout.guard import GuardedMap, stand_guard
from udfwidgets.io.source import Source

_log = logging.getLogger(__name__)

# Seconds between two calls of `Sources.tidy`.
# What a map is kept for is that its pages need no faults: sum and sum per frame 10.9 -> 15.4 GB/s,
# one mask 14.6 -> 25.7 (docs/decisions/010-reading.md).
REST = 60.0
# Each may hold 64 file descriptors, and 1024 is a usual limit for a process.
MOST_RESTING = 8
# What identifies the content of a file: device, inode, bytes, and time of the last change.
Mark = tuple[int, int, int, int]
Stamp = tuple[Mark, ...]


@dataclass
class _Lease:
    dataset: DataSet
    source: Source
    stamp: Stamp
    holders: int = 0
    #: Whether nobody has held it since the last time it was tidied up.
    is_old: bool = False
    #: What was mapped while it was opened.
    maps: list[GuardedMap] = field(default_factory=list)

    def is_as_opened(self) -> bool:
        """Whether a new run may go on with it."""
        is_whole = not any(each.is_torn for each in self.maps)
        return is_whole and self.stamp == stamp_of(self.dataset.files)

    def check(self) -> None:
        """Raise a `DataSetException` if what was read so far may not be what was in the files."""
        for each in self.maps:
            if each.is_torn:
                raise DataSetException(torn(each.path))
        for path, mark in zip(self.dataset.files, self.stamp, strict=False):
            found = _mark(path)
            # One that was deleted or replaced is still there for who has it open.
            if found is not None and found[:2] == mark[:2] and found != mark:
                raise DataSetException(
                    f"{path} was changed while it was read: it has {found[2]} bytes, and had "
                    f"{mark[2]}; load it again when nothing writes to it any more"
                )


class Sources:
    """Opens a dataset for the first run that reads it, and closes it with the last one, or later.

    Files that are mapped into memory may rest for a while: the next run finds their pages in
    place, which is worth a third of its time. It finds out whether they have changed.

    Parameters
    ----------
    may_rest : bool
        Whether `tidy` is going to be called every `REST` seconds.
    """

    def __init__(self, *, may_rest: bool = False) -> None:
        # Windows does not let a file that is mapped be written anew, or be deleted.
        self._may_rest = may_rest and os.name == "posix"
        self._lock = threading.Lock()
        self._leases: dict[int, _Lease] = {}
        # Appending and popping are atomic: no lock that a finalizer could find taken.
        self._dropped: deque[DataSet] = deque()

    def open(self, dataset: DataSet) -> Source:
        """Return the open source of a dataset; `close` has to be called as often.

        Raises
        ------
        DataSetException
            If it cannot be opened.
        """
        try:
            with self._lock:
                lease = self._leases.get(id(dataset))
                if lease is not None and not lease.holders and not lease.is_as_opened():
                    self._close_unheld(lease)
                    lease = None
                if lease is None:
                    # The stamp is older than what is opened: a change between the two is seen.
                    stamp = stamp_of(dataset.files)
                    source, maps = noting_maps(dataset.open)
                    lease = _Lease(dataset, source, stamp, maps=maps)
                    self._leases[id(dataset)] = lease
                if lease.maps:
                    stand_guard()
                lease.holders += 1
                # Else one that had rested for a minute is closed under the run that reads it again.
                lease.is_old = False
                return lease.source
        finally:
            self._close_dropped()

    def check(self, dataset: DataSet) -> None:
        """Look whether the files of an open dataset are still what they were.

        Asked after reading, and before what came of it is merged.

        Raises
        ------
        DataSetException
            If one of them became shorter, was written to, or cannot be read.
        """
        lease = self._leases.get(id(dataset))
        if lease is not None:
            lease.check()

    def close(self, dataset: DataSet) -> None:
        """Give a source back."""
        try:
            with self._lock:
                self._give_back(dataset)
        finally:
            self._close_dropped()

    def drop(self, dataset: DataSet) -> None:
        """Give a source back from a finalizer, which may find the lock held by its own thread."""
        self._dropped.append(dataset)
        self._close_dropped()

    def tidy(self) -> None:
        """Close the sources that nobody has used since the last call."""
        with self._lock:
            for lease in list(self._leases.values()):
                if lease.is_old:
                    self._close_unheld(lease)
                lease.is_old = not lease.holders

    def close_resting(self) -> None:
        """Close all sources that nobody holds, and let none rest from now on."""
        self._close_dropped()
        with self._lock:
            self._may_rest = False
            for lease in list(self._leases.values()):
                if not lease.holders:
                    self._close_unheld(lease)

    def _close_dropped(self) -> None:
        # Whoever holds the lock comes here when it has let go.
        while self._dropped and self._lock.acquire(blocking=False):
            try:
                if self._dropped:
                    self._give_back(self._dropped.popleft())
            except Exception:
                _log.exception("a source could not be closed whose run is gone")
            finally:
                self._lock.release()

    def _give_back(self, dataset: DataSet) -> None:
        lease = self._leases[id(dataset)]
        lease.holders -= 1
        if not lease.holders and not (self._may_rest and lease.stamp):
            self._close(lease)
            return
        # The one that was used last is the last to go.
        self._leases[id(dataset)] = self._leases.pop(id(dataset))
        resting = [lease for lease in self._leases.values() if not lease.holders]
        for lease in resting[:-MOST_RESTING]:
            self._close_unheld(lease)

    def _close_unheld(self, lease: _Lease) -> None:
        # Nobody is there to be told of an error, and others are not to suffer from it.
        try:
            self._close(lease)
        except Exception:
            _log.exception("%r could not be closed", lease.dataset)

    def _close(self, lease: _Lease) -> None:
        del self._leases[id(lease.dataset)]
        lease.maps.clear()
        lease.source.close()


def stamp_of(files: Sequence[Path]) -> Stamp:
    """Return what changes with the files; nothing where one of them cannot be looked at."""
    marks = [_mark(path) for path in files]
    return tuple(mark for mark in marks if mark is not None) if all(marks) else ()


def _mark(path: Path) -> Mark | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
