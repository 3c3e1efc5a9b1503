"""The open sources of datasets, each shared by all runs that read from it."""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass

from udfwidgets.io.dataset.base import DataSet, Source

_log = logging.getLogger(__name__)


@dataclass
class _Lease:
    dataset: DataSet
    source: Source
    holders: int = 0


class Sources:
    """Opens a dataset for the first run that reads it, and closes it with the last one."""

    def __init__(self) -> None:
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
                if lease is None:
                    lease = self._leases[id(dataset)] = _Lease(dataset, dataset.open())
                lease.holders += 1
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
        if not lease.holders:
            del self._leases[id(dataset)]
            lease.source.close()
