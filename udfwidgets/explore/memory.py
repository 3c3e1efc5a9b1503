"""What is kept of a scan, so that a moved detector is answered at once."""

from __future__ import annotations

import logging
import threading

import numpy as np

from udfwidgets.explore.questions import Array, BoolArray, Detector
from udfwidgets.explore.subject import Subject
from udfwidgets.store import Moving, PixelStore, StoreGone

_log = logging.getLogger(__name__)


class Memory:
    """The store of a scan, and a place in it for each detector.

    Safe on any thread.

    Parameters
    ----------
    subject : Subject
        Whose scan.
    """

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._lock = threading.Lock()
        self._store: PixelStore | None = None
        self._is_open = True
        #: By name of the detector, and number of the sum.
        self._moving: dict[tuple[str, int], Moving] = {}
        roi = subject.positions
        self._wanted: BoolArray | None = None if roi is None else np.asarray(roi, bool)

    def begin(self) -> None:
        """Have the scan kept, unless it is already, or cannot be."""
        dataset = self._subject.dataset
        with self._lock:
            is_there = self._store is not None and self._store.is_valid()
            if is_there or not self._is_open or dataset.is_growing:
                return
            try:
                self._store = PixelStore(
                    self._subject.context.executor, dataset, self._subject.corrections
                )
            except Exception as error:
                # Without it everything is answered from the file.
                _log.info("the scan is not kept in memory: %s", error)
                self._is_open = False
            self._moving.clear()

    @property
    def is_ready(self) -> bool:
        """Whether there is an exact answer to anything."""
        store = self._store
        return store is not None and store.is_complete and store.is_exact and store.is_valid()

    def answer(self, detector: Detector) -> tuple[Array, BoolArray] | None:
        """Return sums (k, *nav) and coverage; None if they have to be read from the file."""
        store = self._store
        if store is None or not self.is_ready:
            return None
        sig = self._subject.images[0]
        try:
            sums = [
                self._place(store, detector.name, number).moved(weights)
                for number, weights in enumerate(detector.masks(sig))
            ]
        except (StoreGone, OverflowError):
            return None
        covered = store.valid if self._wanted is None else store.valid & self._wanted
        return np.stack(sums).astype(np.float64), covered

    def _place(self, store: PixelStore, name: str, number: int) -> Moving:
        with self._lock:
            moving = self._moving.get((name, number))
            if moving is None:
                moving = self._moving[name, number] = store.moving()
            return moving

    def rename(self, name: str, new: str) -> None:
        """Follow a detector that is called something else."""
        with self._lock:
            for key in [key for key in self._moving if key[0] == name]:
                self._moving[new, key[1]] = self._moving.pop(key)

    def forget(self, name: str) -> None:
        """Let go of a detector."""
        with self._lock:
            for key in [key for key in self._moving if key[0] == name]:
                del self._moving[key]

    def close(self) -> None:
        """Give the memory back."""
        with self._lock:
            store, self._store, self._is_open = self._store, None, False
            self._moving.clear()
        if store is not None:
            store.close()
