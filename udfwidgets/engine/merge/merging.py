"""Merging: folds the buffers of partitions into those of the whole, and freezes them."""

from __future__ import annotations

import copy
import inspect
import threading
import weakref
from collections.abc import Sequence
from types import FunctionType

import numpy as np

from udfwidgets.brief import put
from udfwidgets.buffers import Array, BoolArray, Buffers
from udfwidgets.engine.blame import Blame
from udfwidgets.engine.plan.binding import at_rest
from udfwidgets.engine.plan.partitions import Partition, Plan
from udfwidgets.engine.plan.reading import Frames
from udfwidgets.udf.base import UDF, parameters_of
from udfwidgets.udf.contract.auxiliary import has_aux_data, shown_params
from udfwidgets.udf.contract.views import Views

# Rows of nav buffers, and what was in them, by UDF and name.
Replaced = tuple["slice | Frames", list[dict[str, Array]]]


class Frozen:
    """The merged buffers as they were at one moment.

    They are copied when somebody looks at them. Until then nav buffers are those that runs merge
    into, and what later merges replace in them is kept; sig buffers are copied before the next
    merge. A moment that nobody has kept by then costs nothing.

    Parameters
    ----------
    arrays : sequence of mapping
        The buffers of each UDF by name.
    nav : sequence of set of str
        Which of them are of kind nav.
    damage : numpy.ndarray of bool
        Which of the selected frames were in; it is kept.
    lock : threading.Lock
        Held by whoever changes the buffers.
    """

    def __init__(
        self,
        arrays: Sequence[Buffers],
        nav: Sequence[set[str]],
        damage: BoolArray,
        lock: threading.Lock,
    ) -> None:
        self.damage = damage
        #: Whether it does without the buffers of the run.
        self.is_own = False
        self._arrays = tuple(dict(buffers) for buffers in arrays)
        self._nav = nav
        self._replaced: list[Replaced] = []
        self._lock = lock

    @property
    def arrays(self) -> tuple[Buffers, ...]:
        """The buffers of each UDF by name; nobody else writes to them any more."""
        with self._lock:
            if not self.is_own:
                self._copy_others()
                self._copy_nav()
        return self._arrays

    def note(self, replaced: Replaced) -> None:
        """Take note of what a merge is going to replace; the caller holds the lock."""
        if not self._replaced:
            # A merge may change all of a sig buffer, but only its rows of a nav buffer: those are
            # kept instead of a copy of the whole.
            self._copy_others()
        self._replaced.append(replaced)

    def _copy_others(self) -> None:
        if not self._replaced:
            for arrays, nav in zip(self._arrays, self._nav, strict=True):
                arrays.update({n: _copied(a) for n, a in arrays.items() if n not in nav})

    def _copy_nav(self) -> None:
        self.is_own = True
        for number, (arrays, nav) in enumerate(zip(self._arrays, self._nav, strict=True)):
            arrays.update({name: _copied(arrays[name]) for name in nav})
            # The latest first: what stood there at the moment itself is put back last.
            for rows, before in reversed(self._replaced):
                for name in nav:
                    arrays[name][rows] = before[number][name]
        self._replaced.clear()


