"""Merging: folds the buffers of partitions into the result and takes snapshots of it."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from udfwidgets.buffers import Array, BoolArray, BufferDeclaration, BufferWrapper, UDFResults
from udfwidgets.engine.plan import Partition, Plan
from udfwidgets.engine.work import Blame, Buffers, params_for
from udfwidgets.errors import UDFException
from udfwidgets.udf.base import UDF, MaskedResult
from udfwidgets.udf.views import Views

DAMAGE = BufferDeclaration.of("nav", dtype=bool)


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
        self._udfs = [_tied_copy(udf, plan) for udf in udfs]
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
        rows = slice(partition.start, partition.stop)
        for udf, arrays, part in zip(self._udfs, self._arrays, parts, strict=True):
            kinds = udf.declarations
            dest = {n: a[rows] if kinds[n].kind == "nav" else a for n, a in arrays.items()}
            udf.meta.take_in_hand(partition.start, partition.stop)
            with Blame(udf):
                udf.merge(Views(kinds, dest), Views(kinds, part))
        self.damage[rows] = True
        self.n_merged += len(partition)

    def take_parameters(self, udfs: Sequence[UDF]) -> None:
        """Merge from now on with the parameters of these UDFs."""
        for own, changed in zip(self._udfs, udfs, strict=True):
            own.params = params_for(changed, self._plan)

    def freeze(self) -> Frozen:
        """Return a copy of all buffers that later merges do not touch."""
        arrays = tuple({n: _copied(a) for n, a in arrays.items()} for arrays in self._arrays)
        return Frozen(arrays, self.damage.copy())


def _copied(array: Array) -> Array:
    # Objects, such as lists that `merge` appends to, are copied with all that is in them.
    return copy.deepcopy(array) if array.dtype.hasobject else array.copy()


def conclude(udfs: Sequence[UDF], frozen: Frozen, plan: Plan) -> UDFResults:
    """Let the UDFs make the user's results out of frozen buffers.

    Parameters
    ----------
    udfs : sequence of UDF
        Tied to the dataset by `declare`; copies of them are used, so any thread may call this.
    frozen : Frozen
        The buffers; the results take them over.
    plan : Plan
        What was read.
    """
    buffers = tuple(
        _results_of(_tied_copy(udf, plan, frozen.damage), arrays, frozen.damage, plan)
        for udf, arrays in zip(udfs, frozen.arrays, strict=True)
    )
    everywhere = np.ones(plan.n_frames, bool)
    damage = BufferWrapper(DAMAGE, frozen.damage, plan.shape, plan.roi, everywhere)
    return UDFResults(buffers, damage)


def _tied_copy(udf: UDF, plan: Plan, damage: BoolArray | None = None) -> UDF:
    """Return a copy of a UDF that knows the dataset but is at no partition."""
    # A shallow copy: it keeps attributes that were set after the UDF was made.
    tied = copy.copy(udf)
    tied.meta = replace(udf.meta, valid_nav=damage, in_hand=(0, plan.n_frames))
    tied.params = params_for(tied, plan)
    tied.task_data = Views({}, {})
    return tied


def _results_of(
    udf: UDF, arrays: Buffers, damage: BoolArray, plan: Plan
) -> dict[str, BufferWrapper]:
    udf.results = Views(udf.declarations, arrays)
    with Blame(udf):
        results = _completed(udf, udf.get_results())
        return {
            name: _wrap(udf, name, declaration, results[name], damage, plan)
            for name, declaration in udf.declarations.items()
            if declaration.visible
        }


def _completed(udf: UDF, results: Mapping[str, Any]) -> dict[str, Any]:
    """Return the results with those that were left out as they were merged."""
    visible = {name: d for name, d in udf.declarations.items() if d.visible}
    if extra := set(results) - set(visible):
        private = extra & set(udf.declarations)
        raise UDFException(
            f"{type(udf).__name__}.get_results() returns {', '.join(sorted(extra))}, "
            + (
                "declared as private: drop use='private' or leave it out"
                if private
                else "not declared in get_result_buffers()"
            )
        )
    merged = {name: udf.results[name] for name, d in visible.items() if d.stored}
    completed = {**merged, **results}
    if missing := set(visible) - set(completed):
        raise UDFException(
            f"{type(udf).__name__}.get_results() returns no {', '.join(sorted(missing))}, declared "
            "with use='result_only': return an array for it"
        )
    return completed


def _wrap(
    udf: UDF,
    name: str,
    declaration: BufferDeclaration,
    value: Any,
    damage: BoolArray,
    plan: Plan,
) -> BufferWrapper:
    valid = damage if declaration.kind == "nav" else np.asarray(damage.any())
    if isinstance(value, MaskedResult):
        value, valid = value.data, _to_raw(value.mask, declaration, plan)
    array: Array = np.asarray(value)
    if array.dtype.kind != declaration.dtype.kind:
        raise UDFException(
            f"{type(udf).__name__}.get_results() gives {name!r} with dtype {array.dtype}, it is "
            f"declared as {declaration.dtype}: change the declaration or convert the array"
        )
    # It keeps its own precision: 64-bit integers must not overflow unseen.
    raw = _to_raw(array, declaration, plan)
    return BufferWrapper(declaration, raw, plan.shape, plan.roi, valid)


def _to_raw(array: Array, declaration: BufferDeclaration, plan: Plan) -> Array:
    """Return a result in the shape of its buffer; a nav result may also come in full shape."""
    shape = declaration.leading(plan.n_frames, plan.shape.sig) + declaration.extra_shape
    if array.shape == shape:
        return array
    full = plan.shape.nav.axes + declaration.extra_shape
    if declaration.kind == "nav" and plan.roi is not None and array.shape == full:
        selected: Array = array[plan.roi]
        return selected
    if array.size != np.prod(shape, dtype=np.int64):
        raise UDFException(
            f"a result of shape {array.shape} does not fit its {declaration.kind} buffer of "
            f"shape {shape}"
        )
    return array.reshape(shape)
