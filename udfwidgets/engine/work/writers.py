"""UDFs that write into the data they are handed: found out by trying, given copies from then on.

All UDFs see the same memory, often the user's own array, so what they are handed cannot be written
to. The first time that a UDF of a class tries, its partition is done once more, with a copy for it
alone.
"""

from __future__ import annotations

import re
from weakref import WeakSet

from udfwidgets.errors import text_of

_writers: WeakSet[type] = WeakSet()

# The words of NumPy (the last ones are those of np.dot), numba, Cython and OpenCV.
_REFUSED = re.compile("read-?only|WRITEABLE flag|output array is not acceptable")


class WritesIntoData(Exception):
    """A UDF needs a copy of the data of its own: the partition has to be done once more."""


def is_writer(udf: type) -> bool:
    """Whether UDFs of a class get a copy of the data."""
    return udf in _writers


def note_writer(udf: type, error: Exception) -> bool:
    """Note that UDFs of a class need a copy, if that is what an error of theirs says."""
    refused = _REFUSED.search(text_of(error)) is not None
    if refused:
        _writers.add(udf)
    return refused