class Accumulator:
    """Holds the buffers of all UDFs of a run and folds partitions into them.

    Whoever calls its methods holds its lock.

    Parameters
    ----------
    udfs : sequence of UDF
        Bound to the dataset; copies of them do the merging.
    plan : Plan
        What is read.

    Attributes
    ----------
    lock : threading.Lock
        Held for as long as the buffers change.
    damage : numpy.ndarray of bool
        Which of the selected frames are in.
    n_merged : int
        How many.
    """

    def __init__(self, udfs: Sequence[UDF], plan: Plan) -> None:
        self.lock = threading.Lock()
        self._plan = plan
        # Weak: a step that nobody holds is not kept up to date.
        self._frozen: list[weakref.ref[Frozen]] = []
        self._udfs = [at_rest(udf, plan) for udf in udfs]
        self._arrays = [
            {
                name: declaration.allocate(plan.n_selected, plan.shape.sig)
                for name, declaration in udf.declarations.items()
                if declaration.stored
            }
            for udf in udfs
        ]
        self._nav = [
            {name for name in arrays if udf.declarations[name].kind == "nav"}
            for udf, arrays in zip(udfs, self._arrays, strict=True)
        ]
        self._by_name = [_merges_by_name(udf) for udf in self._udfs]
        self.damage: BoolArray = np.zeros(plan.n_selected, bool)
        self.n_merged = 0
        self._begun: list[UDF] = []
        try:
            self._prepare()
        except BaseException as error:
            self.end(error)
            raise

    def _prepare(self) -> None:
        for udf, arrays in zip(self._udfs, self._arrays, strict=True):
            scan = (self._plan.shape, self._plan.roi, self.damage)
            udf.results = Views(udf.declarations, arrays, scan=scan)
            self._begun.append(udf)
            with Blame(udf):
                udf.preprocess()
            udf.meta.valid_nav = self.damage

    def end(self, error: BaseException | None) -> BaseException | None:
        """Tell the UDFs that want to know it how the run has ended; return what was wrong, if any.

        Parameters
        ----------
        error : BaseException or None
            Why it is not complete.
        """
        while self._begun:
            udf = self._begun.pop()
            told = getattr(udf, "run_ended", None)
            try:
                with Blame(udf):
                    if told is not None:
                        told(error)
            except Exception as raised:
                error = error or raised
        return error

    def fold(self, partition: Partition, parts: Sequence[Buffers]) -> None:
        """Merge the buffers of one partition."""
        rows = partition.index
        self._keep_for_frozen(rows)
        for udf, arrays, part, by_name in zip(
            self._udfs, self._arrays, parts, self._by_name, strict=True
        ):
            kinds = udf.declarations
            if type(udf).merge is UDF.merge and all(kinds[n].kind == "nav" for n in arrays):
                # The same, without reading first what is going to be replaced.
                for name, array in arrays.items():
                    # For scattered rows `array[rows] = ...` would give up the GIL, under the lock.
                    put(array, rows, part[name])
                continue
            # A view where the partition is a slice, else a copy that is written back.
            dest = {n: a[rows] if kinds[n].kind == "nav" else a for n, a in arrays.items()}
            udf.meta.take_in_hand(partition.start, partition.stop, rows=partition.rows)
            given = parameters_of(udf)
            if has_aux_data(given):
                udf.params = shown_params(given, self._plan.shape, self._plan.roi, rows)
            with Blame(udf):
                if by_name:
                    udf.merge(dest=Views(kinds, dest), src=Views(kinds, part))
                else:
                    udf.merge(Views(kinds, dest), Views(kinds, part))
            if partition.rows is not None:
                for name, array in dest.items():
                    if kinds[name].kind == "nav":
                        arrays[name][rows] = array
        put(self.damage, rows, True)
        self.n_merged += len(partition)

    def take_parameters(self, udfs: Sequence[UDF]) -> None:
        """Merge from now on with the parameters of these UDFs."""
        for own, changed in zip(self._udfs, udfs, strict=True):
            own.params = at_rest(changed, self._plan).params
            own._kwargs = changed._kwargs

    def freeze(self) -> Frozen:
        """Return the buffers as they are now."""
        frozen = Frozen(self._arrays, self._nav, self.damage.copy(), self.lock)
        self._frozen.append(weakref.ref(frozen))
        return frozen

    def _keep_for_frozen(self, rows: slice | Frames) -> None:
        """Keep what is about to be replaced for moments that somebody may still look at."""
        alive = [frozen for reference in self._frozen if (frozen := reference()) is not None]
        alive = [frozen for frozen in alive if not frozen.is_own]
        self._frozen = [weakref.ref(frozen) for frozen in alive]
        if alive:
            before = [
                {name: _copied(arrays[name][rows]) for name in nav}
                for arrays, nav in zip(self._arrays, self._nav, strict=True)
            ]
            for frozen in alive:
                frozen.note((rows, before))


def _copied(array: Array) -> Array:
    # Objects, such as lists that `merge` appends to, are copied with all that is in them.
    return copy.deepcopy(array) if array.dtype.hasobject else array.copy()


def _merges_by_name(udf: UDF) -> bool:
    """Whether `merge` has its parameters called dest and src, in whichever order."""
    # Classes written for LiberTEM may have them turned, as they are called by name there.
    merge = getattr(udf.merge, "__func__", udf.merge)
    if isinstance(merge, FunctionType) and not hasattr(merge, "__wrapped__"):
        # As the signature says, which takes a twentieth of a short run.
        code = merge.__code__
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    else:
        names = tuple(inspect.signature(udf.merge).parameters)
    return {"dest", "src"} <= set(names)
