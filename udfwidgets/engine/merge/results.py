"""Results: what a user gets, made out of frozen buffers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from udfwidgets.buffers import (
    Array,
    BoolArray,
    BufferDeclaration,
    Buffers,
    BufferWrapper,
    Results,
    UDFResults,
)
from udfwidgets.engine.blame import Blame
from udfwidgets.engine.merge.merging import Frozen
from udfwidgets.engine.plan.binding import at_rest
from udfwidgets.engine.plan.partitions import Plan
from udfwidgets.errors import UDFException
from udfwidgets.masked import blanked
from udfwidgets.origin import Origin
from udfwidgets.udf.base import UDF, MaskedResult, parameters_of
from udfwidgets.udf.contract.views import Views

DAMAGE = BufferDeclaration.of("nav", dtype=bool)


def conclude(udfs: Sequence[UDF], frozen: Frozen, plan: Plan) -> UDFResults:
    """Let the UDFs make the user's results out of frozen buffers, when they are looked at.

    Parameters
    ----------
    udfs : sequence of UDF
        Bound to the dataset; copies of them are used, so any thread may call this.
    frozen : Frozen
        The buffers; the results take them over, when they are looked at.
    plan : Plan
        What was read.
    """

    def make() -> tuple[dict[str, BufferWrapper], ...]:
        return tuple(
            _results_of(at_rest(udf, plan, frozen.damage), arrays, frozen.damage, plan, place)
            for udf, arrays, place in zip(udfs, frozen.arrays, _places(udfs), strict=True)
        )

    everywhere = np.broadcast_to(np.True_, plan.n_selected)
    return UDFResults(make, BufferWrapper(DAMAGE, frozen.damage, plan.shape, plan.roi, everywhere))


def _places(udfs: Sequence[UDF]) -> list[tuple[int, bool]]:
    """Return the number of each UDF, and whether there are others of its class."""
    names = [type(udf).__name__ for udf in udfs]
    return [(number, names.count(name) > 1) for number, name in enumerate(names)]


def _results_of(
    udf: UDF, arrays: Buffers, damage: BoolArray, plan: Plan, place: tuple[int, bool]
) -> Results:
    udf.results = Views(udf.declarations, arrays, scan=(plan.shape, plan.roi, damage))
    with Blame(udf):
        results = _completed(udf, udf.get_results())
        return Results(
            (name, _wrap(udf, name, declaration, results[name], damage, plan, place))
            for name, declaration in udf.declarations.items()
            if declaration.visible
        )


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
    place: tuple[int, bool],
) -> BufferWrapper:
    valid = damage if declaration.kind == "nav" else np.asarray(damage.any())
    if isinstance(value, np.ma.MaskedArray):
        known = _to_raw(~np.ma.getmaskarray(value), declaration, plan)
        value, valid = blanked(value), known & valid.reshape(-1, *[1] * (known.ndim - 1))
    elif isinstance(value, MaskedResult):
        value, valid = value.data, _to_raw(value.mask, declaration, plan)
    array: Array = np.asarray(value)
    if array.dtype.kind != declaration.dtype.kind:
        raise UDFException(
            f"{type(udf).__name__}.get_results() gives {name!r} with dtype {array.dtype}, it is "
            f"declared as {declaration.dtype}: change the declaration or convert the array"
        )
    # It keeps its own precision: 64-bit integers must not overflow unseen.
    raw = _to_raw(array, declaration, plan)
    origin = _origin_of(udf, name, damage, plan, place)
    return BufferWrapper(declaration, raw, plan.shape, plan.roi, valid, origin)


def _origin_of(
    udf: UDF, name: str, damage: BoolArray, plan: Plan, place: tuple[int, bool]
) -> Origin | None:
    if plan.data is None:
        return None
    # Looked at now: when the result is saved, they may have been written to.
    plan.data.files  # noqa: B018
    return Origin(
        name,
        type(udf).__name__,
        *place,
        plan.data,
        damage,
        plan.roi,
        parameters_of(udf),
        plan.corrector is not None,
        udf.slice_names.get(name, ""),
        udf.colormaps.get(name, ""),
        udf.result_units.get(name, ""),
    )


def _to_raw(array: Array, declaration: BufferDeclaration, plan: Plan) -> Array:
    """Return a result in the shape of its buffer; a nav result may also come in full shape."""
    shape = declaration.leading(plan.n_selected, plan.shape.sig) + declaration.extra_shape
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
