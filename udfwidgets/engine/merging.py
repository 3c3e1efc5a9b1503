"""Merging: folds the buffers of partitions into those of the whole, and freezes them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from udfwidgets.buffers import Array, BoolArray
from udfwidgets.engine.blame import Blame
from udfwidgets.engine.plan import Partition, Plan
from udfwidgets.engine.shift import Buffers
from udfwidgets.engine.tying import at_rest
from udfwidgets.udf.base import UDF
from udfwidgets.udf.views import Views


@dataclass(frozen=True, eq=False)
class Frozen:
    """The merged buffers as they were at one moment.

    Attributes
    ----------
    arrays : tuple of mapping
        The buffers of each UDF by name; nobody writes to them any more.
    damage : numpy.ndarray of bool
        Which of the selected frames were in.
    """

    arrays: tuple[Buffers, ...]
    damage: BoolArray


class Accumulator:
    """Holds the buffers of all UDFs of a run and folds partitions into them.

    It is not thread-safe: the run guards it with its lock.

    Parameters
    ----------
    udfs : sequence of UDF
        Tied to the dataset by `declare`; copies of them do the merging.
    plan : Plan
        What is read.
    """

    def __init__(self, udfs: Sequence[UDF], plan: Plan) -> None:
        self._plan = plan
        self._udfs = [at_rest(udf, plan) for udf in udfs]
        self._arrays = [
            {
                name: declaration.allocate(plan.n_frames, plan.shape.sig)
                for name, declaration in udf.declarations.items()
                if declaration.stored
            }
            for udf in udfs
        ]
        self.damage: BoolArray = np.zeros(plan.n_frames, bool)
        self.n_merged = 0
        for udf, arrays in zip(self._udfs, self._arrays, strict=True):
            udf.results = Views(udf.declarations, arrays)
            with Blame(udf):
                udf.preprocess()
            udf.meta.valid_nav = self.damage

    def fold(self, partition: Partition, parts: Sequence[Buffers]) -> None:
        """Merge the buffers of one partition."""
        rows = partition.index
        for udf, arrays, part in zip(self._udfs, self._arrays, parts, strict=True):
            kinds = udf.declarations
            # A view where the partition is a slice, else a copy that is written back.
            dest = {n: a[rows] if kinds[n].kind == "nav" else a for n, a in arrays.items()}
            udf.meta.take_in_hand(partition.start, partition.stop)
            with Blame(udf):
                udf.merge(Views(kinds, dest), Views(kinds, part))
            if partition.rows is not None:
                for name, array in dest.items():
                    if kinds[name].kind == "nav":
                        arrays[name][rows] = array
        self.damage[rows] = True
        self.n_merged += len(partition)

    def take_parameters(self, udfs: Sequence[UDF]) -> None:
        """Merge from now on with the parameters of these UDFs."""
        for own, changed in zip(self._udfs, udfs, strict=True):
            own.params = at_rest(changed, self._plan).params

    def freeze(self) -> Frozen:
        """Return a copy of all buffers that later merges do not touch."""
        arrays = tuple({n: _copied(a) for n, a in arrays.items()} for arrays in self._arrays)
        return Frozen(arrays, self.damage.copy())


def _copied(array: Array) -> Array:
    # Objects, such as lists that `merge` appends to, are copied with all that is in them.
    return copy.deepcopy(array) if array.dtype.hasobject else array.copy()
