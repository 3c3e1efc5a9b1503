"""The open sources of datasets, each shared by all runs that read from it."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from udfwidgets.io.dataset.base import DataSet, Source


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

    def open(self, dataset: DataSet) -> Source:
        """Return the open source of a dataset; `close` has to be called as often.

        Raises
        ------
        DataSetException
            If it cannot be opened.
        """
        with self._lock:
            lease = self._leases.get(id(dataset))
            if lease is None:
                lease = self._leases[id(dataset)] = _Lease(dataset, dataset.open())
            lease.holders += 1
            return lease.source

    def close(self, dataset: DataSet) -> None:
        """Give a source back."""
        with self._lock:
            lease = self._leases[id(dataset)]
            lease.holders -= 1
            if not lease.holders:
                del self._leases[id(dataset)]
                lease.source.close()
