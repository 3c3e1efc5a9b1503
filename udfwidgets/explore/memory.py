"""What is kept of a scan, so that a moved detector is answered at once."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass

import numpy as np

from udfwidgets.engine.plan.order import Sight
from udfwidgets.explore.questions import Array, BoolArray, Detector
from udfwidgets.explore.subject import Subject
from udfwidgets.store import Moving, PixelStore, StoreGone

#: Seconds that an answer may take while a hand moves; beyond it what is in sight is enough.
LONG = 0.02

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Known:
    """What memory knows of an answer.

    Attributes
    ----------
    values : numpy.ndarray
        float64 (k, *nav).
    coverage : numpy.ndarray of bool
        Where they are known.
    is_whole : bool
        Whether that is wherever it can be; else where somebody looks.
    """

    values: Array
    coverage: BoolArray
    is_whole: bool


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
        #: By name of the detector, number of the sum, and what of the scan it is about.
        self._moving: dict[tuple[str, int, Sight | None], Moving] = {}
        #: Seconds that the last whole answer took, by name.
        self._took: dict[str, float] = {}
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

    def answer(self, detector: Detector, sight: Sight | None = None) -> Known | None:
        """Return what is known; None if it has to be read from the file.

        Parameters
        ----------
        detector : Detector
            Whose answer.
        sight : Sight, optional
            What of it is enough for now, where all of it would take long.
        """
        store = self._store
        if store is None or not self.is_ready:
            return None
        if self._took.get(detector.name, 0) <= LONG:
            sight = None
        masks = detector.masks(self._subject.images[0])
        places = [self._place(store, detector.name, n, sight) for n in range(len(masks))]
        began = time.monotonic()
        try:
            sums = [place.moved(mask) for place, mask in zip(places, masks, strict=True)]
        except (StoreGone, OverflowError):
            return None
        if sight is None:
            self._took[detector.name] = time.monotonic() - began
        covered = places[0].valid if self._wanted is None else places[0].valid & self._wanted
        return Known(np.stack(sums).astype(np.float64), covered, sight is None)

    def _place(self, store: PixelStore, name: str, number: int, sight: Sight | None) -> Moving:
        with self._lock:
            key = (name, number, sight)
            moving = self._moving.get(key)
            if moving is None:
                only = None if sight is None else sight.interest > 0
                moving = self._moving[key] = store.moving(only)
                for other in [each for each in self._moving if each[2] not in (None, sight)]:
                    del self._moving[other]  # nobody looks there any more
            return moving

    def rename(self, name: str, new: str) -> None:
        """Follow a detector that is called something else."""
        with self._lock:
            for key in [key for key in self._moving if key[0] == name]:
                self._moving[new, key[1], key[2]] = self._moving.pop(key)

    def forget(self, name: str) -> None:
        """Let go of a detector."""
        with self._lock:
            self._took.pop(name, None)
            for key in [key for key in self._moving if key[0] == name]:
                del self._moving[key]

    def close(self) -> None:
        """Give the memory back."""
        with self._lock:
            store, self._store, self._is_open = self._store, None, False
            self._moving.clear()
        if store is not None:
            store.close()
