"""The open sources of datasets, each shared by all runs that read from it."""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from udfwidgets.io.dataset.base import DataSet
from udfwidgets.io.source import Source

_log = logging.getLogger(__name__)

# Seconds between two calls of `Sources.tidy`.
# What a map is kept for is that its pages need no faults: sum and sum per frame 10.9 -> 15.4 GB/s,
# one mask 14.6 -> 25.7 (docs/decisions/010-reading.md).
REST = 60.0
# Each may hold 64 file descriptors, and 1024 is a usual limit for a process.
MOST_RESTING = 8
# What identifies the content of a file: device, inode, bytes, and time of the last change.
Stamp = tuple[tuple[int, int, int, int], ...]


@dataclass
class _Lease:
    dataset: DataSet
    source: Source
    stamp: Stamp
    holders: int = 0
    #: Whether nobody has held it since the last time it was tidied up.
    is_old: bool = False


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
                if lease is not None and not lease.holders and lease.stamp != _stamp(dataset.files):
                    self._close_unheld(lease)
                    lease = None
                if lease is None:
                    # The stamp is older than what is opened: a change between the two is seen.
                    stamp = _stamp(dataset.files)
                    lease = self._leases[id(dataset)] = _Lease(dataset, dataset.open(), stamp)
                lease.holders += 1
                # Else one that had rested for a minute is closed under the run that reads it again.
                lease.is_old = False
                return lease.source
        finally:
            self._close_dropped()

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
        lease.source.close()


def _stamp(files: Sequence[Path]) -> Stamp:
    """Return what changes with the files; nothing where one of them cannot be looked at."""
    try:
        found = [path.stat() for path in files]
    except OSError:
        return ()
    return tuple((s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns) for s in found)
