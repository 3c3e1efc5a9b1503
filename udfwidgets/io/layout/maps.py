"""Keeps the maps of the files of one source, and not too many of them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

import numpy as np
import numpy.typing as npt

from udfwidgets.io.layout.files import map_array

# Each map holds a file descriptor, and 1024 is a usual limit for a process.
MOST_MAPS = 64


class Maps:
    """All bytes of files, mapped when they are first asked for.

    Of more than `MOST_MAPS` files, those that were used last stay mapped.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._maps: OrderedDict[Path, npt.NDArray[np.uint8]] = OrderedDict()
        self._is_closed = False

    def of(self, path: Path, n_bytes: int) -> npt.NDArray[np.uint8]:
        """Return the first bytes of a file.

        Raises
        ------
        DataSetException
            If it is shorter, or cannot be read.
        ValueError
            If all is closed.
        """
        with self._lock:
            if self._is_closed:
                raise ValueError("read from a source that is closed")
            raw = self._maps.get(path)
            if raw is None:
                raw = self._maps[path] = map_array(path, np.uint8, 0, (n_bytes,))
                if len(self._maps) > MOST_MAPS:
                    self._maps.popitem(last=False)
            else:
                self._maps.move_to_end(path)
            return raw

    def close(self) -> None:
        """Drop the maps; each goes when its last view goes."""
        with self._lock:
            self._is_closed = True
            self._maps.clear()
